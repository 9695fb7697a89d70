"""Speed of the scores on a million predictions, beside scikit-learn and plain loops in the same run.

    python benchmarks/metrics.py            # about a minute; prints a table, writes benchmarks/results/metrics.json

Eight labels, one million rows, one thread. scikit-learn is given the same arrays and asked for the same numbers; where
it has none, the plain way of writing the formula stands in. Each figure is the best of three runs.
"""

import json
import platform
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np

import emer
from emer.metrics import bootstrap, calibration_error, classification, multilabel, proper_scores, selective, trusted

ROWS = 1_000_000
LABELS = 8
LIMIT_S = 5.0
"""What all scores together may take."""
COMMAND = "python benchmarks/metrics.py"
PLACE = Path(__file__).parent / "results" / "metrics.json"


@dataclass(frozen=True)
class Race:
    """A score, and what it is compared with."""

    score: str
    ours: Callable[[], object]
    baseline: str = ""
    theirs: Callable[[], object] | None = None
    times: int = 1
    """How often `theirs` would have to run for the same result: it is run once, and its time multiplied."""


def main() -> None:
    """Time each score and its baseline, print the table, keep the figures."""
    measured = []
    for race in races():
        seconds = best(race.ours)
        other = None if race.theirs is None else race.times * best(race.theirs)
        measured.append({"score": race.score, "seconds": seconds, "baseline": race.baseline, "baseline_seconds": other})
    total = sum(row["seconds"] for row in measured)
    result = {
        "command": COMMAND,
        "emer": emer.__version__,
        "machine": f"{platform.machine()}, Python {platform.python_version()}, numpy {np.__version__}",
        "rows": ROWS,
        "total_seconds": total,
        "measured": measured,
    }
    PLACE.parent.mkdir(exist_ok=True)
    PLACE.write_text(json.dumps(result, indent=2) + "\n")
    print(table(measured, total))


def races() -> list[Race]:
    """Every score of the folder but those of free text, on the same million rows."""
    import sklearn.metrics as sk

    rng = np.random.default_rng(0)
    probability = rng.dirichlet(np.full(LABELS, 0.3), ROWS)
    predicted = probability.argmax(1)
    gold = np.where(rng.random(ROWS) < 0.6, predicted, rng.integers(0, LABELS, ROWS))
    confidence, share = proper_scores.top_label(probability, gold)
    right, ids = share == 1, np.arange(ROWS)
    speaker = rng.integers(0, 500, ROWS)
    sets, answers = rng.random((ROWS, LABELS)) < 0.3, rng.random((ROWS, LABELS)) < 0.3
    fitted = trusted.fit_threshold(confidence, right, ids)
    every = np.arange(LABELS)

    return [
        Race(
            "accuracy, UAR, WAR, weighted and macro F1",
            lambda: classification.classification(gold, predicted),
            "scikit-learn, four functions",
            lambda: (
                [sk.f1_score(gold, predicted, average=how) for how in ("weighted", "macro")]
                + [sk.balanced_accuracy_score(gold, predicted), sk.accuracy_score(gold, predicted)]
            ),
        ),
        Race(
            "sample Jaccard and F1, micro and macro P, R, F1",
            lambda: multilabel.multilabel(sets, answers),
            "scikit-learn, three functions",
            lambda: (
                [sk.precision_recall_fscore_support(sets, answers, average=how) for how in ("micro", "macro")]
                + [sk.jaccard_score(sets, answers, average="samples", zero_division=1)]
            ),
        ),
        Race("likeliest label", lambda: proper_scores.top_label(probability, gold)),
        Race(
            "Brier",
            lambda: proper_scores.brier(probability, gold),
            "scikit-learn",
            lambda: sk.brier_score_loss(gold, probability, labels=every),
        ),
        Race(
            "NLL",
            lambda: proper_scores.nll(probability, gold),
            "scikit-learn",
            lambda: sk.log_loss(gold, probability, labels=every),
        ),
        Race("total variation", lambda: proper_scores.total_variation(probability, gold)),
        Race("ECE, equal mass", lambda: calibration_error.ece(confidence, right)),
        Race(
            "ECE, equal width",
            lambda: calibration_error.ece(confidence, right, binning="width"),
            "torchmetrics",
            lambda: torchmetrics_ece(confidence, right),
        ),
        Race("debiased ECE", lambda: calibration_error.debiased_ece(confidence, right)),
        Race(
            "band of perfect calibration, 1,000 simulations",
            lambda: calibration_error.perfect_band(confidence),
            "one by one, row by row",
            lambda: calibration_error.ece(confidence, rng.random(ROWS) < confidence),
            times=1000,
        ),
        Race(
            "AURC, E-AURC, AUGRC, AUROC",
            lambda: selective.selective_scores(confidence, ~right),
            "scikit-learn, AUROC alone",
            lambda: sk.roc_auc_score(right, confidence),
        ),
        Race(
            "trusted threshold, fitted",
            lambda: trusted.fit_threshold(confidence, right, ids),
            "scikit-learn, the curve alone",
            lambda: sk.precision_recall_curve(right, confidence),
        ),
        Race("trusted scores at it, rows checked", lambda: trusted.score(confidence, right, fitted, ids + ROWS)),
        Race("break-even oracle", lambda: trusted.break_even_oracle(confidence, right)),
        Race(
            "interval of accuracy, 1,000 replicates of rows",
            lambda: bootstrap.interval_of_means(right[:, None]),
            "one by one, row by row",
            lambda: right[rng.integers(0, ROWS, ROWS)].mean(),
            times=1000,
        ),
        Race(
            "interval of accuracy, 1,000 replicates of 500 speakers",
            lambda: bootstrap.interval_of_means(right[:, None], groups=speaker),
        ),
    ]


def torchmetrics_ece(confidence: np.ndarray, right: np.ndarray) -> float:
    """Equal-width ECE by torchmetrics on one thread."""
    import torch
    from torchmetrics.functional.classification import binary_calibration_error

    torch.set_num_threads(1)
    return float(binary_calibration_error(torch.from_numpy(confidence), torch.from_numpy(right).int(), n_bins=15))


def best(act: Callable[[], object], times: int = 3) -> float:
    """Wall seconds of the fastest of some runs."""
    spent = []
    for _ in range(times):
        start = time.perf_counter()
        act()
        spent.append(time.perf_counter() - start)
    return min(spent)


def table(measured: list[dict], total: float) -> str:
    """The figures as Markdown."""
    lines = ["| score, one million rows | seconds | baseline | seconds | ratio |", "|---|---:|---|---:|---:|"]
    for row in measured:
        other = row["baseline_seconds"]
        theirs = "| | |" if other is None else f"| {other:.2f} | {other / row['seconds']:.1f} |"
        lines.append(f"| {row['score']} | {row['seconds']:.3f} | {row['baseline']} {theirs}")
    verdict = "kept" if total <= LIMIT_S else "missed"
    lines += ["", f"All together {total:.2f} s; the limit of {LIMIT_S:.0f} s is {verdict}."]
    return "\n".join(lines)


if __name__ == "__main__":
    main()
