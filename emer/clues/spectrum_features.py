"""What the spectrum of a voice is like over a stretch: statistics of mel bands, cepstra and shapes.

All levels are relative to the voice of the same stretch, so that the gain of a recording changes nothing.
"""

import numpy as np
from jaxtyping import Bool, Float, Float32, Float64

from emer.clues.prosody import Voice
from emer.clues.voice_spectrum import (
    BALANCE,
    BANDS,
    CEPSTRA,
    FORMANTS,
    HARMONICS,
    SHAPES,
    cepstra,
    deltas,
)

DEEPEST = -60.0
"""dB below the mean power of the voice's bands at which bands are cut: beneath lies the recording, not the voice."""
LEAST = 10
"""Frames below which a statistic is not taken."""
CURVES = (*BALANCE, "flux_db", "tilt_db_oct", "hnr_db", "centroid_oct")
IN_CONSONANTS = ("alpha_ratio_db", "rolloff_oct", "flatness_db", "flux_db")


def _numbered(kind: str, first: int, count: int) -> tuple[str, ...]:
    return tuple(f"{kind}_{i:02d}" for i in range(first, count))


NAMES = (
    *_numbered("mel_mean_db", 0, BANDS),
    *_numbered("mel_sd_db", 0, BANDS),
    *_numbered("mfcc_mean", 1, CEPSTRA),
    *_numbered("mfcc_sd", 0, CEPSTRA),
    *_numbered("mfcc_p20", 1, CEPSTRA),
    *_numbered("mfcc_p80", 1, CEPSTRA),
    *_numbered("mfcc_unvoiced_mean", 1, CEPSTRA),
    *_numbered("mfcc_delta_sd", 0, CEPSTRA),
    *_numbered("mfcc_delta_speech_sd", 0, CEPSTRA),
    *(f"{curve}_{kind}" for curve in CURVES for kind in ("mean", "sd", "p10", "p90")),
    *(f"{curve}_unvoiced_mean" for curve in IN_CONSONANTS),
    *(f"{shape}_{kind}" for shape in HARMONICS for kind in ("mean", "sd")),
    *(f"{shape}_{kind}" for shape in FORMANTS for kind in ("median", "iqr", "p90")),
    *(f"{curve}_{kind}" for curve in ("jitter", "shimmer") for kind in ("median", "sd", "p90")),
)


def spectrum_features(voice: Voice) -> dict[str, float]:
    """Those of `NAMES` that could be measured. Needs voiced frames; consonants are speech without pitch or pause."""
    voiced, spoken = voice.voiced, voice.spoken
    mel = relative_mel(voice)
    return (
        _columns("mel_mean_db", mel[voiced].mean(axis=0))
        | _columns("mel_sd_db", mel[voiced].std(axis=0))
        | _cepstral(mel, voiced, spoken)
        | _shaped(voice, mel, voiced, spoken & ~voiced)
        | _periodic(voice, voiced)
    )


def relative_mel(voice: Voice) -> Float32[np.ndarray, "frame band"]:
    """Band levels in dB relative to the mean power density of the voiced frames, cut at -60 dB."""
    mel = voice.spectra.mel_db.astype(np.float32)
    usual = 10 * np.log10(np.mean(10 ** (mel[voice.voiced].astype(np.float64) / 10)))
    return np.asarray(np.maximum(mel - np.float32(usual), DEEPEST), np.float32)


def _columns(kind: str, values: Float[np.ndarray, "column"], first: int = 0) -> dict[str, float]:
    """Named numbers of columns, the first of which is column `first`."""
    return {f"{kind}_{i:02d}": float(value) for i, value in enumerate(values, start=first)}


def _cepstral(
    mel: Float32[np.ndarray, "frame band"], voiced: Bool[np.ndarray, "frame"], spoken: Bool[np.ndarray, "frame"]
) -> dict[str, float]:
    of_all = cepstra(mel)
    change = deltas(of_all)
    low, high = np.percentile(of_all[voiced, 1:], [20, 80], axis=0)
    found = (
        _columns("mfcc_mean", of_all[voiced, 1:].mean(axis=0), 1)
        | _columns("mfcc_sd", of_all[voiced].std(axis=0))
        | _columns("mfcc_p20", low, 1)
        | _columns("mfcc_p80", high, 1)
        | _columns("mfcc_delta_sd", change[voiced].std(axis=0))
        | _columns("mfcc_delta_speech_sd", change[spoken].std(axis=0))
    )
    if (consonants := spoken & ~voiced).sum() >= LEAST:
        found |= _columns("mfcc_unvoiced_mean", of_all[consonants, 1:].mean(axis=0), 1)
    return found


def _shaped(
    voice: Voice,
    mel: Float32[np.ndarray, "frame band"],
    voiced: Bool[np.ndarray, "frame"],
    consonants: Bool[np.ndarray, "frame"],
) -> dict[str, float]:
    shape = dict(zip(SHAPES, voice.spectra.shape.T, strict=True))
    curves = {name: shape[name].astype(np.float64) for name in BALANCE}
    curves["flux_db"] = np.sqrt((np.diff(mel, axis=0, prepend=mel[:1]) ** 2).mean(axis=1)).astype(np.float64)
    curves["tilt_db_oct"] = voice.curves.tilt.astype(np.float64)
    curves["hnr_db"] = voice.curves.hnr_db.astype(np.float64)
    curves["centroid_oct"] = np.log2(np.maximum(voice.curves.centroid_hz.astype(np.float64), 50.0))
    found: dict[str, float] = {}
    for name, curve in curves.items():
        known = _known(curve[voiced])
        if len(known) >= LEAST:
            low, high = np.percentile(known, [10, 90])
            found |= {f"{name}_mean": known.mean(), f"{name}_sd": known.std(), f"{name}_p10": low, f"{name}_p90": high}
    if consonants.sum() >= LEAST:
        found |= {f"{name}_unvoiced_mean": curves[name][consonants].mean() for name in IN_CONSONANTS}
    for name in HARMONICS:
        if len(known := _known(shape[name][voiced].astype(np.float64))) >= LEAST:
            found |= {f"{name}_mean": known.mean(), f"{name}_sd": known.std()}
    for name in FORMANTS:
        if len(known := _known(shape[name][voiced].astype(np.float64))) >= LEAST:
            low, middle, high, highest = np.percentile(known, [25, 50, 75, 90])
            found |= {f"{name}_median": middle, f"{name}_iqr": high - low, f"{name}_p90": highest}
    return {name: float(value) for name, value in found.items()}


def _periodic(voice: Voice, voiced: Bool[np.ndarray, "frame"]) -> dict[str, float]:
    found: dict[str, float] = {}
    for name, curve in (("jitter", voice.curves.jitter), ("shimmer", voice.curves.shimmer)):
        if len(known := _known(curve[voiced].astype(np.float64))) >= LEAST:
            middle, high = np.percentile(known, [50, 90])
            found |= {f"{name}_median": float(middle), f"{name}_sd": float(known.std()), f"{name}_p90": float(high)}
    return found


def _known(values: Float64[np.ndarray, "frame"]) -> Float64[np.ndarray, "known"]:
    return np.asarray(values[np.isfinite(values)])
