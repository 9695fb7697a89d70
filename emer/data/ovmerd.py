"""OV-MERD and OV-MERD+: clips of the MER challenges with any number of emotions in the annotators' own words.

**OV-MERD** (Lian et al. 2024, https://arxiv.org/abs/2410.01495), 332 clips, in the release of MER2025: `video/`,
`track2_train_ovmerd.csv` (name, openset), `track3_train_ovmerd.csv` (name, reason) and `subtitle_chieng.csv` (name,
chinese, english).

**OV-MERD+** (Lian et al. 2025, AffectGPT, https://arxiv.org/abs/2501.16566), 532 clips, the last of MER-UniBench:
`ovmerdplus-process/` with `video/`, `ovlabel.csv` (name, openset) and `subtitle_eng.csv` (name, sentence).

Layouts: `MER2025/README.md` of https://github.com/zeroQiaoba/MERTools; `config.py` and `ovmerdplus_dataset.py` of
https://github.com/zeroQiaoba/AffectGPT. A clip whose list of labels is empty is neutral there, and so it is here.
"""

from collections.abc import Mapping
from pathlib import Path

from emer.data.dataset import About
from emer.data.released import tell_counts
from emer.data.released_clips import Clips, column_of, spoken
from emer.data.rows import Part, Row, existing, refuse, some
from emer.emotions.parsing import published
from emer.types import Annotation, Clip

LICENCE = "EULA of the MER challenges: academic research; clips and labels may not be passed on"
HELD = "labels held against the gold that its owners released; the folder is read as they describe it"
ABOUT: Mapping[str, About] = {
    "ovmerd": About(
        "ovmerd",
        "OV-MERD",
        "Lian et al. 2024, https://arxiv.org/abs/2410.01495; https://huggingface.co/datasets/MERChallenge/MER2025",
        LICENCE,
        metric="wheel_f1",
        language="zh",
        note=HELD,
    ),
    "ovmerd_plus": About(
        "ovmerd_plus",
        "OV-MERD+",
        "Lian et al. 2025, ICML, https://arxiv.org/abs/2501.16566; https://github.com/zeroQiaoba/AffectGPT",
        LICENCE,
        metric="wheel_f1",
        language="zh",
        note=f"{HELD}; subtitles are English translations",
    ),
}
COUNTS: Mapping[str, Mapping[str, int]] = {"ovmerd": {"all": 332}, "ovmerd_plus": {"test": 532}}


def ovmerd(folder: Path) -> tuple[Row, ...]:
    """The 332 clips with open labels and an explanation, in no part: some train on them, some test. Raises
    ConfigError."""
    rows = described(folder, "ovmerd", None)
    tell_counts("ovmerd", rows, COUNTS["ovmerd"])
    return rows


def ovmerd_plus(folder: Path) -> tuple[Row, ...]:
    """The 532 test clips with open labels. Raises ConfigError."""
    said = spoken(existing(folder, "subtitle_eng.csv", "the subtitles of OV-MERD+"), "name", "sentence")
    clips = Clips.below(folder, "video")
    labels = open_labels(existing(folder, "ovlabel.csv", "the labels of OV-MERD+"))
    rows = tuple(
        Row(name, Clip(clips.path(name), said=said.get(name)), Annotation(words), part="test", language="zh")
        for name, words in labels.items()
    )
    tell_counts("ovmerd_plus", rows, COUNTS["ovmerd_plus"])
    return rows


def described(folder: Path, stem: str, part: Part | None) -> tuple[Row, ...]:
    """Rows of the MER2025 release that have labels for track 2 and an explanation for track 3.

    Raises ConfigError when files or columns are missing, and when the two tracks are not about the same clips.
    """
    tracks = [existing(folder, f"track{n}_train_{stem}.csv", "the labels of MER2025") for n in (2, 3)]
    labels, reasons = open_labels(tracks[0]), column_of(tracks[1], "name", "reason")
    if apart := sorted(labels.keys() ^ reasons.keys()):
        refuse([f"{len(apart)} clips are in one only ({some(apart)})"], f"{tracks[0]} and {tracks[1].name} differ")
    said = spoken(existing(folder, "subtitle_chieng.csv", "the subtitles of MER2025"), "name", "chinese")
    clips = Clips.below(folder, "video")
    return tuple(
        Row(
            name,
            Clip(clips.path(name), said=said.get(name)),
            Annotation(words, reasons[name] or None),
            part=part,
            language="zh",
        )
        for name, words in labels.items()
    )


def open_labels(path: Path) -> dict[str, tuple[str, ...]]:
    """Columns name and openset, by name, read with the published parser. Raises ConfigError."""
    lists = column_of(path, "name", "openset")
    return {name: tuple(published(cell)) or ("neutral",) for name, cell in lists.items()}
