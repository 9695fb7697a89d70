"""Does a score of explanations agree with people? Measured on pairs of explanations with their preferences.

    found = agree(grounded_share(clues_of), pairs(folder), data="EmoPrefer-Data")
    explanation_scores(predictions, references, validated={"grounded": found})

`pairs` is that of `emer.data.emoprefer`; any score of one text about one clip can be validated so. Until it is, every
automatic score of explanations says "not validated against people".
"""

from collections.abc import Callable, Sequence

import numpy as np

from emer.data.emoprefer import Pair
from emer.data.rows import some
from emer.errors import ConfigError
from emer.grounding import check, shares
from emer.metrics.preferences import Agreement, agreement
from emer.types import Clue

ScoreOf = Callable[[str, str], float]
"""From the id of a clip and a text about it to a number; higher is better."""


def agree(score_of: ScoreOf, pairs: Sequence[Pair], *, data: str, replicates: int = 1000, seed: int = 0) -> Agreement:
    """How often the text that people prefer scores higher, beside the longer text; clips are resampled.

    Raises ConfigError for no pairs, MetricError for scores that are not finite.

    >>> found = [Pair("x", "She smiles and laughs.", "Sad.", "a"), Pair("y", "Calm.", "He shouts.", "b")]
    >>> agree(lambda clip, text: len(text.split()), found, data="two pairs", replicates=10).accuracy.score
    1.0
    """
    if not pairs:
        raise ConfigError(f"{data} has no pairs: nothing can be agreed with")
    known: dict[tuple[str, str], float] = {}

    def scored(clip: str, text: str) -> float:
        if (clip, text) not in known:
            known[clip, text] = float(score_of(clip, text))
        return known[clip, text]

    clips = [pair.clip for pair in pairs]
    return agreement(
        np.array([scored(pair.clip, pair.a) for pair in pairs]),
        np.array([scored(pair.clip, pair.b) for pair in pairs]),
        [pair.preferred for pair in pairs],
        texts=([pair.a for pair in pairs], [pair.b for pair in pairs]),
        clips=clips if 1 < len(set(clips)) < len(clips) else None,
        data=data,
        replicates=replicates,
        seed=seed,
    )


def grounded_share(clues_of: Callable[[str], Sequence[Clue]]) -> ScoreOf:
    """The share of a text's claims that the clues of its clip bear out; a text that claims nothing has 0."""
    return lambda clip, text: shares(check(text, clues_of(clip)))["grounded"]


def with_clips(pairs: Sequence[Pair], there: Callable[[str], bool]) -> tuple[Pair, ...]:
    """The pairs whose clips can be measured. Raises ConfigError, naming the first few, where there are none."""
    kept = tuple(pair for pair in pairs if there(pair.clip))
    if not kept:
        raise ConfigError(f"no clip of {len(pairs)} pairs is there ({some(dict.fromkeys(p.clip for p in pairs))})")
    return kept
