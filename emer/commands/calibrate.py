"""`emer calibrate`: heads and labelled clips in, a calibration with a trust threshold out, beside the heads.

Adapters and merged models are calibrated by `emer.commands.calibrate_adapter`.
"""

from argparse import Namespace
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from emer.adapters.files import RECORD
from emer.commands.calibrating import Spoken, Wanted, calibrated, refuse_few
from emer.commands.labelled import Labelled, labelled
from emer.config import build, overridden, read_yaml
from emer.data.splits import Split
from emer.data.splits import split as read_split
from emer.errors import ConfigError
from emer.evidence.calibration import write_calibration
from emer.evidence.fusion import fuse
from emer.evidence.head_files import TrainedHeads, load_heads
from emer.evidence.head_opinions import opinions_of
from emer.evidence.rows import refuse_seen, row_hashes
from emer.evidence.trained import CALIBRATION, usable_features
from emer.evidence.weights import BASELINE, HEADS, PLAIN
from emer.files import write_text
from emer.runs import CONFIG as RUN
from emer.runs import SPLIT
from emer.training.sources import SOURCES


@dataclass(frozen=True, slots=True, kw_only=True)
class CalibrateSettings(Wanted):
    """What stands behind DIR on the command line, where DIR holds heads."""

    data: str
    """A manifest (.jsonl), a feature table (.npz, .csv, .parquet), or a public data set. Of a public data set, and of
    the file on part of which these heads were trained, the calibration part of the split is taken."""
    out: str = ""
    """Folder for calibration.json; empty: DIR."""
    data_folder: str | None = None
    """Where public data sets lie; None takes EMER_TEST_DATA, or ../shared/data."""


def run(options: Namespace) -> int:
    """Fit, write, and say what was fitted."""
    if (Path(options.folder) / RECORD).is_file():
        from emer.commands.calibrate_adapter import run as run_adapter  # where a model is asked

        return run_adapter(options)
    settings = build(CalibrateSettings, overridden({}, options.settings), "emer calibrate")
    heads = load_heads(folder_of_heads(Path(options.folder)))
    rows = labelled(settings.data, heads.record, settings.data_folder)
    if not set(row_hashes(rows.known_as)).isdisjoint(heads.record.trained_rows):
        split = split_of_run(Path(options.folder), settings.data)
        rows = rows if split is None else calibration_part(rows, split)
    refuse_seen(rows.known_as, heads.record.trained_rows, "calibration", "training")
    spoken = heard(heads, rows)
    calibration, told = calibrated(spoken, heads.record.trained_rows, settings)
    path = Path(settings.out or options.folder) / CALIBRATION
    write_text(path, write_calibration(calibration) + "\n")
    print("\n".join([f"{len(spoken.opinions)} of {len(rows.ids)} rows gave an opinion", *told, f"wrote {path}"]))
    return 0


def folder_of_heads(folder: Path) -> Path:
    """The folder, made sure that heads lie in it, and not one level below or nowhere. Raises ConfigError."""
    if (folder / HEADS).is_file():
        return folder
    if below := [name for name in (PLAIN, BASELINE) if (folder / name / HEADS).is_file()]:
        raise ConfigError(f"{folder} holds several heads; name one of {', '.join(str(folder / b) for b in below)}")
    raise ConfigError(
        f"{folder} holds neither heads ({HEADS}) nor an adapter or merged model ({RECORD}); name the folder that emer "
        "train or export wrote"
    )


def split_of_run(folder: Path, data: str) -> Split | None:
    """The split that `emer train` made or was given, where these heads lie in its run and it trained on this file."""
    run = folder.resolve().parent
    if data in SOURCES or not (run / RUN).is_file():
        return None
    trained = read_yaml(run / RUN)
    if Path(str(trained.get("data") or "")).resolve() != Path(data).resolve():
        return None
    if trained.get("split"):
        return read_split(str(trained["split"]))
    return read_split(str(run / SPLIT)) if (run / SPLIT).is_file() else None


def calibration_part(rows: Labelled, split: Split) -> Labelled:
    """The rows that the split keeps to calibrate on. Raises ConfigError when it keeps none of them.

    Rows of other parts would be refused (train, validation), or are kept for the scores of the run (test).
    """
    keys = rows.ids if split.unit == "row" else rows.speakers or ()
    places = np.flatnonzero([key in split.calibration for key in keys])
    if not len(places):
        raise ConfigError(
            f"no row of {rows.name} is in the calibration part of the split {split.name} that these heads were trained "
            "with; give data of other clips"
        )
    return rows.take(places)


def heard(heads: TrainedHeads, rows: Labelled) -> Spoken:
    """Fused opinions, by the rule of the heads; rows of which too little was measured are left out.

    Raises ConfigError when there are too few, or when all have one label.
    """
    record, kept, opinions, views = heads.record, [], [], []
    for place, features in enumerate(rows.features):
        usable, _ = usable_features(record, features)
        each = opinions_of(heads.network, usable)
        fused = fuse(each, record.fusion, record.reliabilities)
        if fused.present:
            kept.append(place)
            opinions.append(fused)
            views.append(tuple(sorted(view for view, one in each.items() if one.present)))
    if not kept:
        raise ConfigError(f"the heads say nothing of all {len(rows.ids)} rows: too little of each was measured")
    spoken = Spoken(rows.take(np.array(kept)), tuple(opinions), tuple(views))
    refuse_few(spoken, record.spec.labels)
    return spoken
