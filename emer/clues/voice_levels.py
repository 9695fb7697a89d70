"""Level clues: how high, loud, rough, bright and fast a voice is, always against something named."""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from functools import cache

from emer.clues.prosody import Voice
from emer.kinds import kinds
from emer.tables import table
from emer.types import Clue, Features, Span

SPEAKER = "this speaker's neutral voice"
CLIP = "this clip's median"
SEGMENT_LEVELS = ("pitch_level", "loudness_level", "speech_rate")
"""Levels by which an utterance is set off from the rest of its clip."""
LEAST_PAUSING = 3.0
"""Seconds from first to last speech below which a share of pauses says nothing."""


def stretch(start: float, end: float) -> str:
    """A time as the reports round it, so that sentence and table agree.

    >>> stretch(7.55, 8.2)
    '7.6–8.2 s'
    """
    return f"{round(start * 10) / 10:.1f}–{round(end * 10) / 10:.1f} s"


@dataclass(frozen=True, slots=True)
class Norm:
    """A population's usual values, in the sentence's unit."""

    typical: float
    low: float
    high: float
    of: str
    source: str
    range: str | None = None
    """How the sentence gives the range; None: low to high."""

    @property
    def named(self) -> str:
        return f"{self.of} ({self.range or f'{self.low} to {self.high}'})"


@dataclass(frozen=True, slots=True)
class Level:
    """A row of `norms.yaml`, where the columns are explained."""

    kind: str
    feature: str
    says: str
    unit: str
    digits: int
    step: float
    scale: float = 1.0
    always: bool = False
    norm: Norm | None = None
    doubt: str | None = None

    def of(self, features: Features) -> float | None:
        """The level in the sentence's unit; None where it could not be measured."""
        value = features.get(self.feature)
        return None if value is None else value * self.scale


@cache
def levels() -> tuple[Level, ...]:
    """Every level that has a sentence."""
    rows = table("emer.clues", "norms.yaml")["levels"]
    return tuple(
        Level(kind, **{**row, "norm": Norm(**row["norm"]) if "norm" in row else None}) for kind, row in rows.items()
    )


def clip_levels(features: Features, baseline: Features | None, span: Span) -> Iterable[Clue]:
    """Levels of the whole clip against the speaker's neutral voice, else against norms.

    The value is the difference from the reference. Levels that lie within a norm's usual range, or differ from the
    speaker's own by less than a step, are left out unless the row says `always`.
    """
    for level in levels():
        value = level.of(features)
        own = level.of(baseline) if baseline is not None else None
        if value is None:
            continue
        if own is not None:
            if level.always or abs(value - own) >= level.step:
                doubt = level.doubt if level.norm is None else None
                yield _clue(level, value - own, SPEAKER, SPEAKER, span, doubt)
        elif (norm := level.norm) is not None and (level.always or not norm.low <= value <= norm.high):
            yield _clue(level, value - norm.typical, norm.named, f"{norm.of}; {norm.source}", span, level.doubt)


def segment_levels(part: Features, clip: Features, span: Span) -> Iterable[Clue]:
    """Where an utterance's pitch, loudness or tempo stands out from the whole clip's."""
    for level in levels():
        value, usual = level.of(part), level.of(clip)
        if level.kind not in SEGMENT_LEVELS or value is None or usual is None:
            continue
        if abs(value - usual) >= level.step:
            reference = CLIP if level.kind == "pitch_level" else "this clip's mean"
            clue = _clue(level, value - usual, reference, reference, span, None)
            yield replace(clue, text=f"{clue.text}, {stretch(span.start, span.end)}")


def pausing(voice: Voice, features: Features, span: Span) -> Iterable[Clue]:
    """The share of pauses, which is its own reference."""
    share, count = features.get("pause_ratio"), features.get("pause_rate")
    if share and count and voice.speech_extent >= LEAST_PAUSING:
        text = f"pauses fill {100 * share:.0f} % of the time from first to last word"
        value = float(round(100 * share))
        yield Clue("", "audio", "pausing", text, span.start, span.end, value, "%", "time from first to last word")


def _clue(level: Level, difference: float, against: str, reference: str, span: Span, doubt: str | None) -> Clue:
    value = round(difference, level.digits) + 0.0
    side = "below" if value < 0 else "above"
    text = f"{level.says} {abs(value):.{level.digits}f} {level.unit} {side} {against}"
    unit = kinds()[level.kind].unit
    return Clue("", "audio", level.kind, text, span.start, span.end, value, unit, reference, doubt)
