"""`emer score`: answers and gold in, one score out that says how far it can be believed."""

import sys
from argparse import Namespace
from typing import Any

from emer.errors import ConfigError
from emer.jsonio import dumps
from emer.score.files import read_gold, read_predictions
from emer.score.options import Options
from emer.score.result import Column, Score
from emer.score.scoring import METRICS, difference, score
from emer.score.text import as_text, difference_as_text

KEYS = (
    *("metric", "score", "interval", "unit", "n_scored", "n_skipped", "skipped", "unknown_share", "floors", "tables"),
    "detail",
)
"""The order of the JSON."""


def run(options: Namespace) -> int:
    """Score, or compare, and print."""
    if options.metric not in METRICS and ":" not in options.metric:
        raise ConfigError(f"there is no metric {options.metric!r}; choose one of {', '.join(METRICS)}")
    settings = options_of(options)
    predicted, gold = _answers(options, options.predictions), _gold(options, options.gold)
    if options.against is None:
        found = score(options.metric, predicted, gold, settings)
        text = as_text(found, predicted.source, gold.source, detail=options.detail)
    else:
        found = difference(options.metric, predicted, _answers(options, options.against), gold, settings)
        text = difference_as_text(found, gold.source)
    print(dumps(as_json(found)) if options.json else _printable(text))
    return 0


def options_of(options: Namespace) -> Options:
    """What the command line asks of the score."""
    calibration = None
    if options.calibration is not None:
        answers, gold = options.calibration
        calibration = _answers(options, answers), _gold(options, gold)
    return Options(
        wheels=options.wheels,
        ring=options.ring,
        strict=options.strict,
        bootstrap=options.bootstrap,
        seed=options.seed,
        missing=options.missing,
        label_set=options.label_set,
        threshold=options.threshold,
        calibration=calibration,
        rule=options.rule,
        target_risk=options.target_risk,
        groups=options.groups,
    )


def as_json(found: Score) -> dict[str, Any]:
    """The JSON of a score, keys in their documented order."""
    return {key: getattr(found, key) for key in KEYS}


def _answers(options: Namespace, path: str) -> Column:
    return read_predictions(path, encoding=options.encoding, parser=options.parser)


def _gold(options: Namespace, path: str) -> Column:
    return read_gold(path, encoding=options.encoding, parser=options.parser)


def _printable(text: str) -> str:
    """What the terminal can show: a label may hold half a character, or one that its encoding lacks."""
    encoding = sys.stdout.encoding or "utf-8"
    return text.encode(encoding, "replace").decode(encoding)
