"""CMU-MOSI as ready features: sentiment of film reviews from sound, words and picture.

Source: Zadeh et al. 2016 (MOSI); features of Poria et al. 2017, "Context-dependent sentiment analysis in
user-generated videos", as released with that paper's code. To measure with only: no weights are shipped from it.
Speakers are not named; no speaker of the test part is in the training part. In both parts the positive rows come
first, then the negative ones, each in the order of the videos, which the split makes use of: the nearest positive
row (by sound) of a negative one lies at about the same share of its class (correlation .89 over the training part).
"""

from pathlib import Path

import numpy as np

from emer.data.rows import existing, refuse
from emer.data.table_files import read_arrays
from emer.data.tables import FeatureTable, full_view, target_of
from emer.errors import ConfigError

SOURCE = "CMU-MOSI (Zadeh et al. 2016), features of Poria et al. 2017"
LICENCE = "measure only"
FILE = "features/mosi.npz"
LABELS = ("negative", "positive")
COUNTS = {"train": 1_447, "test": 752}
POSITIVE = {"train": 709, "test": 467}
"""So many rows at the start of a part are positive, the others negative."""
VIEWS = {"audio": 73, "text": 100, "video": 100}
NOTE = "the text features were trained by their authors on the training part: scores on training rows flatter"


def table(folder: str | Path) -> FeatureTable:
    """All 2,199 utterances, training part first; row ids are `train-0000` … `test-0751`, places in the release.

    `folder` holds `features/mosi.npz`. Raises ConfigError when arrays are missing, misshapen or pickled.
    """
    path = existing(folder, FILE, f"the arrays of {SOURCE}")
    arrays = read_arrays(path)
    shapes: dict[str, tuple[int, ...]] = {f"y_{part}": (count,) for part, count in COUNTS.items()}
    shapes |= {f"{view}_{part}": (n, width) for view, width in VIEWS.items() for part, n in COUNTS.items()}
    refuse(
        [
            f"{key} has the shape {arrays[key].shape if key in arrays else 'of nothing'} instead of {shape}"
            for key, shape in shapes.items()
            if key not in arrays or arrays[key].shape != shape
        ],
        f"{path} is not the released set",
    )
    for part, count in COUNTS.items():
        if not np.array_equal(arrays[f"y_{part}"], np.arange(count) < POSITIVE[part]):
            raise ConfigError(
                f"{path}: y_{part} does not have {POSITIVE[part]} ones and then zeros, as released, and the split "
                "counts on that order; fetch the file again"
            )
    positive = np.concatenate([arrays[f"y_{part}"] for part in COUNTS])
    return FeatureTable(
        name="mosi",
        rows=row_ids(),
        labels=LABELS,
        kind="single",
        target=target_of("single", [LABELS[int(y)] for y in positive], LABELS),
        views={
            view: full_view(
                [f"{view}_{i}" for i in range(width)], np.concatenate([arrays[f"{view}_{part}"] for part in COUNTS])
            )
            for view, width in VIEWS.items()
        },
        source=SOURCE,
        licence=LICENCE,
        note=NOTE,
    )


def row_ids() -> tuple[str, ...]:
    """`train-0000` to `train-1446`, then `test-0000` to `test-0751`."""
    return tuple(f"{part}-{i:04d}" for part, count in COUNTS.items() for i in range(count))
