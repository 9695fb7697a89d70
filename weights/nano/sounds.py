"""The recordings that nano's ear learns from, and where their speech lies. Test speakers are never opened.

Training speakers teach, validation speakers choose; both are those of configs/splits/voices.json.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np
from jaxtyping import Float32

from emer import media
from emer.clues.listening import VoiceActivity
from emer.clues.voice_activity import LOUDNESS_FLOOR, LOUDNESS_STEP, detect
from emer.data import emodb, ravdess
from emer.data.rows import Row
from emer.data.splits import split
from emer.emotions import label_set, mapping
from emer.files import write_text
from emer.jsonio import dumps, loads
from emer.types import SAMPLE_RATE, Faults, Frame, Media, MediaFacts, Span, Track, Transcript, Window

Samples = Float32[np.ndarray, "sample"]
Role = Literal["train", "validation"]
SPLIT = "voices"
LABELS = label_set("emer8")


@dataclass(frozen=True, slots=True)
class Sound:
    """One utterance: 16 kHz mono, where in it someone speaks (seconds), and what the actor was to feel."""

    id: str
    speaker: str
    label: str
    """Of `emer8`."""
    samples: Samples
    speech: tuple[Span, ...]


def read_sounds(data: Path, role: Role, folder: Path) -> tuple[Sound, ...]:
    """The utterances of the speakers of a role. Speech is found once and kept in `folder`.

    Raises ConfigError as the two readers do.
    """
    speakers = set(split(SPLIT).members(role))
    rows = [row for row in (*ravdess.clips(data), *emodb.clips(data)) if row.speaker in speakers]
    place = folder / f"speech_{role}.json"
    known = loads(place.read_bytes(), dict[str, tuple[Span, ...]]) if place.exists() else {}
    sounds = tuple(_sound(row, known.get(row.id)) for row in rows)
    write_text(place, dumps({sound.id: sound.speech for sound in sounds}))
    return sounds


def _sound(row: Row, speech: tuple[Span, ...] | None) -> Sound:
    opened = media.open(row.clip)
    samples = np.concatenate([window.samples for window in opened.windows(audio=True)])
    found = detect(opened).speech if speech is None else speech
    return Sound(row.id, str(row.speaker), _in_emer8(row.annotation.labels[0]), samples, found)


def _in_emer8(label: str) -> str:
    """Labels of EmoDB by their counterparts."""
    return label if label in LABELS else mapping("emodb4", "emer8")[label]


# ---------------------------------------------------------------- sound in memory as a clip


@dataclass(frozen=True, slots=True)
class Held:
    """Samples that are measured as a clip would be: the one window of a `Media`."""

    samples: Samples

    @property
    def facts(self) -> MediaFacts:
        seconds = Span(0.0, len(self.samples) / SAMPLE_RATE)
        return MediaFacts("sound in memory", "", seconds, None, has_audio=True, has_video=False)

    @property
    def transcript(self) -> Transcript | None:
        return None

    @property
    def faults(self) -> Faults:
        return Faults()

    def windows(
        self, *, seconds: float = 30.0, audio: bool = True, fps: float | None = None, max_width: int = 960
    ) -> Iterator[Window]:
        yield Window(0.0, self.facts.span.end, self.samples)

    def sample(self, n: int, *, max_width: int = 960) -> tuple[Frame, ...]:
        return ()


def held(samples: Samples) -> Media:
    """Samples as a clip."""
    return Held(samples)


def activity(samples: Samples, speech: tuple[Span, ...]) -> VoiceActivity:
    """What voice activity would say of a sound whose speech is known: its loudness is measured per 0.1 s."""
    step = round(LOUDNESS_STEP * SAMPLE_RATE)
    padded = np.pad(samples, (0, -len(samples) % step)).reshape(-1, step).astype(np.float64)
    filled = np.full(len(padded), step)
    filled[-1] = len(samples) - step * (len(padded) - 1)
    power = (padded**2).sum(axis=1) / filled
    loudness = 10 * np.log10(np.maximum(power, 10 ** (LOUDNESS_FLOOR / 10)))
    nothing = Track("speech probability", "audio", "probability", 0.0, 1.0, ())
    return VoiceActivity(speech, loudness.astype(np.float32), nothing)
