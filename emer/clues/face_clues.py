"""What was measured in a face, as sentences with their numbers, references and doubts."""

from collections.abc import Iterator

import numpy as np

from emer.clues.events import Event
from emer.clues.face_activations import ACTIVATIONS, MOUTH
from emer.clues.face_curves import FaceCurves
from emer.clues.face_events import ASIDE
from emer.clues.grid import to_look_at
from emer.kinds import kinds
from emer.types import Clue, Features, Notice, Span, Track

NEUTRAL = "this face's neutral in this clip"
USUAL = "its usual direction in this clip"
BLINKS_KNOWN = "17 a minute at rest, 26 in conversation (Bentivoglio et al. 1997)"
SAMPLING = "at 5 pictures a second blinks shorter than 0.2 s are missed"

SENTENCES = {
    "brow_raise": "brows raised by {value:.1f} {unit} from this face's neutral",
    "brow_lower": "brows lowered by {value:.1f} {unit} from this face's neutral",
    "lip_corner_pull": "lip corners pulled up by {value:.1f} {unit} from this face's neutral",
    "lip_corner_depress": "lip corners turned down by {value:.1f} {unit} from this face's neutral",
    "lip_press": "lips pressed together by {value:.1f} {unit} from this face's neutral",
    "eye_open": "eyes widened by {value:.1f} {unit} from this face's neutral",
    "eye_narrow": "eyes narrowed by {value:.1f} {unit} from this face's neutral",
    "jaw_drop": "jaw lowered by {value:.1f} {unit} from this face's neutral",
    "blink": "eyes closed for about {value:.1f} s",
    "head_nod": "nods, {value:.0f} degrees a swing",
    "head_shake": "shakes the head, {value:.0f} degrees a swing",
    "head_turn": "head turned aside by {value:.0f} degrees from its usual direction",
    "head_down": "head lowered by {value:.0f} degrees from its usual direction",
    "gaze_aside": "looks {value:.0f} degrees away from the usual direction",
    "face_appears": "the face appears at {value:.1f} s",
    "face_disappears": "the face disappears at {value:.1f} s",
}
CLOSED_EYES = "eyes closed or nearly so, lids {value:.1f} {unit} nearer than this face's neutral"

REFERENCES = {
    **dict.fromkeys(ACTIVATIONS, NEUTRAL),
    **dict.fromkeys(("head_turn", "head_down", "gaze_aside"), USUAL),
    **dict.fromkeys(("head_nod", "head_shake"), "the head held still"),
    "blink": "60 % of this face's usual lid opening",
    "face_appears": "the pictures before",
    "face_disappears": "the pictures before",
}

LOW_COVERAGE = 0.6
SMALL_FACE = 30.0
"""Pixels between the outer eye corners below which landmarks are coarse."""
PROFILE = 30.0
"""Degrees of yaw from which one half of the face is hidden."""


def event_clue(event: Event, curves: FaceCurves) -> Clue:
    """One event as a sentence."""
    unit = curves.scale.unit if event.kind in ACTIVATIONS else kinds()[event.kind].unit
    sentence = SENTENCES[event.kind]
    if event.kind == "eye_narrow" and np.nanmedian(_during(event, curves, curves.lids)) < 0.5:
        sentence = CLOSED_EYES
    return Clue(
        id="",
        modality="visual",
        kind=event.kind,
        text=sentence.format(value=event.value, unit=curves.scale.of),
        start=event.start,
        end=event.end,
        value=round(event.value, 2),
        unit=unit,
        reference=REFERENCES[event.kind],
        quality=_doubt(event, curves),
    )


def _doubt(event: Event, curves: FaceCurves) -> str | None:
    """Why to doubt an event, or None."""
    doubts = list(face_doubts(curves))
    if event.kind in ACTIVATIONS:
        turned = float(np.nanmax(np.abs(_during(event, curves, curves.yaw))))
        if turned > PROFILE:
            doubts.append(f"head turned {turned:.0f} degrees")
        if event.kind in MOUTH and _during(event, curves, curves.speaking.astype(float)).mean() > 0.5:
            doubts.append("while speaking, which moves the mouth as well")
    if event.kind == "blink":
        doubts.append(SAMPLING)
    return "; ".join(doubts) or None


def face_doubts(curves: FaceCurves) -> Iterator[str]:
    """Why to doubt anything measured in this face."""
    if curves.coverage < LOW_COVERAGE:
        yield f"face seen {100 * curves.coverage:.0f} % of the time"
    if curves.size < SMALL_FACE:
        yield f"small face ({curves.size:.0f} pixels between the eye corners)"


def _during(event: Event, curves: FaceCurves, curve: np.ndarray) -> np.ndarray:
    first = round((event.start - curves.start) / curves.step)
    return curve[first : max(first + 1, round((event.end - curves.start) / curves.step))]


# ---------------------------------------------------------------- levels


def level_clues(curves: FaceCurves, features: Features, span: Span) -> Iterator[Clue]:
    """Levels over the whole clip: presence, blinks, gaze, head motion."""
    yield presence_clue(curves.coverage, span)
    doubt = "; ".join(face_doubts(curves)) or None
    blinks, away, motion = (features.get(name) for name in ("blink_rate", "gaze_away", "head_motion"))
    if blinks is not None and curves.seen.sum() * curves.step >= 5:
        text = f"at least {blinks:.0f} blinks a minute"
        quality = SAMPLING if doubt is None else f"{doubt}; {SAMPLING}"
        yield level_clue("blink_rate", text, blinks, span, BLINKS_KNOWN, quality)
    if away is not None and away > 0:
        text = f"looks more than {ASIDE:.0f} degrees away in {100 * away:.0f} % of the face time"
        yield level_clue("gaze_away", text, 100 * away, span, USUAL, doubt)
    if motion is not None:
        text = f"the head moves {motion:.0f} degrees a second on average"
        yield level_clue("head_motion", text, motion, span, "the head held still", doubt)


def presence_clue(coverage: float, span: Span, reference: str = "all pictures looked at, 5 a second") -> Clue:
    text = f"a face is seen in {100 * coverage:.0f} % of the pictures"
    return level_clue("face_presence", text, 100 * coverage, span, reference)


def count_clue(faces: int, why: str, span: Span) -> Clue:
    text = f"{faces} face{'' if faces == 1 else 's'} at a time; measured is {why}"
    return level_clue("face_count", text, float(faces), span, "the most seen in one picture")


def level_clue(kind: str, text: str, value: float, span: Span, reference: str, quality: str | None = None) -> Clue:
    unit = kinds()[kind].unit
    return Clue("", "visual", kind, text, span.start, span.end, round(value, 2), unit, reference, quality)


# ---------------------------------------------------------------- notices and curves to look at


def face_notices(curves: FaceCurves, faces: int, tracks: int, why: str) -> Iterator[Notice]:
    """What to know before believing the face: `faces` at a time, `tracks` over the whole clip."""
    if faces > 1:
        yield Notice("several_faces", f"{faces} faces are in the picture at a time; measured is {why}")
    elif tracks > 1:
        yield Notice("faces_in_turn", f"{tracks} faces, or places of one face, follow each other; measured is {why}")
    if curves.coverage < LOW_COVERAGE:
        yield Notice("face_coverage", f"the face is seen in only {100 * curves.coverage:.0f} % of the pictures")
    if curves.size < SMALL_FACE:
        yield Notice("small_face", f"the face is small: {curves.size:.0f} pixels between the outer eye corners")


def face_tracks(curves: FaceCurves) -> tuple[Track, ...]:
    """Activations and head angles for the report."""
    named = [(name, curves.scale.unit, curves.activations[i]) for i, name in enumerate(ACTIVATIONS)]
    named += [("head_yaw", "degrees", curves.yaw), ("head_pitch", "degrees", curves.pitch)]
    return tuple(to_look_at(name, "visual", unit, curve, curves.start, curves.step) for name, unit, curve in named)
