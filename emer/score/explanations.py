"""Scores of explanations, in the form of every other score: with n, interval, floors, and whether people agree.

    score("chrf", read_predictions("answers.jsonl"), read_gold("gold.jsonl"))

Each is near to what people wrote in one sense or another (`emer.metrics.explanations`), or is borne out by what was
measured (`emer.metrics.claims`). No automatic score of explanations has been shown to rank as people do, so each says
"not validated against people" until `validated` holds its agreement with preferences (`emer.metrics.preferences`).

An answer without an explanation is a wrong one and scores 0; a clip without a reference is skipped and counted.
Floors: what the same answers score when each is held against another clip's reference, and what every clip scores with
one and the same text, the shortest or the longest of the references (each scored on the other clips alone).
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Protocol, runtime_checkable

import numpy as np
from jaxtyping import Float64

from emer.errors import ConfigError
from emer.metrics.bootstrap import first_mean
from emer.metrics.claims import STATUSES, ClaimScores, claim_scores
from emer.metrics.errors import MetricError
from emer.metrics.explanations import WORDS, chrf_counts, chrf_of_counts, cosines, rotated
from emer.metrics.preferences import Agreement, validation_note
from emer.score.embedding import Encoder
from emer.score.metric import Measured, Metric, OfMeans, skipping
from emer.score.options import Options
from emer.score.pairs import Pairs
from emer.score.result import Column, Score
from emer.score.scoring import DEFAULT, score_by
from emer.types import Statement

NO_REFERENCE = "no reference explanation"
TURNS = 3
"""How often answers are held against other clips' references, for the floor."""
SELF_TESTED = frozenset({"composer"})
"""Engines whose text is made from the very clues that it is checked against."""
SELF_TEST = "a self-test, not a result: the text was made from the clues that it is checked against"


@runtime_checkable
class Explained(Protocol):
    """What a system said of a clip, as `emer bench` keeps it."""

    @property
    def name(self) -> str: ...

    @property
    def explanation(self) -> str: ...

    @property
    def statements(self) -> tuple[Statement, ...]: ...


@dataclass(frozen=True)
class Near:
    """A score of texts against references: the name, one row of columns for each clip, and the score of their means."""

    compare: Callable[[Sequence[str], Sequence[str]], Float64[np.ndarray, "clip column"]]
    of_means: OfMeans
    told: str
    """What it looks at, in words."""
    validated: Agreement | None = None

    def measure(self, pairs: Pairs, options: Options) -> Measured:
        texts, references = _texts(pairs)
        there = np.array([bool(reference) for reference in references], dtype=bool)
        clips, skipped = skipping(len(there), {NO_REFERENCE: ~there})
        ours, theirs = [texts[i] for i in clips], [references[i] for i in clips]
        columns = self.compare(ours, theirs) if len(clips) else np.zeros((0, 1))
        return Measured(
            clips=clips,
            columns=columns,
            of_means=self.of_means,
            skipped=skipped,
            detail={
                "compares": self.told,
                "mean_of_clips": float(self.of_means(columns).mean()) if len(clips) else None,
                "empty": sum(not text for text in ours),
                "characters": _mean_length(ours),
                "reference_characters": _mean_length(theirs),
                "validated": self.validated,
            },
            notes=(validation_note(self.validated),),
        )

    def floors(self, pairs: Pairs, options: Options) -> Mapping[str, float]:
        texts, references = _texts(pairs)
        both = [(text, reference) for text, reference in zip(texts, references, strict=True) if reference]
        if len(both) < 2:
            return {}
        said, wanted = [text for text, _ in both], [reference for _, reference in both]
        turned = [self._value(said, rotated(wanted, by)) for by in _turns(len(both))]
        return {
            "another clip's reference": float(np.mean(turned)),
            "shortest reference for every clip": self._constant(min(wanted, key=len), wanted),
            "longest reference for every clip": self._constant(max(wanted, key=len), wanted),
        }

    def _constant(self, text: str, references: Sequence[str]) -> float:
        others = [reference for reference in references if reference != text]
        return self._value([text] * len(others), others) if others else float("nan")

    def _value(self, texts: Sequence[str], references: Sequence[str]) -> float:
        return float(self.of_means(self.compare(texts, references).mean(axis=0)))


def _texts(pairs: Pairs) -> tuple[list[str], list[str]]:
    if pairs.texts is None or not any(pairs.texts):
        raise ConfigError(f"{pairs.source} holds no explanations; give a column explanation")
    if pairs.gold.texts is None or not any(pairs.gold.texts):
        raise ConfigError(f"{pairs.gold.source} holds no reference explanations; give a column explanation")
    return [text or "" for text in pairs.texts], [text or "" for text in pairs.gold.texts]


def _turns(count: int) -> list[int]:
    """Up to `TURNS` different ways to turn so many references, spread evenly."""
    return sorted({max(1, count * turn // (TURNS + 1)) for turn in range(1, TURNS + 1)})


def _mean_length(texts: Sequence[str]) -> int:
    """In characters, rounded."""
    return round(sum(map(len, texts)) / len(texts)) if texts else 0


# ---------------------------------------------------------------- the scores


def chrf_metric(words: int = 0, validated: Agreement | None = None) -> Near:
    """chrF of the corpus; with `words=2`, chrF++."""
    told = f"sequences of characters{' and words' if words else ''}"
    return Near(
        lambda texts, references: chrf_counts(texts, references, words).astype(np.float64),
        chrf_of_counts,
        told,
        validated,
    )


CHRF = chrf_metric()
CHRF_WORDS = chrf_metric(WORDS)


def embedding_metric(encoder: Encoder, validated: Agreement | None = None) -> Near:
    """Mean cosine of sentence embeddings; an empty explanation is like nothing (0)."""

    def compare(texts: Sequence[str], references: Sequence[str]) -> Float64[np.ndarray, "clip column"]:
        found = cosines(encoder.sentences(texts), encoder.sentences(references))
        return np.where(_said(texts), found, 0.0)[:, None]

    return Near(compare, first_mean, f"sentence embeddings of {encoder.name}", validated)


def token_metric(encoder: Encoder, validated: Agreement | None = None) -> Near:
    """Mean F1 of greedily matched tokens, as in BERTScore; an empty explanation is like nothing (0)."""

    def compare(texts: Sequence[str], references: Sequence[str]) -> Float64[np.ndarray, "clip column"]:
        said = _said(texts)
        pairs = [(text, ref) for text, ref, there in zip(texts, references, said, strict=True) if there]
        found = np.zeros(len(texts))
        found[said] = [match.f1 for match in encoder.matches(*map(list, zip(*pairs, strict=True)))] if pairs else []
        return found[:, None]

    return Near(compare, first_mean, f"matched tokens of {encoder.name}, layer {encoder.layer}", validated)


def _said(texts: Sequence[str]) -> np.ndarray:
    return np.array([bool(text.strip()) for text in texts], dtype=bool)


# ---------------------------------------------------------------- all of them for one run


def explanation_scores(
    predictions: Sequence[Explained],
    references: Sequence[str | None],
    *,
    engine: str = "",
    encoder: Encoder | None = None,
    others: Mapping[str, Metric] | None = None,
    speakers: Sequence[str] | None = None,
    validated: Mapping[str, Agreement] | None = None,
    options: Options = DEFAULT,
) -> tuple[Score, ...]:
    """Every score of explanations that can be computed: chrF and chrF++ where there are references, similarity by
    embeddings where there is an encoder too, `others` by their names (a model that judges), and the share of grounded
    claims where anything is claimed.

    `references` has one entry a prediction, None where nobody wrote any; `engine` wrote the predictions, and
    `validated` holds agreement with people by name of the score. Raises ConfigError for doubled clips, and for lengths
    that differ.
    """
    names = [prediction.name for prediction in predictions]
    if len(references) != len(names):
        raise ConfigError(f"{len(names)} explanations have {len(references)} references; give one or None for each")
    agreed = validated or {}
    found: list[Score] = []
    if any(references):
        texts: list[str | None] = [prediction.explanation for prediction in predictions]
        nothing: list[Sequence[str]] = [()] * len(names)
        said = Column(engine or "the predictions", names, nothing, texts=texts)
        gold = Column("the references", names, nothing, speakers=speakers, texts=references)
        near = {name: replace(metric, validated=agreed.get(name)) for name, metric in _metrics(encoder).items()}
        for name, metric in {**near, **(others or {})}.items():
            found.append(score_by(metric, name, said, gold, options))
    try:
        scores = claim_scores(
            [prediction.statements for prediction in predictions],
            self_test=engine in SELF_TESTED,
            groups=speakers,
            replicates=max(1, options.bootstrap),
            seed=options.seed,
        )
    except MetricError:
        return tuple(found)  # nothing is claimed: there are no shares
    return (*found, grounded_score(scores, agreed.get("grounded"), with_interval=options.bootstrap > 0))


def grounded_score(scores: ClaimScores, validated: Agreement | None = None, *, with_interval: bool = True) -> Score:
    """Shares of claims as a score: the share that measured clues bear out, with the other shares in its detail."""
    grounded = scores.shares["grounded"]
    return Score(
        metric="grounded",
        score=grounded.score,
        interval=(grounded.low, grounded.high) if with_interval else None,
        n_scored=scores.n_clips - scores.n_silent,
        n_skipped=scores.n_silent,
        skipped={"claims nothing": scores.n_silent} if scores.n_silent else {},
        unknown_share=None,
        floors={},
        tables=None,
        detail={
            **{status: scores.shares[status].score for status in STATUSES},
            "claims": scores.n_claims,
            "claims_per_clip": scores.per_clip.score,
            "self_test": scores.self_test,
            "validated": validated,
            "notes": [SELF_TEST] if scores.self_test else [validation_note(validated)],
        },
    )


def _metrics(encoder: Encoder | None) -> dict[str, Near]:
    models = {} if encoder is None else {"embedding": embedding_metric(encoder), "tokens": token_metric(encoder)}
    return {"chrf": CHRF, "chrf_words": CHRF_WORDS, **models}
