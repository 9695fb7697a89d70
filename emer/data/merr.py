"""MERR: clips of MER2023's unlabelled part that models described, 28,618 by a template and 4,487 by reasoning.

Source: Cheng et al. 2024, Emotion-LLaMA (NeurIPS, https://arxiv.org/abs/2406.11161),
https://github.com/ZebangCheng/Emotion-LLaMA. The annotations are two JSON objects by clip, `MERR_coarse_grained.json`
(AU_list, …, pseu_emotion, caption) and `MERR_fine_grained.json` (…, text, smp_reason_caption), each with a list
`MERR_….txt` of "name frames emotion" lines, and `transcription_en_all.csv` (name, sentence): `MERR/README.md`,
`docs/dataset/configuration.md` and `minigpt4/datasets/datasets/first_face.py` there. Clips come with MER2023.
"""

from collections.abc import Mapping
from pathlib import Path

from emer.data.dataset import About
from emer.data.released import tell_counts
from emer.data.released_clips import Clips, records, spoken
from emer.data.rows import Row, existing, refuse
from emer.errors import ConfigError
from emer.types import Annotation, Clip

SOURCE = "Cheng et al. 2024, NeurIPS, https://arxiv.org/abs/2406.11161; https://github.com/ZebangCheng/Emotion-LLaMA"
LICENCE = "CC BY-NC 4.0 for the annotations; EULA of the MER challenges for the clips"
WORDS = ("neutral", "angry", "happy", "sad", "worried", "surprise", "fear", "contempt", "doubt")
NOTE = "labels come from action units and texts from models, not from people; what is said is an English translation"
ABOUT: Mapping[str, About] = {
    name: About(name, title, SOURCE, LICENCE, metric="explanation", label_set="merr9", language="zh", note=NOTE)
    for name, title in (("merr_coarse", "MERR, coarse-grained"), ("merr_fine", "MERR, fine-grained"))
}
COUNTS: Mapping[str, Mapping[str, int]] = {"merr_coarse": {"all": 28_618}, "merr_fine": {"all": 4_487}}
PLACES = ("video", "train", "test3", "unlabel")


def merr_coarse(folder: Path) -> tuple[Row, ...]:
    """The clips with a description from a template: face, voice and words in turn. Raises ConfigError."""
    return _read(folder, "merr_coarse", "coarse", "caption")


def merr_fine(folder: Path) -> tuple[Row, ...]:
    """The clips with a description that reasons from the clues to the emotion. Raises ConfigError."""
    return _read(folder, "merr_fine", "fine", "smp_reason_caption")


def _read(folder: Path, name: str, grain: str, text: str) -> tuple[Row, ...]:
    path = existing(folder, f"MERR_{grain}_grained.json", f"the annotations of {ABOUT[name].title}")
    told, listed = records(path), _listed(folder / f"MERR_{grain}_grained.txt")
    transcripts = folder / "transcription_en_all.csv"
    said = spoken(transcripts, "name", "sentence") if transcripts.is_file() else {}
    clips = Clips.below(folder, *PLACES)
    rows, mistakes = [], []
    for clip, entry in told.items():
        label, explanation = listed.get(clip, entry.get("pseu_emotion")), entry.get(text)
        if label not in WORDS:
            mistakes.append(f"{clip} has the emotion {label!r}, which is not one of {', '.join(WORDS)}")
        elif not isinstance(explanation, str):
            mistakes.append(f"{clip} has no text {text!r}")
        else:
            words = said.get(clip) or str(entry.get("text") or "") or None
            rows.append(Row(clip, Clip(clips.path(clip), said=words), Annotation((label,), explanation), language="zh"))
    refuse(mistakes, f"{path} cannot be read")
    tell_counts(name, rows, COUNTS[name])
    return tuple(rows)


def _listed(path: Path) -> dict[str, str]:
    """Emotion by clip, from lines of name, frames, emotion and, perhaps, valence, or of name and emotion; nothing
    where there is no such file."""
    if not path.is_file():
        return {}
    try:
        lines = [line.split() for line in path.read_text(encoding="utf-8-sig").splitlines() if line.strip()]
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"{path} cannot be read as UTF-8 text: {error}; fetch the file again") from error
    short = [f"{' '.join(cells)!r}" for cells in lines if len(cells) < 2]
    refuse(short, f"{path} has lines that are not a name and an emotion")
    return {cells[0]: cells[1] if len(cells) == 2 else cells[2] for cells in lines}
