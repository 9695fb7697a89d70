"""An explanation as the page needs it: what the template shows, and what the timeline's script draws."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import PurePath
from typing import Any

import numpy as np

from emer.evidence.opinion import probability
from emer.kinds import kinds
from emer.report.beliefs import Bar, bars
from emer.report.sentences import STATUS_TEXT, Sentence, grounding_line, named_clues, sentences
from emer.report.wording import (
    RESPONSIBLE_USE,
    VIEW_TITLES,
    confidence_line,
    conflict_line,
    fused_note,
    kind_title,
    label_list,
    seconds,
    trust_line,
    view_note,
    view_title,
)
from emer.types import Clue, Explanation, Opinion, Track

MOST_POINTS = 20_000
"""Points of all curves together; a page of a thousand pixels shows no more, and stays small."""
MOST_CLUES = 300
MOST_SEGMENTS = 100
"""In the lists of the page. The timeline shows every segment; the JSON holds everything."""
MOST_WORDS = 2500
"""Above this, words are shown by the utterance only."""


@dataclass(frozen=True, slots=True)
class View:
    """One row of belief bars."""

    key: str
    title: str
    note: str
    opinion: Opinion
    bars: tuple[Bar, ...]


@dataclass(frozen=True, slots=True)
class Row:
    """One clue in the list."""

    clue: Clue
    title: str
    event: bool
    time: str


@dataclass(frozen=True, slots=True)
class Part:
    """One segment of the clip."""

    number: int
    whole: Explanation
    time: str
    labels: str
    bar: Bar
    sentences: tuple[Sentence, ...]


def context(explanation: Explanation) -> dict[str, Any]:
    """Every name that the template uses."""
    clip = explanation.clip
    shown = _most_telling(explanation)
    return {
        "e": explanation,
        "name": PurePath(clip.path.replace("\\", "/")).name or clip.path,
        "span": f"{seconds(clip.start)} to {seconds(clip.end)}" if clip.start else seconds(clip.duration),
        "title": label_list(explanation.emotions),
        "confidence": confidence_line(explanation),
        "trust": trust_line(explanation),
        "conflict": conflict_line(explanation.conflict),
        "sentences": sentences(explanation),
        "status_text": STATUS_TEXT,
        "grounding": grounding_line(explanation),
        "views": views(explanation),
        "numbers": numbers(explanation),
        "rows": [_row(clue) for clue in shown],
        "clues_left_out": len(explanation.clues) - len(shown),
        "modality_titles": VIEW_TITLES,
        "parts": parts(explanation)[:MOST_SEGMENTS],
        "parts_left_out": max(0, len(explanation.segments or ()) - MOST_SEGMENTS),
        "responsible_use": RESPONSIBLE_USE,
        "data": embedded(data(explanation)),
        "timed": clip.end > clip.start,
    }


def views(explanation: Explanation) -> list[View]:
    """One per opinion, then all of them together."""
    opinions = {**explanation.opinions, "fused": explanation.fused}
    titles = {"fused": "together"}
    return [
        View(
            key,
            titles.get(key, view_title(key)),
            fused_note(explanation) if key == "fused" else view_note(opinion),
            opinion,
            bars(opinion),
        )
        for key, opinion in opinions.items()
    ]


def numbers(explanation: Explanation) -> dict[str, Any]:
    """The table behind the bars: label by view, belief; then uncertainty; then the fused probability."""
    shown = [view for view in views(explanation) if view.opinion.present]
    labels = list(dict.fromkeys(label for view in shown for label in view.opinion.labels))
    beliefs = [
        {bar.title or part.label: part.share for bar in view.bars for part in bar.parts if part.role == "belief"}
        for view in shown
    ]
    fused = dict(zip(explanation.fused.labels, probability(explanation.fused).tolist(), strict=True))
    return {
        "titles": [view.title for view in shown],
        "rows": [(label, [row.get(label) for row in beliefs], fused.get(label)) for label in labels],
        "uncertainty": [float(np.mean([bar.uncertainty for bar in view.bars])) for view in shown],
    }


def parts(explanation: Explanation) -> list[Part]:
    """The segments in order; the bar of a Beta opinion is that of its first label."""
    return [
        Part(
            number,
            part,
            f"{seconds(part.clip.start)} to {seconds(part.clip.end)}",
            label_list(part.emotions),
            bars(part.fused)[0],
            sentences(part),
        )
        for number, part in enumerate(explanation.segments or (), 1)
    ]


def data(explanation: Explanation) -> dict[str, Any]:
    """What the script draws; the clues it reads from the list in the page."""
    transcript = explanation.transcript
    utterances = transcript.utterances if transcript else ()
    words = (transcript.words or ()) if transcript else ()
    most = max(200, MOST_POINTS // max(1, len(explanation.tracks)))
    return {
        "start": explanation.clip.start,
        "end": explanation.clip.end,
        "utterances": [[u.start, u.end, u.text] for u in utterances if u.start is not None and u.end is not None],
        "words": [[w.start, w.end, w.text] for w in words] if len(words) <= MOST_WORDS else [],
        "tracks": [_curve(track, most) for track in explanation.tracks],
        "segments": [_stack(part) for part in explanation.segments or ()],
    }


def embedded(value: object) -> str:
    """JSON that is safe inside a script element: no character that HTML or old JavaScript could misread."""
    text = json.dumps(value, ensure_ascii=False, separators=(",", ":"), allow_nan=False)
    for character in "<>&\u2028\u2029":
        text = text.replace(character, f"\\u{ord(character):04x}")
    return text


def _most_telling(explanation: Explanation) -> list[Clue]:
    """All clues; of very many, those that the explanation names, then its segments, and others evenly over the clip."""
    clues = explanation.clues
    named = named_clues(explanation)
    in_parts = {name for part in explanation.segments or () for name in named_clues(part)} - named
    kept: set[str] = set()
    for ids in (named, in_parts, {clue.id for clue in clues} - named - in_parts):
        kept |= set(_evenly([clue.id for clue in clues if clue.id in ids], MOST_CLUES - len(kept)))
    return [clue for clue in clues if clue.id in kept]


def _evenly(ids: Sequence[str], room: int) -> Sequence[str]:
    return ids if len(ids) <= room else [ids[i * len(ids) // room] for i in range(room)]


def _row(clue: Clue) -> Row:
    known = kinds().get(clue.kind)
    time = f"{seconds(clue.start)} to {seconds(clue.end)}" if clue.end > clue.start else seconds(clue.start)
    return Row(clue, kind_title(clue.kind), known.event if known else True, time)


def _stack(part: Explanation) -> dict[str, Any]:
    """A segment on the timeline: its labels and its beliefs, in label order."""
    shares = [round(p.share, 3) for p in bars(part.fused)[0].parts if p.role == "belief"]
    return {"start": part.clip.start, "end": part.clip.end, "label": label_list(part.emotions), "belief": shares}


def _curve(track: Track, most: int) -> dict[str, Any]:
    """A curve with at most `most` points: means of equal stretches, four digits each, null where nothing is known."""
    fold = -(-len(track.values) // most) if track.values else 1
    values: Sequence[float | None] = track.values
    if fold > 1:
        stretches = (values[i : i + fold] for i in range(0, len(values), fold))
        values = [_mean([v for v in stretch if v is not None]) for stretch in stretches]
    digits = [None if v is None or not np.isfinite(v) else float(f"{v:.4g}") for v in values]
    return {
        "name": kind_title(track.name),
        "modality": track.modality,
        "unit": track.unit,
        "start": track.start + (fold - 1) * track.step / 2,
        "step": track.step * fold,
        "values": digits,
    }


def _mean(values: list[float]) -> float | None:
    return sum(values) / len(values) if values else None
