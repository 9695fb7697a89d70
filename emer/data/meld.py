"""MELD: dialogues of the series Friends, every utterance with an emotion and a sentiment.

Source: Poria et al. 2019, ACL (https://arxiv.org/abs/1810.02508), https://github.com/declare-lab/MELD (GPL-3.0). Counts
and columns from its README: 9,989 training, 1,109 development and 2,610 test utterances; `train_sent_emo.csv`,
`dev_sent_emo.csv`, `test_sent_emo.csv` with Utterance, Speaker, Emotion, Sentiment, Dialogue_ID, Utterance_ID, Season,
Episode, StartTime, EndTime. `MELD.Raw.tar.gz` keeps the clips `dia0_utt0.mp4` in `train/train_splits`,
`dev/dev_splits_complete` and `test/output_repeated_splits_test`; dialogue numbers start anew in each part.

The packed form of MER-UniBench (`meld-process/`, see `unibench`) is read too; it names no speakers. Ids are those of
MER-UniBench: `test_dia0_utt0`, `val_…`, `train_…`. The clips of `dia125_utt3` of the training and `dia110_utt7` of the
development part are known to be missing or broken.
"""

import re
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import replace
from pathlib import Path

from emer.data.dataset import About
from emer.data.released import Cells, read_csv, tell_counts
from emer.data.released_clips import Clips, one_of
from emer.data.rows import Part, Row, refuse
from emer.data.unibench import Packing, read_packed
from emer.emotions import label_set
from emer.types import Annotation, Clip

ABOUT = About(
    "meld",
    "MELD",
    "Poria et al. 2019, ACL, https://arxiv.org/abs/1810.02508; https://github.com/declare-lab/MELD",
    "GPL-3.0",
    metric="hit_rate",
    label_set="ekman7",
    language="en",
    note="columns seen in the released files, test names and labels held against the gold of MER-UniBench; the other "
    "parts, and where clips lie, are read as described. Scenes are often cut so that others are in the picture, over "
    "canned laughter",
)
COUNTS = {"train": 9_989, "validation": 1_109, "test": 2_610}
SENTIMENT = {"negative": -1.0, "neutral": 0.0, "positive": 1.0}
COLUMNS = ("Utterance", "Speaker", "Emotion", "Sentiment", "Dialogue_ID", "Utterance_ID")
PARTS: Mapping[str, tuple[Part, str, tuple[str, ...]]] = {
    "train": ("train", "train", ("train/train_splits", "train_splits", "train")),
    "val": ("validation", "dev", ("dev/dev_splits_complete", "dev_splits_complete", "dev")),
    "test": ("test", "test", ("test/output_repeated_splits_test", "output_repeated_splits_test", "test")),
}
"""First word of an id: the part, its name in the release, and where its clips lie."""
PACKED = Packing(
    ABOUT.title,
    {"train_corpus": "train", "val_corpus": "validation", "test_corpus": "test"},
    ("anger", "joy", "sadness", "neutral", "disgust", "fear", "surprise"),
)
NAME = re.compile(r"(train|val|test)_dia(\d+)_utt(\d+)")


def read(folder: Path) -> tuple[Row, ...]:
    """All utterances; `Row.context` has the earlier lines of the dialogue, `Annotation.value` the sentiment (-1, 0, 1).

    Raises ConfigError for labels outside the set, and for utterances that come twice.
    """
    if (folder / PACKED.labels).is_file():
        rows = _with_context(read_packed(folder, PACKED))
    else:
        rows = _with_context(row for prefix in PARTS for row in _part(folder, prefix))
    tell_counts(ABOUT.name, rows, COUNTS)
    return rows


def _part(folder: Path, prefix: str) -> tuple[Row, ...]:
    part, owner, places = PARTS[prefix]
    name = f"{owner}_sent_emo.csv"
    path = one_of(folder, (name, f"{owner}/{name}", f"data/MELD/{name}"), "the annotations of MELD")
    clips = Clips.below(folder, *places)
    rows: dict[str, Row] = {}
    mistakes = []
    for number, cells in read_csv(path, COLUMNS):
        if wrong := _wrong(cells):
            mistakes.append(f"line {number}: {wrong}")
            continue
        clip = f"dia{int(cells['Dialogue_ID'])}_utt{int(cells['Utterance_ID'])}"
        if clip in rows:
            mistakes.append(f"line {number}: {clip} comes twice")
        rows[clip] = Row(
            f"{prefix}_{clip}",
            Clip(clips.path(clip), said=readable(cells["Utterance"]) or None),
            Annotation((cells["Emotion"],), value=SENTIMENT[cells["Sentiment"]]),
            speaker=cells["Speaker"] or None,
            part=part,
            language="en",
        )
    refuse(mistakes, f"{path} cannot be read")
    return tuple(rows.values())


def _wrong(cells: Cells) -> str:
    """What is wrong with a line, or nothing."""
    words = label_set("ekman7")
    if cells["Emotion"] not in words:
        return f"{cells['Emotion']!r} is not one of {', '.join(words)}"
    if cells["Sentiment"] not in SENTIMENT:
        return f"{cells['Sentiment']!r} is not one of {', '.join(SENTIMENT)}"
    numbers = {key: cells[key] for key in ("Dialogue_ID", "Utterance_ID")}
    return "; ".join(f"{key} is {value!r}, not a number" for key, value in numbers.items() if not value.isdecimal())


def readable(text: str) -> str:
    """The text with its apostrophes and dashes: the training file has the bytes of Windows-1252 as characters.

    >>> readable("It\\x92s me")
    'It’s me'
    """
    return re.sub("[\\x80-\\x9f]", lambda found: found[0].encode("latin1").decode("cp1252", "ignore"), text)


def _with_context(rows: Iterable[Row]) -> tuple[Row, ...]:
    """The rows, each with the lines that came before it in its dialogue."""
    listed = list(rows)
    dialogues: dict[tuple[str, str], list[tuple[int, Row]]] = defaultdict(list)
    for row in listed:
        if place := NAME.fullmatch(row.id):
            dialogues[place[1], place[2]].append((int(place[3]), row))
    before: dict[str, str] = {}
    for dialogue in dialogues.values():
        lines: list[str] = []
        for _, row in sorted(dialogue, key=lambda numbered: numbered[0]):
            before[row.id] = "\n".join(lines)
            lines.append(f"{row.speaker}: {row.clip.said or ''}" if row.speaker else row.clip.said or "")
    return tuple(replace(row, context=before.get(row.id) or None) for row in listed)
