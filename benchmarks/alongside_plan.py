"""What is asked of which system in the table "does training alongside pay?", and where each piece lies."""

import sys
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Literal, TypeVar

from emer.emotions import label_set
from emer.engines.asking import Shown
from emer.errors import ConfigError
from emer.evidence.verdict_spec import VerdictSpec
from emer.files import write_text
from emer.jsonio import dumps, loads
from emer.training.llm.configuration import LlmConfig, read_llm_config

T = TypeVar("T")

System = Literal["sft", "joint"]
SYSTEMS: tuple[System, ...] = ("sft", "joint")
"""The model that learns to write alone, and the one whose verdict is trained alongside."""


@dataclass(frozen=True, slots=True)
class Condition:
    """What of a clip is shown."""

    name: str
    title: str
    shown: Shown
    other_sound: bool = False
    """The sound is that of another clip."""


CONDITIONS = {
    condition.name: condition
    for condition in (
        Condition("all_told", "audio + text, with clue sentences", Shown(frozenset({"audio", "text"}))),
        Condition("audio_told", "audio, with clue sentences", Shown(frozenset({"audio"}))),
        Condition("text_told", "text, with clue sentences", Shown(frozenset({"text"}))),
        Condition("all", "audio + text", Shown(frozenset({"audio", "text"}), sentences=False)),
        Condition("audio", "audio", Shown(frozenset({"audio"}), sentences=False)),
        Condition("text", "text", Shown(frozenset({"text"}), sentences=False)),
        Condition("shuffled", "audio of another clip", Shown(frozenset({"audio"}), sentences=False), other_sound=True),
    )
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """One run. Raises ConfigError for a condition that does not exist."""

    base: str = "nano"
    """The model that LoRA is put on: a folder, a hub id, or nano."""
    config: str = "configs/nano_lora.yaml"
    """How it is trained; `changes` go on top."""
    changes: tuple[str, ...] = ()
    """`key=value` as `emer train` takes them."""
    out: str = "runs/bench/alongside"
    seeds: tuple[int, ...] = (0, 1, 2)
    conditions: tuple[str, ...] = tuple(CONDITIONS)
    sampled: tuple[str, ...] = ("all_told", "all")
    """Where the model is also asked five times, and for a number: the dear ones."""
    samples: int = 5
    temperature: float = 0.7
    """Of the samples, as Wang et al. (2022) draw them."""
    max_new_tokens: int = 256
    batch_size: int = 24
    draws: int = 3
    """How often each training clip is shown to the frozen model, with other things left out, for the post-hoc head."""
    jobs: int = 2
    """Systems that are trained and asked at a time, one processor each."""
    most: int | None = None
    """Clips a speaker, for rehearsals."""

    def __post_init__(self) -> None:
        if strangers := sorted({*self.conditions, *self.sampled} - set(CONDITIONS)):
            raise ConfigError(f"conditions {', '.join(strangers)} do not exist; choose of {', '.join(CONDITIONS)}")

    @property
    def is_whole(self) -> bool:
        """Whether this is the run whose report is kept: nano, and all that is asked by default."""
        return self == replace(Plan(), out=self.out, jobs=self.jobs, batch_size=self.batch_size)

    @property
    def folder(self) -> Path:
        return Path(self.out)

    @property
    def manifest(self) -> Path:
        """Clips of all parts with explanations that the composer wrote."""
        return self.folder / "taught" / "manifest.jsonl"

    def trained(self, system: System, seed: int) -> Path:
        """The run folder of a training."""
        return self.folder / "trained" / f"{system}-seed{seed}"

    def piece(self, system: str, seed: int, name: str) -> Path:
        return self.folder / "pieces" / f"{system}-seed{seed}" / f"{name}.json"

    def training(self, system: System, seed: int) -> tuple[str, ...]:
        """The changes that make a training of the configuration."""
        alone = ("verdict=null", "evaluation.choose_by=text_loss") if system == "sft" else ()
        given = (f"base={self.base}", f"data={self.manifest}", f"out={self.trained(system, seed)}")
        return (*given, f"schedule.seed={seed}", "evaluation.generate=0", *self.changes, *alone)

    def llm(self, system: System, seed: int) -> LlmConfig:
        """The configuration of a training. Raises ConfigError."""
        return read_llm_config(self.config, self.training(system, seed))

    @property
    def spec(self) -> VerdictSpec:
        """What the verdict is about. Raises ConfigError where it is not one right label of emer8."""
        settings = self.llm("joint", self.seeds[0]).verdict
        if settings is None or settings.spec.labels != label_set("emer8") or settings.kind != "dirichlet":
            raise ConfigError("the table needs verdict.label_set=emer8 and verdict.kind=dirichlet; set both")
        return settings.spec


# ---------------------------------------------------------------- pieces


@dataclass(frozen=True, slots=True)
class Said:
    """What a model wrote about one clip."""

    name: str
    text: str
    labels: tuple[str, ...]
    claims: int = 0
    """Sentences that claim something (`emer.grounding.claims`)."""
    grounded: int = 0
    evidence: tuple[float, ...] | None = None
    """Of the verdict; None where the model has none, or did not answer."""
    scores: dict[str, dict[str, float]] = field(default_factory=dict)
    """Label to raw confidences by way: `token`, and `verbalised` where the model was asked (`emer.types.Answer`)."""
    error: str | None = None


@dataclass(frozen=True, slots=True)
class Answered:
    """One model, one condition."""

    said: tuple[Said, ...]
    seconds: float


@dataclass(frozen=True, slots=True)
class ReadOff:
    """What the frozen model's own states and logits tell in one condition, clip by clip."""

    tokens: tuple[tuple[float, ...], ...]
    """Over emer8, from the first tokens of labels."""
    posthoc: tuple[tuple[float, ...], ...]
    """Evidence of the head that was trained on frozen states."""
    seconds: float


@dataclass(frozen=True, slots=True)
class Losses:
    """Cross-entropy of the reference explanations."""

    names: tuple[str, ...]
    nats: tuple[float, ...]
    """Summed over a clip's answer tokens."""
    tokens: tuple[int, ...]
    seconds: float


@dataclass(frozen=True, slots=True)
class Rows:
    """The post-hoc head: one row of numbers a label, and how it came about."""

    rows: tuple[tuple[float, ...], ...]
    epochs: int
    """After which validation clips liked it best."""
    seconds: float


@dataclass(frozen=True, slots=True)
class Heads:
    """Evidence of the frozen audio head, clip by clip; None where it was not asked (out of its domain)."""

    names: tuple[str, ...]
    evidence: tuple[tuple[float, ...] | None, ...]
    prior_weight: float
    weights: str
    seconds: float


def once(path: Path, kind: type[T], make: Callable[..., T], *given: object) -> T:
    """The piece that lies there; `make(*given)`, written, where it is missing, and its time told."""
    if path.is_file():
        return loads(path.read_bytes(), kind)
    made = make(*given)
    path.parent.mkdir(parents=True, exist_ok=True)
    write_text(path, dumps(made) + "\n")
    print(f"{path.parent.name} {path.stem}: {getattr(made, 'seconds', 0.0):.0f} s", file=sys.stderr, flush=True)
    return made
