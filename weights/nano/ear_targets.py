"""What the ear is to say of a sound: curves per 40 ms, the 389 features of the utterance, its label and an opinion.

All of it is measured with emer's own clues, anew on every retold utterance. A round is every training utterance retold
once; rounds are measured when they are first asked for and kept on disk.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, fields
from functools import cache
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
from augment import retold
from jaxtyping import Float16, Float32, Int64
from safetensors.numpy import load_file, save_file
from sounds import LABELS, Samples, Sound, activity, held

from emer import torchvision_ops  # noqa: F401  before transformers' processors
from emer.backbones.qwen_media import hear
from emer.clues.audio import AudioClues
from emer.clues.prosody import Voice, listen
from emer.clues.voice_description import describe
from emer.clues.voice_features import semitones
from emer.clues.voice_spectrum import BANDS, SHAPES
from emer.evidence import opinion
from emer.evidence.head_opinions import opinion_of
from emer.evidence.trained import load_trained
from emer.files import replacing

STRIDE = 4
"""Frames of 10 ms that become one vector of the ear."""
CURVES = (
    *("voiced", "speech", "paused", "nucleus", "f0_st", "f0_change_st", "hnr_db", "intensity_db", "tilt_db_oct"),
    *("centroid_oct", "jitter", "shimmer", "mel_change_db"),
    *SHAPES,
    *(f"mel_{i:02d}_db" for i in range(BANDS)),
)
"""The first four are shares of the 40 ms, the rest means over the frames in which they are known."""
LEVEL_CURVES = ("intensity_db", *(f"mel_{i:02d}_db" for i in range(BANDS)))
LEVEL_FEATURES = ("intensity_mean_db",)
"""What rises by one for a gain of 1 dB; every other curve and feature stays."""
MEL_PER_DB = 1 / 40
"""A gain of 1 dB adds this to every log-mel value: the extractor gives (log10 of power + 4) / 4."""
HEADS = "audio"


@dataclass(frozen=True, slots=True)
class Targets:
    """One sound as the tower takes it, and what is to be said of it. NaN: not measured."""

    mel: Float16[np.ndarray, "bin=128 frame"]
    curves: Float16[np.ndarray, "vector curve"]
    features: Float32[np.ndarray, "feature=389"]
    opinion: Float32[np.ndarray, "label=8"]
    """Projected probability of the shipped audio head."""
    label: int
    """Place in `emer8`."""


def targets_of(sound: Sound, weights: Path) -> Targets:
    """Measure one sound. `weights` holds the folder `audio` of trained heads."""
    voice = listen(held(sound.samples), activity(sound.samples, sound.speech))
    features = describe(voice, AudioClues.version)
    said = opinion_of(load_trained(weights / HEADS).heads.network, features)
    mel = mel_of(sound.samples)
    values = np.where(features.mask, features.values, np.nan)
    return Targets(
        mel=mel.astype(np.float16),
        curves=curves_of(voice, vectors(mel.shape[1])).astype(np.float16),
        features=values.astype(np.float32),
        opinion=np.asarray(opinion.probability(said), np.float32),
        label=LABELS.index(sound.label),
    )


def vectors(frames: Any) -> Any:
    """How many vectors the tower makes of so many log-mel frames; of one number or an array of them."""
    return ((frames - 1) // 2 - 1) // 2 + 1


# ---------------------------------------------------------------- what goes in


@cache
def _processor() -> Any:
    from transformers import WhisperFeatureExtractor

    return SimpleNamespace(feature_extractor=WhisperFeatureExtractor(feature_size=128), audio_token="")


def mel_of(samples: Samples) -> Float32[np.ndarray, "bin=128 frame"]:
    """Log-mel frames by the very function that feeds the backbone."""
    heard = hear(_processor(), samples, lambda length: 0, silence=True)
    return np.asarray(heard.inputs["input_features"][0].numpy(), np.float32)


# ---------------------------------------------------------------- curves


def curves_of(voice: Voice, count: int) -> Float32[np.ndarray, "vector curve"]:
    """`CURVES` over 40 ms each; frames beyond the end of the curves are not measured."""
    st, curves = semitones(voice.curves.hz), voice.curves
    mel = voice.spectra.mel_db.astype(np.float32)
    shares = [voice.voiced, voice.speech, voice.paused, voice.nucleus]
    numbers = [
        st,
        np.gradient(st) if len(st) > 1 else st,
        curves.hnr_db,
        curves.intensity_db,
        curves.tilt,
        np.log2(np.maximum(curves.centroid_hz, 50.0)),
        curves.jitter,
        curves.shimmer,
        np.sqrt((np.diff(mel, axis=0, prepend=mel[:1]) ** 2).mean(axis=1)),
    ]
    columns = np.stack([np.asarray(column, np.float32) for column in (*shares, *numbers)], axis=1)
    every = np.concatenate([columns, voice.spectra.shape.astype(np.float32), mel], axis=1)
    # Where nobody speaks, pitch, level and spectrum are those of the room.
    every[~voice.speech, len(shares) :] = np.nan
    return _per_vector(every, count)


def _per_vector(frames: Float32[np.ndarray, "frame curve"], count: int) -> Float32[np.ndarray, "vector curve"]:
    """Means of four frames each over what is finite."""
    room = np.full((count * STRIDE, frames.shape[1]), np.nan, np.float32)
    room[: min(len(frames), len(room))] = frames[: len(room)]
    fours = room.reshape(count, STRIDE, -1)
    known = np.isfinite(fours)
    total = np.where(known, fours, 0).sum(axis=1)
    return np.where(known.any(axis=1), total / np.maximum(known.sum(axis=1), 1), np.nan).astype(np.float32)


# ---------------------------------------------------------------- rounds


@dataclass(frozen=True, slots=True)
class Round:
    """Many sounds end to end: sound i has `frames[i]` columns of `mel` and `vectors(frames[i])` rows of `curves`."""

    mel: Float16[np.ndarray, "bin=128 allframes"]
    frames: Int64[np.ndarray, "sound"]
    curves: Float16[np.ndarray, "allvectors curve"]
    features: Float32[np.ndarray, "sound feature"]
    opinion: Float32[np.ndarray, "sound label"]
    label: Int64[np.ndarray, "sound"]

    def __iter__(self) -> Iterator[Targets]:
        return (self[i] for i in range(len(self.frames)))

    def __len__(self) -> int:
        return len(self.frames)

    def __getitem__(self, i: int) -> Targets:
        if i >= len(self):
            raise IndexError(i)
        counts = vectors(self.frames)
        column, row = int(self.frames[:i].sum()), int(counts[:i].sum())
        return Targets(
            mel=self.mel[:, column : column + int(self.frames[i])],
            curves=self.curves[row : row + int(counts[i])],
            features=self.features[i],
            opinion=self.opinion[i],
            label=int(self.label[i]),
        )


def measured(sounds: Sequence[Sound], place: Path, weights: Path, seed: int | None = None) -> Round:
    """The targets of these sounds as they are, or with a seed retold; from `place` where they were measured before."""
    if not place.exists():
        rng = np.random.default_rng(seed)
        told = sounds if seed is None else [retold(sound, rng) for sound in sounds]
        found = _joined([targets_of(sound, weights) for sound in told])
        with replacing(place) as path:
            save_file({f.name: np.ascontiguousarray(getattr(found, f.name)) for f in fields(Round)}, path)
    return Round(**load_file(place))


def _joined(targets: Sequence[Targets]) -> Round:
    return Round(
        mel=np.concatenate([t.mel for t in targets], axis=1),
        frames=np.array([t.mel.shape[1] for t in targets], np.int64),
        curves=np.concatenate([t.curves for t in targets]),
        features=np.stack([t.features for t in targets]),
        opinion=np.stack([t.opinion for t in targets]),
        label=np.array([t.label for t in targets], np.int64),
    )
