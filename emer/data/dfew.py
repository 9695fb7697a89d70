"""DFEW: faces in films, each clip judged ten times by twelve people in all, seven emotions, five official folds.

Source: Jiang et al. 2020, ACM MM (https://arxiv.org/abs/2008.05924), https://dfew-dataset.github.io, on request. Layout
and counts from the README of the release: `Clip/original/` with 16,372 clips (`00001.mp4`, in folders by part);
`Annotation/annotation.xlsx`, a row a clip (votes for happy, sad, neutral, angry, surprise, disgust, fear; the number of
the clip; the label, 0 where no single one holds); `EmoLabel_DataSplit/train(single-labeled)/set_1.csv` … `set_5.csv`
with `test(single-labeled)/` beside (video_name, label from 1 to 7): 11,697 single-labelled clips in which a face was
found, of 12,059.

`dfew` is every clip with its votes; `dfew_fd1` to `dfew_fd5` are the folds, on which the field reports WAR and UAR,
averaged over the five.
"""

import logging
import math
from collections.abc import Callable, Mapping
from pathlib import Path

from emer.data.dataset import About
from emer.data.released import number_of, tell_counts
from emer.data.released_clips import Clips, by_name, one_of
from emer.data.rows import Part, Row, refuse, some
from emer.emotions.wheel_sheets import read_sheet
from emer.types import Annotation, Clip

logger = logging.getLogger("emer")

WORDS = ("happy", "sad", "neutral", "angry", "surprise", "disgust", "fear")
"""In the order of their numbers, from 1."""
FOLDS = range(1, 6)
PARTS: tuple[Part, ...] = ("train", "test")
NOTE = "the label is what more than six of ten judges said; films in several languages, faces without a scene"


def _about(name: str, title: str) -> About:
    return About(
        name,
        title,
        source="Jiang et al. 2020, ACM MM, https://arxiv.org/abs/2008.05924; https://dfew-dataset.github.io",
        licence="DFEW terms: non-commercial research, on request",
        metric="war_uar",
        label_set="dfew7",
        note=NOTE,
    )


ABOUT: Mapping[str, About] = {
    "dfew": _about("dfew", "DFEW, all clips"),
    **{f"dfew_fd{n}": _about(f"dfew_fd{n}", f"DFEW, fold {n} of 5") for n in FOLDS},
}
COUNTS: Mapping[str, Mapping[str, int]] = {
    "dfew": {"all": 16_372},
    "dfew_fd1": {"train": 9_356, "test": 2_341},
    "dfew_fd2": {"train": 9_356, "test": 2_341},
    "dfew_fd3": {"train": 9_357, "test": 2_340},
    "dfew_fd4": {"train": 9_358, "test": 2_339},
    "dfew_fd5": {"train": 9_361, "test": 2_336},
}

MOST_AT_ODDS = 0.01
"""Share of rows whose label and votes may disagree: nobody here could hold the release itself against this reader."""

Judged = dict[str, tuple[str | None, dict[str, float]]]
"""Clip to label, where there is a single one, and votes."""


def dfew(folder: Path) -> tuple[Row, ...]:
    """All 16,372 clips with their votes, in no part; those without a single label have none. Raises ConfigError."""
    path = one_of(folder, ("Annotation/annotation.xlsx", "annotation.xlsx"), "the annotations of DFEW")
    clips = _clips(folder)
    rows = tuple(
        Row(name, Clip(_path(clips, name)), Annotation((label,) if label else (), votes=votes))
        for name, (label, votes) in _judged(path).items()
    )
    tell_counts("dfew", rows, COUNTS["dfew"])
    return rows


def _fold(number: int) -> Callable[[Path], tuple[Row, ...]]:
    def read(folder: Path) -> tuple[Row, ...]:
        """One fold; votes stand beside the labels where `annotation.xlsx` is there. Raises ConfigError."""
        table = folder / "Annotation" / "annotation.xlsx"
        judged = _judged(table) if table.is_file() else {}
        clips, rows = _clips(folder), []
        for part in PARTS:
            inside = [f"EmoLabel_DataSplit/{part}(single{mark}labeled)/set_{number}.csv" for mark in "-_"]
            path = one_of(folder, inside, f"fold {number} of DFEW")
            for name, label in _split(path, judged).items():
                votes = judged[name][1] if name in judged else {}
                rows.append(Row(name, Clip(_path(clips, name)), Annotation((label,), votes=votes), part=part))
        tell_counts(f"dfew_fd{number}", rows, COUNTS[f"dfew_fd{number}"])
        return tuple(rows)

    return read


fd1, fd2, fd3, fd4, fd5 = (_fold(number) for number in FOLDS)


def _split(path: Path, judged: Judged) -> dict[str, str]:
    """Clip to label. Raises ConfigError for labels that are no number from 1 to 7, and where more than a few are not
    those of the annotation."""
    found: dict[str, str] = {}
    mistakes, at_odds = [], []
    lines = by_name(path, ("video_name", "label"))
    for video, (line, cells) in lines.items():
        label, name = _word(cells["label"]), video.zfill(5)
        if label is None:
            mistakes.append(f"line {line}: the label {cells['label']!r} is not a number from 1 to {len(WORDS)}")
            continue
        if name in judged and judged[name][0] != label:
            at_odds.append(f"line {line}: {name} is {label} here and {judged[name][0]} in annotation.xlsx")
        found[name] = label
    refuse(_too_many(path, at_odds, len(lines)) + mistakes, f"{path} cannot be read")
    return found


def _judged(path: Path) -> Judged:
    """Labels and votes. Raises ConfigError for a row that is not seven votes, a clip and its label, and where more
    than a few labels have not the most votes."""
    found: Judged = {}
    mistakes, at_odds = [], []
    rows = read_sheet(path).rows
    for line, row in enumerate(rows, start=2):
        cells = [str(cell if cell is not None else "").strip() for cell in row]
        numbers = [number_of(cell, 0, math.inf) for cell in cells[:9]]
        if len(numbers) < 9 or None in numbers:
            mistakes.append(f"row {line} is not seven votes, a clip and a label")
            continue
        *votes, clip, label = (number or 0.0 for number in numbers)
        name, word = f"{int(clip):05d}", _word(f"{label:g}")
        if label != 0 and word is None:
            mistakes.append(f"row {line}: the label {label:g} is not a number from 0 to {len(WORDS)}")
        elif word is not None and votes[WORDS.index(word)] < max(votes):
            at_odds.append(f"row {line}: the label {label:g} has not the most votes")
        if name in found:
            mistakes.append(f"row {line}: {name} comes twice")
        found[name] = (word, {label: count for label, count in zip(WORDS, votes, strict=True) if count})
    refuse(_too_many(path, at_odds, len(rows)) + mistakes, f"{path} cannot be read")
    return found


def _too_many(path: Path, at_odds: list[str], rows: int) -> list[str]:
    """Mistakes, where so many rows contradict themselves that columns were taken for others; a few are warned of."""
    if len(at_odds) > MOST_AT_ODDS * rows:
        return at_odds
    if at_odds:
        logger.warning("%s contradicts itself in %d of %d rows: %s", path, len(at_odds), rows, some(at_odds))
    return []


def _word(number: str) -> str | None:
    return WORDS[int(number) - 1] if number in map(str, range(1, len(WORDS) + 1)) else None


def _clips(folder: Path) -> Clips:
    return Clips.below(folder, "Clip/original", "original")


def _path(clips: Clips, name: str) -> str:
    """Numbers are written with and without zeros in front."""
    return clips.files.get(name.lstrip("0")) or clips.path(name)
