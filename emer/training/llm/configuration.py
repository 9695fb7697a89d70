"""The configuration of `emer train` for language models: YAML whose keys are the fields below."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from math import inf
from pathlib import Path
from typing import Any, Literal

from emer.backbones.attached import Caps
from emer.config import build, overridden, read_yaml, shipped
from emer.errors import ConfigError
from emer.evidence.evidence_head import Activation
from emer.evidence.verdict_labels import LabelMap
from emer.evidence.verdict_spec import VerdictSpec
from emer.evidence.view_losses import Objective


@dataclass(frozen=True, slots=True, kw_only=True)
class LoraSettings:
    """Low-rank adaptation (Hu et al. 2022, https://arxiv.org/abs/2106.09685) of the language model's projections."""

    rank: int = 16
    alpha: int = 32
    """alpha / rank is a power of two, so that the verdict's rows come out exactly (see `emer.adapters.rows`)."""
    dropout: float = 0.05
    targets: str | None = None
    """Regular expression over whole module names; None takes that of the backbone's family."""
    quantised: bool = False
    """QLoRA: the base in four bits (Dettmers et al. 2023, https://arxiv.org/abs/2305.14314); needs bitsandbytes."""

    def __post_init__(self) -> None:
        if self.rank < 1 or self.alpha < 1 or not 0 <= self.dropout < 1:
            raise ConfigError(
                f"rank {self.rank} and alpha {self.alpha} begin at 1, dropout {self.dropout:g} lies from 0 below 1"
            )


@dataclass(frozen=True, slots=True, kw_only=True)
class VerdictSettings:
    """The evidential head that is trained beside the language model, and what it learns from."""

    label_set: str = "ring1/plutchik"
    labels: tuple[str, ...] | None = None
    """None takes those of the named set; give them for a set of your own."""
    kind: Literal["dirichlet", "beta"] = "beta"
    activation: Activation = "softplus"
    prior_weight: float | None = None
    """W; None takes the number of labels (dirichlet) or 2 (beta). The shipped heads have .8: fusing needs the same."""
    label_map: Mapping[str, str] = field(default_factory=dict)
    """The user's words to labels of the set; they go before every table."""
    objective: Objective = field(default_factory=Objective)
    weight: float = 1.0
    """lambda_e once it is warm: the weight of the evidential loss beside the cross-entropy of the text."""
    warm_up: float = 0.1
    """Share of all steps over which that weight grows from 0."""

    def __post_init__(self) -> None:
        if not 0 <= self.weight < inf or not 0 <= self.warm_up <= 1:
            raise ConfigError(f"weight {self.weight:g} begins at 0, and warm_up {self.warm_up:g} lies from 0 to 1")
        _ = self.words

    @property
    def spec(self) -> VerdictSpec:
        """What the verdict speaks about. Raises ConfigError for an unknown label set."""
        from emer.emotions.label_sets import label_set

        return VerdictSpec(
            label_set=self.label_set,
            labels=self.labels or label_set(self.label_set),
            kind=self.kind,
            activation=self.activation,
            prior_weight=self.prior_weight,
        )

    @property
    def words(self) -> LabelMap:
        """How free-text labels reach the set. Raises ConfigError where the user's map leads out of it."""
        return LabelMap(self.spec, self.label_map)


@dataclass(frozen=True, slots=True, kw_only=True)
class DropoutSettings:
    """Who is left out of a training example at random, so that one model answers for any subset."""

    modality: float = 0.15
    """Probability, for each modality by itself, that its media, clue sentences, words and opinion are left out."""
    sentences: float = 0.3
    """That the clue sentences alone are, so that the model learns to listen without being told."""
    media: float = 0.3
    """That sound and pictures alone are, so that it learns to read without hearing."""

    def __post_init__(self) -> None:
        given = {"modality": self.modality, "sentences": self.sentences, "media": self.media}
        if wrong := [f"{name} {p:g}" for name, p in given.items() if not 0 <= p < 1]:
            raise ConfigError(f"probabilities lie from 0 below 1, not {', '.join(wrong)}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Schedule:
    """How long, how fast, in what precision."""

    epochs: float = 3.0
    most_steps: int | None = None
    """Optimizer steps after which training ends, though epochs are left; more than those have change nothing."""
    batch_size: int = 1
    """Examples a process takes at once."""
    accumulation: int = 8
    """Batches whose gradients make one step."""
    learning_rate: float = 1e-4
    """Of LoRA."""
    head_learning_rate: float = 1e-3
    """Of the verdict's rows and of the views' heads, which begin at nothing."""
    weight_decay: float = 0.0
    warm_up: float = 0.03
    """Share of the steps over which learning rates grow from 0; they fall as a cosine then."""
    largest_gradient: float = 1.0
    precision: Literal["auto", "float32", "bfloat16"] = "auto"
    """auto: bfloat16 on a GPU that has it, else float32. The verdict's head is float32 always."""
    checkpointing: bool = True
    """Gradient checkpointing: less memory for a third more time."""
    group_by_length: bool = True
    workers: int = 0
    """Processes that decode clips ahead of the model."""
    seed: int = 0

    def __post_init__(self) -> None:
        counts = {"most_steps": self.most_steps, "batch_size": self.batch_size, "accumulation": self.accumulation}
        wrong = [f"{name} {count} begins at 1" for name, count in counts.items() if count is not None and count < 1]
        above = {"epochs": self.epochs, "largest_gradient": self.largest_gradient}
        wrong += [f"{name} {number:g} lies above 0" for name, number in above.items() if not 0 < number < inf]
        least = {
            "learning_rate": self.learning_rate,
            "head_learning_rate": self.head_learning_rate,
            "weight_decay": self.weight_decay,
            "workers": self.workers,
        }
        wrong += [f"{name} {number:g} begins at 0" for name, number in least.items() if not 0 <= number < inf]
        wrong += [] if 0 <= self.warm_up <= 1 else [f"warm_up {self.warm_up:g} lies from 0 to 1"]
        if wrong:
            raise ConfigError(", ".join(wrong))


@dataclass(frozen=True, slots=True, kw_only=True)
class Evaluation:
    """What is measured on validation rows while training goes on, and which state is kept."""

    every: float = 1.0
    """In epochs; .5 measures twice an epoch."""
    generate: int = 64
    """Validation clips that are explained in full each time, for the scores of generated labels; 0 for none."""
    max_new_tokens: int = 256
    wheel: str = "plutchik"
    """Over which wheel generated labels are scored (wheel F1 on its inner ring)."""
    choose_by: Literal["nll", "accuracy", "text_loss", "wheel_f1", "loss"] = "nll"
    """By which of the figures the state is chosen that is exported; all but accuracy and wheel_f1 are to be small."""
    patience: int | None = 3
    """Evaluations without a better figure after which training stops; None never stops early."""
    keep: int = 2
    """Checkpoints that stay on the disk, besides the best."""

    def __post_init__(self) -> None:
        counts = {"max_new_tokens": self.max_new_tokens, "patience": self.patience, "keep": self.keep}
        wrong = [f"{name} {count} begins at 1" for name, count in counts.items() if count is not None and count < 1]
        wrong += [f"generate {self.generate} begins at 0"] if self.generate < 0 else []
        wrong += [] if 0 < self.every < inf else [f"every {self.every:g} lies above 0"]
        if self.choose_by == "wheel_f1" and not self.generate:
            wrong.append("choose_by wheel_f1 scores labels that are generated, and generate is 0")
        if wrong:
            raise ConfigError(", ".join(wrong))


@dataclass(frozen=True, slots=True, kw_only=True)
class LlmConfig:
    """A whole training run. Raises ConfigError that lists every mistake."""

    task: Literal["llm"] = "llm"
    base: str = ""
    """A folder, a hub id, or `nano`."""
    family: str | None = None
    """A name of `emer.registry.BACKBONES`; None finds it by the model's own configuration."""
    data: str = ""
    """A manifest (.jsonl, .csv, conversations) whose rows have labels, an explanation, or both."""
    split: str | None = None
    """A split file or name; None takes the manifest's own column, or makes one that is disjoint in speakers."""
    out: str = ""
    """The run's folder; empty: runs/llm/CONFIG-DATA."""
    prompt: str = "explain"
    language: Literal["en", "zh", "clip"] = "en"
    frames: Literal["full", "face", "both"] = "full"
    caps: Caps | None = None
    """The most that the model hears and sees of a clip; None takes what suits its family."""
    lora: LoraSettings = field(default_factory=LoraSettings)
    verdict: VerdictSettings | None = field(default_factory=VerdictSettings)
    """null trains the explanation alone."""
    views: tuple[Literal["audio", "visual", "text"], ...] = ()
    """Views that get an evidential head of their own on their measured features, trained alongside and fused."""
    dropout: DropoutSettings = field(default_factory=DropoutSettings)
    schedule: Schedule = field(default_factory=Schedule)
    evaluation: Evaluation = field(default_factory=Evaluation)
    licence: str = ""
    """Licence of the weights, where the data asks for one."""


def read_llm_config(path: str | Path, changes: Sequence[str] = ()) -> LlmConfig:
    """The configuration in a file, or the shipped one of that name, with `key=value` changes. Raises ConfigError."""
    file = shipped(".", path)
    values: dict[str, Any] = overridden(read_yaml(file), changes)
    return build(LlmConfig, values, str(file))
