"""Does the decision rest on the clues that the explanation cites?

Take the cited clues away and see how far the belief moves; take equally many others away and see how far it moves then.

    change      total variation distance, half of sum |p - q|, between the beliefs with and without the clues
    drop        probability of the decided label with all clues, minus without
    difference  change (drop) without the cited clues, minus without as many others

The difference is above 0 where the cited clues matter more than others, about 0 where citing is decoration, below 0
where the decision rests on what is not told. Which others is drawn several times, from the modalities of the cited
ones as far as these go; where there are fewer others than cited clues, it is the cited ones that are drawn from.
`everything` is the change when all clues go: how far the decision rests on clues at all, the scale of the rest.

Sources: DeYoung et al. 2020, "ERASER", ACL (comprehensiveness: what removing the rationale does); Jacovi & Goldberg
2020, "Towards faithfully interpretable NLP systems", ACL, on why plausible explanations need not be faithful. Random
removal as the control is that of Hooker et al. 2019, "ROAR", NeurIPS, but nothing is trained again here: what is left
may be unlike any clip that a trained head knows.
"""

from collections import Counter
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from functools import cache

import numpy as np
from jaxtyping import Float64

from emer.metrics import checks
from emer.metrics.bootstrap import Groups, Interval, interval_of_means
from emer.metrics.errors import MetricError
from emer.types import Clue

Decide = Callable[[frozenset[str]], Sequence[float]]
"""The belief over labels without the clues of these ids: numbers that sum to 1, the same labels at each call."""
DRAWS = 20


@dataclass(frozen=True, slots=True)
class Faithfulness:
    """One clip. Changes and drops are means over the draws, in probability."""

    cited_change: float
    uncited_change: float
    difference: float
    """`cited_change - uncited_change`, -1 to 1."""
    cited_drop: float
    uncited_drop: float
    drop_difference: float
    everything: float
    """Change when all clues are removed."""
    n_cited: int
    n_uncited: int
    n_removed: int
    """How many clues went each time: the smaller of both numbers."""
    draws: int


@dataclass(frozen=True, slots=True)
class FaithfulnessScores:
    """Means over clips, paired: both removals were made on the same clips."""

    difference: Interval
    drop_difference: Interval
    cited_change: Interval
    uncited_change: Interval
    everything: Interval
    n: int


def why_not(clues: Sequence[Clue], cited: Collection[str]) -> str | None:
    """Why a clip cannot be compared, in a few words; None where it can.

    >>> why_not([], {"a1"})
    'no clues'
    """
    known = {clue.id for clue in clues}
    if not known:
        return "no clues"
    if not known & set(cited):
        return "cites no clue"
    return "cites every clue" if known <= set(cited) else None


def faithfulness(
    decide: Decide, clues: Sequence[Clue], cited: Collection[str], draws: int = DRAWS, seed: int = 0
) -> Faithfulness:
    """One clip's belief without the clues that its explanation cites, against without as many others.

    Ids of `cited` that no clue has are left out: they can be cited, not removed. Raises MetricError where nothing can
    be compared (`why_not` tells beforehand), and where `decide` gives no distribution.

    >>> def decide(removed: frozenset[str]) -> list[float]:
    ...     return [0.5, 0.5] if "a1" in removed else [0.75, 0.25]
    >>> clues = [Clue(f"a{i}", "audio", "pitch_rise", "", 0, 1, None, "", "") for i in (1, 2)]
    >>> found = faithfulness(decide, clues, {"a1"})
    >>> found.cited_change, found.uncited_change, found.drop_difference, found.everything
    (0.25, 0.0, 0.25, 0.25)
    """
    if (why := why_not(clues, cited)) is not None:
        raise MetricError(f"the decision cannot be compared without its clues: {why}")
    mine = [clue for clue in clues if clue.id in cited]
    others = [clue for clue in clues if clue.id not in cited]
    rng = np.random.default_rng([seed, len(mine), len(others)])
    whole = _belief(decide, frozenset())
    effect = cache(lambda removed: _effect(whole, _belief(decide, removed)))
    pairs = [_drawn(rng, mine, others) for _ in range(checks.positive("draws", draws))]
    cited_change, cited_drop = np.mean([effect(ours) for ours, _ in pairs], axis=0).tolist()
    uncited_change, uncited_drop = np.mean([effect(theirs) for _, theirs in pairs], axis=0).tolist()
    return Faithfulness(
        cited_change=cited_change,
        uncited_change=uncited_change,
        difference=cited_change - uncited_change,
        cited_drop=cited_drop,
        uncited_drop=uncited_drop,
        drop_difference=cited_drop - uncited_drop,
        everything=effect(frozenset(clue.id for clue in clues))[0],
        n_cited=len(mine),
        n_uncited=len(others),
        n_removed=min(len(mine), len(others)),
        draws=draws,
    )


def faithfulness_scores(
    clips: Sequence[Faithfulness], *, groups: Groups | None = None, replicates: int = 1000, seed: int = 0
) -> FaithfulnessScores:
    """Means over clips with intervals over clips, or over their speakers. Raises MetricError for no clip."""
    if not clips:
        raise MetricError("no clip can be compared: each cites nothing, or everything")

    def mean(of: Callable[[Faithfulness], float]) -> Interval:
        column = np.array([[of(clip)] for clip in clips])
        return interval_of_means(column, groups=groups, replicates=replicates, seed=seed)

    return FaithfulnessScores(
        difference=mean(lambda clip: clip.difference),
        drop_difference=mean(lambda clip: clip.drop_difference),
        cited_change=mean(lambda clip: clip.cited_change),
        uncited_change=mean(lambda clip: clip.uncited_change),
        everything=mean(lambda clip: clip.everything),
        n=len(clips),
    )


# ---------------------------------------------------------------- one removal


def _belief(decide: Decide, removed: frozenset[str]) -> Float64[np.ndarray, "label"]:
    return np.asarray(checks.distributions("the belief", np.asarray([decide(removed)], dtype=np.float64))[0])


def _effect(before: Float64[np.ndarray, "label"], after: Float64[np.ndarray, "label2"]) -> tuple[float, float]:
    """How far the belief moved, and what the decided label lost."""
    if len(before) != len(after):
        raise MetricError(f"the belief has {len(before)} labels with all clues and {len(after)} without some")
    decided = int(before.argmax())
    return float(np.abs(before - after).sum() / 2), float(before[decided] - after[decided])


def _drawn(
    rng: np.random.Generator, mine: Sequence[Clue], others: Sequence[Clue]
) -> tuple[frozenset[str], frozenset[str]]:
    """Equally many of both: all of the smaller side, and such as resemble them from the larger."""
    if len(mine) <= len(others):
        return frozenset(clue.id for clue in mine), _like(rng, mine, others)
    return _like(rng, others, mine), frozenset(clue.id for clue in others)


def _like(rng: np.random.Generator, these: Sequence[Clue], among: Sequence[Clue]) -> frozenset[str]:
    """As many ids from `among`, of the same modalities as far as there are enough; the rest from the others."""
    shuffled = [among[i] for i in rng.permutation(len(among))]
    wanted = Counter(clue.modality for clue in these)
    seen: Counter[str] = Counter()
    first: list[str] = []
    rest: list[str] = []
    for clue in shuffled:
        seen[clue.modality] += 1
        (first if seen[clue.modality] <= wanted[clue.modality] else rest).append(clue.id)
    return frozenset([*first, *rest][: len(these)])
