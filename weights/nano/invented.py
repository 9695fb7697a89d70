"""Lessons without a clip: clues drawn at random, as the extractors word them, explained by the composer.

A small model has to learn to read before it can be told anything: to find a number, to carry it over with the id of
its clue, to pass over what was not measured. 720 recordings are too few for that, and clue sentences cost nothing.
"""

import random
from collections.abc import Iterator, Sequence
from dataclasses import replace

import numpy as np
from sounds import held

from emer.annotate.composed import ComposedTeacher
from emer.annotate.lessons import Lesson
from emer.clues.audio import SENTENCES as VOICE_SENTENCES
from emer.clues.face_activations import INTER_OCULAR
from emer.clues.face_clues import REFERENCES, SAMPLING, SENTENCES, level_clue, presence_clue
from emer.clues.listening import Listening
from emer.clues.text import TextClues
from emer.clues.voice_levels import CLIP, Level, levels, stretch
from emer.emotions import label_set, lexicon
from emer.evidence.fusion import fuse
from emer.evidence.hints import hint
from emer.evidence.opinion import vacuous
from emer.kinds import kinds
from emer.types import MODALITIES, SAMPLE_RATE, Clue, Clues, Features, Modality, Request, Span, Transcript, Utterance

VERSION = "invented"
VOICES: dict[str, tuple[float, float]] = {
    "pitch_rise": (3, 18),
    "pitch_fall": (-18, -3),
    "loudness_burst": (6, 19.5),
    "tremor": (4, 12),
    "pause": (0.4, 3),
    "speed_up": (1, 3),
    "slow_down": (-3, -1),
}
"""Kind of voice event to the range of its value. No number reaches 20: from there on explanations round to wholes,
which would be a lesson in arithmetic."""
MEANS = {"tremor": "steady voice", "speed_up": "this clip's mean", "slow_down": "this clip's mean"}
"""What voice events are compared with that is not the clip's median."""
FACES: dict[str, tuple[float, float]] = {
    "brow_raise": (1, 12),
    "brow_lower": (1, 9),
    "lip_corner_pull": (2, 14),
    "lip_corner_depress": (1, 8),
    "lip_press": (1, 8),
    "eye_open": (1, 7),
    "eye_narrow": (1, 7),
    "jaw_drop": (4, 19.5),
    "blink": (0.2, 0.6),
    "head_nod": (4, 25),
    "head_shake": (5, 35),
    "head_turn": (15, 45),
    "head_down": (8, 30),
    "gaze_aside": (12, 40),
    "face_appears": (0.2, 6),
    "face_disappears": (0.2, 6),
}
"""Kind of face event to the range of its value, in the unit of its sentence."""
TURNS = ("head_nod", "head_shake", "head_turn", "head_down", "gaze_aside")
"""Given in whole degrees."""
PLAIN = (
    "Kids are talking by the door.",
    "Dogs are sitting by the door.",
    "The train leaves at nine.",
    "I will put it on the table.",
    "He was here this morning.",
    "We can talk about it later.",
    "She told me about the house.",
    "They are waiting outside.",
    "Give me the keys.",
    "It is raining again.",
)
FELT = (
    "I am {word}.",
    "I am so {word}!",
    "We were all {word} when he left.",
    "He is not {word} at all.",
    "She looked {word} to me.",
    "Do you think they are {word}?",
    "I have never been this {word}!",
    "You make me {word}.",
    "It was a {word} day for us.",
)


def invent(count: int, seed: int) -> Iterator[tuple[Request, str, tuple[str, ...]]]:
    """Requests without media, each with its explanation and labels; the same for the same seed."""
    chance = random.Random(seed)
    teacher = ComposedTeacher(most=3)
    made = 0
    while made < count:
        request = request_of(drawn(chance))
        draft = teacher.draft(Lesson(request))
        if draft.error is None and draft.explanation and request.clues.items:
            made += 1
            yield request, draft.explanation, draft.labels


def request_of(clues: Clues) -> Request:
    """The request that an engine would be given about such a clip."""
    length = max(clue.end for clue in clues.items) if clues.items else 1.0
    opinions = {
        view: hint(clues.features[view]) if view in clues.features else vacuous("emer8", label_set("emer8"))
        for view in MODALITIES
    }
    prior = fuse(opinions, "weighted")
    return Request(None, clues, Span(0.0, length), opinions, prior, transcript=clues.transcript)


def drawn(chance: random.Random) -> Clues:
    """Clues of one to three modalities, numbered as the extractors' are."""
    seconds = round(chance.uniform(1.5, 8.0), 1)
    shown = [m for m in MODALITIES if chance.random() < 0.55] or [chance.choice(MODALITIES)]
    clues: list[Clue] = []
    features: dict[str, Features] = {}
    transcript = None
    if "audio" in shown:
        found, features["audio"] = _voice(chance, seconds)
        clues += found
    if "visual" in shown:
        found, features["visual"] = _face(chance, seconds)
        clues += found
    if "text" in shown:
        transcript = _transcript(chance, seconds)
        silence = held(np.zeros(round(seconds * SAMPLE_RATE), np.float32))
        extract = TextClues().extract(silence, Listening(None, transcript=transcript))
        clues += extract.clues
        features |= {"text": extract.features} if extract.features else {}
    return Clues(tuple(numbered(clues)), features, transcript=transcript)


def numbered(clues: Sequence[Clue]) -> Iterator[Clue]:
    """Ids in time order, a modality at a time."""
    for modality in MODALITIES:
        mine = sorted((c for c in clues if c.modality == modality), key=lambda c: (c.start, c.end, c.kind))
        yield from (replace(clue, id=f"{modality[0]}{place}") for place, clue in enumerate(mine, start=1))


def _stretch(chance: random.Random, seconds: float) -> tuple[float, float]:
    start = round(chance.uniform(0, seconds - 0.4), 1)
    return start, round(min(seconds, start + chance.choice((0.1, 0.1, 0.2, 0.2, 0.3, 0.4, 0.6, 1.0, 1.5))), 1)


def _voice(chance: random.Random, seconds: float) -> tuple[list[Clue], Features]:
    """Two to five clues of a voice, and the numbers behind its levels."""
    rows = [level for level in levels() if level.norm is not None]
    chosen = chance.sample(rows, chance.choice((1, 2, 2, 3, 4)))
    measured: dict[str, float] = {}
    clues = []
    for level in chosen:
        clue, value = _level(chance, level, Span(0.0, seconds))
        measured[level.feature] = value / level.scale
        clues.append(clue)
    for kind in chance.choices(list(VOICES), weights=(5, 5, 4, 2, 2, 1, 1), k=chance.choice((0, 0, 1, 1, 2, 3))):
        clues.append(_event(chance, kind, seconds))
    if chance.random() < 0.1:
        share = chance.randint(5, 60)
        text = f"pauses fill {share} % of the time from first to last word"
        unit = kinds()["pausing"].unit
        clues.append(Clue("", "audio", "pausing", text, 0.0, seconds, float(share), unit, "time of speech"))
        measured |= {"pause_ratio": share / 100}
    return clues, _features("audio", measured)


def _level(chance: random.Random, level: Level, span: Span) -> tuple[Clue, float]:
    """A level off its norm, worded as `emer.clues.voice_levels` words it, and the value itself."""
    norm = level.norm
    assert norm is not None
    width = max(level.step, (norm.high - norm.low) / 2)
    difference = round(chance.choice((-1, 1)) * chance.uniform(0.05, 3.0) * width, level.digits) + 0.0
    side = "below" if difference < 0 else "above"
    text = f"{level.says} {abs(difference):.{level.digits}f} {level.unit} {side} {norm.named}"
    unit, reference = kinds()[level.kind].unit, f"{norm.of}; {norm.source}"
    clue = Clue("", "audio", level.kind, text, span.start, span.end, difference, unit, reference, level.doubt)
    return clue, norm.typical + difference


def _event(chance: random.Random, kind: str, seconds: float) -> Clue:
    low, high = VOICES[kind]
    start, end = _stretch(chance, seconds)
    value = round(end - start, 1) if kind == "pause" else round(chance.uniform(low, high), 1)
    reference = MEANS.get(kind, CLIP)
    text = f"{VOICE_SENTENCES[kind](value, reference)}, {stretch(start, end)}"
    return Clue("", "audio", kind, text, start, end, value, kinds()[kind].unit, reference)


def _face(chance: random.Random, seconds: float) -> tuple[list[Clue], Features]:
    """One to four clues of a face, and the shares of time that its rules read."""
    measured: dict[str, float] = {}
    clues: list[Clue] = []
    doubt = f"face seen {chance.randint(15, 55)} % of the time" if chance.random() < 0.1 else None
    for kind in chance.sample(list(FACES), chance.choice((1, 1, 2, 2, 3, 4))):
        low, high = FACES[kind]
        start, end = _stretch(chance, seconds)
        end = start if kind in ("face_appears", "face_disappears") else end
        value = start if end == start else round(chance.uniform(low, high), 0 if kind in TURNS else 1)
        text = SENTENCES[kind].format(value=value, unit=INTER_OCULAR.of)
        unit, quality = kinds()[kind].unit, SAMPLING if kind == "blink" else doubt
        clues.append(Clue("", "visual", kind, text, start, end, value, unit, REFERENCES[kind], quality))
        measured[f"{kind}_share"] = chance.uniform(0.1, 0.5)
    span = Span(0.0, seconds)
    if chance.random() < 0.3:
        clues.append(presence_clue(chance.randint(60, 100) / 100, span))
    if chance.random() < 0.15:
        away = chance.randint(5, 80) / 100
        text = f"looks more than 15 degrees away in {100 * away:.0f} % of the face time"
        clues.append(level_clue("gaze_away", text, 100 * away, span, "its usual direction in this clip"))
        measured["gaze_away"] = away
    return clues, _features("visual", measured)


def _transcript(chance: random.Random, seconds: float) -> Transcript:
    """One or two sentences, about half of them with an emotion word."""
    words = [entry.label for entry in lexicon("en").entries if entry.in_text]
    told = [
        chance.choice(FELT).format(word=chance.choice(words)) if chance.random() < 0.6 else chance.choice(PLAIN)
        for _ in range(chance.choice((1, 1, 2)))
    ]
    text = " ".join(told)
    utterance = Utterance(text, 0.0, seconds) if chance.random() < 0.5 else Utterance(text)
    return Transcript(text, "data set", "en", (utterance,))


def _features(view: Modality, measured: dict[str, float]) -> Features:
    return Features(view, tuple(measured), tuple(measured.values()), (True,) * len(measured), VERSION)
