"""Where a voice pauses and where its syllables are, from intensity, pitch and speech spans.

N. de Jong and T. Wempe (2009), "Praat script to detect syllable nuclei and measure speech rate automatically",
Behavior Research Methods 41, 385-390: a nucleus is a voiced intensity peak with a dip before and after it.
"""

import numpy as np
from jaxtyping import Bool, Float32
from scipy.ndimage import binary_dilation, convolve1d, maximum_filter1d

from emer.clues.frames import FLOOR_DB, STEP
from emer.clues.grid import runs

QUIET_DB = 25.0
"""dB below the loudest voice nearby at which sound is neither syllable nor speech (de Jong and Wempe 2009)."""
DIP_DB = 2.0
"""dB by which the sound dips between two syllables (de Jong and Wempe 2009)."""
SMOOTH = 7
"""Frames of the Hann window over intensity: keeps syllables (up to 8 a second), drops single pulses of a low voice."""
NEAR = 15.0
"""Seconds on either side in which the voice is loudest "nearby"."""
SHORTEST_PAUSE = 0.25
"""Seconds; shorter gaps belong to articulation (F. Goldman-Eisler (1968), Psycholinguistics)."""


def smoothed(intensity: Float32[np.ndarray, "frame"]) -> Float32[np.ndarray, "frame"]:
    """Intensity under a 70 ms Hann window."""
    window = np.hanning(SMOOTH + 2)[1:-1]
    return np.asarray(convolve1d(intensity, window / window.sum(), mode="nearest"), np.float32)


def pause_frames(
    intensity: Float32[np.ndarray, "frame"], hz: Float32[np.ndarray, "frame"], speech: Bool[np.ndarray, "frame"]
) -> Bool[np.ndarray, "frame"]:
    """True in silences of at least 0.25 s between two stretches of speech.

    Silent is what voice activity leaves out, and within its spans what is unvoiced and 25 dB below the voice:
    the network answers late and bridges short gaps.
    """
    talking = speech & ~((smoothed(intensity) < _quiet(intensity, speech)) & (hz == 0))
    paused = np.zeros(len(speech), bool)
    stretches = runs(talking)
    for end, start in zip(stretches[:-1, 1], stretches[1:, 0], strict=True):
        if (start - end) * STEP >= SHORTEST_PAUSE:
            paused[end:start] = True
    return paused


def syllable_nuclei(
    intensity: Float32[np.ndarray, "frame"], hz: Float32[np.ndarray, "frame"], speech: Bool[np.ndarray, "frame"]
) -> Bool[np.ndarray, "frame"]:
    """True at the loudest frame of each syllable."""
    level = smoothed(intensity)
    nucleus = np.zeros(len(level), bool)
    nucleus[_peaks(level)] = True
    voiced = binary_dilation(hz > 0, iterations=2)
    return np.asarray(nucleus & voiced & speech & (level > _quiet(intensity, speech)))


def _peaks(level: Float32[np.ndarray, "frame"]) -> list[int]:
    """Maxima from which the level falls by the dip before it rises by the dip again."""
    if len(level) < 3:
        return []
    turns = np.flatnonzero(np.diff(np.sign(np.diff(level)))) + 1
    peaks, rising, best = [], True, 0
    for i in [*turns.tolist(), len(level) - 1]:
        higher = level[i] > level[best]
        if higher == rising:
            best = i
        elif abs(level[i] - level[best]) >= DIP_DB:
            if rising:
                peaks.append(best)
            rising, best = not rising, i
    return peaks


def _quiet(intensity: Float32[np.ndarray, "frame"], speech: Bool[np.ndarray, "frame"]) -> Float32[np.ndarray, "frame"]:
    """The level 25 dB below the loudest speech within 15 s."""
    voice = np.where(speech, smoothed(intensity), FLOOR_DB)
    if len(voice) == 0:
        return intensity
    loudest = maximum_filter1d(voice, 2 * round(NEAR / STEP) + 1, mode="nearest")
    return np.asarray(loudest - QUIET_DB, np.float32)
