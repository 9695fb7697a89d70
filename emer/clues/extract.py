"""From a clip to all its clues: voice activity, transcript, utterances, then each extractor in turn.

One failing extractor is named in `Clues.failed`; the others go on.
"""

import logging
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from emer.clues.cache import Cache, key_of
from emer.clues.listening import Extractor, Listening, VoiceActivity
from emer.clues.quality import notices_of
from emer.clues.segments import utterances
from emer.errors import EmerError
from emer.registry import EXTRACTORS, TRANSCRIBERS, load
from emer.types import (
    MODALITIES,
    Clip,
    Clue,
    Clues,
    Extract,
    Failure,
    Faults,
    Features,
    Frame,
    Media,
    MediaFacts,
    Modality,
    Segment,
    Span,
    Track,
    Transcript,
    Window,
)

logger = logging.getLogger("emer")

Progress = Callable[[str, float], None]
"""Told the stage and the share of it that is done (0 to 1)."""

VOICE_ACTIVITY_VERSION = "2"
"""Part of every key: spans, and the loudness curve by which extractors tell voice from rest, come from it."""


@dataclass(frozen=True, slots=True)
class Measured:
    """A cache entry: what an extractor gave, and the damage that decoding met on the way."""

    extract: Extract
    faults: Faults


@dataclass(frozen=True, slots=True)
class Heard:
    """A cache entry: voice activity, with its loudness curve as little-endian float32 bytes."""

    speech: tuple[Span, ...]
    loudness: bytes
    track: Track
    faults: Faults


def extract(
    clip: Clip,
    media: Media,
    *,
    cache: Cache | None = None,
    transcriber: str | None = None,
    progress: Progress | None = None,
) -> Clues:
    """Measure everything in `media` that `clip` does not leave out.

    `transcriber` (`whisper:MODEL` or `pocketsphinx`) is used where the clip brings no transcript.
    """
    run = _Run(clip, media, cache or Cache(None), progress or (lambda stage, share: None))
    activity = run.voice_activity()
    transcript = run.transcript(activity, transcriber)
    spans = utterances(media.facts.span, activity.speech if activity else (), transcript)
    listening = Listening(activity, spans, transcript, run.baseline())
    extracts = {modality: run.measure(modality, listening) for modality in run.wanted}
    return run.gather(listening, {name: found for name, found in extracts.items() if found is not None})


class _Run:
    """One clip on its way through the extractors: what was asked, what failed, what was met."""

    def __init__(self, clip: Clip, media: Media, cache: Cache, progress: Progress) -> None:
        self.clip, self.media, self.cache, self.progress = clip, media, cache, progress
        self.failed: list[Failure] = []
        self.faults: list[Faults] = []
        present = {"audio": media.facts.has_audio, "visual": media.facts.has_video, "text": True}
        self.wanted = tuple(m for m in MODALITIES if present[m] and m not in clip.without)

    def voice_activity(self) -> VoiceActivity | None:
        """Where someone speaks; also needed by the face and the words, unless the sound is left out."""
        if "audio" not in self.wanted:
            return None
        key = self._key("voice_activity", VOICE_ACTIVITY_VERSION)
        if (heard := self.cache.get(key, Heard)) is None:
            heard = self._guarded("voice_activity", self._listen)
            if heard is None:
                return None
            self.cache.put(key, heard)
        self.faults.append(heard.faults)
        return VoiceActivity(heard.speech, np.frombuffer(heard.loudness, dtype="<f4"), heard.track)

    def _listen(self) -> Heard:
        from emer.clues.voice_activity import detect

        activity = detect(self._watched("voice activity"))
        return Heard(activity.speech, activity.loudness.astype("<f4").tobytes(), activity.track, self.media.faults)

    def transcript(self, activity: VoiceActivity | None, transcriber: str | None) -> Transcript | None:
        if "text" not in self.wanted:
            return None
        if self.media.transcript is not None or transcriber is None:
            return self.media.transcript
        name, _, model = transcriber.partition(":")
        make = load(name, TRANSCRIBERS)
        recogniser = make(model) if model else make()
        self.progress("transcript", 0.0)
        heard: Transcript | None = self._guarded("transcript", lambda: recogniser.transcribe(self.media, activity))
        return heard

    def baseline(self) -> Features | None:
        """Audio features of the speaker's neutral recordings. An unreadable baseline is the user's error: it stops."""
        if self.clip.speaker_baseline is None or "audio" not in self.wanted:
            return None
        from emer.clues.baseline import measure

        self.progress("speaker baseline", 0.0)
        features: Features = measure(Path(self.clip.speaker_baseline))
        return features

    def measure(self, modality: Modality, listening: Listening) -> Extract | None:
        """One extractor's clues, from the cache where it has measured the same before."""
        extractor: Extractor = load(modality, EXTRACTORS)()
        told = (
            listening.segments,
            listening.transcript,
            listening.baseline,
            listening.activity and listening.activity.speech,
        )
        key = self._key(extractor.name, extractor.version, VOICE_ACTIVITY_VERSION, *told)
        if (measured := self.cache.get(key, Measured)) is None:
            found = self._guarded(modality, lambda: extractor.extract(self._watched(modality), listening))
            if found is None:
                return None
            measured = Measured(found, self.media.faults)
            self.cache.put(key, measured)
        self.faults.append(measured.faults)
        return measured.extract

    def gather(self, listening: Listening, extracts: dict[Modality, Extract]) -> Clues:
        """All extracts as one value: clues numbered in time order, features by view."""
        facts, activity = self.media.facts, listening.activity
        tracks = tuple(track for found in extracts.values() for track in found.tracks)
        return Clues(
            items=tuple(clue for modality, found in extracts.items() for clue in _numbered(modality, found.clues)),
            features={name: found.features for name, found in extracts.items() if found.features is not None},
            transcript=listening.transcript,
            baseline=listening.baseline,
            speech=activity.speech if activity else (),
            segments=_segments(listening, extracts),
            tracks=((activity.track,) if activity else ()) + tracks,
            warnings=notices_of(facts, self.faults, self.clip)
            + tuple(notice for found in extracts.values() for notice in found.warnings),
            failed=tuple(self.failed),
        )

    def _key(self, *parts: object) -> str:
        facts = self.media.facts
        return key_of(facts.sha256, facts.span, *parts)

    def _watched(self, stage: str) -> Media:
        return _Watched(self.media, stage, self.progress)

    def _guarded(self, name: str, act: Callable[[], Any]) -> Any:
        """What `act` gives, or None with the reason in `failed`; a bug also keeps its traceback in the log."""
        try:
            return act()
        except EmerError as error:
            self.failed.append(Failure(name, str(error)))
        except Exception as error:
            logger.warning("the %s extractor failed", name, exc_info=True)
            self.failed.append(Failure(name, f"{type(error).__name__}: {error}"))
        return None


@dataclass(frozen=True, slots=True)
class _Watched:
    """Media that tells how far it was read."""

    media: Media
    stage: str
    progress: Progress

    @property
    def facts(self) -> MediaFacts:
        return self.media.facts

    @property
    def transcript(self) -> Transcript | None:
        return self.media.transcript

    @property
    def faults(self) -> Faults:
        return self.media.faults

    def windows(
        self, *, seconds: float = 30.0, audio: bool = True, fps: float | None = None, max_width: int = 960
    ) -> Iterator[Window]:
        span = self.media.facts.span
        self.progress(self.stage, 0.0)
        for window in self.media.windows(seconds=seconds, audio=audio, fps=fps, max_width=max_width):
            yield window
            self.progress(self.stage, min(1.0, (window.end - span.start) / max(span.duration, 1e-9)))

    def sample(self, n: int, *, max_width: int = 960) -> tuple[Frame, ...]:
        return self.media.sample(n, max_width=max_width)


def _numbered(modality: Modality, clues: Sequence[Clue]) -> list[Clue]:
    in_order = sorted(clues, key=lambda clue: (clue.start, clue.end, clue.kind, clue.text))
    return [replace(clue, id=f"{modality[0]}{number}") for number, clue in enumerate(in_order, start=1)]


def _segments(listening: Listening, extracts: dict[Modality, Extract]) -> tuple[Segment, ...]:
    return tuple(
        Segment(
            span=span,
            text=_words_in(span, listening.transcript),
            features={name: found.segment_features[i] for name, found in extracts.items() if found.segment_features},
        )
        for i, span in enumerate(listening.segments)
    )


def _words_in(span: Span, transcript: Transcript | None) -> str:
    """The utterances of which at least half falls into the span."""
    if transcript is None:
        return ""
    timed = [(u.text, Span(u.start, u.end)) for u in transcript.utterances if u.start is not None and u.end is not None]
    return " ".join(text for text, time in timed if time.overlap(span) >= 0.5 * min(time.duration, span.duration) > 0)
