"""The end of a run: the kept state becomes an adapter's folder, is loaded again from the disk, and proved live."""

from collections.abc import Mapping, Sequence
from pathlib import Path

import torch

from emer.adapters.export import adapter_of, base_record, export_adapter
from emer.adapters.files import read_adapter
from emer.adapters.proof import last_state, prove_in_transformers
from emer.adapters.record import AdapterRecord, FusionRecord, ShownRecord, VerdictRecord
from emer.backbones.attached import Conversation
from emer.backbones.backbone import Backbone
from emer.backbones.loading import load
from emer.errors import ModelError
from emer.evidence.rows import row_hashes
from emer.prompts import prompt
from emer.training.llm.configuration import LlmConfig
from emer.training.llm.examples import Taught
from emer.training.llm.joint_model import JointModel
from emer.training.llm.view_heads import as_trained
from emer.types import Message

PROBE = "What does the person in this clip feel, and how can one tell?"
"""By which servers prove the adapter live: a prompt of text alone, whose verdict is kept in `emer.json`."""
LIMITS = (
    "Its figures are those of the validation clips that chose its state: other speakers, rooms and languages were not "
    "looked at.",
)


def record_of(
    config: LlmConfig,
    taught: Taught,
    backbone: Backbone,
    rows: Sequence[int],
    base_sha256: str,
    figures: Mapping[str, float],
    fusion: FusionRecord | None = None,
) -> AdapterRecord:
    """What the adapter says of itself; `figures` are those of the kept state on validation clips."""
    told = config.verdict
    verdict = None if told is None else VerdictRecord(spec=told.spec, rows=tuple(rows), label_map=dict(told.label_map))
    seen = (*taught.parts["train"], *taught.parts["validation"])
    return AdapterRecord(
        base=base_record(backbone.model, name_of(config.base), base_sha256),
        verdict=verdict,
        prompt=prompt(config.prompt, "zh" if config.language == "zh" else "en").record,
        shown=ShownRecord(frames=config.frames, caps=config.caps or backbone.caps),
        fusion=fusion or FusionRecord(),
        data=taught.name,
        trained_rows=row_hashes([name for example in seen for name in (example.id, example.row) if name]),
        seed=config.schedule.seed,
        licence=config.licence,
        figures={
            name.replace("_", " "): f"{value:.3f} (n = {clips_behind(name, config, taught)}, validation)"
            for name, value in figures.items()
        },
        limits=LIMITS,
    )


def clips_behind(figure: str, config: LlmConfig, taught: Taught) -> int:
    """How many validation clips a figure is of: not all are explained or labelled, and few are answered in full."""
    clips = taught.parts["validation"]
    if figure == "text_loss":
        return sum(example.teaches_text for example in clips)
    if figure in ("nll", "accuracy", "aurc"):
        return sum(example.teaches_verdict for example in clips)
    return min(config.evaluation.generate, len(clips)) if figure in ("in_form", "wheel_f1") else len(clips)


def export(folder: Path, joint: JointModel, record: AdapterRecord, *, alone: bool, main: bool) -> None:
    """Write the adapter of a joint model in its present state. Every process of a run calls it; the main one writes.

    Raises ConfigError and OutputError as `export_adapter` does.
    """
    joint.eval()
    model = joint.backbone.model
    heads = None
    if joint.views is not None:
        heads = as_trained(joint.views, record.data, record.trained_rows, record.licence)
    if not alone:
        # where weights are spread over processes all of them must give theirs
        adapter_of(model, record, joint.head)
    if main:
        export_adapter(folder, model, record, joint.head, probe=(PROBE, probe_tokens(joint.backbone)), heads=heads)


def prove(config: LlmConfig, adapter: Path, *, device: torch.device, dtype: torch.dtype) -> float | None:
    """Load base and adapter afresh, from the disk, and prove that the adapter is live. Raises ModelError.

    The answer is the largest change that it makes to a verdict logit; None without a verdict, where it is enough that
    it changes the last state.
    """
    record = read_adapter(adapter).record
    backbone = load(config.base, family=config.family, device=device, dtype=dtype, adapter=adapter)
    if record.verdict is not None:
        return prove_in_transformers(backbone.model, record).change
    tokens = probe_tokens(backbone)
    moved = last_state(backbone.model, tokens)
    with backbone.model.disable_adapter():
        plain = last_state(backbone.model, tokens)
    if torch.equal(moved, plain):
        raise ModelError(
            f"the adapter {adapter}, loaded again, changes nothing; train it for more steps, or with a higher rate"
        )
    return None


def probe_tokens(backbone: Backbone) -> list[int]:
    """The probe as this model reads it."""
    encoded = backbone.encode([Conversation((Message("user", PROBE),))])
    return [int(token) for token in encoded.inputs["input_ids"][0]]


def name_of(base: str) -> str:
    """A hub id as it is; of a folder its own name, without the path.

    >>> name_of("Qwen/Qwen2.5-Omni-7B")
    'Qwen/Qwen2.5-Omni-7B'
    """
    return Path(base).resolve().name if Path(base).is_dir() else base
