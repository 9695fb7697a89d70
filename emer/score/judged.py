"""Scores of explanations that a language model gives as a judge, in the form of every other score.

    score_by(Judged(endpoint, "clue_overlap"), "clue_overlap", predicted, gold)

A clip whose reply could not be used is skipped, counted and listed. The model is asked once a clip, and its answers are
kept on disk; the floor asks it for a few clips more.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from emer.endpoint import Endpoint
from emer.metrics.bootstrap import first_mean
from emer.metrics.explanations import rotated
from emer.metrics.preferences import Agreement, validation_note
from emer.score.asked import Asked, Judgement, judged
from emer.score.metric import Measured, skipping
from emer.score.options import Options
from emer.score.pairs import Pairs

NO_REPLY = "no usable reply of the model"
NO_REFERENCE = {"clue_overlap": "no reference explanation", "label_overlap": "no gold label"}
FLOOR_CLIPS = 20
"""Clips on which a floor is measured: each costs one more question."""


@dataclass(frozen=True)
class Judged:
    """Overlap of explanations (or of labels) with what people wrote, judged by a model; the mean over clips."""

    endpoint: Endpoint
    what: Judgement = "clue_overlap"
    language: str = "en"
    validated: Agreement | None = None
    """How far this model's judgements agree with preferences of people, where that was measured."""

    def measure(self, pairs: Pairs, options: Options) -> Measured:
        candidates, references = self._texts(pairs)
        there = np.array([bool(reference.strip()) for reference in references], dtype=bool)
        places = np.flatnonzero(there).tolist()
        asked = judged(
            self.endpoint, self.what, [candidates[i] for i in places], [references[i] for i in places], self.language
        )
        values = dict(zip(places, asked.values, strict=True))
        answered = np.array([values.get(i) is not None for i in range(len(there))], dtype=bool)
        clips, skipped = skipping(len(there), {NO_REFERENCE[self.what]: ~there, NO_REPLY: ~answered})
        columns = np.array([[values[i]] for i in clips.tolist()], dtype=np.float64).reshape(-1, 1)
        return Measured(
            clips=clips,
            columns=columns,
            of_means=first_mean,
            skipped=skipped,
            detail=told(asked, [pairs.names[i] for i in places]),
            notes=(f"judged by {asked.record}", validation_note(self.validated)),
        )

    def floors(self, pairs: Pairs, options: Options) -> Mapping[str, float]:
        """What answers get that are held against another clip's reference."""
        both = [pair for pair in zip(*self._texts(pairs), strict=True) if all(text.strip() for text in pair)]
        both = both[:FLOOR_CLIPS]
        if len(both) < 2:
            return {}
        wrong = rotated([reference for _, reference in both])
        asked = judged(self.endpoint, self.what, [candidate for candidate, _ in both], wrong, self.language)
        values = [value for value in asked.values if value is not None]
        return {f"answers of other clips ({len(values)})": float(np.mean(values))} if values else {}

    def _texts(self, pairs: Pairs) -> tuple[list[str], list[str]]:
        """Candidates and references, one a clip."""
        if self.what == "label_overlap":
            return [", ".join(labels) for labels in pairs.labels], [", ".join(labels) for labels in pairs.gold.labels]
        empty = [None] * len(pairs.names)
        return [text or "" for text in pairs.texts or empty], [text or "" for text in pairs.gold.texts or empty]


def told(asked: Asked[Any], names: Sequence[str]) -> dict[str, Any]:
    """What a score keeps of the questions: model, prompt, seed, and the replies that could not be used."""
    return {
        "model": asked.record.model,
        "prompt": {"name": asked.record.prompt.name, "sha256": asked.record.prompt.sha256},
        "seed": asked.record.seed,
        "temperature": asked.record.temperature,
        "unusable": [{"name": names[one.place], "why": one.why, "reply": one.reply} for one in asked.unusable],
    }
