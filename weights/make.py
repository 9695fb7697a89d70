"""Makes the weights anew: trains the audio heads, calibrates them, measures them, writes files and model card.

python weights/make.py configs/heads/emer.yaml [key=value …]

Speakers are those of configs/splits/voices.json: some train, some choose the epoch, some calibrate, some test. The
limits of the domain come from the speakers that chose the epoch and those that calibrate. Test speakers are measured
once, at the end, and decide nothing.
"""

import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
from jaxtyping import Bool, Float

from emer.commands.calibrate import CalibrateSettings, heard
from emer.commands.calibrating import Spoken, fit_crossed, halves, right
from emer.commands.labelled import rows_of
from emer.data import emodb, ravdess
from emer.data.tables import FeatureTable
from emer.errors import ConfigError, EmerError
from emer.evidence.calibration import Calibration, confidence
from emer.evidence.domain import Domain, Measured, distances, fit_domain
from emer.evidence.evidential import Evidential
from emer.evidence.head_files import HeadRecord, TrainedHeads
from emer.evidence.model_card import model_card
from emer.evidence.rows import row_hashes
from emer.evidence.trained import AS_MEASURED, load_trained, write_weights
from emer.evidence.weights import BASELINE, PLAIN
from emer.files import write_text
from emer.metrics.bootstrap import Interval, interval
from emer.metrics.calibration_error import ece
from emer.metrics.classification import classification
from emer.metrics.selective import aurc
from emer.training.heads import one_thread, read_config, train
from emer.training.sources import clip_contents, data_folder, open_data

HERE = Path(__file__).parent
FOLDERS = {PLAIN: "voices", BASELINE: "voices_baseline"}
DATA = "RAVDESS and EmoDB"
LICENCE = "CC BY-NC-SA 4.0"
TARGET_RISK = 0.2
NO_THRESHOLD = (
    "The heads on differences carry no trust threshold: the one that three calibration speakers gave let through far "
    "more wrong answers on test speakers than was asked for (`wrong among the trusted`, with that threshold)."
)
NANO = """
## nano

A small multimodal language model for demonstration and its adapter (`emer explain clip.mp4 --model nano`), made by
`make nano`. They have cards of their own: [the model](emer_weights/nano/README.md),
[the adapter](emer_weights/nano_adapter/README.md).
"""
ONE_VIEW = ("options.joint=false", "options.reliabilities=equal", "options.fusion=weighted")
"""There is only the voice: nothing to join or to weigh."""


def main(arguments: Sequence[str]) -> int:
    """Both variants, then the card."""
    if not arguments:
        print(f"usage: python {Path(__file__).name} CONFIG [key=value …]", file=sys.stderr)
        return 2
    one_thread()
    try:
        for folder, data in FOLDERS.items():
            make(HERE / "emer_weights" / folder, data, arguments[0], tuple(arguments[1:]))
        parts = {folder: load_trained(HERE / "emer_weights" / folder) for folder in FOLDERS}
        write_text(HERE / "README.md", model_card("emer-weights", parts) + NANO)
    except EmerError as error:
        print(f"weights: {error}", file=sys.stderr)
        return 2
    return 0


def make(folder: Path, data: str, config_path: str, changes: tuple[str, ...]) -> None:
    """Train, calibrate, bound and measure the heads of one variant, and write them."""
    config = read_config(config_path, (f"data={data}", *ONE_VIEW, *changes))
    parts = open_data(data, folder=config.data_folder).parts
    train_rows, validation = parts["train"], parts["validation"]
    method = train(config, train_rows, validation, config.seeds[0]).method
    if not isinstance(method, Evidential):
        raise ConfigError(f"{config_path} trains {config.method}; heads for clips are of the method evidential")
    network = method.heads.eval().requires_grad_(False)
    weights = method.reliability
    reliabilities = None if weights is None else dict(zip(network.views, weights.tolist(), strict=True))
    seen = (*train_rows.rows, *validation.rows)
    record = HeadRecord(
        spec=network.spec,
        data=DATA,
        trained_rows=row_hashes([*seen, *contents_of(seen, data_folder(config.data_folder))]),
        licence=LICENCE,
        fusion=method.options.fusion,
        reliabilities=reliabilities,
        variant="baseline" if folder.name == BASELINE else "plain",
    )
    heads = TrainedHeads(network, record)
    first, second, _ = halves(heard(heads, rows_of(parts["calibration"], record)), seed=0)
    settings = CalibrateSettings(data=data, target_risk=TARGET_RISK, delta=None, name=DATA)
    calibration = fit_crossed(first, second, heads.record.trained_rows, settings)
    tables = {"audio": parts}
    if record.variant == "baseline":  # differences hide how and in what language a clip was recorded
        tables["audio" + AS_MEASURED] = open_data(FOLDERS[PLAIN], folder=config.data_folder).parts
    domains = {key: bounds(one["train"], (one["validation"], one["calibration"])) for key, one in tables.items()}
    test = parts["test"]
    strangers = np.any([outside(domain, tables[key]["test"]) for key, domain in domains.items()], axis=0)
    figures: dict[str, str] = {}
    for corpus, rows in corpora(test).items():
        spoken = heard(heads, rows_of(test.take(rows), record))
        figures |= {f"{corpus}: {name}": told for name, told in measured(spoken, calibration).items()}
        figures[f"{corpus}: outside the domain"] = f"{strangers[rows].mean():.3f}"
    limits: tuple[str, ...] = ()
    if record.variant == "baseline":
        # On three calibration speakers a threshold cannot be had that holds for others: see the card.
        calibration, limits = replace(calibration, threshold=None), (NO_THRESHOLD,)
    values = {name: getattr(record, name) for name in HeadRecord.__dataclass_fields__} | {"limits": limits}
    write_weights(folder, network, HeadRecord(**(values | {"figures": figures})), calibration, domains)
    print(f"{folder.name}: " + "; ".join(f"{name} {value}" for name, value in figures.items()))


def contents_of(rows: Sequence[str], folder: Path) -> tuple[str, ...]:
    """The clips behind these rows by their content: calibration refuses them under any name."""
    known = set(rows)
    return clip_contents(row.clip for row in (*ravdess.clips(folder), *emodb.clips(folder)) if row.id in known)


def corpora(test: FeatureTable) -> dict[str, np.ndarray]:
    """The rows of each corpus among the test rows: two languages, and eight labels against four, are told apart."""
    english = np.array([who.startswith("actor") for who in test.speakers or ()])
    return {"RAVDESS": np.flatnonzero(english), "EmoDB": np.flatnonzero(~english)}


def bounds(train_rows: FeatureTable, held_out: Sequence[FeatureTable]) -> Domain:
    """The domain of the voice: the density of the training rows, its limit from the held-out ones."""
    views = [table.views["audio"] for table in held_out]
    others = Measured(
        tuple(row for table in held_out for row in table.rows),
        np.concatenate([view.values for view in views]),
        np.concatenate([view.mask for view in views]),
    )
    view = train_rows.views["audio"]
    return fit_domain(Measured(train_rows.rows, view.values, view.mask), others, view.names, data=DATA)


def outside(domain: Domain, table: FeatureTable) -> Bool[np.ndarray, "row"]:
    """Which of a table's rows lie outside."""
    view = table.views["audio"]
    far = distances(domain, view.values, view.mask) > domain.record.limit
    few = (view.mask & (domain.scale > 0)).sum(axis=1) < domain.record.least
    return np.asarray(far | few)


def measured(spoken: Spoken, calibration: Calibration) -> dict[str, str]:
    """Scores on test speakers, with 95 % intervals over speakers."""
    said = zip(spoken.opinions, spoken.views, strict=True)
    numbers = np.array([confidence(opinion, calibration, views) for opinion, views in said], dtype=float)
    answered = np.isfinite(numbers)
    picked = spoken.take(np.flatnonzero(answered))
    sure, hit = numbers[answered], right(picked.opinions, picked.rows.target)
    gold = picked.rows.target.argmax(axis=1)
    predicted = np.array([int(np.argmax(opinion.evidence)) for opinion in picked.opinions])
    people = picked.rows.speakers

    def told(found: Interval) -> str:
        return f"{found.score:.3f} [{found.low:.3f}, {found.high:.3f}] (n = {found.n}, {found.groups} speakers)"

    return {
        "UAR": told(interval(lambda g, p: classification(g, p).uar, gold, predicted, groups=people)),
        "accuracy": told(interval(np.mean, hit, groups=people)),
        "AURC": told(interval(aurc, sure, ~hit, groups=people)),
        "ECE": told(interval(ece, sure, hit, groups=people)),
        "mean confidence": f"{sure.mean():.3f}",
        "wrong among the trusted": trusted_and_wrong(calibration, sure, hit),
    }


def trusted_and_wrong(calibration: Calibration, sure: Float[np.ndarray, "row"], hit: Bool[np.ndarray, "row"]) -> str:
    """What the threshold comes to on these rows, beside the share that was asked for when it was fitted."""
    threshold = calibration.threshold
    assert threshold is not None
    trusted = np.array([bool(threshold.trusts(float(number))) for number in sure])
    wrong = f"{(~hit[trusted]).mean():.3f}" if trusted.any() else "none trusted"
    return f"{wrong} (asked: at most {threshold.target_risk:g}; {trusted.mean():.0%} trusted)"


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
