"""From two columns to a score that can be believed: matched clips, an interval, floors, and what was left out.

    score("wheel_f1", read_predictions("answers.csv"), read_gold("gold.csv"))

Every metric is one object in `METRICS`; this file knows none of them.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from emer.data.rows import refuse
from emer.errors import ConfigError
from emer.metrics.bootstrap import Groups, Interval, difference_of_means, interval_of_means
from emer.registry import load
from emer.score.metric import Measured, Metric
from emer.score.options import Options
from emer.score.pairs import Pairs, pairs
from emer.score.result import Column, Score

METRICS = {
    "wheel_f1": "emer.score.wheel:WHEEL_F1",
    "precision": "emer.score.wheel:PRECISION",
    "m1": "emer.score.wheel:M1",
    "m2": "emer.score.wheel:M2",
    "ovmerd12": "emer.score.wheel:OVMERD12",
    "hit_rate": "emer.score.wheel:HIT_RATE",
    "mscore": "emer.score.wheel:MSCORE",
    "mer2024_ov": "emer.score.wheel:MER2024_OV",
    "sentiment": "emer.score.closed:SENTIMENT",
    "jaccard": "emer.score.closed:JACCARD",
    "micro_f1": "emer.score.closed:MICRO_F1",
    "war_uar": "emer.score.closed:UAR",
    "war": "emer.score.closed:WAR",
    "weighted_f1": "emer.score.closed:WEIGHTED_F1",
    "trusted": "emer.score.trusted:TRUSTED",
    "explanation": "emer.score.explanations:CHRF",
    "chrf": "emer.score.explanations:CHRF",
    "chrf_words": "emer.score.explanations:CHRF_WORDS",
}
"""Name of `--metric` to its object."""

DEFAULT = Options()
FEW = 10
"""Speakers; the percentile interval from fewer is too narrow (Efron & Tibshirani 1993, chapter 13)."""


def score(metric: str, predicted: Column, gold: Column, options: Options = DEFAULT) -> Score:
    """One metric on one file of answers.

    Raises ConfigError when clips do not match, or when no clip can be scored, saying why.
    """
    return score_by(metric_of(metric), metric, predicted, gold, options)


def score_by(measuring: Metric, name: str, predicted: Column, gold: Column, options: Options = DEFAULT) -> Score:
    """The same by a metric without a name in `METRICS`, one that holds a model, say; `name` is what it is called."""
    matched = pairs(predicted, gold, options.missing)
    found = _scored(measuring, matched, options)
    return Score(
        metric=name,
        score=found.value,
        interval=_bounds(found, matched, options),
        n_scored=len(found.clips),
        n_skipped=len(matched.names) - len(found.clips),
        skipped=found.skipped,
        unknown_share=found.unknown.share if found.unknown else None,
        floors=measuring.floors(matched, options),
        tables=found.tables,
        detail={**found.detail, **_told(found, matched, options)},
    )


def difference(metric: str, first: Column, second: Column, gold: Column, options: Options = DEFAULT) -> Score:
    """By how much the first file scores above the second, on the same draws of the same clips.

    `detail` holds both scores. Raises ConfigError as `score` does, and when the two leave out different clips.
    """
    return difference_by(metric_of(metric), metric, first, second, gold, options)


def difference_by(
    measuring: Metric, name: str, first: Column, second: Column, gold: Column, options: Options = DEFAULT
) -> Score:
    """The same by a metric that no name stands for."""
    both = [pairs(one, gold, options.missing) for one in (first, second)]
    ours, theirs = (_scored(measuring, one, options) for one in both)
    if ours.clips.tolist() != theirs.clips.tolist():
        raise ConfigError(f"{first.source} and {second.source} are scored on different clips; they cannot be compared")
    gap = None
    if options.bootstrap:
        groups = _groups(ours, both[0])
        found = difference_of_means(
            *(ours.columns, theirs.columns, ours.of_means),
            groups=groups,
            replicates=options.bootstrap,
            seed=options.seed,
        )
        gap = _pair(found)
    told = [_told(*one, options) for one in zip((ours, theirs), both, strict=True)]
    return Score(
        metric=name,
        score=ours.value - theirs.value,
        interval=gap,
        n_scored=len(ours.clips),
        n_skipped=len(gold.names) - len(ours.clips),
        skipped=ours.skipped,
        unknown_share=None,
        floors={},
        tables=ours.tables,
        detail={
            "first": _beside(ours, both[0], options),
            "second": _beside(theirs, both[1], options),
            **told[0],
            "notes": list(dict.fromkeys(note for one in told for note in one["notes"])),
        },
    )


def metric_of(name: str, also: Sequence[str] = ()) -> Metric:
    """The metric that a name stands for. Raises ConfigError that lists the names, and those a caller has `also`."""
    if name not in METRICS and ":" not in name:
        raise ConfigError(f"there is no metric {name!r}; choose one of {', '.join((*METRICS, *also))}")
    found = load(name, METRICS)
    if not isinstance(found, Metric):
        raise ConfigError(f"{name} is no metric: it lacks measure(pairs, options) and floors(pairs, options)")
    return found


def _scored(metric: Metric, matched: Pairs, options: Options) -> Measured:
    found = metric.measure(matched, options)
    if not len(found.clips):
        reasons = [f"{reason} ({count} clips)" for reason, count in found.skipped.items()]
        refuse(reasons or ["there are none"], f"no clip of {matched.gold.source} can be scored")
    return found


def _beside(found: Measured, matched: Pairs, options: Options) -> Mapping[str, Any]:
    return {
        "source": matched.source,
        "score": found.value,
        "interval": _bounds(found, matched, options),
        "unknown_share": found.unknown.share if found.unknown else None,
    }


def _told(found: Measured, matched: Pairs, options: Options) -> Mapping[str, Any]:
    """What a reader must know besides the numbers."""
    told: dict[str, Any] = {"notes": [*matched.notes, *found.notes]}
    if found.unknown is not None:
        told["unknown"] = dict(found.unknown.examples)
    if options.bootstrap:
        groups = _groups(found, matched)
        speakers = 0 if groups is None else len(set(groups))
        told["resampled"] = "speakers" if speakers else "clips"
        if 0 < speakers < FEW:
            told["notes"].append(f"only {speakers} speakers: an interval from so few is too narrow")
    return told


# ---------------------------------------------------------------- intervals


def _bounds(found: Measured, matched: Pairs, options: Options) -> tuple[float, float] | None:
    if not options.bootstrap:
        return None
    groups = _groups(found, matched)
    return _pair(
        interval_of_means(found.columns, found.of_means, groups=groups, replicates=options.bootstrap, seed=options.seed)
    )


def _pair(found: Interval) -> tuple[float, float]:
    return found.low, found.high


def _groups(found: Measured, matched: Pairs) -> Groups | None:
    """The speaker of each scored clip, where gold names at least two."""
    speakers = matched.gold.speakers
    if speakers is None:
        return None
    groups = [speakers[clip] for clip in found.clips.tolist()]
    return groups if len(set(groups)) > 1 else None
