"""Every number of a report, from a run: scores, paired differences, the trusted part, claims; nothing is shown here."""

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations

import numpy as np
from jaxtyping import Bool, Float64

from emer.bench.records import Prediction
from emer.bench.report_clips import Judged, judged
from emer.bench.report_run import DataRun, Run, Truth, answer_column, gold_column
from emer.bench.run_configuration import RunConfig
from emer.errors import ConfigError, EmerError
from emer.metrics.calibration_error import debiased_ece, ece, perfect_band
from emer.metrics.claims import ClaimScores, claim_scores
from emer.metrics.errors import MetricError
from emer.metrics.selective import SelectiveScores, selective_scores
from emer.metrics.trusted import TrustedScores, from_counts
from emer.score.explanations import SELF_TESTED, explanation_scores
from emer.score.options import Options
from emer.score.result import Column, Score
from emer.score.scoring import difference, score


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
    """Trusted precision, recall and F1 with floor; an answer that is partly right counts as such a part. None where
    no clip has a risk and a flag."""


@dataclass(frozen=True, slots=True)
class Calibration:
    """Is a confidence of c right c of the time? 15 bins of equal mass."""

    ece: float
    band: float
    """95 % of perfectly calibrated systems of this n show an ECE up to this."""
    debiased: float
    n: int


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
    calibration: Calibration | None
    claims: ClaimScores | None
    explanations: tuple[Score, ...]
    """Against reference explanations, where the data set has some."""
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
    options = Options(
        wheels=config.wheels,
        bootstrap=config.bootstrap,
        seed=config.seed,
        missing="empty",
        label_set=data.record.label_set,
    )
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
        calibration=_calibration(clips, options.seed),
        claims=_claims(data, name, engine, truths, options),
        explanations=_explanations(predictions, gold, engine, options),
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
    if not known.any():
        return None
    told = clips.take(known)
    return vouched(np.array(told.trusted, dtype=bool), 1 - told.risk)


def vouched(trusted: Bool[np.ndarray, "clip"], right: Float64[np.ndarray, "clip"]) -> TrustedScores:
    """Trusted scores of flags that a system set itself; `right` is 0 to 1, as in `emer.score.trusted`.

    >>> found = vouched(np.array([True, True, False, False]), np.array([1.0, 1.0, 0.0, 1.0]))
    >>> found.precision, round(found.recall, 4), found.f1, round(found.floor, 4)
    (1.0, 0.6667, 0.8, 0.8571)
    """
    return from_counts(len(right), float(right.sum()), float(trusted.sum()), float(right[trusted].sum()))


def _selective(clips: Judged) -> SelectiveScores | None:
    sure = clips.sure
    return selective_scores(sure.confidence, sure.risk) if len(sure.names) > 1 else None


def _calibration(clips: Judged, seed: int) -> Calibration | None:
    """None where answers can be partly right: a confidence says nothing of parts."""
    sure = clips.sure
    if clips.graded or len(sure.names) < 2:
        return None
    right = 1 - sure.risk
    band = perfect_band(sure.confidence, seed=seed)
    return Calibration(ece(sure.confidence, right), band.upper, debiased_ece(sure.confidence, right), len(right))


# ---------------------------------------------------------------- explanations and failures


def _claims(data: DataRun, name: str, engine: str, truths: Sequence[Truth], options: Options) -> ClaimScores | None:
    """Claims by grounding status over the clips that were answered; None where nothing is claimed."""
    answered = tuple(t for t in truths if data.systems[name][t.name].error is None)
    try:
        return claim_scores(
            [data.systems[name][truth.name].statements for truth in answered],
            self_test=engine in SELF_TESTED,
            groups=gold_column(data, answered).speakers,
            replicates=max(1, options.bootstrap),
            seed=options.seed,
        )
    except MetricError:
        return None  # no statement claims anything, which the table says with a dash


def _explanations(predictions: Sequence[Prediction], gold: Column, engine: str, options: Options) -> tuple[Score, ...]:
    """Scores against reference explanations; the shares of claims stand in a table of their own."""
    if gold.texts is None or not any(prediction.explanation for prediction in predictions):
        return ()
    found = explanation_scores(predictions, gold.texts, engine=engine, speakers=gold.speakers, options=options)
    return tuple(each for each in found if each.metric != "grounded")


def _failures(data: DataRun, name: str, shown: int = 3) -> dict[str, tuple[int, tuple[str, ...]]]:
    """Failures by kind, most frequent first, with the first few different reasons."""
    errors = [prediction.error for prediction in data.systems[name].values() if prediction.error is not None]
    kinds = Counter(error.kind for error in errors)
    return {
        kind: (n, tuple(dict.fromkeys(error.reason for error in errors if error.kind == kind))[:shown])
        for kind, n in kinds.most_common()
    }
