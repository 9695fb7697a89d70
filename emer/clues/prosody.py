"""The voice as curves of one value per 10 ms, measured in one streamed pass."""

from dataclasses import dataclass, fields, replace

import numpy as np
from jaxtyping import Bool, Float32, Int
from scipy.ndimage import maximum_filter1d

from emer.clues import pitch
from emer.clues.frames import (
    BLOCK,
    CONTEXT,
    HOP,
    STEP,
    Block,
    blocks,
    centroid_hz,
    intensity_db,
    power_spectra,
    tilt_db_per_octave,
)
from emer.clues.grid import covered
from emer.clues.listening import VoiceActivity
from emer.clues.tempo import pause_frames, syllable_nuclei
from emer.clues.voice_activity import LOUDNESS_STEP
from emer.clues.voice_quality import harmonics_to_noise_db, jitter_and_shimmer
from emer.clues.voice_spectrum import Spectra, joined, spectra_of
from emer.types import SAMPLE_RATE, Media, Span

NEAR = 15.0
"""Seconds on either side in which the loudest 0.1 s says what is silence here."""
DEEPEST = 20.0
"""dB by which a stretch may be quieter than the loudest of the clip and still set its own silence."""
HIGHEST = 2.5
"""Times the upper quartile of pitch above which a soft frame is no voice."""
CLIPPED = 0.99
"""Share of full scale from which a sample counts as clipped."""


@dataclass(frozen=True, slots=True)
class Curves:
    """One value per frame of 10 ms; frame i is centred (i + 0.5) * 10 ms after the start."""

    hz: Float32[np.ndarray, "frame"]
    """Pitch; 0 where unvoiced."""
    hnr_db: Float32[np.ndarray, "frame"]
    """Harmonics-to-noise ratio; NaN where unvoiced."""
    intensity_db: Float32[np.ndarray, "frame"]
    """Relative to full scale."""
    tilt: Float32[np.ndarray, "frame"]
    """dB per octave."""
    centroid_hz: Float32[np.ndarray, "frame"]
    jitter: Float32[np.ndarray, "frame"]
    """Share; NaN where no two periods follow each other."""
    shimmer: Float32[np.ndarray, "frame"]


@dataclass(frozen=True, slots=True)
class Voice:
    """Curves, and per frame: is it speech, is it part of a pause, is it the nucleus of a syllable."""

    curves: Curves
    speech: Bool[np.ndarray, "frame"]
    paused: Bool[np.ndarray, "frame"]
    nucleus: Bool[np.ndarray, "frame"]
    clipped: float
    """Share of clipped samples."""
    spectra: Spectra

    def part(self, span: Span, begin: float) -> "Voice":
        """The frames inside `span` of a clip that starts at `begin`."""
        rows = slice(max(0, round((span.start - begin) / STEP)), max(0, round((span.end - begin) / STEP)))
        curves = Curves(*(getattr(self.curves, f.name)[rows] for f in fields(Curves)))
        return Voice(
            curves, self.speech[rows], self.paused[rows], self.nucleus[rows], self.clipped, self.spectra.part(rows)
        )

    @property
    def voiced(self) -> Bool[np.ndarray, "frame"]:
        """Frames of speech that have a pitch."""
        return np.asarray(self.speech & (self.curves.hz > 0))

    @property
    def spoken(self) -> Bool[np.ndarray, "frame"]:
        """Frames of speech that belong to no pause."""
        return np.asarray(self.speech & ~self.paused)

    @property
    def speech_extent(self) -> float:
        """Seconds from the first frame of speech to the last."""
        at = np.flatnonzero(self.speech)
        return float(at[-1] + 1 - at[0]) * STEP if len(at) else 0.0


def listen(media: Media, activity: VoiceActivity, *, block: int = BLOCK, context: int = CONTEXT) -> Voice:
    """Measure the whole clip in one pass. Memory: 118 bytes per 10 ms, never the sound itself."""
    parts: list[Curves] = []
    spectra: list[Spectra] = []
    clipped, samples = 0, 0
    for piece in blocks(media, block=block, context=context):
        inner = piece.samples[piece.before * HOP : (piece.before + piece.keep) * HOP]
        clipped += int((np.abs(inner) >= CLIPPED).sum())
        samples += len(inner)
        curves, shapes = _measure(piece, activity.loudness)
        parts.append(curves)
        spectra.append(shapes)
    curves = Curves(*(np.concatenate([getattr(p, f.name) for p in parts] or [_NONE]) for f in fields(Curves)))
    speech = covered(activity.speech, media.facts.span.start, STEP, len(curves.hz))
    curves = without_hiss(curves, speech)
    paused = pause_frames(curves.intensity_db, curves.hz, speech)
    nucleus = syllable_nuclei(curves.intensity_db, curves.hz, speech)
    return Voice(curves, speech, paused, nucleus, clipped / max(samples, 1), joined(spectra))


_NONE = np.zeros(0, np.float32)


def _measure(piece: Block, loudness: Float32[np.ndarray, "step"]) -> tuple[Curves, Spectra]:
    power = power_spectra(piece.samples)
    intensity = intensity_db(power)
    frame = piece.first - piece.before + np.arange(len(intensity))
    found = pitch.track(power, intensity - loudest_near(loudness)[_step_of(frame, len(loudness))])
    jitter, shimmer = jitter_and_shimmer(piece.samples, found.hz)
    hnr = harmonics_to_noise_db(found.strength)
    whole = Curves(found.hz, hnr, intensity, tilt_db_per_octave(power), centroid_hz(power), jitter, shimmer)
    rows = slice(piece.before, piece.before + piece.keep)
    curves = Curves(*(getattr(whole, f.name)[rows] for f in fields(Curves)))
    return curves, spectra_of(power[rows], curves.hz)


def loudest_near(loudness: Float32[np.ndarray, "step"]) -> Float32[np.ndarray, "step"]:
    """The loudest 0.1 s within 15 s: silence is relative to it, as in Boersma (1993) to the whole sound.

    A long clip may have a shout in one minute and a whisper in another; neither silences the other.
    """
    if len(loudness) == 0:
        return loudness
    near = maximum_filter1d(loudness, 2 * round(NEAR / LOUDNESS_STEP) + 1, mode="nearest")
    return np.asarray(np.maximum(near, loudness.max() - DEEPEST), np.float32)


def _step_of(frame: Int[np.ndarray, "frame"], steps: int) -> Int[np.ndarray, "frame"]:
    return np.asarray(np.minimum(frame * HOP // round(LOUDNESS_STEP * SAMPLE_RATE), max(steps - 1, 0)))


def without_hiss(curves: Curves, speech: Bool[np.ndarray, "frame"]) -> Curves:
    """Take the pitch from soft frames far above the speaker's range.

    Autocorrelation hears a pitch near the ceiling in some fricatives. C. De Looze and D. Hirst (2008), Proc. Speech
    Prosody, put the top of a voice at 1.5 times its upper quartile, and Hirst recommends 2.5 for expressive speech,
    which is taken here. A scream may lie above it but is loud.
    """
    voiced = speech & (curves.hz > 0)
    if not voiced.any():
        return curves
    top = HIGHEST * np.percentile(curves.hz[voiced], 75)
    soft = curves.intensity_db < np.median(curves.intensity_db[voiced])
    hiss = (curves.hz > top) & soft
    nothing = np.float32(np.nan)
    return replace(
        curves,
        hz=np.where(hiss, np.float32(0), curves.hz),
        hnr_db=np.where(hiss, nothing, curves.hnr_db),
        jitter=np.where(hiss, nothing, curves.jitter),
        shimmer=np.where(hiss, nothing, curves.shimmer),
    )
