"""Honest sentences stand, falsified ones fall: generated over many synthetic clue sets, with counts."""

import random
import re
from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import cache
from itertools import pairwise

import pytest
from synthetic_clues import ROWS, UNITS, clue_set, sentence

from emer.grounding import check
from emer.kinds import kinds
from emer.types import Clue, Status

MANY = pytest.mark.parametrize("sets", [12, pytest.param(200, marks=pytest.mark.long)])
"""How many clue sets a test makes up."""

Attack = Callable[[list[Clue], Clue, random.Random], Iterator[str]]


@cache
def made_up(sets: int) -> list[list[Clue]]:
    return [clue_set(seed) for seed in range(sets)]


def status(text: str, clues: list[Clue]) -> Status:
    (statement,) = check(text, clues)
    return statement.status


def altered_value(clues: list[Clue], clue: Clue, chance: random.Random) -> Iterator[str]:
    """By 15 to 300 %, up or down."""
    for template in ROWS[clue.kind].honest:
        if "{v}" in template:
            factor = chance.choice([chance.uniform(0.3, 0.85), chance.uniform(1.15, 4.0)])
            assert clue.value is not None
            other = replace(clue, value=clue.value * factor)
            written = sentence(template, other)
            if written != sentence(template, clue) and not _accidental(other, clue):
                yield written


def _accidental(other: Clue, clue: Clue) -> bool:
    """A value in seconds that happens to be the clue's duration is a true number."""
    return clue.unit == "s" and abs(abs(other.value or 0) - clue.span.duration) < 0.11


def altered_time(clues: list[Clue], clue: Clue, chance: random.Random) -> Iterator[str]:
    if not kinds()[clue.kind].event:
        return
    shift = chance.choice([-1, 1]) * chance.uniform(2.2, 9.0)
    shift = abs(shift) if clue.start + shift < 0 else shift
    moved = replace(clue, start=clue.start + shift, end=clue.end + shift)
    yield from (sentence(t, moved) for t in ROWS[clue.kind].honest if "{a}" in t)


def swapped_id(clues: list[Clue], clue: Clue, chance: random.Random) -> Iterator[str]:
    for template in ROWS[clue.kind].honest:
        other = chance.choice([c for c in clues if c.modality != clue.modality])
        yield sentence(template, clue, cited=other.id)


def missing_id(clues: list[Clue], clue: Clue, chance: random.Random) -> Iterator[str]:
    for template in ROWS[clue.kind].honest:
        yield sentence(template, clue, cited=f"{clue.id[0]}{chance.randint(50, 99)}")


def invented_with_citation(clues: list[Clue], clue: Clue, chance: random.Random) -> Iterator[str]:
    for name in _unseen(clues):
        if kinds()[name].modality != clue.modality:
            yield sentence(chance.choice(ROWS[name].honest), replace(clue, unit=kinds()[name].unit))
    yield f"The speaker sobs [{clue.id}]."
    yield f"A clenched fist and a loud sigh [{clue.id}]."


def invented_without_citation(clues: list[Clue], clue: Clue, chance: random.Random) -> Iterator[str]:
    for name in _unseen(clues):
        if not ({name, kinds()[name].opposite} & {c.kind for c in clues}):
            yield re.sub(r" ?\{c\}| by \{v\} %|, by \{v\} syllables/s", "", BARE[name])
    yield "The speaker sobs."


BARE = {
    "pitch_level": "A high-pitched voice.", "loudness_level": "A whisper.", "speech_rate": "A hurried delivery.",
    "pitch_rise": "The pitch rises.", "pitch_fall": "The voice sinks.", "loudness_burst": "A sudden outburst.",
    "tremor": "A trembling voice.", "pause": "A long pause.", "speed_up": "The speech quickens.",
    "brow_raise": "The eyebrows shoot up.", "brow_lower": "A furrowed brow.", "lip_corner_pull": "A broad smile.",
    "lip_corner_depress": "The mouth turns down.", "lip_press": "Tight lips.", "eye_open": "Wide eyes.",
    "head_nod": "She nods.", "gaze_aside": "She looks away.", "positive_words": "Friendly words.",
}  # fmt: skip

ALIKE = {
    frozenset(pair)
    for pair in (
        ("speech_rate", "speed_up"), ("pitch_level", "pitch_rise"), ("pitch_level", "pitch_fall"),
        ("loudness_level", "loudness_burst"), ("brow_lower", "lip_corner_depress"),
    )
}  # fmt: skip
"""Kinds that share words: "a hurried delivery" is either."""


def _unseen(clues: list[Clue]) -> list[str]:
    seen = {clue.kind for clue in clues}
    return [n for n in sorted(ROWS) if n not in seen and not any(frozenset((n, s)) in ALIKE for s in seen)]


def reversed_or_denied(clues: list[Clue], clue: Clue, chance: random.Random) -> Iterator[str]:
    """Flipped direction, opposite behaviour, negation."""
    yield from (sentence(template, clue) for template in ROWS[clue.kind].reversed_)


def other_unit(clues: list[Clue], clue: Clue, chance: random.Random) -> Iterator[str]:
    written = re.compile(r"(\{v\}) (semitones|dB|decibels|syllables/s|Hz|seconds|s|%|percent|degrees)(?!\w)")
    for template in ROWS[clue.kind].honest:
        if written.search(template):
            yield sentence(written.sub(rf"\1 {UNITS[clue.unit]}", template), clue)


ATTACKS: dict[str, Attack] = {
    attack.__name__: attack
    for attack in (
        altered_value, altered_time, swapped_id, missing_id, invented_with_citation, invented_without_citation,
        reversed_or_denied, other_unit,
    )
}  # fmt: skip


@MANY
@pytest.mark.parametrize("name", ATTACKS)
def test_no_falsified_sentence_is_grounded(name: str, sets: int) -> None:
    chance = random.Random(7)
    cases = [(text, clues) for clues in made_up(sets) for clue in clues for text in ATTACKS[name](clues, clue, chance)]
    missed = sorted({text for text, clues in cases if status(text, clues) == "grounded"})
    assert len(cases) >= 8 * sets
    assert not missed, f"{len(missed)} of {len(cases)} missed: {missed[:10]}"


@MANY
def test_a_reversed_sentence_is_contradicted_not_merely_unsupported(sets: int) -> None:
    chance = random.Random(7)
    cases = [(t, clues) for clues in made_up(sets) for clue in clues for t in reversed_or_denied(clues, clue, chance)]
    contradicted = sum(status(text, clues) == "contradicted" for text, clues in cases)
    assert contradicted / len(cases) >= 0.95


@MANY
def test_an_altered_number_is_contradicted(sets: int) -> None:
    chance = random.Random(7)
    cases = [(t, clues) for clues in made_up(sets) for clue in clues for t in altered_value(clues, clue, chance)]
    assert {status(text, clues) for text, clues in cases} == {"contradicted"}


def rounded(clue: Clue) -> Iterator[str]:
    """One decimal, none, and "about"; sentiment (0 to 1) keeps its decimals."""
    for template in ROWS[clue.kind].honest:
        yield sentence(template, clue, digits=1)
        yield sentence(template, clue, digits=2)
        if clue.unit not in ("compound", "s"):
            yield sentence(template, clue, digits=0)
            yield sentence(template.replace("{v}", "about {v}"), clue, digits=0)


def uncited(clue: Clue) -> Iterator[str]:
    for template in ROWS[clue.kind].honest:
        yield re.sub(r" ?\[\w+\]", "", sentence(template, clue))


def combined(clues: list[Clue]) -> Iterator[str]:
    """Two honest clauses with a citation each."""
    for first, second in pairwise(clues):
        a, b = (sentence(ROWS[c.kind].honest[0], c).rstrip(".") for c in (first, second))
        yield f"{a}, and {b[0].lower()}{b[1:]}."
        yield f"While {a[0].lower()}{a[1:]}, {b[0].lower()}{b[1:]}, which hints at unease."


@MANY
def test_honest_sentences_are_grounded_however_they_are_worded_or_rounded(sets: int) -> None:
    cases = [(t, clues) for clues in made_up(sets) for clue in clues for way in (rounded, uncited) for t in way(clue)]
    cases += [(text, clues) for clues in made_up(sets) for text in combined(clues)]
    wrong = sorted({(status(text, clues), text) for text, clues in cases} - {("grounded", t) for t, _ in cases})
    assert len(cases) >= 100 * sets
    assert not wrong, f"{len(wrong)} of {len(cases)} false alarms: {wrong[:10]}"


@MANY
def test_a_clue_is_grounded_by_itself(sets: int) -> None:
    """The extractors' own sentences, cited."""
    for clues in made_up(sets):
        for clue in clues:
            assert status(f"{clue.text} [{clue.id}].", clues) == "grounded", clue.text


@MANY
def test_citations_swapped_between_two_clauses_are_caught(sets: int) -> None:
    cases = missed = 0
    for clues in made_up(sets):
        for first, second in pairwise(clues):
            if frozenset((first.kind, second.kind)) in ALIKE or first.modality == second.modality:
                continue
            a = sentence(ROWS[first.kind].honest[0], first, cited=second.id).rstrip(".")
            b = sentence(ROWS[second.kind].honest[0], second, cited=first.id)
            cases += 1
            missed += status(f"{a}, and {b}", clues) == "grounded"
    assert cases >= sets
    assert missed == 0
