"""What every extractor is told before it starts, and what an extractor is."""

from dataclasses import dataclass
from typing import Protocol

import numpy as np
from jaxtyping import Float32

from emer.types import Extract, Features, Media, Span, Track, Transcript


@dataclass(frozen=True, slots=True)
class VoiceActivity:
    """Where someone speaks, found in one pass over the sound."""

    speech: tuple[Span, ...]
    loudness: Float32[np.ndarray, "step"]
    """dB relative to full scale, one number per 0.1 s from the start of the span that is read (floor -80)."""
    track: Track
    """Speech probability, for the report."""


@dataclass(frozen=True, slots=True)
class Listening:
    """What is known of a clip before clues are measured."""

    activity: VoiceActivity | None
    """None when there is no sound or it was left out."""
    segments: tuple[Span, ...] = ()
    """The utterances of a longer clip, in order; empty for a short one."""
    transcript: Transcript | None = None
    baseline: Features | None = None
    """Audio features of the speaker's neutral recordings."""


class Extractor(Protocol):
    """Measures one modality. `version` changes whenever its numbers would: it is part of the cache key."""

    name: str
    version: str

    def extract(self, media: Media, listening: Listening) -> Extract:
        """Clues, features (clip and each segment) and curves. Clue ids are numbered by the caller."""
        ...
