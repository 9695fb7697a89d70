"""What is left of a clip's clues when some are taken away, and how a decision is made from the rest.

    clues, request = explainer.clues(clip, media), partial(explainer.request, media)
    decide = by_opinion(clues, request)               # hints and trained heads: the fused opinion
    decide = by_engine(clues, request, engine)        # whoever answers: its labels, or its verdict
    faithfulness(decide, clues.items, cited(explanation.statements))      # or reasons(…), where all is cited

A clue goes with all features that its kind measures (`kind_features.yaml`): of the clip, and of the segments in which
at least half of it lies. What was measured is masked, as if it could not have been.

Known limits:

* A feature goes as a whole, also where other clues of its kind stay: a decision from features cannot lose less.
* Trained heads read features that no clue tells of; those stay, and the decision may rest on them.
* An engine that looks at the clip itself still sees what the clue told of, and the transcript is still read.
"""

import re
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import replace
from fnmatch import fnmatchcase
from functools import cache

from emer.emotions.extraction import extract_labels
from emer.engines.engine import Engine
from emer.errors import EmerError
from emer.evidence.opinion import probability
from emer.grounding.reading import read
from emer.kinds import kinds
from emer.metrics.faithfulness import Decide
from emer.tables import table
from emer.types import Answer, Clue, Clues, Features, Opinion, Request, Segment, Statement

Ask = Callable[[Clues], Request]
"""From clues to what an engine is asked, with the opinions that follow from these clues."""
HALF = 0.5
NEUTRAL = re.compile(r"\bneutral (?:state|mood|emotion)|中性|没有情绪")
"""No emotion, named as a decision: no word of the lexicon, and a "neutral voice" is a reference."""
ONE = re.compile(r"\b(?:further|more|other|remaining) (?:\d+ )?clues?\b")
"""How clues are listed, with a figure or without."""
OUTSIDE, NOTHING = "outside the label set", "no label"


def cited(statements: Sequence[Statement]) -> frozenset[str]:
    """The clues on which an explanation says something: all that are cited, but for those that are merely counted.

    A sentence that counts clues and names no behaviour ("a further 7 clues can be read in the list [a1]–[a7]") makes
    nothing of them.

    >>> told = Statement("The voice trembles [a2].", ("a2",)), Statement("A further clue is in the list [a1].", ("a1",))
    >>> sorted(cited(told))
    ['a2']
    """
    return frozenset(name for statement in statements if not _is_list(statement) for name in statement.clue_ids)


def _is_list(statement: Statement) -> bool:
    found = read(statement.text)
    counted = any(not count.meanings for count in found.counts) or bool(ONE.search(statement.text.lower()))
    return counted and not found.mentions and not found.quotations


def reasons(statements: Sequence[Statement]) -> frozenset[str]:
    """The clues that are given as a reason: those that stand in one sentence with an emotion.

    Who cites every clue leaves nothing to compare with; of the reasons for the decision there are fewer.

    >>> told = Statement("The voice trembles [a2].", ("a2",)), Statement("The pause [a1] sounds sad.", ("a1",))
    >>> sorted(reasons(told))
    ['a1']
    """
    naming = [s for s in statements if extract_labels(s.text) or NEUTRAL.search(s.text.lower())]
    return frozenset(name for statement in naming for name in statement.clue_ids)


def without(clues: Clues, removed: Collection[str]) -> Clues:
    """The clues without those of these ids, and their features masked in the clip and in its segments."""
    gone = [clue for clue in clues.items if clue.id in removed]
    if not gone:
        return clues
    return replace(
        clues,
        items=tuple(clue for clue in clues.items if clue.id not in removed),
        features=masked(clues.features, gone),
        segments=tuple(
            replace(part, features=masked(part.features, [clue for clue in gone if _within(clue, part)]))
            for part in clues.segments
        ),
        tracks=(),
    )


def masked(features: Mapping[str, Features], clues: Sequence[Clue]) -> dict[str, Features]:
    """The features without those that these clues measure."""
    return {
        view: _masked(found, {clue.kind for clue in clues if clue.modality == view}) for view, found in features.items()
    }


@cache
def reached(kind: str, names: tuple[str, ...]) -> frozenset[str]:
    """Those of the features `names` that a kind of clue measures.

    >>> sorted(reached("positive_words", ("compound", "positive", "negative", "word_count")))
    ['compound', 'positive']
    """
    patterns = table("emer.score", "kind_features.yaml")["features"].get(kind, ())
    return frozenset(name for name in names if any(fnmatchcase(name, pattern) for pattern in patterns))


def _masked(features: Features, gone: Collection[str]) -> Features:
    lost = frozenset().union(
        *(reached(kind, features.names) for kind in gone if kinds()[kind].modality == features.view)
    )
    kept = tuple(mask and name not in lost for name, mask in zip(features.names, features.mask, strict=True))
    values = tuple(value if mask else 0.0 for value, mask in zip(features.values, kept, strict=True))
    return replace(features, values=values, mask=kept)


def _within(clue: Clue, part: Segment) -> bool:
    return clue.span.overlap(part.span) >= max(HALF * clue.span.duration, 1e-9)


# ---------------------------------------------------------------- decisions


def by_opinion(clues: Clues, ask: Ask) -> Decide:
    """The decision of hints and trained heads: probabilities of the fused opinion, in the order of its labels."""
    return lambda removed: _distribution(ask(without(clues, removed)).prior)


def by_engine(clues: Clues, ask: Ask, engine: Engine) -> Decide:
    """The decision of an engine that is asked again: its verdict's probabilities where it gives one, else its labels.

    Labels share the probability evenly among their clusters; two more places take those outside the label set, and an
    answer without labels. Raises EmerError where the engine cannot answer.
    """

    def decide(removed: frozenset[str]) -> Sequence[float]:
        request = ask(without(clues, removed))
        answer = next(iter(engine.answer([request])))
        if answer.error is not None:
            raise EmerError(f"{engine.name} could not answer without {len(removed)} clues: {answer.error}")
        if answer.verdict is not None:
            return _distribution(answer.verdict)
        return _named(answer, request.prior.labels)

    return decide


def _distribution(opinion: Opinion) -> list[float]:
    """Probabilities that sum to 1; those of independent labels (`beta`) are scaled to."""
    found = probability(opinion)
    return [float(p) for p in found / found.sum()]


def _named(answer: Answer, labels: Sequence[str]) -> list[float]:
    places = [label.cluster if label.cluster in labels else OUTSIDE for label in answer.labels] or [NOTHING]
    return [places.count(place) / len(places) for place in (*labels, OUTSIDE, NOTHING)]
