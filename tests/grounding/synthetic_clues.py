"""Made-up clue sets in the wording of the extractors, and honest sentences about each clue."""

import random
from dataclasses import dataclass

from emer.kinds import kinds
from emer.types import Clue

MEDIAN = "this clip's median"
NEUTRAL = "this face's neutral in this clip"


@dataclass(frozen=True)
class Row:
    """How clues of a kind look, and honest sentences: {v} value, {a}–{b} time, {c} citation."""

    low: float
    high: float
    text: str
    reference: str
    honest: tuple[str, ...]
    reversed_: tuple[str, ...]
    """The same with the direction or the behaviour turned round, or denied."""


ROWS: dict[str, Row] = {
    "pitch_level": Row(
        2, 9, "voice {v} semitones above " + MEDIAN, MEDIAN,
        ("The pitch lies {v} semitones above the clip's median {c}.", "A high-pitched voice, {v} semitones up {c}.",
         "She speaks in a higher voice, by {v} semitones {c}."),
        ("The pitch lies {v} semitones below the clip's median {c}.", "He speaks in a low voice {c}.",
         "The voice is deeper by {v} semitones {c}."),
    ),
    "loudness_level": Row(
        2, 9, "loudness {v} dB below " + MEDIAN, MEDIAN,
        ("The loudness lies {v} dB below the median {c}.", "A quiet voice, {v} decibels softer {c}.",
         "The speaker talks softly {c}."),
        ("The loudness lies {v} dB above the median {c}.", "A loud voice, {v} dB stronger {c}.",
         "The voice is louder by {v} dB {c}."),
    ),
    "speech_rate": Row(
        1, 3, "speech {v} syllables per second above adult conversation (4.4 to 5.9)", "adult conversation",
        ("The speech rate lies {v} syllables/s above conversation {c}.",
         "He speaks faster than usual, by {v} syllables/s {c}.",
         "A hurried delivery {c}."),
        ("The speech rate lies {v} syllables/s below conversation {c}.", "He speaks slowly {c}.",
         "She talks slower than usual {c}."),
    ),
    "pitch_rise": Row(
        3, 12, "voice {v} semitones above " + MEDIAN + ", {a}–{b} s", MEDIAN,
        ("The pitch rises by {v} semitones between {a} and {b} s {c}.",
         "At {a}–{b} s the voice climbs {v} semitones {c}.",
         "Her voice goes up at {a} s {c}."),
        ("The pitch falls by {v} semitones between {a} and {b} s {c}.", "The voice drops at {a} s {c}.",
         "The pitch does not rise {c}.", "There is no rise in pitch {c}."),
    ),
    "pitch_fall": Row(
        3, 12, "voice {v} semitones below " + MEDIAN + ", {a}–{b} s", MEDIAN,
        ("The pitch falls by {v} semitones from {a} to {b} s {c}.", "The voice sinks {v} semitones {c}.",
         "A lowered pitch at {a} s {c}."),
        ("The pitch rises by {v} semitones from {a} to {b} s {c}.", "The voice climbs {c}.",
         "The voice never falls {c}."),
    ),
    "loudness_burst": Row(
        6, 15, "burst of loudness {v} dB above " + MEDIAN + ", {a}–{b} s", MEDIAN,
        ("A loud burst of {v} dB at {a}–{b} s {c}.", "He raises his voice by {v} dB {c}.",
         "She shouts at {a} s {c}."),
        ("A loud burst {v} dB below the median {c}.", "The voice gets softer {c}.", "There is no outburst {c}.",
         "He does not raise his voice {c}."),
    ),
    "tremor": Row(
        4, 12, "voice trembles {v} times a second, {a}–{b} s", "steady voice",
        ("The voice trembles at {v} Hz between {a} and {b} s {c}.", "A trembling voice at {a} s {c}.",
         "Her voice quivers, {v} times a second {c}."),
        ("The voice does not tremble {c}.", "Without any tremor in the voice {c}.", "Her voice never shakes {c}."),
    ),
    "pause": Row(
        0.4, 3, "pause of {v} s, {a}–{b} s", "speech before and after",
        ("A pause of {v} s at {a}–{b} s {c}.", "The speaker pauses for {v} seconds {c}.",
         "At {a} s there is silence {c}."),
        ("The speaker does not pause {c}.", "No pause at {a} s {c}.", "He speaks without hesitation {c}."),
    ),
    "speed_up": Row(
        1, 3, "speech {v} syllables per second above this clip's mean, {a}–{b} s", "this clip's mean",
        ("The speech quickens by {v} syllables/s at {a}–{b} s {c}.", "She speaks faster from {a} to {b} s {c}.",
         "The pace speeds up {c}."),
        ("The speech slows by {v} syllables/s {c}.", "She speaks slower from {a} to {b} s {c}.",
         "The pace slows down {c}."),
    ),
    "brow_raise": Row(
        3, 9, "brows raised by {v} % of the inter-ocular distance", NEUTRAL,
        ("The brows are raised by {v} % between {a} and {b} s {c}.", "Arched eyebrows at {a} s {c}.",
         "The eyebrows shoot up {c}."),
        ("The brows are lowered by {v} % {c}.", "She frowns at {a} s {c}.", "The brows are not raised {c}."),
    ),
    "brow_lower": Row(
        3, 9, "brows lowered by {v} % of the inter-ocular distance", NEUTRAL,
        ("The brows draw down by {v} % between {a} and {b} s {c}.", "A furrowed brow at {a} s {c}.",
         "He frowns from {a} to {b} s {c}.",
         "The lowered brows, {v} percent {c}."),
        ("The brows are raised by {v} % {c}.", "He does not frown {c}.", "An unfurrowed face without a frown {c}."),
    ),
    "lip_corner_pull": Row(
        5, 15, "lip corners pulled up by {v} % of the inter-ocular distance", NEUTRAL,
        ("She smiles between {a} and {b} s {c}.", "A grin of {v} % {c}.",
         "The corners of the mouth lift by {v} % at {a} s {c}.",
         "He is smiling at {a} s {c}."),
        ("She does not smile {c}.", "The corners of the mouth droop by {v} % {c}.", "He never grins {c}.",
         "A smile is absent {c}.",
         "She isn't smiling {c}."),
    ),
    "lip_corner_depress": Row(
        5, 15, "lip corners turned down by {v} % of the inter-ocular distance", NEUTRAL,
        ("The corners of the mouth droop by {v} % at {a}–{b} s {c}.", "The mouth turns down at {a} s {c}."),
        ("The face smiles at {a}–{b} s {c}.", "The corners of the mouth lift by {v} % {c}."),
    ),
    "lip_press": Row(
        3, 9, "lips pressed together by {v} % of the inter-ocular distance", NEUTRAL,
        ("The lips press together by {v} % at {a}–{b} s {c}.", "Tight lips at {a} s {c}.",
         "She compresses her lips {c}."),
        ("The mouth falls open {c}.", "The jaw drops by {v} % {c}.", "The lips are not pressed {c}."),
    ),
    "eye_open": Row(
        2, 6, "eyes widened by {v} % of the inter-ocular distance", NEUTRAL,
        ("The eyes widen by {v} % at {a}–{b} s {c}.", "Wide eyes at {a} s {c}."),
        ("The eyes narrow by {v} % {c}.", "He squints at {a} s {c}.", "The eyes do not widen {c}."),
    ),
    "head_nod": Row(
        5, 20, "nods, {v} degrees a swing", "the head held still",
        ("The head nods by {v} degrees at {a}–{b} s {c}.", "She nods at {a} s {c}."),
        ("She does not nod {c}.", "Without a nod {c}."),
    ),
    "gaze_aside": Row(
        15, 40, "looks {v} degrees away", "its usual direction in this clip",
        ("The eyes look away by {v} degrees at {a}–{b} s {c}.", "She averts her gaze at {a} s {c}."),
        ("She does not look away {c}.", "He never averts his gaze {c}."),
    ),
    "positive_words": Row(
        0.2, 0.9, 'positive sentence, compound +{v}: "I am so glad"', "VADER compound, -1 to 1",
        ("The words are positive, with a score of {v} {c}.", "“I am so glad” is a positive sentence {c}."),
        ("The words are negative, with a score of {v} {c}.", "The words are not positive {c}."),
    ),
}  # fmt: skip

UNITS = {"semitones": "dB", "dB": "semitones", "syllables/s": "Hz", "Hz": "dB", "s": "%", "inter-ocular %": "degrees",
         "degrees": "%", "compound": "dB"}  # fmt: skip
"""Which unit an attack puts for another."""


def clue_set(seed: int, size: int = 8) -> list[Clue]:
    """`size` clues of different kinds on a 30 s clip, each at a time of its own."""
    chance = random.Random(seed)
    names = sorted(chance.sample(sorted(ROWS), size))
    clues, counts = [], {"audio": 0, "visual": 0, "text": 0}
    for place, name in enumerate(names):
        kind, row = kinds()[name], ROWS[name]
        start = round(3.5 * place + chance.uniform(0.1, 1.0), 2)
        end = round(start + chance.uniform(0.3, 2.0), 2)
        if not kind.event:
            start, end = 0.0, 30.0
        value = round(chance.uniform(row.low, row.high), 2)
        text = row.text.format(v=f"{value:.2f}", a=f"{start:.1f}", b=f"{end:.1f}")
        counts[kind.modality] += 1
        sign = -1 if row.text.find(" below ") > 0 else 1
        clue_id = f"{kind.modality[0]}{counts[kind.modality]}"
        clues.append(Clue(clue_id, kind.modality, name, text, start, end, sign * value, kind.unit, row.reference))
    return clues


def sentence(template: str, clue: Clue, *, cited: str | None = None, digits: int = 1) -> str:
    """A sentence about a clue, numbers to `digits` decimals; sentiment always has two."""
    assert clue.value is not None
    places = 2 if clue.unit == "compound" else digits
    value = f"{abs(clue.value):.{places}f}"
    return template.format(v=value, a=f"{clue.start:.1f}", b=f"{clue.end:.1f}", c=f"[{cited or clue.id}]")
