"""What an ear has reached on the validation speakers: how well it measures, and what a mean of its vectors tells."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from ear_model import Batch, Pupil, Scale, batch_of
from ear_targets import Round
from jaxtyping import Float, Int64
from torch import Tensor

from emer.clues.voice_features import NAMES as NAMED
from emer.metrics.classification import classification

AT_ONCE = 16
STRENGTH = 0.01
"""Inverse of the probe's ridge penalty, on standardised numbers; fixed beforehand, chosen on nobody."""


@dataclass(frozen=True, slots=True)
class Reached:
    """On validation speakers, whose recordings are heard as they are. R²: share of the variance over utterances."""

    curves_r2: float
    features_r2: float
    """Mean over the 389 features, said linearly from the mean vector."""
    named_r2: float
    """Mean over the 21 features that sentences tell."""
    label_uar: float
    """Of the label head on the mean vector."""
    opinion_uar: float
    """Of the head that repeats the shipped audio head's opinion."""
    probe_uar: float
    """Of a logistic regression on mean vectors, fitted on training speakers."""
    label_nll: float
    n: int


def measures(pupil: Pupil, train: Round, validation: Round, scale: Scale) -> Reached:
    """Scores of the heads and of a probe."""
    pupil.eval()
    vectors = heard(pupil, validation, scale)
    everything = batch_of(tuple(validation), scale)
    mean = torch.stack([sound.mean(0) for sound in vectors])
    with torch.no_grad():
        features, label = pupil.features(mean), pupil.label(mean).log_softmax(-1)
        each = r_squared(features, everything.features)
        gold = validation.label
        return Reached(
            curves_r2=float(r_squared(pupil.curves(torch.cat(vectors)), everything.curves).mean()),
            features_r2=float(each.mean()),
            named_r2=float(each[: len(NAMED)].mean()),
            label_uar=uar(gold, label.argmax(-1).numpy()),
            opinion_uar=uar(gold, pupil.opinion(mean).argmax(-1).numpy()),
            probe_uar=uar(gold, probe(mean_vectors(pupil, train, scale), train.label, mean.numpy())),
            label_nll=float(-label[torch.arange(len(gold)), torch.from_numpy(gold)].mean()),
            n=len(gold),
        )


def references(train: Round, validation: Round, scale: Scale) -> dict[str, float]:
    """Recall that is had without this ear: of the same probe on other numbers, and of the shipped audio head."""
    torch.manual_seed(0)
    untrained = Pupil().eval()
    ours, theirs = ((_numbers(sounds, scale), mean_vectors(untrained, sounds, scale)) for sounds in (train, validation))
    gold, count = validation.label, len(NAMED)
    return {
        "probe on log-mel means and deviations": uar(
            gold, probe(_mel_statistics(train), train.label, _mel_statistics(validation))
        ),
        "probe on an untrained tower": uar(gold, probe(ours[1], train.label, theirs[1])),
        "probe on the 21 named features": uar(gold, probe(ours[0][:, :count], train.label, theirs[0][:, :count])),
        "probe on the 389 features": uar(gold, probe(ours[0], train.label, theirs[0])),
        "shipped audio head": uar(gold, validation.opinion.argmax(axis=1)),
    }


def _numbers(sounds: Round, scale: Scale) -> Float[np.ndarray, "sound feature"]:
    """Features in standard deviations, 0 where not measured."""
    return batch_of(tuple(sounds), scale).features.nan_to_num().numpy()


def _mel_statistics(sounds: Round) -> Float[np.ndarray, "sound number"]:
    mels = [sound.mel.astype(np.float32) for sound in sounds]
    return np.stack([np.concatenate([mel.mean(axis=1), mel.std(axis=1)]) for mel in mels])


@torch.no_grad()
def heard(pupil: Pupil, sounds: Round, scale: Scale) -> list[Float[Tensor, "vector hidden"]]:
    """The vectors of each sound."""
    found: list[Tensor] = []
    for batch in in_order(sounds, scale):
        with torch.autocast("cpu", torch.bfloat16):
            vectors = pupil(batch)
        found += vectors.split(batch.counts.tolist())
    return found


def mean_vectors(pupil: Pupil, sounds: Round, scale: Scale) -> Float[np.ndarray, "sound hidden"]:
    return torch.stack([vectors.mean(0) for vectors in heard(pupil, sounds, scale)]).numpy()


def in_order(sounds: Round, scale: Scale) -> Iterator[Batch]:
    every = tuple(sounds)
    return (batch_of(every[i : i + AT_ONCE], scale) for i in range(0, len(every), AT_ONCE))


def r_squared(said: Float[Tensor, "row column"], wanted: Float[Tensor, "row column"]) -> Float[Tensor, "column"]:
    """1 - error / variance of each column over the rows in which it was measured; columns that never vary left out."""
    known = wanted.isfinite()
    count = known.sum(0).clamp(min=1)
    mean = wanted.nan_to_num().sum(0) / count
    error = ((said - wanted.nan_to_num()) ** 2 * known).sum(0)
    spread = ((wanted.nan_to_num() - mean) ** 2 * known).sum(0)
    varies = spread > 1e-6
    return 1 - error[varies] / spread[varies]


def uar(gold: Int64[np.ndarray, "sound"], said: Int64[np.ndarray, "sound"]) -> float:
    """Mean recall over the labels that occur."""
    return float(classification(gold, said).uar)


def probe(
    train: Float[np.ndarray, "sound hidden"], label: Int64[np.ndarray, "sound"], rows: Float[np.ndarray, "row hidden"]
) -> Int64[np.ndarray, "row"]:
    """What a logistic regression on these training vectors says of `rows`."""
    from sklearn.linear_model import LogisticRegression  # type: ignore[import-untyped]

    middle, spread = train.mean(0), train.std(0) + 1e-6
    fitted: Any = LogisticRegression(C=STRENGTH, max_iter=500).fit((train - middle) / spread, label)
    return np.asarray(fitted.predict((rows - middle) / spread), np.int64)
