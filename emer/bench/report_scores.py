"""Every number of a report, from a run: scores, paired differences, the trusted part, claims; nothing is shown here."""

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations

import numpy as np

from emer.bench.report_clips import Judged, judged
from emer.bench.report_run import DataRun, Run, Truth, answer_column, gold_column
from emer.bench.run_configuration import RunConfig
from emer.errors import ConfigError, EmerError
from emer.metrics.claims import ClaimScores, claim_scores
from emer.metrics.errors import MetricError
from emer.metrics.selective import SelectiveScores, selective_scores
from emer.metrics.trusted import TrustedScores, scores_at
from emer.score.options import Options
from emer.score.result import Column, Score
from emer.score.scoring import difference, score

SELF_TESTED = ("composer",)
"""Engines that write from the clues that the grounding check reads: their shares of claims are no result."""


@dataclass(frozen=True, slots=True)
class Trust:
    """The clips that a system vouches for against the rest."""

    n_trusted: int
    n_rest: int
    n_silent: int
    """Clips of which the system does not say."""
    trusted: Score | None
    rest: Score | None
    flags: TrustedScores | None
    """Trusted precision, recall and F1 with floor; None where answers can be partly right, or nothing is trusted."""


@dataclass(frozen=True)
class SystemScores:
    """Everything about one system on one data set."""

    name: str
    engine: str
    truths: tuple[Truth, ...]
    scores: Mapping[str, Score]
    """By metric, the data set's own first."""
    refused: Mapping[str, str]
    """Metrics that could not be computed, and why."""
    judged: Judged
    trust: Trust
    selective: SelectiveScores | None
    """None where fewer than two clips have a confidence."""
    claims: ClaimScores | None
    failures: Mapping[str, tuple[int, tuple[str, ...]]]
    """Kind to how many and the first few reasons."""
    n_out_of_domain: int
    n_answered: int


@dataclass(frozen=True, slots=True)
class Gap:
    """First minus second, on the clips that both were asked about."""

    first: str
    second: str
    score: Score


@dataclass(frozen=True)
class DataScores:
    """Everything about one data set."""

    data: DataRun
    systems: tuple[SystemScores, ...]
    gaps: tuple[Gap, ...]


def scored(run: Run) -> tuple[DataScores, ...]:
    """All data sets of a run."""
    return tuple(score_data(data, run.config) for data in run.data)


def score_data(data: DataRun, config: RunConfig) -> DataScores:
    """All systems on one data set, and each pair of them."""
    options = Options(wheels=config.wheels, bootstrap=config.bootstrap, seed=config.seed, missing="empty")
    engines = {system.name: system.engine for system in config.systems}
    systems = tuple(score_system(data, name, engines.get(name, "?"), options) for name in data.systems)
    return DataScores(data, systems, gaps(data, options))


def score_system(data: DataRun, name: str, engine: str, options: Options) -> SystemScores:
    """One system on one data set."""
    truths = data.truths(name)
    answers, gold = answer_column(data, name, truths), gold_column(data, truths)
    predictions = [data.systems[name][truth.name] for truth in truths]
    scores, refused = _scores((data.metric, *data.record.metrics), lambda metric: score(metric, answers, gold, options))
    trusted = [prediction.trusted for prediction in predictions]
    clips = _judged(data, answers, gold, trusted, options)
    return SystemScores(
        name=name,
        engine=engine,
        truths=truths,
        scores=scores,
        refused=refused,
        judged=clips,
        trust=_trust(data, name, truths, clips, options),
        selective=_selective(clips),
        claims=_claims(data, name, engine, truths, options),
        failures=_failures(data, name),
        n_out_of_domain=sum(prediction.out_of_domain for prediction in predictions),
        n_answered=sum(prediction.error is None for prediction in predictions),
    )


def _judged(data: DataRun, answers: Column, gold: Column, trusted: Sequence[bool | None], options: Options) -> Judged:
    """Clip by clip; no clip has a risk where the metric cannot be computed, which the table of scores says."""
    try:
        return judged(data.metric, answers, gold, trusted, options)
    except ConfigError:
        nothing = np.full(len(gold.names), np.nan)
        return Judged(tuple(gold.names), nothing, nothing, tuple(trusted), "sets")


def gaps(data: DataRun, options: Options) -> tuple[Gap, ...]:
    """Paired differences of the data set's own metric; pairs that cannot be compared are left out."""
    found = [(first, second, _gap(data, first, second, options)) for first, second in combinations(data.systems, 2)]
    return tuple(Gap(first, second, gap) for first, second, gap in found if gap is not None)


def _gap(data: DataRun, first: str, second: str, options: Options) -> Score | None:
    both = tuple(t for t in data.gold if t.name in data.systems[first] and t.name in data.systems[second])
    ours, theirs = (answer_column(data, name, both) for name in (first, second))
    gold = gold_column(data, both)
    told, _ = _scores((data.metric,), lambda metric: difference(metric, ours, theirs, gold, options))
    return told.get(data.metric)


def _scores(metrics: Sequence[str], make: Callable[[str], Score]) -> tuple[dict[str, Score], dict[str, str]]:
    """Each metric once; what a metric refuses (no gold for it, no confidence) is kept in words."""
    found, refused = {}, {}
    for metric in dict.fromkeys(metrics):
        try:
            found[metric] = make(metric)
        except EmerError as error:
            refused[metric] = " ".join(str(error).split())
    return found, refused


# ---------------------------------------------------------------- trusted against the rest


def _trust(data: DataRun, name: str, truths: Sequence[Truth], clips: Judged, options: Options) -> Trust:
    """The score of both parts, and the trusted scores of answers that are right or wrong."""
    parts = {
        flag: tuple(t for t, said in zip(truths, clips.trusted, strict=True) if said is flag) for flag in (True, False)
    }
    told = {flag: _part(data, name, part, options) for flag, part in parts.items()}
    silent = sum(flag is None for flag in clips.trusted)
    return Trust(len(parts[True]), len(parts[False]), silent, told[True], told[False], _flags(clips))


def _part(data: DataRun, name: str, part: tuple[Truth, ...], options: Options) -> Score | None:
    """The data set's own score on some clips; None where it cannot be computed on them."""
    if not part:
        return None
    columns = answer_column(data, name, part), gold_column(data, part)
    return next(iter(_scores((data.metric,), lambda metric: score(metric, *columns, options))[0].values()), None)


def _flags(clips: Judged) -> TrustedScores | None:
    """Trusted scores of the clips that have a risk and of which the system says whether it vouches for them."""
    known = ~np.isnan(clips.risk) & np.array([flag is not None for flag in clips.trusted], dtype=bool)
    if clips.graded or not known.any():
        return None
    told = clips.take(known)
    vouched = np.array(told.trusted, dtype=np.float64)
    return scores_at(vouched, told.risk == 0, 0.5)  # the system's own threshold has been applied: 1 or 0 is left


def _selective(clips: Judged) -> SelectiveScores | None:
    sure = clips.sure
    return selective_scores(sure.confidence, sure.risk) if len(sure.names) > 1 else None


# ---------------------------------------------------------------- explanations and failures


def _claims(data: DataRun, name: str, engine: str, truths: Sequence[Truth], options: Options) -> ClaimScores | None:
    """Claims by grounding status over the clips that were answered; None where nothing is claimed."""
    told = [data.systems[name][t.name] for t in truths if data.systems[name][t.name].error is None]
    try:
        return claim_scores(
            [prediction.statements for prediction in told],
            self_test=engine in SELF_TESTED,
            replicates=max(1, options.bootstrap),
            seed=options.seed,
        )
    except MetricError:
        return None  # no statement claims anything, which the table says with a dash


def _failures(data: DataRun, name: str, shown: int = 3) -> dict[str, tuple[int, tuple[str, ...]]]:
    """Failures by kind, most frequent first, with the first few different reasons."""
    errors = [prediction.error for prediction in data.systems[name].values() if prediction.error is not None]
    kinds = Counter(error.kind for error in errors)
    return {
        kind: (n, tuple(dict.fromkeys(error.reason for error in errors if error.kind == kind))[:shown])
        for kind, n in kinds.most_common()
    }
