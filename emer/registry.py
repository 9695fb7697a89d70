"""One table of strings per kind of plugin; nothing is imported until it is asked for.

    >>> load("emer.types:Span", SPANS := {})
    <class 'emer.types.Span'>

A name from a table, or any `package.module:Name`, works without registration.
"""

from collections.abc import Mapping
from importlib import import_module
from typing import Any

from emer.errors import ConfigError

EXTRACTORS = {
    "audio": "emer.clues.audio:AudioClues",
    "visual": "emer.clues.visual:VisualClues",
    "text": "emer.clues.text:TextClues",
}
ENGINES = {
    "composer": "emer.engines.composer:Composer",
    "transformers": "emer.engines.transformers_engine:Transformers",
}
TRANSCRIBERS = {
    "whisper": "emer.clues.asr:Whisper",
    "pocketsphinx": "emer.clues.asr:PocketSphinx",
}
DATASETS: dict[str, str] = {
    "ravdess": "emer.data.ravdess:read",
    "cremad": "emer.data.cremad:read",
    "cremad_voice": "emer.data.cremad:read_voice",
    "emodb": "emer.data.emodb:read",
    "cmu_mosi": "emer.data.cmu_sentiment:read_mosi",
    "cmu_mosei": "emer.data.cmu_sentiment:read_mosei",
    "cmu_mosei_emotions": "emer.data.cmu_sentiment:read_emotions",
    "ch_sims": "emer.data.ch_sims:read",
    "ch_sims_v2": "emer.data.ch_sims:read_v2",
    "m3ed": "emer.data.m3ed:read",
    "music_video": "emer.data.music_video:read",
    "mer2023": "emer.data.mer:mer2023",
    "mer2023_noise": "emer.data.mer:mer2023_noise",
    "mer2023_semi": "emer.data.mer:mer2023_semi",
    "mer2024": "emer.data.mer:mer2024",
    "mer2024_noise": "emer.data.mer:mer2024_noise",
    "mer2024_ov": "emer.data.mer:mer2024_ov",
    "mer2025": "emer.data.mer:mer2025",
    "mer2025_ov": "emer.data.mer:mer2025_ov",
    "meld": "emer.data.meld:read",
    "iemocap4": "emer.data.iemocap:iemocap4",
    "iemocap6": "emer.data.iemocap:iemocap6",
    "ovmerd": "emer.data.ovmerd:ovmerd",
    "ovmerd_plus": "emer.data.ovmerd:ovmerd_plus",
    "mercaption_plus": "emer.data.mercaption:read",
    "emer_v1": "emer.data.emer_sets:emer_v1",
    "emer_v2": "emer.data.emer_sets:emer_v2",
    "merr_coarse": "emer.data.merr:merr_coarse",
    "merr_fine": "emer.data.merr:merr_fine",
    "emoprefer": "emer.data.emoprefer:emoprefer",
    "emoprefer_v2": "emer.data.emoprefer:emoprefer_v2",
    "dfew": "emer.data.dfew:dfew",
    **{f"dfew_fd{fold}": f"emer.data.dfew:fd{fold}" for fold in range(1, 6)},
    **{f"mafw_set{fold}": f"emer.data.mafw:set{fold}" for fold in range(1, 6)},
    **{f"mafw_compound_set{fold}": f"emer.data.mafw:compound_set{fold}" for fold in range(1, 6)},
}
"""Public data sets: `module:function` that reads the folder of a release (see `emer.data.dataset`)."""
METHODS = {
    "softmax": "emer.evidence.softmax:Softmax",
    "evidential": "emer.evidence.evidential:Evidential",
    "lddu": "emer.evidence.lddu:Lddu",
    "tical": "emer.evidence.tical:Tical",
    "cmc": "emer.evidence.cmc:Cmc",
}
BACKBONES = {
    "qwen2_5_omni": "emer.backbones.qwen2_5_omni:Qwen25Omni",
    "qwen3_omni": "emer.backbones.qwen3_omni:Qwen3Omni",
    "gemma4": "emer.backbones.gemma4:Gemma4",
    "text_clues": "emer.backbones.text_clues:TextClues",
}
"""Language models by family (see `emer.backbones.backbone`)."""


def load(name: str, table: Mapping[str, str]) -> Any:
    """The object that `name` stands for: a key of `table`, or `package.module:Name`.

    Raises ConfigError when the name is neither, or when nothing is found there.
    """
    target = table.get(name, name)
    module, separator, attribute = target.partition(":")
    if not separator:
        known = ", ".join(sorted(table)) or "none"
        raise ConfigError(f"{name!r} is not known here; choose one of {known}, or give package.module:Name")
    try:
        return getattr(import_module(module), attribute)
    except ModuleNotFoundError as error:
        if error.name is None or not module.startswith(error.name):
            raise
        raise ConfigError(f"{name!r} names the module {module}, which does not exist; check the spelling") from error
    except AttributeError as error:
        raise ConfigError(f"{name!r}: the module {module} has no {attribute}; check the spelling") from error
