"""The MER challenges of 2023, 2024 and 2025: Chinese films and series, six emotions, and open vocabulary.

**MER2023** (Lian et al. 2023, ACM MM, https://doi.org/10.1145/3581783.3612836): Train&Val 3,373, MER-MULTI 411,
MER-NOISE 412 (with noise and blur), MER-SEMI 834. Raw: `train/`, `test1/` … `test3/` with clips beside
`train-label.csv`, `test1-label.csv` …, columns name, discrete, valence (none for test3). MER-UniBench takes MER-MULTI.

**MER2024** (Lian et al. 2024, MRAC, https://doi.org/10.1145/3689092.3689959): Train&Val 5,030, MER-SEMI 1,169,
MER-NOISE 1,170. Raw: `video-labeled/` and `label-disdim.csv`; labels of the test parts are in the packed form only.
MER-OV has the 332 clips of OV-MERD: `ov_store/check-openset.csv` (name, openset) in MERTools. MER-UniBench takes
MER-SEMI.

**MER2025** (Lian et al. 2025, https://arxiv.org/abs/2504.19423), one folder for all tracks: `video/`,
`subtitle_chieng.csv` (name, chinese, english), `track1_train_disdim.csv` (7,369 of name, discrete, valence),
`track_all_candidates.csv` (20,000 names, among them all test clips) and, for those who have them,
`track1_test_dis.csv` and `track2_test.csv` (name, openset).

Layouts: `MERBench/toolkit/preprocess/mer2023.py`, `MER2024/toolkit/preprocess/mer2024.py` and `MER2025/README.md` in
https://github.com/zeroQiaoba/MERTools; for the packed form see `unibench`, whose `test1`, `test2`, `test3` are MULTI
(SEMI in 2024), NOISE and SEMI.
"""

import math
from collections.abc import Mapping
from pathlib import Path

from emer.data.dataset import About
from emer.data.released import number_of, tell_counts
from emer.data.released_clips import Clips, by_name, one_of, spoken
from emer.data.rows import Part, Row, existing, refuse
from emer.data.unibench import Packing, read_packed
from emer.emotions import label_set
from emer.emotions.parsing import published
from emer.types import Annotation, Clip

LICENCE = "EULA of the MER challenges: academic research; clips and labels may not be passed on"
WORDS = tuple(label_set("mer6"))
SOURCE_2023 = "Lian et al. 2023, ACM MM, https://huggingface.co/datasets/MERChallenge/MER2023"
SOURCE_2024 = "Lian et al. 2024, MRAC, https://github.com/zeroQiaoba/MERTools"
SOURCE_2025 = "Lian et al. 2025, https://huggingface.co/datasets/MERChallenge/MER2025"

OV_NOTE = "the clips and labels of OV-MERD; labels held against the gold that its owners released"
CANDIDATES_NOTE = "test labels are not public: `test` is the 20,000 candidates, without labels, for those who lack them"


def _about(name: str, title: str, source: str, metric: str, note: str) -> About:
    closed = None if name in ("mer2024_ov", "mer2025_ov") else "mer6"
    return About(name, title, source, LICENCE, metric, closed, "zh", note=note)


ABOUT: Mapping[str, About] = {
    about.name: about
    for about in (
        _about("mer2023", "MER2023, train and MER-MULTI", SOURCE_2023, "hit_rate", "the test part of MER-UniBench"),
        _about("mer2023_noise", "MER2023, train and MER-NOISE", SOURCE_2023, "hit_rate", "noise and blur were added"),
        _about("mer2023_semi", "MER2023, train and MER-SEMI", SOURCE_2023, "hit_rate", "its labelled clips alone"),
        _about("mer2024", "MER2024, train and MER-SEMI", SOURCE_2024, "hit_rate", "the test part of MER-UniBench"),
        _about("mer2024_noise", "MER2024, train and MER-NOISE", SOURCE_2024, "hit_rate", "noise and blur were added"),
        _about("mer2024_ov", "MER2024, MER-OV", SOURCE_2024, "mer2024_ov", OV_NOTE),
        _about("mer2025", "MER2025, track 1", SOURCE_2025, "hit_rate", CANDIDATES_NOTE),
        _about("mer2025_ov", "MER2025, track 2", SOURCE_2025, "wheel_f1", CANDIDATES_NOTE),
    )
}
COUNTS: Mapping[str, Mapping[str, int]] = {
    "mer2023": {"train": 3_373, "test": 411},
    "mer2023_noise": {"train": 3_373, "test": 412},
    "mer2023_semi": {"train": 3_373, "test": 834},
    "mer2024": {"train": 5_030, "test": 1_169},
    "mer2024_noise": {"train": 5_030, "test": 1_170},
    "mer2024_ov": {"test": 332},
    "mer2025": {"train": 7_369},
    "mer2025_ov": {},
}
CANDIDATES = 20_000
"""Clips of MER2025 among which the test clips are."""


def mer2023(folder: Path) -> tuple[Row, ...]:
    """Train&Val as `train`, MER-MULTI as `test`; `Annotation.value` is valence, from -5 to 5. Raises ConfigError."""
    return _read_2023(folder, "mer2023", "test1")


def mer2023_noise(folder: Path) -> tuple[Row, ...]:
    """Train&Val as `train`, MER-NOISE as `test`. Raises ConfigError."""
    return _read_2023(folder, "mer2023_noise", "test2")


def mer2023_semi(folder: Path) -> tuple[Row, ...]:
    """Train&Val as `train`, the labelled clips of MER-SEMI as `test`, which have no valence. Raises ConfigError."""
    return _read_2023(folder, "mer2023_semi", "test3")


def mer2024(folder: Path) -> tuple[Row, ...]:
    """Train&Val as `train`, MER-SEMI as `test` where its labels are there (packed form). Raises ConfigError."""
    return _read_2024(folder, "mer2024", "test1")


def mer2024_noise(folder: Path) -> tuple[Row, ...]:
    """Train&Val as `train`, MER-NOISE as `test` where its labels are there (packed form). Raises ConfigError."""
    return _read_2024(folder, "mer2024_noise", "test2")


def mer2024_ov(folder: Path) -> tuple[Row, ...]:
    """The open labels of MER-OV; clips in `video/`, `video-labeled/` or `video-unlabeled/`. Raises ConfigError."""
    path = one_of(folder, ("ov_store/check-openset.csv", "check-openset.csv"), "check-openset.csv of MERTools")
    clips = Clips.below(folder, "video", "video-labeled", "video-unlabeled")
    return _counted("mer2024_ov", _open_labels(path, clips, {}))


def mer2025(folder: Path) -> tuple[Row, ...]:
    """Track 1: the training part, then the test part, or the candidates without labels. Raises ConfigError."""
    clips, said = Clips.below(folder, "video"), _subtitles(folder)
    train = existing(folder, "track1_train_disdim.csv", "the training labels of MER2025")
    rows = _closed_labels(train, "train", clips, said)
    test = folder / "track1_test_dis.csv"
    more = _closed_labels(test, "test", clips, said) if test.is_file() else _candidates(folder, clips, said)
    return _counted("mer2025", rows + more)


def mer2025_ov(folder: Path) -> tuple[Row, ...]:
    """Track 2: the test part, or the candidates without labels; train on `ovmerd` and `mercaption_plus`.

    Raises ConfigError.
    """
    clips, said = Clips.below(folder, "video"), _subtitles(folder)
    test = folder / "track2_test.csv"
    rows = _open_labels(test, clips, said) if test.is_file() else _candidates(folder, clips, said)
    return _counted("mer2025_ov", rows)


# ---------------------------------------------------------------- one challenge


def _read_2023(folder: Path, name: str, test: str) -> tuple[Row, ...]:
    if one_of(folder, ("label-6way.npz", "train-label.csv"), "the labels of MER2023").suffix == ".npz":
        corpora: Mapping[str, Part | None] = {"train_corpus": "train", f"{test}_corpus": "test"}
        return _counted(name, _packed(folder, name, corpora, "transcription-engchi-polish.csv"))
    rows: tuple[Row, ...] = ()
    parts: Mapping[str, Part] = {"train": "train", test: "test"}
    for place, part in parts.items():
        path = existing(folder, f"{place}-label.csv", "the labels of MER2023")
        rows += _closed_labels(path, part, Clips.below(folder, place), {})
    return _counted(name, rows)


def _read_2024(folder: Path, name: str, test: str) -> tuple[Row, ...]:
    path = one_of(folder, ("label-6way.npz", "label-disdim.csv"), "the labels of MER2024")
    if path.suffix == ".npz":
        corpora: Mapping[str, Part | None] = {"train_corpus": "train", f"{test}_corpus": "test"}
        return _counted(name, _packed(folder, name, corpora, "transcription_merge.csv"))
    return _counted(name, _closed_labels(path, "train", Clips.below(folder, "video-labeled"), {}))


def _packed(folder: Path, name: str, corpora: Mapping[str, Part | None], subtitles: str) -> tuple[Row, ...]:
    packing = Packing(
        ABOUT[name].title, corpora, WORDS, "label-6way.npz", subtitles, "chinese", "zh", videos=("video",)
    )
    return read_packed(folder, packing)


def _counted(name: str, rows: tuple[Row, ...]) -> tuple[Row, ...]:
    tell_counts(name, rows, COUNTS[name])
    return rows


# ---------------------------------------------------------------- one table


def _closed_labels(path: Path, part: Part, clips: Clips, said: Mapping[str, str]) -> tuple[Row, ...]:
    """Rows of a table of name, discrete and, perhaps, valence."""
    rows, mistakes = [], []
    for name, (line, cells) in by_name(path, ("name", "discrete")).items():
        if cells["discrete"] not in WORDS:
            mistakes.append(f"line {line}: {cells['discrete']!r} is not one of {', '.join(WORDS)}")
            continue
        valence = number_of(cells.get("valence", ""), -math.inf, math.inf)
        annotation = Annotation((cells["discrete"],), value=valence)
        rows.append(_row(name, clips, said, annotation, part))
    refuse(mistakes, f"{path} cannot be read")
    return tuple(rows)


def _open_labels(path: Path, clips: Clips, said: Mapping[str, str]) -> tuple[Row, ...]:
    """Rows of a table of name and openset, as the test part."""
    lines = by_name(path, ("name", "openset"))
    return tuple(
        _row(name, clips, said, Annotation(tuple(published(cells["openset"]))), "test")
        for name, (_, cells) in lines.items()
    )


def _candidates(folder: Path, clips: Clips, said: Mapping[str, str]) -> tuple[Row, ...]:
    """The clips of MER2025 that hold the test parts, without labels."""
    path = existing(folder, "track_all_candidates.csv", "the candidates of MER2025")
    rows = tuple(_row(name, clips, said, Annotation(), "test") for name in by_name(path, ("name",)))
    tell_counts("mer2025 (candidates)", rows, {"test": CANDIDATES})
    return rows


def _subtitles(folder: Path) -> Mapping[str, str]:
    return spoken(existing(folder, "subtitle_chieng.csv", "the subtitles of MER2025"), "name", "chinese")


def _row(name: str, clips: Clips, said: Mapping[str, str], annotation: Annotation, part: Part) -> Row:
    clip = Clip(clips.path(name), said=said.get(name))
    return Row(name, clip, annotation, part=part, language="zh")
