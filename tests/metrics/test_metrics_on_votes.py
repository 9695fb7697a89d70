"""The scores on real people: CREMA-D's votes on voice and on face, fused to foretell those on both.

Expected figures are those of the design notes, measured there with other code: voice and face weighted 1:2 give
accuracy .820 and AURC .054 on clips with a clear audio-visual majority.
"""

import csv
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest

from emer.metrics import bootstrap, calibration_error, generated, multilabel, proper_scores, selective, trusted
from emer.types import Emotion

LETTERS = "ADFHNS"


@dataclass(frozen=True)
class Votes:
    """Shares of votes a clip, clips with a clear majority alone."""

    voice: np.ndarray
    face: np.ndarray
    both: np.ndarray
    actor: np.ndarray

    def fused(self, face_weight: float) -> np.ndarray:
        return (self.voice + face_weight * self.face) / (1 + face_weight)


@pytest.fixture(scope="module")
def votes(real_data: Path) -> Votes:
    clips: dict[str, dict[str, np.ndarray]] = {}
    with (real_data / "cremad" / "cremad_tabulatedVotes.csv").open() as file:
        for row in csv.DictReader(file):
            counts = np.array([float(row[letter]) for letter in LETTERS])
            clips.setdefault(row["fileName"], {})[row[""][0]] = counts
    clear = {name: c for name, c in sorted(clips.items()) if (c["3"] == c["3"].max()).sum() == 1}
    voice, face, both = (np.array([c[kind] / c[kind].sum() for c in clear.values()]) for kind in "123")
    return Votes(voice, face, both, np.array([name.split("_")[0] for name in clear]))


def test_the_figures_of_the_design_notes_come_out(votes: Votes) -> None:
    confidence, right = proper_scores.top_label(votes.fused(2.0), votes.both.argmax(1))
    scores = selective.selective_scores(confidence, 1 - right)
    assert 1 - scores.risk == pytest.approx(0.820, abs=0.002)
    assert scores.aurc == pytest.approx(0.054, abs=0.001)


def test_weighing_the_face_more_is_better_by_more_than_the_actors_explain(votes: Votes) -> None:
    gold = votes.both.argmax(1)
    heavy, even = (proper_scores.top_label(votes.fused(w), gold)[1][:, None] for w in (2.0, 1.0))
    gap = bootstrap.difference_of_means(heavy, even, groups=votes.actor)
    assert gap.groups == 91
    assert gap.low > 0


def test_intervals_over_actors_are_wider_than_over_clips(votes: Votes) -> None:
    right = proper_scores.top_label(votes.fused(2.0), votes.both.argmax(1))[1][:, None]
    by_actor = bootstrap.interval_of_means(right, groups=votes.actor)
    by_clip = bootstrap.interval_of_means(right)
    assert by_actor.high - by_actor.low > 1.2 * (by_clip.high - by_clip.low)


def test_shares_of_votes_are_no_calibrated_confidence_and_the_band_says_so(votes: Votes) -> None:
    """Two crowds agree on the majority far more often than the fused share of votes for it."""
    confidence, right = proper_scores.top_label(votes.fused(2.0), votes.both.argmax(1))
    assert right.mean() > confidence.mean() + 0.1
    assert calibration_error.ece(confidence, right) > 5 * calibration_error.perfect_band(confidence).upper


def test_a_threshold_of_half_the_actors_is_scored_on_the_other_half(votes: Votes) -> None:
    confidence, right = proper_scores.top_label(votes.fused(2.0), votes.both.argmax(1))
    clips, half = np.arange(len(right)), votes.actor < "1046"
    fitted = trusted.fit_threshold(confidence[half], right[half], clips[half], "target_risk", at=0.1)
    scores = trusted.score(confidence[~half], right[~half], fitted, clips[~half])
    assert 1 - scores.precision == pytest.approx(0.1, abs=0.03)
    assert 0.5 < scores.coverage < 1


def test_votes_as_label_sets_score_the_same_as_arrays_and_as_words(votes: Votes) -> None:
    """Labels with at least a fifth of the votes: sample F1 from yes-and-no arrays and from generated labels."""
    gold, predicted, shares = votes.both >= 0.2, votes.fused(2.0) >= 0.2, votes.fused(2.0)
    answers = [
        [Emotion(LETTERS[k], LETTERS[k], float(share[k])) for k in np.flatnonzero(row)]
        for row, share in zip(predicted, shares, strict=True)
    ]
    rows = generated.clip_level(answers, [{LETTERS[k] for k in np.flatnonzero(row)} for row in gold])
    assert 1 - rows.risk.mean() == pytest.approx(multilabel.multilabel(gold, predicted).sample_f1)
    assert selective.aurc(rows.confidence, rows.risk) < rows.risk.mean()
