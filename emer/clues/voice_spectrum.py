"""The spectrum of a voice as low-rate curves: mel bands, and shapes that tell a pressed voice from a soft one.

Mel bands after S. Davis and P. Mermelstein (1980), IEEE Trans. ASSP 28, 357-366. The shapes are those that F. Eyben
et al. (2016), "The Geneva minimalistic acoustic parameter set (GeMAPS)", IEEE Trans. Affective Computing 7, 190-202,
take for emotion, with entropy, flatness and roll-off beside them.
"""

from dataclasses import dataclass
from functools import cache

import numpy as np
from jaxtyping import Float16, Float32, Float64
from scipy.fft import dct, irfft

from emer.clues.frames import FFT
from emer.types import SAMPLE_RATE

BANDS = 26
CEPSTRA = 14
LOWEST, HIGHEST = 50.0, 8000.0
"""Hz between which the mel bands lie."""
FLOOR = 1e-12
"""Power that is added to each band, so that silence has a logarithm: -120 dB."""
BIN_FLOOR = 1e-7
"""Share of a frame's mean power below which a single bin tells nothing; relative, so that gain changes no shape."""
LPC_TO = 5000.0
"""Hz up to which the vocal tract is modelled; the spectrum is taken as if sampled at twice that."""
LPC_ORDER = 10
"""Two poles per formant below 5 kHz (J. Markel and A. Gray (1976), Linear Prediction of Speech)."""
WIDEST = 500.0
"""Hz of bandwidth above which a pole is no formant."""
HERTZ = np.arange(FFT // 2 + 1, dtype=np.float32) * np.float32(SAMPLE_RATE / FFT)

BALANCE = (
    "alpha_ratio_db",  # power below 1 kHz over that from 1 to 5 kHz
    "hammarberg_db",  # highest peak below 2 kHz over that from 2 to 5 kHz
    "slope_0_500_db_khz",
    "slope_500_1500_db_khz",
    "below_250_db",  # share of all power
    "below_650_db",
    "above_4k_db",
    "rolloff_oct",  # octaves above 1 Hz below which 85 % of the power lies
    "entropy_nat",
    "flatness_db",  # geometric over arithmetic mean, 300 Hz to 5 kHz
)
HARMONICS = ("h1_h2_db", "h1_h3_db", "h2_h4_db", "h1_a1_db", "h1_a2_db", "h1_a3_db")
"""Level of the first harmonic over the second and third, of the second over the fourth, of the first over formants."""
FORMANTS = ("formant1_hz", "formant2_hz", "formant3_hz")
SHAPES = (*BALANCE, *HARMONICS, *FORMANTS)


@dataclass(frozen=True, slots=True)
class Spectra:
    """Two numbers of half precision per curve and frame of 10 ms: 9 kB per second of sound."""

    mel_db: Float16[np.ndarray, "frame band=26"]
    """Power density in each mel band."""
    shape: Float16[np.ndarray, "frame shape=19"]
    """In the order of `SHAPES`; harmonics and formants are NaN where unvoiced."""

    def part(self, rows: slice) -> "Spectra":
        return Spectra(self.mel_db[rows], self.shape[rows])


def unmeasured(frames: int) -> Spectra:
    """Spectra of sound that was never heard."""
    shape = np.full((frames, len(SHAPES)), np.nan, np.float16)
    return Spectra(np.full((frames, BANDS), np.nan, np.float16), shape)


def joined(parts: list[Spectra]) -> Spectra:
    """Spectra that follow each other as one."""
    parts = parts or [unmeasured(0)]
    return Spectra(np.concatenate([p.mel_db for p in parts]), np.concatenate([p.shape for p in parts]))


def spectra_of(power: Float32[np.ndarray, "frame bin=513"], hz: Float32[np.ndarray, "frame"]) -> Spectra:
    """Both kinds of curve from power spectra and pitch (0 where unvoiced), a few frames at a time."""
    chunks = [slice(start, start + 512) for start in range(0, len(power), 512)]
    shape = [_shapes(power[rows], hz[rows]) for rows in chunks]
    return joined([Spectra(log_mel(power[r]).astype(np.float16), s) for r, s in zip(chunks, shape, strict=True)])


# ---------------------------------------------------------------- mel bands and cepstra


@cache
def mel_bank() -> Float32[np.ndarray, "bin=513 band=26"]:
    """Triangles of equal area, equally wide on the mel scale 2595 log10(1 + f / 700)."""
    low, high = (2595 * np.log10(1 + f / 700) for f in (LOWEST, HIGHEST))
    edge = 700 * (10 ** (np.linspace(low, high, BANDS + 2) / 2595) - 1)
    begin, top, end = edge[:-2], edge[1:-1], edge[2:]
    rising = (HERTZ[:, None] - begin) / (top - begin)
    falling = (end - HERTZ[:, None]) / (end - top)
    return np.asarray(np.maximum(0, np.minimum(rising, falling)) * 2 / (end - begin), np.float32)


def log_mel(power: Float32[np.ndarray, "frame bin=513"]) -> Float32[np.ndarray, "frame band=26"]:
    """Power density of each mel band in dB."""
    return np.asarray(10 * np.log10(power @ mel_bank() + FLOOR), np.float32)


def cepstra(mel_db: Float32[np.ndarray, "frame band=26"]) -> Float32[np.ndarray, "frame cepstrum=14"]:
    """The first 14 coefficients of the orthonormal cosine transform of band levels in dB; the first is the level."""
    return np.asarray(dct(mel_db, norm="ortho", axis=1)[:, :CEPSTRA], np.float32)


def deltas(curve: Float32[np.ndarray, "frame column"]) -> Float32[np.ndarray, "frame column"]:
    """Slope per frame of a line through five frames; the ends are held."""
    held = np.pad(curve, ((2, 2), (0, 0)), mode="edge")
    return np.asarray((2 * (held[4:] - held[:-4]) + held[3:-1] - held[1:-3]) / 10, np.float32)


# ---------------------------------------------------------------- shapes


def _shapes(power: Float32[np.ndarray, "frame bin"], hz: Float32[np.ndarray, "frame"]) -> Float16[np.ndarray, "_ _"]:
    floor = BIN_FLOOR * power.mean(axis=1, keepdims=True) + FLOOR
    kept = power + floor
    level = 10 * np.log10(kept)
    found = np.full((len(power), len(SHAPES)), np.nan, np.float32)
    found[:, : len(BALANCE)] = _balance(kept, level)
    voiced = hz > 0
    if voiced.any():
        formant = formants(kept[voiced])
        found[voiced, len(BALANCE) : -len(FORMANTS)] = _harmonics(level[voiced], hz[voiced], formant)
        found[voiced, -len(FORMANTS) :] = formant
    return found.astype(np.float16)


def _between(low: float, high: float) -> slice:
    return slice(int(np.searchsorted(HERTZ, low)), int(np.searchsorted(HERTZ, high)))


def _balance(
    power: Float32[np.ndarray, "frame bin"], level: Float32[np.ndarray, "frame bin"]
) -> Float32[np.ndarray, "frame balance"]:
    whole = power.sum(axis=1)
    share = power / whole[:, None]

    def db(low: float, high: float) -> Float32[np.ndarray, "frame"]:
        return np.asarray(10 * np.log10(share[:, _between(low, high)].sum(axis=1) + 1e-9))

    rolloff = HERTZ[np.minimum((np.cumsum(share, axis=1) < 0.85).sum(axis=1), len(HERTZ) - 1)]
    speech = _between(300, 5000)
    columns = (
        db(50, 1000) - db(1000, 5000),
        level[:, _between(0, 2000)].max(axis=1) - level[:, _between(2000, 5000)].max(axis=1),
        _slope(level, _between(0, 500)),
        _slope(level, _between(500, 1500)),
        db(0, 250),
        db(0, 650),
        db(4000, 8001),
        np.log2(np.maximum(rolloff, HERTZ[1])),
        -(share * np.log(share)).sum(axis=1),
        level[:, speech].mean(axis=1) - 10 * np.log10(power[:, speech].mean(axis=1)),
    )
    return np.stack(columns, axis=1).astype(np.float32)


def _slope(level: Float32[np.ndarray, "frame bin"], bins: slice) -> Float32[np.ndarray, "frame"]:
    """Least-squares slope in dB per kHz."""
    khz = HERTZ[bins] / 1000
    centred = khz - khz.mean()
    return np.asarray(level[:, bins] @ (centred / (centred**2).sum()), np.float32)


def _harmonics(
    level: Float32[np.ndarray, "frame bin"], hz: Float32[np.ndarray, "frame"], formant: Float32[np.ndarray, "frame n"]
) -> Float32[np.ndarray, "frame harmonic=6"]:
    h1, h2, h3, h4 = (_peak(level, k * hz) for k in (1, 2, 3, 4))
    above = [h1 - _peak(level, formant[:, k]) for k in range(len(FORMANTS))]
    return np.stack([h1 - h2, h1 - h3, h2 - h4, *above], axis=1)


def _peak(level: Float32[np.ndarray, "frame bin"], hz: Float32[np.ndarray, "frame"]) -> Float32[np.ndarray, "frame"]:
    """The highest level within two bins (31 Hz) of a frequency; NaN where that is unknown."""
    known = np.isfinite(hz)
    middle = np.clip(np.rint(np.where(known, hz, 0) / HERTZ[1]).astype(int), 2, len(HERTZ) - 3)
    near = middle[:, None] + np.arange(-2, 3)
    return np.where(known, np.take_along_axis(level, near, axis=1).max(axis=1), np.nan).astype(np.float32)


# ---------------------------------------------------------------- linear prediction


def formants(power: Float32[np.ndarray, "frame bin"]) -> Float32[np.ndarray, "frame formant=3"]:
    """Hz of the three lowest narrow poles below 5 kHz, after pre-emphasis; NaN where a frame has fewer."""
    bins = int(LPC_TO / HERTZ[1]) + 1
    weight = 1 + 0.97**2 - 2 * 0.97 * np.cos(2 * np.pi * HERTZ[:bins].astype(np.float64) / SAMPLE_RATE)
    own = irfft(power[:, :bins] * weight, 2 * (bins - 1), axis=1)[:, : LPC_ORDER + 1]
    predictor = _levinson(own / own[:, :1])
    companion = np.zeros((len(power), LPC_ORDER, LPC_ORDER))
    companion[:, 0] = -predictor[:, 1:]
    companion[:, np.arange(1, LPC_ORDER), np.arange(LPC_ORDER - 1)] = 1
    pole = np.linalg.eigvals(companion)
    rate = 2 * LPC_TO
    hz = np.angle(pole) * rate / (2 * np.pi)
    width = -np.log(np.maximum(np.abs(pole), 1e-9)) * rate / np.pi
    narrow = (hz > 90) & (hz < 4900) & (width < WIDEST)
    lowest = np.sort(np.where(narrow, hz, np.inf), axis=1)[:, : len(FORMANTS)]
    return np.where(np.isfinite(lowest), lowest, np.nan).astype(np.float32)


def _levinson(own: Float64[np.ndarray, "frame lag"]) -> Float64[np.ndarray, "frame lag"]:
    """Prediction polynomials 1 + a1 z^-1 + … of normalised autocorrelations, by Levinson's recursion."""
    error = own[:, 0] * (1 + 1e-4)  # a little white noise keeps the recursion stable
    found = np.zeros_like(own)
    found[:, 0] = 1
    for order in range(1, own.shape[1]):
        reflection = -(found[:, :order] * own[:, order:0:-1]).sum(axis=1) / error
        found[:, 1 : order + 1] += reflection[:, None] * found[:, :order][:, ::-1]
        error = error * (1 - reflection**2)
    return found
