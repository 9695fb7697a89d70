"""Do the decisions of a system rest on the clues that its explanations cite? Measured on clips, by taking clues away.

    decision_faithfulness(Explainer(), clips)                         # of the fused opinion: hints and trained heads
    decision_faithfulness(Explainer(), clips, by="engine")            # of the labels that the engine names
    decision_faithfulness(Explainer(), clips, chosen="reasons")       # of the clues given as reasons alone

Every clip is explained once, and decided again for each set of removed clues (`emer.score.removal`); the arithmetic and
its sources are in `emer.metrics.faithfulness`.
"""

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Literal

from emer import media
from emer.engines.engine import Engine
from emer.errors import ConfigError, EmerError
from emer.explain import Explainer
from emer.metrics.bootstrap import Interval
from emer.metrics.faithfulness import DRAWS, Decide, Faithfulness, FaithfulnessScores, faithfulness, faithfulness_scores
from emer.metrics.faithfulness import why_not as cannot_be_compared
from emer.registry import ENGINES, load
from emer.score.options import Options
from emer.score.removal import by_engine, by_opinion, cited, reasons
from emer.score.result import Score
from emer.types import Clip, Statement

CHOSEN: Mapping[str, Callable[[Sequence[Statement]], frozenset[str]]] = {"cited": cited, "reasons": reasons}
DEFAULT = Options()


@dataclass(frozen=True, slots=True)
class Removals:
    """What was found on the clips of one system."""

    clips: tuple[Faithfulness, ...]
    places: tuple[int, ...]
    """Of these clips among those given."""
    skipped: Mapping[str, int]
    """Why the others could not be compared, and how many."""


def decision_faithfulness(
    explainer: Explainer,
    clips: Sequence[Clip],
    *,
    by: Literal["opinion", "engine"] = "opinion",
    chosen: Literal["cited", "reasons"] = "cited",
    speakers: Sequence[str] | None = None,
    draws: int = DRAWS,
    options: Options = DEFAULT,
) -> Score:
    """The mean difference in change of belief between cited and other clues, as a score from -1 to 1.

    Clips that cannot be explained, and those that cite nothing or everything, are skipped and counted. Raises
    ConfigError where no clip can be compared.
    """
    found = removals(explainer, clips, by=by, chosen=chosen, draws=draws, seed=options.seed)
    if not found.clips:
        told = ", ".join(f"{why} ({count})" for why, count in found.skipped.items()) or "there are no clips"
        raise ConfigError(f"no decision can be compared without its clues: {told}; give other clips, or choose reasons")
    groups = None if speakers is None else [speakers[place] for place in found.places]
    known = groups if groups and len(set(groups)) > 1 else None
    means = faithfulness_scores(found.clips, groups=known, replicates=max(1, options.bootstrap), seed=options.seed)
    return Score(
        metric="decision_faithfulness",
        score=means.difference.score,
        interval=_bounds(means.difference, options),
        n_scored=means.n,
        n_skipped=len(clips) - means.n,
        skipped=found.skipped,
        unknown_share=None,
        floors={},
        tables=None,
        detail=_detail(means, found, options) | {"by": by, "chosen": chosen, "draws": draws},
    )


def removals(
    explainer: Explainer, clips: Sequence[Clip], *, by: str, chosen: str, draws: int = DRAWS, seed: int = 0
) -> Removals:
    """Each clip without its cited clues, and without as many others."""
    engine: Engine = load(explainer.engine, ENGINES)()
    results, places, skipped = [], [], Counter[str]()
    for place, clip in enumerate(clips):
        try:
            found = _one(explainer, engine, clip, by, chosen, draws, seed)
        except EmerError as error:
            found = f"no answer ({type(error).__name__})"
        if isinstance(found, str):
            skipped[found] += 1
        else:
            results.append(found)
            places.append(place)
    return Removals(tuple(results), tuple(places), dict(skipped))


def _one(
    explainer: Explainer, engine: Engine, clip: Clip, by: str, chosen: str, draws: int, seed: int
) -> Faithfulness | str:
    """One clip, or why it cannot be compared."""
    opened = media.open(clip, explainer.limits)
    clues = explainer.clues(clip, opened)
    ask = partial(explainer.request, opened)
    answer = next(iter(engine.answer([ask(clues)])))
    if answer.error is not None:
        return f"no answer ({answer.error.partition(':')[0]})"
    named = CHOSEN[chosen](answer.statements)
    if (why := cannot_be_compared(clues.items, named)) is not None:
        return why
    decide: Decide = by_engine(clues, ask, engine) if by == "engine" else by_opinion(clues, ask)
    return faithfulness(decide, clues.items, named, draws, seed)


def _detail(means: FaithfulnessScores, found: Removals, options: Options) -> dict[str, object]:
    shown = {
        "drop_difference": means.drop_difference,
        "cited_change": means.cited_change,
        "uncited_change": means.uncited_change,
        "everything": means.everything,
    }
    return {
        **{name: {"score": each.score, "interval": _bounds(each, options)} for name, each in shown.items()},
        "cited_per_clip": sum(clip.n_cited for clip in found.clips) / means.n,
        "uncited_per_clip": sum(clip.n_uncited for clip in found.clips) / means.n,
        "resampled": "speakers" if means.difference.resampled == "groups" else "clips",
        "notes": ["a change is the total variation distance of two beliefs; above 0 the cited clues matter more"],
    }


def _bounds(found: Interval, options: Options) -> tuple[float, float] | None:
    return (found.low, found.high) if options.bootstrap else None
