"""How well a model in training does on validation rows, and which of its states is kept. Test rows never come here.

    text_loss            nats an answer token
    nll, accuracy, aurc  of the verdict, before any calibration
    loss                 the whole loss, with lambda_e at its full weight
    wheel_f1, in_form    of answers that the model writes itself: F1 of their labels on a wheel's inner ring, and the
                         share that keeps the form that is asked for

Of a Dirichlet verdict the likeliest label counts as right where most people chose it; of a Beta verdict, where the
strongest label holds. NLL of a Beta verdict is the mean over labels.
"""

import logging
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import torch
from jaxtyping import Float
from torch import nn

from emer.backbones.encoding import Row
from emer.data.rows import some
from emer.emotions.wheel_files import load_wheels
from emer.emotions.wheel_own import OWN_WHEELS
from emer.engines.generation import Writing, write
from emer.engines.reading_answers import read_answer
from emer.errors import ConfigError, EmerError
from emer.evidence.verdict import alpha
from emer.evidence.verdict_spec import VerdictSpec
from emer.metrics.open_vocabulary import words_of
from emer.metrics.proper_scores import nll
from emer.metrics.selective import aurc
from emer.metrics.wheel_scores import mapping_scores
from emer.training.llm.collating import Collator, Draw
from emer.training.llm.configuration import Evaluation, LlmConfig
from emer.training.llm.dropout import spoken_labels
from emer.training.llm.example import Example
from emer.training.llm.joint_model import JointModel

logger = logging.getLogger("emer")

Figures = Mapping[str, float]
"""By the names above; what cannot be measured (no labels, no explanations) is absent."""
LARGE_IS_GOOD = ("accuracy", "wheel_f1")


# ---------------------------------------------------------------- which state is kept


@dataclass(frozen=True, slots=True)
class Course:
    """The figure by which states are chosen, evaluation after evaluation."""

    figures: tuple[float, ...]
    """Small is good."""
    choose_by: str
    patience: int | None

    @classmethod
    def of(cls, log: Sequence[Mapping[str, Any]], choose_by: str, patience: int | None) -> "Course":
        """From a log whose validation lines have names beginning with `eval_`. Raises ConfigError where they lack the
        figure: it cannot be measured on these validation rows."""
        lines = [line for line in log if any(name.startswith("eval_") for name in line)]
        if any(f"eval_{choose_by}" not in line for line in lines):
            there = ", ".join(sorted(name.removeprefix("eval_") for name in lines[0] if name.startswith("eval_")))
            raise ConfigError(
                f"{choose_by} cannot be measured on these validation rows, which give {there}; choose one of them with "
                "evaluation.choose_by=…"
            )
        sign = -1.0 if choose_by in LARGE_IS_GOOD else 1.0
        return cls(tuple(sign * line[f"eval_{choose_by}"] for line in lines), choose_by, patience)

    @property
    def best(self) -> int:
        """Which evaluation was the best; of equal ones the first."""
        return min(range(len(self.figures)), key=lambda i: (self.figures[i], i))

    @property
    def newest_is_best(self) -> bool:
        return bool(self.figures) and self.best == len(self.figures) - 1

    @property
    def is_over(self) -> bool:
        """Whether the best lies `patience` evaluations back."""
        return bool(self.figures) and self.patience is not None and len(self.figures) - 1 - self.best >= self.patience


# ---------------------------------------------------------------- measuring


@dataclass(frozen=True, slots=True)
class Processes:
    """Who of several processes this one is; alone by default."""

    rank: int = 0
    count: int = 1
    gather: Callable[[list[Any]], list[Any]] = list
    """Everybody's list from everybody's own."""

    def mine(self, works: int) -> list[int]:
        """Which of so many pieces of work are this process's; as many as every other's, hence some twice."""
        if not works:
            return []
        each = -(-works // self.count)
        return [(self.rank + self.count * turn) % works for turn in range(each)]


@dataclass(frozen=True, slots=True)
class _Measured:
    """Sums over one batch."""

    text: float
    tokens: int
    opinions: float
    """Losses of verdict, views and their fusion."""
    logits: list[list[float]]
    target: list[list[float]]
    """Of the clips whose label is known."""
    left_out: Mapping[str, str]
    """Clips that could not be decoded, and why."""


class Validation:
    """Measures a model on validation examples whenever it is called. Nothing is dropped, nothing is drawn.

    A clip that cannot be decoded counts in no figure; it is told, and stands in `left_out`.
    """

    def __init__(
        self,
        joint: JointModel,
        config: LlmConfig,
        collator: Collator,
        examples: Sequence[Example],
        rows: Sequence[int] = (),
        processes: Processes = Processes(),
    ) -> None:
        self.joint, self.config, self.collator = joint, config, collator
        self.examples, self.rows, self.processes = tuple(examples), tuple(rows), processes
        self.mapping = ring_of(config.evaluation)
        self.left_out: dict[str, str] = {}
        """Clips that could not be decoded at any evaluation, of all processes, and why."""

    def __call__(self) -> Figures:
        """The figures of all examples, the same in every process."""
        with as_served(self.joint):
            found = self._shared(_cut(self.examples, self.config.schedule.batch_size), self._measure)
            self._tell({name: why for batch in found for name, why in batch.left_out.items()})
            answered = explained(self.examples, self.config.evaluation.generate)
            written = self._shared(_cut(answered, self.config.schedule.batch_size), self._write)
        figures = text_figures(found, 1.0 if self.config.verdict is None else self.config.verdict.weight)
        if self.joint.head is not None:
            figures |= self._verdict_figures(found, self.joint.head.spec)
        answers = [answer for batch in written for answer in batch]
        return figures | written_figures(answers, [spoken_labels(e.annotation) for e in answered], self.mapping)

    def verdicts(self) -> dict[str, list[float]]:
        """The verdict's logits on every example that can be decoded, by its id; the same in every process."""
        with as_served(self.joint):
            found = self._shared(_cut(self.examples, self.config.schedule.batch_size), self._logits)
        return {name: logits for batch in found for name, logits in batch.items()}

    @torch.no_grad()
    def _logits(self, examples: Sequence[Example]) -> dict[str, list[float]]:
        batch = self.collator([Draw(example, training=False) for example in examples])
        batch = batch.to(self.joint.backbone.device, self.joint.backbone.dtype)
        # without a clip that can be decoded there is one row, which is nobody's
        return dict(zip(batch.ids, self.joint(batch).verdict_logits.tolist(), strict=False))

    def _tell(self, left_out: Mapping[str, str]) -> None:
        self.left_out.update(left_out)
        if left_out and self.processes.rank == 0:
            told = some(f"{name} ({why})" for name, why in left_out.items())
            logger.warning("%d of %d validation clips count in no figure: %s", len(left_out), len(self.examples), told)

    def _shared(self, batches: Sequence[Any], work: Callable[[Any], Any]) -> list[Any]:
        """Each batch worked on by one process, the results of all in order."""
        own = [(place, work(batches[place])) for place in self.processes.mine(len(batches))]
        found = dict(self.processes.gather(own))
        return [found[place] for place in sorted(found)]

    @torch.no_grad()
    def _measure(self, examples: Sequence[Example]) -> _Measured:
        batch = self.collator([Draw(example, training=False) for example in examples])
        batch = batch.to(self.joint.backbone.device, self.joint.backbone.dtype)
        outputs = self.joint(batch)
        known = int(outputs.known)
        return _Measured(
            text=float(outputs.text) * int(outputs.tokens),
            tokens=int(outputs.tokens),
            opinions=float(outputs.verdict + outputs.views.sum() + outputs.fused) * known,
            logits=outputs.verdict_logits[batch.known].tolist(),
            target=batch.target[batch.known].tolist(),
            left_out=batch.left_out,
        )

    def _verdict_figures(self, found: Sequence[_Measured], spec: VerdictSpec) -> dict[str, float]:
        logits = np.array([row for batch in found for row in batch.logits], dtype=float)
        target = np.array([row for batch in found for row in batch.target], dtype=float)
        return verdict_figures(logits, target, spec) if len(logits) else {}

    def _write(self, examples: Sequence[Example]) -> list[str]:
        """What the model answers; nothing about a clip that cannot be decoded."""
        backbone = self.joint.backbone
        rows = [self._prompt(example) for example in examples]
        there = [row for row in rows if row is not None]
        if not there:
            return [""] * len(rows)
        batch = backbone.batch(there, side="left", answered=False).to(backbone.device, backbone.dtype)
        written = write(
            backbone.model,
            backbone.tokenizer,
            backbone.lm_head,
            batch.inputs,
            rows=self.rows,
            writing=Writing(max_new_tokens=self.config.evaluation.max_new_tokens),
        )
        texts = iter(written)
        return ["" if row is None else next(texts).text for row in rows]

    def _prompt(self, example: Example) -> Row | None:
        try:
            return replace(self.collator.encoded(Draw(example, training=False)).row, answer=())
        except (EmerError, OSError) as error:
            logger.warning("%s is not explained at validation: %s", example.id, error)
            return None


@contextmanager
def as_served(joint: nn.Module) -> Iterator[None]:
    """Without dropout in this block."""
    training = joint.training
    joint.eval()
    try:
        yield
    finally:
        joint.train(training)


def explained(examples: Sequence[Example], most: int) -> tuple[Example, ...]:
    """The examples that are answered in full, spread evenly over all."""
    wanted = min(most, len(examples))
    return tuple(examples[i * len(examples) // wanted] for i in range(wanted))


# ---------------------------------------------------------------- figures


def text_figures(found: Sequence[_Measured], weight: float) -> dict[str, float]:
    """Means over all answer tokens, and the whole loss."""
    tokens, known = sum(one.tokens for one in found), sum(len(one.target) for one in found)
    text = sum(one.text for one in found) / tokens if tokens else 0.0
    opinions = sum(one.opinions for one in found) / known if known else 0.0
    return ({"text_loss": text} if tokens else {}) | {"loss": text + weight * opinions}


def verdict_figures(
    logits: Float[np.ndarray, "clip row"], target: Float[np.ndarray, "clip label"], spec: VerdictSpec
) -> dict[str, float]:
    """NLL, accuracy and AURC of verdicts."""
    parameters = alpha(torch.from_numpy(logits), spec).double().numpy()
    p = parameters / parameters.sum(-1, keepdims=True)
    if spec.kind == "beta":
        held = np.stack([target, 1 - target], axis=-1)
        likelihood, p = nll(p.reshape(-1, 2), held.reshape(-1, 2)), p[..., 0]
    else:
        likelihood = nll(p, target)
    strongest = target[np.arange(len(target)), p.argmax(1)]
    right = (strongest > 0.5) if spec.kind == "beta" else (strongest >= target.max(1))
    return {"nll": likelihood, "accuracy": float(right.mean()), "aurc": aurc(p.max(1), 1.0 - right)}


def written_figures(answers: Sequence[str], gold: Sequence[Sequence[str]], mapping: str) -> dict[str, float]:
    """Wheel F1 of the labels that a model wrote, and the share of answers in the form that is asked for."""
    if not answers:
        return {}
    read = [read_answer(answer) for answer in answers]
    figures = {"in_form": float(np.mean([each.strayed is None for each in read]))}
    words, (told, said) = words_of(list(gold), [each.labels for each in read])
    found = mapping_scores(told, said, words, load_wheels(), [mapping])
    return figures | ({"wheel_f1": found.f1} if found.scored.any() else {})


def ring_of(settings: Evaluation) -> str:
    """The mapping to the inner ring of the configured wheel. Raises ConfigError for a wheel that emer does not have."""
    if settings.wheel not in OWN_WHEELS:
        raise ConfigError(f"evaluation.wheel {settings.wheel!r} is not known; choose one of {', '.join(OWN_WHEELS)}")
    return f"case3_wheel{OWN_WHEELS.index(settings.wheel) + 1}_level1"


def _cut(examples: Sequence[Example], size: int) -> list[tuple[Example, ...]]:
    return [tuple(examples[i : i + size]) for i in range(0, len(examples), size)]
