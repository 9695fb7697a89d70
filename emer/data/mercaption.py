"""MER-Caption+: 31,327 clips of MER2024's unlabelled part, described by models and filtered, with open labels.

Source: Lian et al. 2025, AffectGPT (ICML, https://arxiv.org/abs/2501.16566). It comes with the release of MER2025:
`video/`, `track2_train_mercaptionplus.csv` (name, openset), `track3_train_mercaptionplus.csv` (name, reason),
`subtitle_chieng.csv`; count from the README of MER2026 in https://github.com/zeroQiaoba/MERTools.
"""

from pathlib import Path

from emer.data.dataset import About
from emer.data.ovmerd import LICENCE, described
from emer.data.released import tell_counts
from emer.data.rows import Row

ABOUT = About(
    "mercaption_plus",
    "MER-Caption+",
    "Lian et al. 2025, ICML, https://arxiv.org/abs/2501.16566; https://huggingface.co/datasets/MERChallenge/MER2025",
    LICENCE,
    metric="wheel_f1",
    language="zh",
    note="labels and explanations were written by models and not by people: to train on, not to test with",
)
COUNTS = {"train": 31_327}


def read(folder: Path) -> tuple[Row, ...]:
    """The clips with open labels and an explanation, all in the training part. Raises ConfigError."""
    rows = described(folder, "mercaptionplus", "train")
    tell_counts(ABOUT.name, rows, COUNTS)
    return rows
