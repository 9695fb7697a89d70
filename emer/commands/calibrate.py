"""`emer calibrate`: heads and labelled clips in, a calibration with a trust threshold out, beside the heads.

The clips are cut into two halves, disjoint in speakers where those are known: one fits the temperature of each set of
views, the other the threshold, so that neither is fitted on what the other has seen.
"""

from argparse import Namespace
from collections import Counter
from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal

import numpy as np
from jaxtyping import Bool, Float

from emer.commands.labelled import Labelled, labelled
from emer.config import build, overridden, read_yaml
from emer.data.rows import some
from emer.data.splits import Split
from emer.data.splits import split as read_split
from emer.errors import ConfigError
from emer.evidence.calibrate import calibrate
from emer.evidence.calibration import Calibration, confidence, write_calibration
from emer.evidence.fusion import fuse
from emer.evidence.head_files import TrainedHeads, load_heads
from emer.evidence.head_opinions import opinions_of
from emer.evidence.opinion import probability
from emer.evidence.rows import refuse_seen, row_hashes
from emer.evidence.selective import Threshold, threshold_at_risk
from emer.evidence.trained import CALIBRATION, usable_features
from emer.evidence.weights import BASELINE, HEADS, PLAIN
from emer.files import write_text
from emer.runs import CONFIG as RUN
from emer.runs import SPLIT
from emer.training.sources import SOURCES
from emer.types import Opinion

LEAST = 20
"""Rows of a half below which a temperature or a threshold is chance."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CalibrateSettings:
    """What stands behind HEADS_DIR on the command line."""

    data: str
    """A manifest (.jsonl), a feature table (.npz, .csv, .parquet), or a public data set. Of a public data set, and of
    the file on part of which these heads were trained, the calibration part of the split is taken."""
    target_risk: float = 0.1
    """Share of trusted clips that may be wrong."""
    delta: float | None = 0.05
    """The promise holds with probability 1 - delta; null promises nothing and asks the risk of the rows alone."""
    method: Literal["temperature", "isotonic"] = "temperature"
    crossed: bool = False
    """For few clips or speakers: both halves fit both, each threshold row judged by the temperatures of the other."""
    seed: int = 0
    """Of the halves."""
    name: str = ""
    """What explanations call the data; empty takes the name of the file."""
    out: str = ""
    """Folder for calibration.json; empty: HEADS_DIR."""
    data_folder: str | None = None
    """Where public data sets lie; None takes EMER_TEST_DATA, or ../shared/data."""


@dataclass(frozen=True)
class Spoken:
    """What the heads say of the rows of which they say anything."""

    rows: Labelled
    opinions: tuple[Opinion, ...]
    views: tuple[tuple[str, ...], ...]

    def take(self, places: np.ndarray) -> "Spoken":
        picked = [int(place) for place in places]
        return Spoken(
            self.rows.take(places), tuple(self.opinions[i] for i in picked), tuple(self.views[i] for i in picked)
        )

    def and_(self, other: "Spoken") -> "Spoken":
        return Spoken(self.rows.and_(other.rows), self.opinions + other.opinions, self.views + other.views)


def run(options: Namespace) -> int:
    """Fit, write, and say what was fitted."""
    settings = build(CalibrateSettings, overridden({}, options.settings), "emer calibrate")
    heads = load_heads(folder_of_heads(Path(options.heads)))
    rows = labelled(settings.data, heads.record, settings.data_folder)
    if not set(row_hashes(rows.known_as)).isdisjoint(heads.record.trained_rows):
        split = split_of_run(Path(options.heads), settings.data)
        rows = rows if split is None else calibration_part(rows, split)
    refuse_seen(rows.known_as, heads.record.trained_rows, "calibration", "training")
    spoken = heard(heads, rows)
    first, second, how = halves(spoken, settings.seed)
    calibration = (fit_crossed if settings.crossed else fit)(heads, first, second, settings)
    path = Path(settings.out or options.heads) / CALIBRATION
    write_text(path, write_calibration(calibration) + "\n")
    if settings.crossed:
        how = f"all {len(spoken.opinions)} rows for both, crossed: {how}"
    told = [f"{len(spoken.opinions)} of {len(rows.ids)} rows gave an opinion", how, *describe(calibration)]
    print("\n".join([*told, f"wrote {path}"]))
    return 0


def folder_of_heads(folder: Path) -> Path:
    """The folder, made sure that heads lie in it and not one level below. Raises ConfigError."""
    below = [name for name in (PLAIN, BASELINE) if (folder / name / HEADS).is_file()]
    if below and not (folder / HEADS).is_file():
        raise ConfigError(f"{folder} holds several heads; name one of {', '.join(str(folder / b) for b in below)}")
    return folder


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
    if len(kept) < 2 * LEAST:
        raise ConfigError(f"{len(kept)} rows are too few to calibrate on; give at least {2 * LEAST} with an opinion")
    found = rows.take(np.array(kept))
    if (found.target == found.target[0]).all():
        only = some(label for label, held in zip(record.spec.labels, found.target[0], strict=True) if held)
        raise ConfigError(f"all {len(kept)} calibration rows are {only or 'without a label'}; give at least two labels")
    return Spoken(found, tuple(opinions), tuple(views))


def halves(spoken: Spoken, seed: int) -> tuple[Spoken, Spoken, str]:
    """Two halves, disjoint in speakers where those are known, and how they were made, in words."""
    draw, count = np.random.default_rng(seed), len(spoken.opinions)
    speakers = spoken.rows.speakers
    if speakers is None or len(set(speakers)) < 2:
        order = draw.permutation(count)
        parts, how = (np.sort(order[: count // 2]), np.sort(order[count // 2 :])), "cut by chance, speakers unknown"
    else:
        parts = _by_speaker(speakers, draw)
        how = f"no one of {len(set(speakers))} speakers is in both"
    if min(map(len, parts)) < LEAST:
        raise ConfigError(
            f"a half of these rows holds only {min(map(len, parts))} of at least {LEAST}; give more rows or speakers"
        )
    told = f"{len(parts[0])} rows for the temperature, {len(parts[1])} for the threshold ({how})"
    return spoken.take(parts[0]), spoken.take(parts[1]), told


def _by_speaker(speakers: Sequence[str], draw: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """Speakers in turn, those with most rows first, to the half that has fewer rows."""
    counts = Counter(speakers)
    names = [str(name) for name in draw.permutation(sorted(counts))]
    sides: tuple[set[str], set[str]] = (set(), set())
    for name in sorted(names, key=lambda name: -counts[name]):
        smaller = min(sides, key=lambda side: sum(counts[one] for one in side))
        smaller.add(name)
    first, second = (np.flatnonzero([name in side for name in speakers]) for side in sides)
    return first, second


def fit(heads: TrainedHeads, first: Spoken, second: Spoken, settings: CalibrateSettings) -> Calibration:
    """Temperatures from the first half, the threshold from the second."""
    calibration = temperatures(heads, first, settings)
    judged, numbers = confidences(calibration, second)
    seen = [*heads.record.trained_rows, *calibration.rows]
    return replace(calibration, threshold=threshold_of(judged, numbers, seen, settings))


def fit_crossed(heads: TrainedHeads, first: Spoken, second: Spoken, settings: CalibrateSettings) -> Calibration:
    """For few speakers: temperatures from all rows; the threshold from confidences that each half was given by the
    temperatures of the other, so that no row was judged by what it had fitted."""
    pairs = [
        confidences(temperatures(heads, one, settings), other) for one, other in ((first, second), (second, first))
    ]
    (one, some_numbers), (other, more_numbers) = pairs
    numbers = np.concatenate([some_numbers, more_numbers])
    threshold = threshold_of(one.and_(other), numbers, heads.record.trained_rows, settings)
    return replace(temperatures(heads, first.and_(second), settings), threshold=threshold)


def temperatures(heads: TrainedHeads, rows: Spoken, settings: CalibrateSettings) -> Calibration:
    """A calibration without a threshold."""
    calibration = calibrate(
        rows.opinions,
        rows.views,
        rows.rows.target,
        rows.rows.ids,
        data=settings.name or rows.rows.name,
        trained_rows=heads.record.trained_rows,
        method=settings.method,
    )
    return replace(calibration, rows=row_hashes(rows.rows.known_as))


def confidences(calibration: Calibration, rows: Spoken) -> tuple[Spoken, Float[np.ndarray, "row"]]:
    """The rows whose set of views was calibrated, with their confidence. Raises ConfigError when there are none."""
    numbers = [confidence(o, calibration, v) for o, v in zip(rows.opinions, rows.views, strict=True)]
    known = np.flatnonzero([number is not None for number in numbers])
    if not len(known):
        raise ConfigError("no row of one half has a set of views that the other half has; give more rows")
    return rows.take(known), np.array([number for number in numbers if number is not None])


def threshold_of(
    rows: Spoken, numbers: Float[np.ndarray, "row"], seen: Collection[str], settings: CalibrateSettings
) -> Threshold:
    """The threshold from these rows, none of which may be among the hashes `seen`."""
    found = threshold_at_risk(
        numbers,
        right(rows.opinions, rows.rows.target),
        rows.rows.ids,
        settings.target_risk,
        delta=settings.delta,
        used_rows=seen,
    )
    return replace(found, rows=row_hashes(rows.rows.known_as))


def right(opinions: Sequence[Opinion], target: Float[np.ndarray, "row label"]) -> Bool[np.ndarray, "row"]:
    """Whether the most probable label is what people said: the most frequent one, or, for beta, one that holds."""
    said = np.array([int(probability(opinion).argmax()) for opinion in opinions])
    if opinions[0].kind == "beta":
        return np.asarray(target[np.arange(len(said)), said] >= 0.5)
    return np.asarray(said == target.argmax(axis=1))


def describe(calibration: Calibration) -> Collection[str]:
    """What was fitted, a line each."""
    lines = []
    for one in calibration.sets:
        temperatures = ", ".join(f"{t:.2f}" for t in one.temperature)
        lines.append(f"{' + '.join(one.views)}: temperature {temperatures} (n = {one.n})")
        lines += [f"  {reason}" for reason in one.fallback]
    assert calibration.threshold is not None
    return [*lines, _threshold(calibration.threshold)]


def _threshold(threshold: Threshold) -> str:
    asked = f"at most {threshold.target_risk:g} of trusted clips wrong (n = {threshold.n})"
    if threshold.value is None:
        return f"threshold: none keeps {asked}; no clip will be trusted"
    promised = threshold.guarantee or "nothing is promised for further clips"
    kept = f"{100 * threshold.coverage:.0f} % of clips, of which {threshold.risk:.2f} were wrong"
    return (
        f"threshold: confidence above {max(threshold.value, 0):.2f} is trusted: {kept}; asked was {asked}; {promised}"
    )
