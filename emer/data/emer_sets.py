"""EMER: clips of MER2023 with an explanation of the emotion, written by people (v1) or corrected by them (v2).

Source: Lian et al. 2023, "Explainable multimodal emotion recognition" (https://arxiv.org/abs/2306.15401; v1 is its
third version, v2 its fifth), `EMER/README.md` in https://github.com/zeroQiaoba/AffectGPT. Clips come with MER2023.

**v1**, 100 clips: `dataset-v1/gt-eng.csv` and `gt-chi.csv` (names, emotions, subtitles, reasons); `emotions` is the
label of MER2023.
**v2**, 332 clips, those of OV-MERD: `dataset-v2/final-EMER-reason.csv` (name, chinese, english; the README says
`names`). Its open labels were released apart: `check-openset.csv` or `final-openset-english.csv` (name, openset) is
read where it lies beside.

The clips are looked for in `video/`, `train/` and `test1/` … `test3/` of the folder.
"""

from collections.abc import Mapping
from pathlib import Path

from emer.data.dataset import About
from emer.data.ovmerd import open_labels
from emer.data.released import read_csv, tell_counts
from emer.data.released_clips import Clips, by_name, one_of, spoken
from emer.data.rows import Row, refuse
from emer.emotions import label_set
from emer.types import Annotation, Clip

SOURCE = "Lian et al. 2023, https://arxiv.org/abs/2306.15401; https://github.com/zeroQiaoba/AffectGPT"
LICENCE = "EULA of the MER challenges: academic research; clips and labels may not be passed on"
ABOUT: Mapping[str, About] = {
    "emer_v1": About(
        "emer_v1",
        "EMER v1",
        SOURCE,
        LICENCE,
        metric="wheel_f1",
        language="zh",
        note="one label a clip, from MER2023; columns seen in the released file; explanations are English translations",
    ),
    "emer_v2": About(
        "emer_v2",
        "EMER v2",
        SOURCE,
        LICENCE,
        metric="wheel_f1",
        language="zh",
        note="columns seen in the released file; explanations are English translations; open labels are a file apart",
    ),
}
COUNTS: Mapping[str, Mapping[str, int]] = {"emer_v1": {"all": 100}, "emer_v2": {"all": 332}}
PLACES = ("video", "train", "test1", "test2", "test3")
OPEN_LABELS = ("check-openset.csv", "final-openset-english.csv")


def emer_v1(folder: Path) -> tuple[Row, ...]:
    """The 100 clips with the English explanation. What is said is Chinese where `gt-chi.csv` is there, else its
    translation. Raises ConfigError."""
    english = _file(folder, "dataset-v1", "gt-eng.csv")
    chinese = english.with_name("gt-chi.csv")
    said = spoken(chinese, "names", "subtitles") if chinese.is_file() else {}
    clips, words = Clips.below(folder, *PLACES), label_set("mer6")
    rows, mistakes = [], []
    for name, (number, cells) in by_name(english, ("names", "emotions", "subtitles", "reasons")).items():
        if cells["emotions"] not in words:
            mistakes.append(f"line {number}: {cells['emotions']!r} is not one of {', '.join(words)}")
        clip = Clip(clips.path(name), said=said.get(name) or cells["subtitles"] or None)
        rows.append(Row(name, clip, Annotation((cells["emotions"],), cells["reasons"] or None), language="zh"))
    refuse(mistakes, f"{english} cannot be read")
    tell_counts("emer_v1", rows, COUNTS["emer_v1"])
    return tuple(rows)


def emer_v2(folder: Path) -> tuple[Row, ...]:
    """The 332 clips with the English explanation, and open labels where their file is there. Raises ConfigError."""
    path = _file(folder, "dataset-v2", "final-EMER-reason.csv")
    key = "name" if "name" in read_csv(path, ("chinese", "english"))[0][1] else "names"
    beside = [path.with_name(name) for name in OPEN_LABELS if path.with_name(name).is_file()]
    labels = open_labels(beside[0]) if beside else {}
    clips = Clips.below(folder, *PLACES)
    rows = tuple(
        Row(name, Clip(clips.path(name)), Annotation(labels.get(name, ()), cells["english"] or None), language="zh")
        for name, (_, cells) in by_name(path, (key, "english")).items()
    )
    tell_counts("emer_v2", rows, COUNTS["emer_v2"])
    return rows


def _file(folder: Path, inside: str, name: str) -> Path:
    return one_of(folder, (f"{inside}/{name}", f"EMER/{inside}/{name}", name), f"{name} of EMER")
