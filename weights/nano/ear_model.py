"""The audio tower with the heads that teach it. Heads are linear, as a language model's attention would read, and are
thrown away: what they predict must lie in the tower's vectors themselves, each of them or their plain mean.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from ear_targets import CURVES, LEVEL_CURVES, LEVEL_FEATURES, MEL_PER_DB, Round, Targets
from jaxtyping import Bool, Float, Int64
from shape import EAR, HIDDEN
from sounds import LABELS
from torch import Tensor, nn

from emer import torchvision_ops  # noqa: F401  before transformers' models
from emer.clues.voice_description import NAMES

FARTHEST = 4.0
"""Standard deviations at which targets are cut: an error of measurement is not to teach."""


def make_tower() -> Any:
    """A stock `Qwen2_5OmniAudioEncoder` of nano's shape, untrained."""
    from transformers.models.qwen2_5_omni.configuration_qwen2_5_omni import Qwen2_5OmniAudioEncoderConfig
    from transformers.models.qwen2_5_omni.modeling_qwen2_5_omni import Qwen2_5OmniAudioEncoder

    # Plain products of matrices: short utterances are learned from a sixth faster than with the fused kernel.
    return Qwen2_5OmniAudioEncoder(Qwen2_5OmniAudioEncoderConfig(**EAR, attn_implementation="eager"))


class Pupil(nn.Module):
    """Tower and heads. All heads read the tower's vectors or means of them."""

    def __init__(self) -> None:
        super().__init__()
        self.tower = make_tower()
        self.curves = nn.Linear(HIDDEN, len(CURVES))
        self.features = nn.Linear(HIDDEN, len(NAMES))
        self.label = nn.Linear(HIDDEN, len(LABELS))
        self.opinion = nn.Linear(HIDDEN, len(LABELS))

    def forward(self, batch: "Batch") -> Float[Tensor, "vector hidden"]:
        """25 vectors a second of every sound, end to end."""
        vectors: Tensor = self.tower(batch.mel, feature_lens=batch.frames).last_hidden_state
        return vectors.float()


def pooled(
    vectors: Float[Tensor, "vector hidden"],
    counts: Int64[Tensor, "sound"],
    inside: Bool[Tensor, "vector"] | None = None,
) -> Float[Tensor, "sound hidden"]:
    """The plain mean of the vectors of each sound, or of those that are `inside`, of which each sound has some."""
    sound = torch.repeat_interleave(torch.arange(len(counts)), counts)
    weight = torch.ones(len(vectors)) if inside is None else inside.float()
    total = torch.zeros(len(counts), vectors.shape[1]).index_add(0, sound, vectors * weight[:, None])
    return total / torch.zeros(len(counts)).index_add(0, sound, weight)[:, None]


def random_stretches(counts: Int64[Tensor, "sound"], rng: np.random.Generator) -> Bool[Tensor, "vector"]:
    """One unbroken stretch of each sound, from one vector to all of them: short ones as likely as long ones."""
    kept = []
    for count in counts.tolist():
        length = int(np.clip(round(np.exp(rng.uniform(0, np.log(count + 0.5)))), 1, count))
        begin = int(rng.integers(0, count - length + 1))
        kept.append((np.arange(count) >= begin) & (np.arange(count) < begin + length))
    return torch.from_numpy(np.concatenate(kept))


# ---------------------------------------------------------------- batches


@dataclass(frozen=True)
class Scale:
    """Mean and standard deviation of curves and features over the training speakers' own recordings."""

    curve_mean: Float[Tensor, "curve"]
    curve_sd: Float[Tensor, "curve"]
    feature_mean: Float[Tensor, "feature"]
    feature_sd: Float[Tensor, "feature"]


def scale_of(train: Round) -> Scale:
    """Of what was measured; a column that never varies is left as it is."""
    found = []
    for table in (train.curves, train.features):
        values = table.astype(np.float64)
        sd = np.nanstd(values, axis=0)
        found += [np.nanmean(values, axis=0), np.where(sd > 0, sd, 1.0)]
    return Scale(*(torch.from_numpy(numbers.astype(np.float32)) for numbers in found))


@dataclass(frozen=True)
class Batch:
    """Some sounds, with targets in standard deviations; NaN: not measured."""

    mel: Float[Tensor, "bin frame"]
    frames: Int64[Tensor, "sound"]
    counts: Int64[Tensor, "sound"]
    """Vectors of each sound."""
    curves: Float[Tensor, "vector curve"]
    features: Float[Tensor, "sound feature"]
    opinion: Float[Tensor, "sound label"]
    label: Int64[Tensor, "sound"]


LEVEL_CURVE = np.array([name in LEVEL_CURVES for name in CURVES], np.float32)
LEVEL_FEATURE = np.array([name in LEVEL_FEATURES for name in NAMES], np.float32)


def batch_of(
    sounds: Sequence[Targets], scale: Scale, mels: Sequence[np.ndarray] | None = None, gains_db: Sequence[float] = ()
) -> Batch:
    """Sounds side by side, each made louder by its gain, which changes mel, levels and nothing else."""
    gains = gains_db or [0.0] * len(sounds)
    mels = [sound.mel for sound in sounds] if mels is None else mels
    mel = np.concatenate([m.astype(np.float32) + g * MEL_PER_DB for m, g in zip(mels, gains, strict=True)], axis=1)
    curves = np.concatenate([s.curves.astype(np.float32) + g * LEVEL_CURVE for s, g in zip(sounds, gains, strict=True)])
    features = np.stack([s.features + g * LEVEL_FEATURE for s, g in zip(sounds, gains, strict=True)])
    return Batch(
        mel=torch.from_numpy(mel),
        frames=torch.tensor([sound.mel.shape[1] for sound in sounds]),
        counts=torch.tensor([len(sound.curves) for sound in sounds]),
        curves=_standard(torch.from_numpy(curves), scale.curve_mean, scale.curve_sd),
        features=_standard(torch.from_numpy(features), scale.feature_mean, scale.feature_sd),
        opinion=torch.from_numpy(np.stack([sound.opinion for sound in sounds])),
        label=torch.tensor([sound.label for sound in sounds]),
    )


def _standard(values: Tensor, mean: Tensor, sd: Tensor) -> Tensor:
    return ((values - mean) / sd).clamp(-FARTHEST, FARTHEST)


# ---------------------------------------------------------------- losses


def losses(
    pupil: Pupil, vectors: Float[Tensor, "vector hidden"], batch: Batch, means: Sequence[Float[Tensor, "sound hidden"]]
) -> Mapping[str, Float[Tensor, ""]]:
    """Squared errors of curves and features in standard deviations; cross-entropies of label and opinion.

    What is said of an utterance is asked of each of `means`, and their losses are averaged.
    """
    cross = nn.functional.cross_entropy
    return {
        "curves": squared_error(pupil.curves(vectors), batch.curves),
        "features": torch.stack([squared_error(pupil.features(mean), batch.features) for mean in means]).mean(),
        "opinion": torch.stack([cross(pupil.opinion(mean), batch.opinion) for mean in means]).mean(),
        "label": torch.stack([cross(pupil.label(mean), batch.label, label_smoothing=0.1) for mean in means]).mean(),
    }


def squared_error(said: Float[Tensor, "row column"], wanted: Float[Tensor, "row column"]) -> Float[Tensor, ""]:
    """Mean over what was measured."""
    known = wanted.isfinite()
    return ((said - wanted.nan_to_num()) ** 2 * known).sum() / known.sum().clamp(min=1)


# ---------------------------------------------------------------- what is kept


@torch.no_grad()
def to_unit_variance(tower: Any, vectors: Float[Tensor, "vector hidden"]) -> None:
    """Rescale the tower's last layer so that over these vectors every number has mean 0 and variance 1."""
    mean, sd = vectors.mean(0), vectors.std(0).clamp(min=1e-6)
    tower.proj.weight.div_(sd[:, None])
    tower.proj.bias.sub_(mean).div_(sd)
