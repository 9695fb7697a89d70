"""MAFW: film, television and short videos, eleven emotions, alone or compound, with a sentence on what is seen.

Source: Liu et al. 2022, ACM MM (https://arxiv.org/abs/2208.00847), https://mafw-database.github.io/MAFW, on request.
10,045 clips, judged by eleven people each: `data/clips/00151.mp4`. `Train & Test Set/{single,compound}/no_caption/`
has folds `set_1` … `set_5` of `train.txt` and `test.txt`, lines "00151.mp4 anger" or "20045.mp4 anger_disgust_anxiety",
9,172 single and 8,996 compound clips; `with_caption/` beside it has the same lines with a Chinese and an English
sentence, in GB 18030 and parted by tabs, for the clips that are not neutral. `Labels/annotation.xlsx` has a column an
emotion.

Layout: the README of https://github.com/MAFW-database/MAFW, and public code that reads the release. `mafw_set1` to
`mafw_set5` are the folds of the single set (11 classes), `mafw_compound_set1` … those of the compound set (43).
"""

import math
from collections.abc import Callable, Mapping
from pathlib import Path

from emer.data.dataset import About
from emer.data.released import number_of, tell_counts
from emer.data.released_clips import Clips, one_of
from emer.data.rows import Part, Row, refuse
from emer.emotions.wheel_sheets import read_sheet
from emer.errors import ConfigError
from emer.types import Annotation, Clip

WORDS = (
    "anger",
    "disgust",
    "fear",
    "happiness",
    "neutral",
    "sadness",
    "surprise",
    "contempt",
    "anxiety",
    "helplessness",
    "disappointment",
)
FOLDS = range(1, 6)
PARTS: tuple[Part, ...] = ("train", "test")
ENCODINGS = ("utf-8-sig", "gb18030")
SETS = ("Train & Test Set", "train_test_set/Train & Test Set")
NOTE = "films and shows in several languages; explanations say what is seen, and neutral clips have none"
COMPOUND = "papers report WAR and UAR of the 43 compounds as classes of their own; here each clip has a set of labels"


def _about(name: str, title: str, metric: str, note: str) -> About:
    return About(
        name,
        title,
        source="Liu et al. 2022, ACM MM, https://arxiv.org/abs/2208.00847; https://mafw-database.github.io/MAFW",
        licence="MAFW terms: non-commercial research, on request",
        metric=metric,
        label_set="mafw11",
        note=note,
    )


ABOUT: Mapping[str, About] = {
    **{f"mafw_set{n}": _about(f"mafw_set{n}", f"MAFW, single emotions, fold {n} of 5", "war_uar", NOTE) for n in FOLDS},
    **{
        name: _about(name, f"MAFW, compound, fold {n} of 5", "micro_f1", f"{NOTE}; {COMPOUND}")
        for n, name in ((n, f"mafw_compound_set{n}") for n in FOLDS)
    },
}
COUNTS: Mapping[str, tuple[int, int]] = {
    "mafw_set1": (7_333, 1_839),
    "mafw_set2": (7_335, 1_837),
    "mafw_set3": (7_339, 1_833),
    "mafw_set4": (7_340, 1_832),
    "mafw_set5": (7_341, 1_831),
    "mafw_compound_set1": (7_178, 1_818),
    "mafw_compound_set2": (7_187, 1_809),
    "mafw_compound_set3": (7_198, 1_798),
    "mafw_compound_set4": (7_208, 1_788),
    "mafw_compound_set5": (7_213, 1_783),
}
"""Training and test clips; each fold sums to 9,172 or 8,996."""


def _fold(kind: str, number: int) -> Callable[[Path], tuple[Row, ...]]:
    name = f"mafw_{'compound_' if kind == 'compound' else ''}set{number}"

    def read(folder: Path) -> tuple[Row, ...]:
        """One fold; sentences and votes where their files are there. Raises ConfigError."""
        place = one_of(folder, SETS, "the folds of MAFW") / kind
        table = folder / "Labels" / "annotation.xlsx"
        votes = _votes(table) if table.is_file() else {}
        clips, rows = Clips.below(folder, "data/clips", "clips"), []
        for part in PARTS:
            labels = _labels(place / "no_caption" / f"set_{number}" / f"{part}.txt")
            captions = place / "with_caption" / f"set_{number}" / f"{part}.txt"
            seen = _captions(captions) if captions.is_file() else {}
            for clip, words in labels.items():
                annotation = Annotation(words, seen.get(clip), votes.get(clip, {}))
                rows.append(Row(clip, Clip(clips.path(clip)), annotation, part=part))
        tell_counts(name, rows, dict(zip(PARTS, COUNTS[name], strict=True)))
        return tuple(rows)

    return read


set1, set2, set3, set4, set5 = (_fold("single", number) for number in FOLDS)
compound_set1, compound_set2, compound_set3, compound_set4, compound_set5 = (_fold("compound", n) for n in FOLDS)


def _labels(path: Path) -> dict[str, tuple[str, ...]]:
    """Clip to its labels. Raises ConfigError for lines of another form, unknown labels and doubled clips."""
    found: dict[str, tuple[str, ...]] = {}
    mistakes = []
    for line, text in enumerate(_text(path).splitlines(), start=1):
        if not text.strip():
            continue
        clip, _, label = text.strip().partition(" ")
        name, words = clip.removesuffix(".mp4"), tuple(label.strip().split("_"))
        if odd := [word for word in words if word not in WORDS]:
            mistakes.append(f"line {line}: {odd[0]!r} is not one of {', '.join(WORDS)}")
        elif name in found:
            mistakes.append(f"line {line}: {name} comes twice")
        found[name] = words
    refuse(mistakes, f"{path} cannot be read")
    return found


def _captions(path: Path) -> dict[str, str]:
    """Clip to its English sentence. Raises ConfigError for lines that are not four cells."""
    found: dict[str, str] = {}
    mistakes = []
    for line, text in enumerate(_text(path).splitlines(), start=1):
        cells = [cell.removeprefix("<br>").strip() for cell in text.split("\t")]
        if len(cells) == 4:
            found[cells[0].removesuffix(".mp4")] = cells[3]
        elif text.strip():
            mistakes.append(f"line {line} is not a clip, a label and two sentences")
    refuse(mistakes, f"{path} cannot be read")
    return found


def _votes(path: Path) -> dict[str, dict[str, float]]:
    """Clip to the weight of each emotion, as the annotation gives it; nothing where that is no number from 0 up."""
    sheet = read_sheet(path)
    if missing := [name for name in ("clip", *WORDS) if name not in sheet.header]:
        raise ConfigError(f"{path} has no column {', '.join(missing)}; its columns are {sheet.columns}")
    places = {word: sheet.header.index(word) for word in WORDS}
    at = sheet.header.index("clip")
    found: dict[str, dict[str, float]] = {}
    for row in sheet.rows:
        weights = {word: number_of(str(row[place]), 0, math.inf) for word, place in places.items()}
        found[str(row[at]).removesuffix(".mp4")] = {word: weight for word, weight in weights.items() if weight}
    return found


def _text(path: Path) -> str:
    try:
        data = path.read_bytes()
    except OSError as error:
        raise ConfigError(f"{path} cannot be read ({error.strerror}); fetch the folds of MAFW") from error
    for encoding in ENCODINGS:
        try:
            return data.decode(encoding)
        except UnicodeDecodeError:
            continue
    raise ConfigError(f"{path} is text neither in {' nor in '.join(ENCODINGS)}; fetch it again")
