"""What nano's explanations of validation recordings are worth, with clue sentences and without, as the engine has them.

Test speakers are not read here: figures on them stand in benchmarks/.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from teaching import PROMPT

from emer.emotions import cluster_of
from emer.engines.reading_answers import read_answer
from emer.engines.transformers_engine import Transformers
from emer.grounding import check, claims
from emer.training.llm.example import Example
from emer.types import Answer, Request

NUMBER = re.compile(r"(?<![\w[])\d+(?:\.\d+)?")


@dataclass(frozen=True, slots=True)
class Reached:
    """Over the explanations of `clips` recordings."""

    clips: int
    claims_a_clip: float
    grounded: float
    """Share of the claims that the clues bear out."""
    contradicted: float
    numbers_copied: float | None
    """Share of the numbers in the texts that stand in a clue of the recording; None where no number was written."""
    in_form: float
    """Share of the answers in the form that was asked for."""
    label_right: float
    """Share of the recordings whose first label belongs to the family that the actor was to show."""


def reached(model: Path | str, examples: Sequence[Example], *, sentences: bool, adapter: str | None = None) -> Reached:
    """Greedy explanations, held against all that was measured, shown or not."""
    engine = Transformers(model=str(model), adapter=adapter, prompt=PROMPT, batch_size=16, max_new_tokens=160)
    asked = [example.request if sentences else _without_sentences(example.request) for example in examples]
    answers = list(engine.answer(asked))
    return summed(examples, answers)


def summed(examples: Sequence[Example], answers: Sequence[Answer]) -> Reached:
    """Counts over all explanations; a failed answer counts as one without a claim, and wrong."""
    told = [
        claim
        for example, answer in zip(examples, answers, strict=True)
        for claim in claims(check(read_answer(answer.text).explanation, example.request.clues.items))
    ]
    copied = [
        number in _numbers_of(example.request)
        for example, answer in zip(examples, answers, strict=True)
        for number in NUMBER.findall(read_answer(answer.text).explanation)
    ]
    right = [
        bool(answer.labels) and cluster_of(answer.labels[0].label) == cluster_of(example.annotation.labels[0])
        for example, answer in zip(examples, answers, strict=True)
    ]
    count = len(examples)
    return Reached(
        clips=count,
        claims_a_clip=len(told) / count,
        grounded=sum(claim.status == "grounded" for claim in told) / max(1, len(told)),
        contradicted=sum(claim.status == "contradicted" for claim in told) / max(1, len(told)),
        numbers_copied=sum(copied) / len(copied) if copied else None,
        in_form=sum(read_answer(answer.text).strayed is None for answer in answers) / count,
        label_right=sum(right) / count,
    )


def _without_sentences(request: Request) -> Request:
    return replace(request, clues=replace(request.clues, items=()))


def _numbers_of(request: Request) -> set[str]:
    """The numbers of the clues, and the wholes among them as they are told ("12" of "12.0")."""
    said = (f"{clue.start:.1f} {clue.end:.1f} {clue.text}" for clue in request.clues.items)
    numbers = {number for text in said for number in NUMBER.findall(text)}
    return numbers | {number.removesuffix(".0") for number in numbers}
