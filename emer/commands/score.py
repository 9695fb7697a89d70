"""`emer score`: answers and gold in, one score out that says how far it can be believed."""

import sys
from argparse import Namespace
from typing import Any

from emer.errors import ConfigError, OutputError
from emer.jsonio import dumps
from emer.score.files import read_gold, read_predictions
from emer.score.metric import Metric
from emer.score.options import Options
from emer.score.result import Column, Score
from emer.score.scoring import METRICS, difference_by, metric_of, score_by
from emer.score.text import as_text, difference_as_text

KEYS = (
    *("metric", "score", "interval", "unit", "n_scored", "n_skipped", "skipped", "unknown_share", "floors", "tables"),
    "detail",
)
"""The order of the JSON."""
EMBEDDED = ("embedding", "bertscore")
"""Metrics of explanations that need an encoder."""
JUDGED = ("clue_overlap", "label_overlap")
"""Metrics of explanations, and of labels, that need a judge."""


def run(options: Namespace) -> int:
    """Score, or compare, and print."""
    settings, endpoint = options_of(options), _endpoint(options)
    metric = _metric(options, endpoint)
    predicted, gold = _answers(options, options.predictions, endpoint), _gold(options, options.gold)
    if options.against is None:
        found = score_by(metric, options.metric, predicted, gold, settings)
        text = as_text(found, predicted.source, gold.source, detail=options.detail)
    else:
        other = _answers(options, options.against, endpoint)
        found = difference_by(metric, options.metric, predicted, other, gold, settings)
        text = difference_as_text(found, gold.source)
    _print(dumps(as_json(found)) if options.json else text)
    return 0


def _metric(options: Namespace, endpoint: Any) -> Metric:
    """The metric by its name; some are made from a model: one behind an endpoint, or an encoder in a folder."""
    name = options.metric
    if name in JUDGED:
        from emer.score.judged import Judged

        if endpoint is None:
            raise ConfigError(f"{name} is judged by a model; say which with --url and --model")
        return Judged(endpoint, name)
    if name in EMBEDDED:
        from emer.score.embedding import Encoder
        from emer.score.explanations import embedding_metric, token_metric

        if options.encoder is None:
            raise ConfigError(f"{name} compares embeddings; name the folder of a text encoder with --encoder")
        return {"embedding": embedding_metric, "bertscore": token_metric}[name](Encoder.load(options.encoder))
    if endpoint is not None and name == "mer2024_ov":
        from emer.score.completion import grouping_by

        return grouping_by(endpoint, _progress)
    return metric_of(name, also=(*EMBEDDED, *JUDGED))


def options_of(options: Namespace) -> Options:
    """What the command line asks of the score."""
    calibration = None
    if options.calibration is not None:
        answers, gold = options.calibration
        calibration = _answers(options, answers, None), _gold(options, gold)
    return Options(
        wheels=options.wheels,
        nearest=options.nearest,
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


def _answers(options: Namespace, path: str, endpoint: Any) -> Column:
    trusted = options.metric not in METRICS or options.metric == "trusted"
    column = read_predictions(path, encoding=options.encoding, parser=options.parser, confidences=trusted)
    wanting = not any(column.labels) and column.texts is not None
    if not wanting and endpoint is None:
        return column
    from emer.score.completion import completed

    return completed(column, options.metric, endpoint, _progress if endpoint is not None else None)


def _endpoint(options: Namespace) -> Any:
    """The model to ask, or None. Imported here: a score that asks nobody must not pay for it."""
    if options.url is None and options.model is None:
        return None
    if options.url is None or options.model is None:
        raise ConfigError("a model is asked with both --url and --model; give the other one too")
    from emer.endpoint import Endpoint

    return Endpoint(options.url, options.model, seed=options.seed)


def _progress(done: int, of: int) -> None:
    if sys.stderr.isatty():
        print(f"\rasked {done:,} of {of:,}", end="\n" if done == of else "", file=sys.stderr, flush=True)


def _gold(options: Namespace, path: str) -> Column:
    return read_gold(path, encoding=options.encoding, parser=options.parser)


def _print(text: str) -> None:
    """Print a result. Raises OutputError where nothing can be printed; a reader that went away is left to `main`."""
    if sys.stdout is None:
        raise OutputError("standard output is closed, so the result cannot be printed; leave it open")
    try:
        print(_printable(text), flush=True)
    except BrokenPipeError:
        raise
    except OSError as error:
        sys.stdout = None  # what it still holds cannot be written either, and Python would say so once more
        raise OutputError(f"the result cannot be printed ({error.strerror}); send it elsewhere") from error


def _printable(text: str) -> str:
    """What the terminal can show: a label may hold half a character, one that its encoding lacks, or commands to it."""
    encoding = sys.stdout.encoding or "utf-8"
    plain = "".join(letter if letter == "\n" or letter.isprintable() else " " for letter in text)
    return plain.encode(encoding, "replace").decode(encoding)
