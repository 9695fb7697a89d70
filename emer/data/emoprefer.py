"""EmoPrefer: which of two descriptions of a clip's emotion people prefer.

Source: Lian et al. 2026, "EmoPrefer: Can large language models understand human emotion preferences?", ICLR,
https://arxiv.org/abs/2507.04278. Two sets: EmoPrefer-Data, 574 pairs, of which three raters prefer one in 563 and the
rest are alike; EmoPrefer-Data-V2, 2,096 pairs, each rated by one of 14 raters, who prefer one in 1,618. The clips are
those of MER2025 (the counts of pairs with a preference: Huang et al. 2026, EAPO, table of data sets).

Layout of the authors' repository (https://github.com/zeroQiaoba/AffectGPT, `EmoPrefer/`):

    dataset/preference_emoprefer.csv, preference_emopreferv2.csv       name, a1, a2, preference (a1, a2 or same)
    dataset/preference_…_with_modelnames.csv                           also model1, model2: who wrote a1 and a2
    dataset/video/NAME.mp4

and of MER2026 (https://huggingface.co/datasets/MERChallenge/MER2026): `track3_emoprefer.csv`,
`track3_emopreferv2.csv`, `video/`, `subtitle_chieng.csv` (name, chinese, english). `preference_…_reverse.csv` holds the
same pairs with the sides changed, to test judges that look at the order; scores here do not.
"""

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from emer.data.dataset import About
from emer.data.released import read_csv
from emer.data.released_clips import Clips, column_of, one_of
from emer.data.rows import Row, refuse
from emer.types import Annotation, Clip

logger = logging.getLogger("emer")

Preferred = Literal["a", "b", "same"]
COLUMNS = ("name", "a1", "a2", "preference")
WORDS: Mapping[str, Preferred] = {"a1": "a", "a2": "b", "same": "same"}
SUBTITLES = "subtitle_chieng.csv"
LICENCE = "EULA of MER2025: academic research; clips and labels may not be passed on (descriptions: non-commercial)"
SOURCE = "Lian et al. 2026, ICLR, https://arxiv.org/abs/2507.04278"
NOTE = "an explanation here is what a model wrote and people preferred to another model's; nobody wrote a reference"
ABOUT: Mapping[str, About] = {
    about.name: about
    for about in (
        About("emoprefer", "EmoPrefer-Data", SOURCE, LICENCE, "explanation", language="zh", note=NOTE),
        About("emoprefer_v2", "EmoPrefer-Data-V2", SOURCE, LICENCE, "explanation", language="zh", note=NOTE),
    )
}
FILES: Mapping[str, str] = {"emoprefer": "emoprefer", "emoprefer_v2": "emopreferv2"}
PAIRS: Mapping[str, tuple[int, int]] = {"emoprefer": (574, 563), "emoprefer_v2": (2_096, 1_618)}
"""Pairs, and those in which one is preferred."""


@dataclass(frozen=True, slots=True)
class Pair:
    """Two descriptions of one clip, and which of them people prefer."""

    clip: str
    """Id of its row."""
    a: str
    b: str
    preferred: Preferred
    models: tuple[str, str] | None = None
    """Who wrote `a` and `b`, where the release says so."""

    @property
    def better(self) -> str | None:
        """The preferred description; None where people find both alike."""
        return {"a": self.a, "b": self.b, "same": None}[self.preferred]


def emoprefer(folder: Path) -> tuple[Row, ...]:
    """The clips of EmoPrefer-Data, once each, with the description that was preferred in the first pair of each.

    Raises ConfigError when the pairs are not there or are damaged.
    """
    return _rows(folder, "emoprefer")


def emoprefer_v2(folder: Path) -> tuple[Row, ...]:
    """The clips of EmoPrefer-Data-V2, likewise. Raises ConfigError when the pairs are not there or are damaged."""
    return _rows(folder, "emoprefer_v2")


def pairs(folder: Path, name: str = "emoprefer") -> tuple[Pair, ...]:
    """The pairs of one set, in the order of the release; warns where their number is not the published one.

    Raises ConfigError for a missing file, missing columns, empty descriptions, and other preferences than a1, a2, same.
    """
    file = FILES[name]
    forms = [f"preference_{file}{ending}.csv" for ending in ("_with_modelnames", "")]
    places = [inside + form for form in forms for inside in ("", "dataset/")]
    path = one_of(folder, (*places, f"track3_{file}.csv"), f"the pairs of {ABOUT[name].title}")
    found, mistakes = [], []
    for number, cells in read_csv(path, COLUMNS):
        empty = [column for column in COLUMNS if not cells[column]]
        preferred = WORDS.get(cells["preference"].lower())
        if empty:
            mistakes.append(f"line {number} has no {', '.join(empty)}")
        elif preferred is None:
            mistakes.append(f"line {number} prefers {cells['preference']!r}, not a1, a2 or same")
        else:
            who = (cells.get("model1", ""), cells.get("model2", ""))
            found.append(Pair(cells["name"], cells["a1"], cells["a2"], preferred, who if all(who) else None))
    refuse(mistakes, f"{path} cannot be read")
    _tell_counts(name, found)
    return tuple(found)


def _rows(folder: Path, name: str) -> tuple[Row, ...]:
    found = pairs(folder, name)
    inside = "dataset/video" if (folder / "dataset" / "video").is_dir() else "video"
    clips = Clips.below(folder, inside)
    subtitles = folder / SUBTITLES
    said = column_of(subtitles, "name", "chinese") if subtitles.exists() else {}
    better: dict[str, str] = {}
    for pair in found:
        if pair.better is not None:
            better.setdefault(pair.clip, pair.better)
    return tuple(
        Row(
            clip,
            Clip(clips.path(clip), said=said.get(clip) or None),
            Annotation(explanation=better.get(clip)),
            language="zh",
        )
        for clip in dict.fromkeys(pair.clip for pair in found)
    )


def _tell_counts(name: str, found: Sequence[Pair]) -> None:
    counts = len(found), sum(pair.preferred != "same" for pair in found)
    if counts != PAIRS[name]:
        told = "%s has %d pairs, one preferred in %d of them, instead of %d and %d"
        logger.warning(told, name, *counts, *PAIRS[name])
