"""`emer.json`: everything that an adapter's numbers mean, and for which base, prompt and fusion they hold."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Literal

from emer.errors import ConfigError, ModelError
from emer.evidence.calibration import Calibration
from emer.evidence.verdict_spec import VerdictSpec
from emer.jsonio import dumps, loads
from emer.types import Caps, PromptRecord
from emer.version import __version__

SCHEMA = "emer.adapter/1"

Names = Literal["peft", "vllm", "merged"]
Precision = Literal["float32", "bfloat16"]
"""What a model computes in; bfloat16 stands for every half precision."""


@dataclass(frozen=True, slots=True, kw_only=True)
class BaseRecord:
    """The model that an adapter was trained on."""

    name: str
    """Hub id, or the name of a folder, without its path."""
    sha256: str
    """Of its weights (`emer.adapters.base_hash`)."""
    model_class: str
    """The transformers class whose module names the tensors have."""
    output_layer: str
    """Name of the output layer, as the tensors name it."""
    hidden: int
    """Size of the states that feed the output layer."""
    vocabulary: int
    """Rows of the output layer, those that no token uses among them."""
    softcap: float | None = None
    """Soft cap of the logits, where the model has one."""


@dataclass(frozen=True, slots=True, kw_only=True)
class VerdictRecord:
    """Where the verdict stands in the output layer."""

    spec: VerdictSpec
    rows: tuple[int, ...]
    """Vocabulary rows, in the order of `spec.row_names`; no tokenizer id may be among them. Never to be generated."""
    layout: str = "label-major"
    """Beta: for and against of the first label, then of the second, and so on."""
    label_map: dict[str, str] = field(default_factory=dict)
    """Words that reached a label by the trainer's own map, which goes before every table."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Probe:
    """One prompt of text and the trainer's verdict on it: who answers otherwise has not loaded the adapter."""

    text: str
    tokens: tuple[int, ...]
    """The prompt as the model reads it; the verdict is read at the last one."""
    logits: tuple[float, ...]
    """Of the verdict's rows, with the adapter, in float32."""
    base_logits: tuple[float, ...]
    """Of the same rows of the base alone."""
    precision: Precision = "float32"
    """What the trainer's model computed the states in; the head itself is float32."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ShownRecord:
    """What of a clip the model was shown in training: an engine shows the same, unless it is told otherwise."""

    frames: Literal["full", "face", "both"] = "full"
    """The whole picture, the tracked face alone, or both."""
    caps: Caps = field(default_factory=Caps)


@dataclass(frozen=True, slots=True, kw_only=True)
class FusionRecord:
    """How the verdict is fused with the opinions of other views."""

    rule: str = "weighted"
    reliabilities: dict[str, float] | None = None
    """View to reliability; None is one for all."""
    fitted: str = ""
    """With which heads, and on which rows; empty where nothing was fitted."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AdapterRecord:
    """What an adapter says about itself. Raises ConfigError that lists every contradiction."""

    base: BaseRecord
    verdict: VerdictRecord | None = None
    """None for an adapter that writes explanations only."""
    names: Names = "peft"
    """Whose tensor names the files have; merged: they are a whole model."""
    prompt: PromptRecord | None = None
    """The prompt that it was trained with."""
    shown: ShownRecord | None = None
    """None: as suits the base's family."""
    fusion: FusionRecord = field(default_factory=FusionRecord)
    calibration: Calibration | None = None
    """Per set of views: temperature, threshold, how and on which rows they were fitted."""
    probe: Probe | None = None
    data: str = ""
    """Name of the data it was trained on."""
    trained_rows: tuple[str, ...] = ()
    """Hashes of its training and validation rows (`emer.evidence.rows`): calibration refuses these."""
    seed: int | None = None
    licence: str = ""
    """Licence of the weights, where the data asks for one."""
    figures: dict[str, str] = field(default_factory=dict)
    """What it reaches, in words: measure to value with interval and n."""
    limits: tuple[str, ...] = ()
    """What it should not be used for, a sentence each."""
    versions: dict[str, str] = field(default_factory=dict)
    """Package to version, of those that trained it."""
    files: dict[str, str] = field(default_factory=dict)
    """File to SHA-256, of every file of tensors; written with the folder."""
    emer: str = __version__
    schema: str = SCHEMA

    def __post_init__(self) -> None:
        if mistakes := list(_mistakes(self)):
            raise ConfigError("the record of the adapter contradicts itself: " + "; ".join(mistakes))


def _mistakes(record: AdapterRecord) -> Iterator[str]:
    base, verdict = record.base, record.verdict
    if base.softcap is not None and base.softcap <= 0:
        yield f"the soft cap is {base.softcap:g}; it must be above 0, or null"
    if verdict is None:
        if record.calibration or record.probe:
            yield "it has a calibration or a probe, and no verdict"
        return
    spec = verdict.spec
    rows = verdict.rows
    if len(rows) != spec.rows or len(set(rows)) < len(rows):
        yield f"rows {list(rows)} must be {spec.rows} different ones for {len(spec.labels)} labels ({spec.kind})"
    if outside := [row for row in rows if not 0 <= row < base.vocabulary]:
        yield f"rows {outside} are not among the {base.vocabulary} of the output layer"
    for name in ("label_set", "labels", "kind"):
        made = record.calibration
        if made is not None and getattr(made, name) != getattr(spec, name):
            yield f"the calibration has {name} {getattr(made, name)!r}, and the verdict {getattr(spec, name)!r}"
    if record.probe and {len(record.probe.logits), len(record.probe.base_logits)} != {spec.rows}:
        yield f"the probe must have {spec.rows} logits"


# ---------------------------------------------------------------- does it fit?


def refuse_other_base(record: AdapterRecord, sha256: str) -> None:
    """Raises ModelError for a base with another hash than the one that the adapter was trained on."""
    if sha256 != record.base.sha256:
        raise ModelError(
            f"the adapter was trained on {record.base.name} (weights {record.base.sha256[:12]}…), and this model has "
            f"weights {sha256[:12]}…; give that base, or train the adapter on this one"
        )


def refuse_other_labels(record: AdapterRecord, label_set: str, labels: tuple[str, ...]) -> None:
    """Raises ModelError where the verdict is over other labels than those that are asked for."""
    spec = record.verdict.spec if record.verdict else None
    if spec is None:
        raise ModelError(f"the adapter has no verdict, and one over {label_set} is asked for; train it with one")
    if (spec.label_set, spec.labels) != (label_set, labels):
        raise ModelError(
            f"the adapter's verdict is over {spec.label_set} ({', '.join(spec.labels)}), and {label_set} "
            f"({', '.join(labels)}) is asked for; ask for the adapter's set, or train another adapter"
        )


def refuse_used_rows(
    record: AdapterRecord, vocabulary: Mapping[str, int], reserved: re.Pattern[str] | None = None
) -> None:
    """Raises ModelError where a verdict row is a token of the tokenizer, given token to id (`get_vocab()`).

    `reserved` are tokens that the model's makers left free, such as `<unused12>`: their rows may be the verdict's.
    """
    rows = set(record.verdict.rows) if record.verdict else set()
    taken = {row: token for token, row in vocabulary.items() if row in rows}
    used = [(row, token) for row, token in sorted(taken.items()) if reserved is None or not reserved.fullmatch(token)]
    if used:
        told = ", ".join(f"{row} is {token!r}" for row, token in used[:3]) + (", …" if len(used) > 3 else "")
        raise ModelError(
            f"{len(used)} verdict rows are tokens of this tokenizer ({told}): its text would be read as a verdict; "
            "use the tokenizer that the adapter was trained with"
        )


# ---------------------------------------------------------------- JSON


def write_record(record: AdapterRecord) -> str:
    """The record as one line of JSON."""
    return dumps(record)


def parse_record(text: str | bytes) -> AdapterRecord:
    """The record that `write_record` wrote. Raises ConfigError for anything else."""
    record = loads(text, AdapterRecord)
    if record.schema != SCHEMA:
        raise ConfigError(f"the adapter has schema {record.schema!r}, and this emer reads {SCHEMA}; update emer")
    return record
