"""Numbers as they are written; values, units and roles by hand."""

import pytest

from emer.grounding.numbers import canonical, numbers

CASES = {
    "rises by 4.1 semitones": [((4.1,), "semitones", "measure")],
    "4.1-semitone rise": [((4.1,), "semitones", "measure")],
    "at 2.3 s": [((2.3,), "s", "time")],
    "2.3–3.1 s": [((2.3, 3.1), "s", "time")],
    "2.3-3.1s": [((2.3, 3.1), "s", "time")],
    "from 2.3 s to 3.1 s": [((2.3, 3.1), "s", "time")],
    "between 2.3 and 3.1 seconds": [((2.3, 3.1), "s", "time")],
    "at 0:45": [((45.0,), "s", "time")],
    "1:05.2–1:06.0": [((65.2, 66.0), "s", "time")],
    "between 100:05.2 and 100:06.0": [((6005.2, 6006.0), "s", "time")],
    "at 2:05:03": [((7503.0,), "s", "time")],
    "1:59:59.5–2:00:01.0": [((7199.5, 7201.0), "s", "time")],
    "a pause of 800 ms": [((0.8,), "s", "measure")],
    "lasts half a second": [((0.5,), "s", "measure")],
    "12 seconds into the clip": [((12.0,), "s", "time")],
    "31 % of the time": [((31.0,), "%", "measure")],
    "31 per cent": [((31.0,), "%", "measure")],
    "a third of the time": [((33.3,), "%", "measure")],
    "half an octave": [((6.0,), "semitones", "measure")],
    "three semitones": [((3.0,), "semitones", "measure")],
    "4.2 syllables per second": [((4.2,), "syllables/s", "measure")],
    "−0.62": [((-0.62,), None, "measure")],
    "1,200 hz": [((1200.0,), "Hz", "measure")],
    "the 2nd": [],
    "f0 and emer8": [],
    "no one": [((1.0,), None, "count")],
}


@pytest.mark.parametrize("text", CASES)
def test_a_number_is_read_with_its_unit_and_role(text: str) -> None:
    found = [(tuple(round(v, 6) for v in n.values), n.unit, n.role) for n in numbers(text)]
    assert found == CASES[text]


@pytest.mark.parametrize(
    ("text", "measured", "agrees"),
    [
        ("4.1 db", 4.13, True),
        ("4.1 db", 4.2, False),
        ("4 db", 4.4, True),
        ("4 db", 4.6, False),
        ("about 40 db", 41.9, True),
        ("about 40 db", 43.0, False),
        ("more than 4 db", 9.0, True),
        ("more than 4 db", 2.0, False),
        ("less than 4 db", 2.0, True),
        ("less than 4 db", 9.0, False),
        ("4.1 db", -4.1, True),
        ("−4.1 db", 4.1, False),
    ],
)
def test_a_number_agrees_within_the_precision_that_is_written(text: str, measured: float, agrees: bool) -> None:
    (number,) = numbers(text)
    assert number.agrees(number.values[0], measured) is agrees


def test_units_of_clues_reach_the_same_names_as_units_in_text() -> None:
    assert [canonical(u) for u in ("inter-ocular %", "s", "dB/octave", "marks")] == ["%", "s", "dB/octave", "marks"]
