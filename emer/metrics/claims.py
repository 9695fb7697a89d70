"""How well explanations are borne out by measured clues, without any reference: claims by grounding status.

    share of a status = claims with it in all clips / claims in all clips

A claim is a sentence with a number, a citation or a behaviour word (`emer.grounding`). Every claim has one status and
all count below the line, the uncheckable ones too: else vagueness would pay. Who says little is seldom contradicted,
so the number of claims per clip stands beside the shares, and how many clips claim nothing at all.

The floor is the same text held against the clues of another clip (`of_other_clips`): what anybody could say of anyone.

The check reads the same clues that the composer writes from. Its shares on the composer's own text tell whether the two
agree, not whether the composer is good: a self-test, which no table may rank.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import get_args

import numpy as np
from jaxtyping import Int64

from emer.grounding import check, claims
from emer.metrics import checks
from emer.metrics.bootstrap import Groups, Interval, interval_of_means
from emer.metrics.errors import MetricError
from emer.types import Clue, Statement, Status

STATUSES: tuple[Status, ...] = get_args(Status)


@dataclass(frozen=True, slots=True)
class ClaimScores:
    """Shares of all claims, each with its interval over clips (or speakers)."""

    shares: Mapping[Status, Interval]
    per_clip: Interval
    """Claims per clip."""
    n_claims: int
    n_clips: int
    n_silent: int
    """Clips whose explanation claims nothing."""
    self_test: bool
    """Whether whoever wrote the text reads the clues as the check does; then the shares are no result."""


def claim_counts(explanations: Sequence[Sequence[Statement]]) -> Int64[np.ndarray, "clip status"]:
    """For each clip, its claims by status, in the order of `STATUSES`.

    >>> trembles = Statement("The voice trembles.", (), "unsupported")
    >>> claim_counts([[trembles, Statement("It is a fine day.")], []]).tolist()
    [[0, 0, 1, 0], [0, 0, 0, 0]]
    """
    rows = [Counter(claim.status for claim in claims(statements)) for statements in explanations]
    return np.array([[row[status] for status in STATUSES] for row in rows], dtype=np.int64).reshape(-1, len(STATUSES))


def claim_scores(
    explanations: Sequence[Sequence[Statement]],
    *,
    self_test: bool = False,
    groups: Groups | None = None,
    replicates: int = 1000,
    seed: int = 0,
) -> ClaimScores:
    """The shares over all clips; `groups` are their speakers, where they are known.

    Raises MetricError where no explanation claims anything.

    >>> said = [Statement("The voice trembles.", (), "unsupported"), Statement("She smiles [v1].", ("v1",), "grounded")]
    >>> found = claim_scores([said, said[:1]], replicates=50)
    >>> round(found.shares["grounded"].score, 4), found.per_clip.score, found.n_claims
    (0.3333, 1.5, 3)
    """
    counts = claim_counts(explanations)
    if not counts.sum():
        raise MetricError(f"none of {len(counts)} explanations claims anything: there are no shares of claims")
    table = np.column_stack([counts, counts.sum(axis=1)])

    def share(status: int) -> Interval:
        return interval_of_means(
            table,
            lambda means: _share(means[..., status], means[..., -1]),
            groups=groups,
            replicates=replicates,
            seed=seed,
        )

    return ClaimScores(
        shares={status: share(i) for i, status in enumerate(STATUSES)},
        per_clip=interval_of_means(table[:, -1:], groups=groups, replicates=replicates, seed=seed),
        n_claims=int(counts.sum()),
        n_clips=len(counts),
        n_silent=int((counts.sum(axis=1) == 0).sum()),
        self_test=self_test,
    )


def of_other_clips(texts: Sequence[str], clues: Sequence[Sequence[Clue]], by: int = 1) -> list[tuple[Statement, ...]]:
    """Each text checked against the clues of the clip `by` places on: its claims are grounded there by chance alone.

    Raises MetricError where a clip would keep its own clues.
    """
    checks.same_length(texts=texts, clues=clues)
    if len(texts) < 2 or by % len(texts) == 0:
        raise MetricError(f"{len(texts)} clips turned by {by} keep their clues; give two clips or more")
    return [check(text, clues[(place + by) % len(clues)]) for place, text in enumerate(texts)]


def _share(above: np.ndarray, below: np.ndarray) -> np.ndarray:
    """Not a number where the drawn clips claim nothing: such a draw is left out."""
    return np.asarray(np.divide(above, below, out=np.full(np.shape(below), np.nan), where=below > 0))
