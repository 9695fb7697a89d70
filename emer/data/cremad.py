"""CREMA-D: what some nine people a clip voted, hearing the voice, seeing the face, or both.

Source: Cao et al. 2014, "CREMA-D: crowd-sourced emotional multimodal actors dataset"
(https://github.com/CheyneyComputerScience/CREMA-D, `processedResults/tabulatedVotes.csv`; licence ODbL).
Vote ids start with 1 for voice alone, 2 for face alone, 3 for both. 7,442 clips of 91 actors.

As data sets: `cremad` is the videos (`VideoFlash/NAME.flv`) with the votes of those who heard and saw them,
`cremad_voice` the sound alone (`AudioWAV/NAME.wav`) with the votes of those who heard it. NAME is actor, sentence,
the emotion that was asked for, and its level: `1001_IEO_HAP_LO`. What was asked for is no label here: people agree
with it in 64 % of the videos and 41 % of the sounds.
"""

import csv
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from jaxtyping import Bool, Int64

from emer.data.dataset import About
from emer.data.released import first_file, parts_by_speaker
from emer.data.rows import Row, existing, refuse, some
from emer.data.tables import FeatureTable, Kind, full_view
from emer.emotions import label_set
from emer.errors import ConfigError
from emer.types import Annotation, Clip

SOURCE = "CREMA-D processedResults (Cao et al. 2014)"
LICENCE = "ODbL"
FILE = "cremad/cremad_tabulatedVotes.csv"
OFFICIAL = "processedResults/tabulatedVotes.csv"
CLIPS = 7_442
ACTORS = tuple(str(number) for number in range(1001, 1092))
LABELS = label_set("cremad6")
LETTERS = "NHSAFD"
"""The file's columns, in the order of `cremad6`: neutral happy sad anger fear disgust."""
SHOWN = {"1": "voice", "2": "face", "3": "both"}
LABEL_SHARE = 0.2
"""A label holds where at least this share of the audio-visual votes is for it."""
SENTENCES: Mapping[str, str] = {
    "IEO": "It's eleven o'clock.",
    "TIE": "That is exactly what happened.",
    "IOM": "I'm on my way to the meeting.",
    "IWW": "I wonder what this is about.",
    "TAI": "The airplane is almost full.",
    "MTI": "Maybe tomorrow it will be cold.",
    "IWL": "I would like a new alarm clock.",
    "ITH": "I think I have a doctor's appointment.",
    "DFA": "Don't forget a jacket.",
    "ITS": "I think I've seen this before.",
    "TSI": "The surface is slick.",
    "WSI": "We'll stop in a couple of minutes.",
}
_NOTE = "acted; labels are what most people voted, none where they tie; the parts are emer's own, by actor"
ABOUT = {
    name: About(
        name=name,
        title=title,
        source="Cao et al. 2014, IEEE TAFFC 5(4), https://github.com/CheyneyComputerScience/CREMA-D",
        licence=LICENCE,
        metric="war_uar",
        label_set="cremad6",
        language="en",
        verified=True,
        note=f"{_NOTE}; the votes were held against the released table, the clips against its description",
    )
    for name, title in (
        ("cremad", "CREMA-D, votes of people who heard and saw the clips"),
        ("cremad_voice", "CREMA-D, votes of people who heard the clips alone"),
    )
}


@dataclass(frozen=True, eq=False)
class HumanVotes:
    """Counts of votes per clip, over `cremad6`."""

    rows: tuple[str, ...]
    actors: tuple[str, ...]
    voice: Int64[np.ndarray, "clip label=6"]
    face: Int64[np.ndarray, "clip label=6"]
    both: Int64[np.ndarray, "clip label=6"]

    @property
    def tied(self) -> Bool[np.ndarray, "clip"]:
        """Where no single label has most of the audio-visual votes."""
        return np.asarray((self.both == self.both.max(axis=1, keepdims=True)).sum(axis=1) > 1)

    @property
    def disagree(self) -> Bool[np.ndarray, "clip"]:
        """Where voice and face have no label in common among those with most votes: people heard and saw
        different emotions. A tie that holds the other's label counts as agreement."""
        most = [votes == votes.max(axis=1, keepdims=True) for votes in (self.voice, self.face)]
        return np.asarray(~(most[0] & most[1]).any(axis=1))


def read(folder: Path) -> tuple[Row, ...]:
    """The 7,442 videos with audio-visual votes as counts per label of `cremad6`, sorted by name.

    `folder` is a copy of the repository. Raises ConfigError as `votes`.
    """
    said = votes(folder)
    return _rows(folder, said, said.both, (("VideoFlash", ".flv"), ("VideoMP4", ".mp4")))


def read_voice(folder: Path) -> tuple[Row, ...]:
    """The same clips as sound alone, with the votes of people who only heard them."""
    said = votes(folder)
    return _rows(folder, said, said.voice, (("AudioWAV", ".wav"), ("AudioMP3", ".mp3")))


def _rows(folder: Path, said: HumanVotes, counts: np.ndarray, places: tuple[tuple[str, str], ...]) -> tuple[Row, ...]:
    parts = parts_by_speaker("cremad")
    return tuple(
        Row(
            name,
            Clip(
                str(first_file(folder / place / f"{name}{ending}" for place, ending in places)),
                said=SENTENCES.get(name[5:8]),
            ),
            _annotation(given),
            speaker=actor,
            part=parts[actor],
            language="en",
        )
        for name, actor, given in zip(said.rows, said.actors, counts.tolist(), strict=True)
    )


def _annotation(given: list[int]) -> Annotation:
    """The label with most votes, none where several have as many, and all votes."""
    most = [label for label, count in zip(LABELS, given, strict=True) if count == max(given)]
    counts = {label: float(count) for label, count in zip(LABELS, given, strict=True) if count}
    return Annotation(tuple(most) if len(most) == 1 else (), votes=counts)


def votes(folder: str | Path) -> HumanVotes:
    """The votes on all 7,442 clips, sorted by clip; `folder` holds `cremad/cremad_tabulatedVotes.csv`, or is a copy of
    the repository with `processedResults/tabulatedVotes.csv`.

    Raises ConfigError when columns, clips or votes are missing or do not sum up.
    """
    official = (Path(folder) / OFFICIAL).is_file()
    path = existing(folder, OFFICIAL if official else FILE, f"tabulatedVotes.csv of {SOURCE}")
    counts: dict[str, dict[str, list[int]]] = {}
    mistakes = []
    for number, line in _lines(path):
        shown = SHOWN.get(line[""][:1])
        try:
            given = [int(line[letter]) for letter in LETTERS]
            fits = sum(given) == int(line["numResponses"]) > 0 and min(given) >= 0
        except ValueError:
            given, fits = [], False
        if shown is None or not fits or shown in counts.get(line["fileName"], {}):
            mistakes.append(f"line {number} ({line['fileName']}) has a wrong id, wrong counts, or comes twice")
            continue
        counts.setdefault(line["fileName"], {})[shown] = given
    refuse(mistakes + _gaps(counts), f"{path} is not the released table")
    rows = tuple(sorted(counts))
    per_view = {shown: np.array([counts[row][shown] for row in rows], dtype=np.int64) for shown in SHOWN.values()}
    return HumanVotes(rows, tuple(row[:4] for row in rows), **per_view)


def table(folder: str | Path, kind: Kind = "single") -> FeatureTable:
    """Shares of votes on voice and on face as two views; the target is what people said who had both.

    `single`: the label with most votes; clips without one (420) are left out, and the note says so.
    `multi`: every label with at least 20 % of the votes. `votes`: the shares themselves.
    """
    said = votes(folder)
    kept = ~said.tied if kind == "single" else np.ones(len(said.rows), dtype=bool)
    voice, face, both = (shares(counts[kept]) for counts in (said.voice, said.face, said.both))
    targets = {"single": np.eye(len(LABELS))[both.argmax(axis=1)], "multi": (both >= LABEL_SHARE) * 1.0, "votes": both}
    if kind not in targets:
        raise ConfigError(f"the target kind {kind!r} is not known; choose one of {', '.join(targets)}")
    places = np.flatnonzero(kept)
    return FeatureTable(
        name=f"cremad-{kind}",
        rows=tuple(said.rows[i] for i in places),
        labels=LABELS,
        kind=kind,
        target=targets[kind],
        views={"voice": full_view(LABELS, voice), "face": full_view(LABELS, face)},
        speakers=tuple(said.actors[i] for i in places),
        source=SOURCE,
        licence=LICENCE,
        note=_note(kind, int((~kept).sum())),
    )


def shares(counts: np.ndarray) -> np.ndarray:
    """Votes as shares of each row.

    >>> shares(np.array([[3, 1]])).tolist()
    [[0.75, 0.25]]
    """
    return np.asarray(counts / counts.sum(axis=1, keepdims=True))


def _note(kind: Kind, left_out: int) -> str:
    if kind == "single":
        return f"{left_out} of {CLIPS} clips have no single audio-visual majority and are left out"
    return f"labels with at least {LABEL_SHARE:.0%} of the audio-visual votes" if kind == "multi" else ""


def _lines(path: Path) -> Iterable[tuple[int, dict[str, str]]]:
    with path.open(newline="", encoding="utf-8") as file:
        reader = csv.DictReader(file)
        missing = [key for key in ("", *LETTERS, "fileName", "numResponses") if key not in (reader.fieldnames or ())]
        refuse([repr(key) for key in missing], f"{path} lacks columns of tabulatedVotes.csv")
        yield from enumerate(reader, start=2)


def _gaps(counts: dict[str, dict[str, list[int]]]) -> list[str]:
    partial = [row for row, shown in counts.items() if len(shown) < len(SHOWN)]
    mistakes = [f"{len(partial)} clips lack votes on voice, face or both ({some(partial)})"] if partial else []
    if len(counts) != CLIPS:
        mistakes.append(f"it has {len(counts)} clips instead of {CLIPS}")
    if strangers := sorted({row[:4] for row in counts} ^ set(ACTORS)):
        mistakes.append(f"actors are missing or unknown ({some(strangers)})")
    return mistakes
