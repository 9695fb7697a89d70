"""Handwritten digits in six views: the standard set of the trusted multi-view papers.

Source: UCI "Multiple features" (Duin 1998, https://doi.org/10.24432/C5HC70, licence CC BY 4.0), in the training and
test parts released with TMC (Han et al. 2021). 2,000 digits, 200 of each, sorted by digit in both parts.
"""

import zlib
from pathlib import Path

import numpy as np

from emer.data.rows import existing, refuse
from emer.data.tables import FeatureTable, full_view, target_of
from emer.errors import ConfigError

SOURCE = "UCI Multiple features (Duin 1998), parts of TMC (Han et al. 2021)"
LICENCE = "CC BY 4.0"
FILE = "features/handwritten_6views.mat"
LABELS = tuple(str(digit) for digit in range(10))
COUNTS = {"train": 1_600, "test": 400}
VIEWS = {"pixels": 240, "fourier": 76, "profiles": 216, "zernike": 47, "karhunen": 64, "morphology": 6}
"""UCI's views under names that speak, in the order of the file (x1 … x6), with their widths."""


def table(folder: str | Path) -> FeatureTable:
    """All 2,000 digits, training part first; row ids are `train-0000` … `test-0399`, places in the release.

    `folder` holds `features/handwritten_6views.mat`. Raises ConfigError when arrays are missing or misshapen.
    """
    path = existing(folder, FILE, f"the arrays of {SOURCE}")
    arrays = _arrays(path)
    digits = np.concatenate([arrays[f"gt_{part}"].ravel() for part in COUNTS]).astype(int) - 1
    refuse(["digits other than 1 to 10"] if set(digits.tolist()) != set(range(10)) else [], f"{path} holds")
    return FeatureTable(
        name="handwritten",
        rows=row_ids(),
        labels=LABELS,
        kind="single",
        target=target_of("single", [LABELS[digit] for digit in digits], LABELS),
        views={
            view: full_view(
                [f"{view}_{i}" for i in range(width)],
                np.concatenate([arrays[f"x{number}_{part}"].astype(float) for part in COUNTS]),
            )
            for number, (view, width) in enumerate(VIEWS.items(), start=1)
        },
        source=SOURCE,
        licence=LICENCE,
    )


def row_ids() -> tuple[str, ...]:
    """`train-0000` to `train-1599`, then `test-0000` to `test-0399`."""
    return tuple(f"{part}-{i:04d}" for part, count in COUNTS.items() for i in range(count))


def _arrays(path: Path) -> dict[str, np.ndarray]:
    from scipy.io import loadmat
    from scipy.io.matlab import MatReadError

    try:
        held = loadmat(str(path))
    except (MatReadError, ValueError, TypeError, IndexError, NotImplementedError, OSError, zlib.error) as error:
        raise ConfigError(f"{path} cannot be read as a MATLAB file: {error}; fetch it again") from error
    arrays = {key: value for key, value in held.items() if isinstance(value, np.ndarray)}
    shapes = {f"gt_{part}": (count, 1) for part, count in COUNTS.items()}
    shapes |= {
        f"x{number}_{part}": (count, width)
        for number, width in enumerate(VIEWS.values(), start=1)
        for part, count in COUNTS.items()
    }
    wrong = [
        f"{key} has the shape {arrays[key].shape if key in arrays else 'of nothing'} instead of {shape}"
        for key, shape in shapes.items()
        if key not in arrays or arrays[key].shape != shape
    ]
    refuse(wrong, f"{path} is not the released set")
    return arrays
