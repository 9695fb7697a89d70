"""What a model is given of one clip: capped sound and pictures, and the messages that they go with (no torch here)."""

from dataclasses import dataclass, replace

import numpy as np
from jaxtyping import Float32, UInt8

from emer.types import Caps as Caps
from emer.types import Message, Notice

Pictures = UInt8[np.ndarray, "_ _ _ rgb=3"]
"""Frames, height, width, colours; two such values may have different sizes."""


@dataclass(frozen=True, slots=True)
class Attached:
    """What a model hears and sees of one clip. None: that is not there, or was left out."""

    samples: Float32[np.ndarray, "sample"] | None = None
    """Mono sound at 16 kHz."""
    frames: Pictures | None = None
    """The whole picture; sides are multiples of `Caps.multiple`."""
    faces: Pictures | None = None
    """The tracked face alone, at the same times."""
    fps: float = 1.0
    """Pictures a second, of both."""
    notices: tuple[Notice, ...] = ()
    """What was left out, and why."""

    @property
    def videos(self) -> tuple[Pictures, ...]:
        """The pictures as videos of their own: the whole picture first, then the face."""
        return tuple(pictures for pictures in (self.frames, self.faces) if pictures is not None)

    def only(self, *, audio: bool = True, video: bool = True) -> "Attached":
        """The same without its sound or without its pictures."""
        kept = self if audio else replace(self, samples=None)
        return kept if video else replace(kept, frames=None, faces=None)


@dataclass(frozen=True, slots=True)
class Conversation:
    """What is said to a model. `Message.media` says where the attached media stand; what is absent is passed over."""

    messages: tuple[Message, ...]
    attached: Attached = Attached()
