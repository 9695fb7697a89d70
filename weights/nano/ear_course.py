"""The course of an ear's learning: epochs over retold utterances, each of which ends in a checkpoint."""

import copy
import time
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import torch
from augment import Masking, masked
from ear_model import Batch, Pupil, Scale, batch_of, losses, pooled, random_stretches
from ear_targets import Round

from emer.errors import ConfigError
from emer.files import replacing

CLIP = 1.0
"""Norm beyond which gradients are shortened."""
NEIGHBOURS = 8
"""Batches' worth of sounds among which those of like length are put together."""


@dataclass(frozen=True, slots=True)
class Lesson:
    """How the ear is taught."""

    epochs: int = 30
    seconds: float = 1500.0
    """Of a processor's time; on a slower one the course is shortened to fit, and its end is reached all the same."""
    rounds: int = 8
    """Different retellings of every utterance; epochs take turns."""
    batch: int = 16
    learning_rate: float = 1e-3
    weight_decay: float = 0.05
    warm_up: float = 0.03
    """Share of the course in which the learning rate rises; then it falls along a cosine."""
    labels_from: float = 0.3
    """Share of the course after which label and opinion count; they rise to their weight over the next tenth."""
    loudest_db: float = 8.0
    """Half-width of the gain that each utterance is given."""
    masking: Masking = field(default_factory=Masking)
    averaged: float = 0.995
    """Decay per step of the average of the weights that is kept (B. Polyak and A. Juditsky 1992)."""
    curves: float = 1.0
    features: float = 1.0
    opinion: float = 0.5
    label: float = 0.5
    seed: int = 0

    def weight(self, loss: str, progress: float) -> float:
        """Of one of the four losses at this share of the course."""
        full: float = getattr(self, loss)
        if loss in ("opinion", "label"):
            return full * min(1.0, max(0.0, (progress - self.labels_from) / 0.1))
        return full

    def rate(self, progress: float) -> float:
        """Learning rate at this share of the course."""
        rising = min(1.0, (progress + 1e-3) / self.warm_up) if self.warm_up else 1.0
        return self.learning_rate * rising * 0.5 * (1 + float(np.cos(np.pi * min(progress, 1.0))))


class Course:
    """A pupil under way. What a checkpoint holds is all that the next epoch depends on."""

    def __init__(self, lesson: Lesson, checkpoint: Path) -> None:
        torch.manual_seed(lesson.seed)
        self.lesson, self.checkpoint = lesson, checkpoint
        self.pupil = Pupil()
        self.kept = copy.deepcopy(self.pupil).requires_grad_(False)
        """The average of the pupil's weights."""
        self.optimizer = torch.optim.AdamW(
            self.pupil.parameters(), lr=lesson.learning_rate, weight_decay=lesson.weight_decay, betas=(0.9, 0.98)
        )
        self.done, self.seconds = 0, 0.0
        self.notes: list[dict[str, Any]] = []
        if checkpoint.exists():
            self._take_up()

    @property
    def progress(self) -> float:
        return max(self.done / self.lesson.epochs, self.seconds / self.lesson.seconds)

    @property
    def finished(self) -> bool:
        return self.progress >= 1

    def epoch(self, sounds: Round, scale: Scale) -> dict[str, float]:
        """One pass over a round; the mean of each loss."""
        rng = np.random.default_rng((self.lesson.seed, self.done))
        began, before = time.process_time(), self.progress
        length = max(1 / self.lesson.epochs, self.seconds / max(self.done, 1) / self.lesson.seconds)
        batches = list(self._batches(len(sounds), sounds, rng))
        told: dict[str, list[float]] = {}
        for i, rows in enumerate(batches):
            progress = before + length * i / len(batches)
            for name, loss in self._step(self._retuned([sounds[j] for j in rows], scale, rng), progress, rng).items():
                told.setdefault(name, []).append(loss)
        self.done += 1
        self.seconds += time.process_time() - began
        return {name: float(np.mean(values)) for name, values in told.items()}

    def _batches(self, count: int, sounds: Round, rng: np.random.Generator) -> Iterator[np.ndarray]:
        """All sounds in random order, those of like length together."""
        order, size = rng.permutation(count), self.lesson.batch
        batches = []
        for begin in range(0, count, size * NEIGHBOURS):
            near = order[begin : begin + size * NEIGHBOURS]
            near = near[np.argsort(sounds.frames[near], kind="stable")]
            batches += [near[i : i + size] for i in range(0, len(near), size)]
        return (batches[i] for i in rng.permutation(len(batches)))

    def _retuned(self, sounds: Any, scale: Scale, rng: np.random.Generator) -> Batch:
        mels = [masked(sound.mel.astype(np.float32), self.lesson.masking, rng) for sound in sounds]
        gains = rng.uniform(-self.lesson.loudest_db, self.lesson.loudest_db, len(sounds)).tolist()
        return batch_of(sounds, scale, mels, gains)

    def _step(self, batch: Batch, progress: float, rng: np.random.Generator) -> dict[str, float]:
        self.pupil.train()
        with torch.autocast("cpu", torch.bfloat16):
            vectors = self.pupil(batch)
        means = [pooled(vectors, batch.counts), pooled(vectors, batch.counts, random_stretches(batch.counts, rng))]
        found = losses(self.pupil, vectors, batch, means)
        total = torch.stack([self.lesson.weight(name, progress) * loss for name, loss in found.items()]).sum()
        if not total.isfinite():
            raise ConfigError(f"the ear's loss became {total.item()} in epoch {self.done}; lower the learning rate")
        for group in self.optimizer.param_groups:
            group["lr"] = self.lesson.rate(progress)
        self.optimizer.zero_grad(set_to_none=True)
        total.backward()  # type: ignore[no-untyped-call]
        torch.nn.utils.clip_grad_norm_(self.pupil.parameters(), CLIP)
        self.optimizer.step()
        with torch.no_grad():
            for ours, theirs in zip(self.kept.parameters(), self.pupil.parameters(), strict=True):
                ours.lerp_(theirs, 1 - self.lesson.averaged)
        return {name: float(loss.detach()) for name, loss in found.items()}

    # ------------------------------------------------------------ checkpoints

    def save(self) -> None:
        """Whole or not at all."""
        state = {
            "lesson": repr(asdict(self.lesson)),
            "pupil": self.pupil.state_dict(),
            "kept": self.kept.state_dict(),
            "optimizer": self.optimizer.state_dict(),
            "done": self.done,
            "seconds": self.seconds,
            "notes": self.notes,
        }
        with replacing(self.checkpoint) as path:
            torch.save(state, path)

    def _take_up(self) -> None:
        state = torch.load(self.checkpoint, weights_only=True)
        if state["lesson"] != repr(asdict(self.lesson)):
            raise ConfigError(f"{self.checkpoint} is of another lesson; delete it to teach the ear anew")
        self.pupil.load_state_dict(state["pupil"])
        self.kept.load_state_dict(state["kept"])
        self.optimizer.load_state_dict(state["optimizer"])
        self.done, self.seconds, self.notes = state["done"], state["seconds"], state["notes"]
