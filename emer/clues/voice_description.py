"""All numbers by which a voice is described: the 21 that have names in sentences, then spectrum and course."""

from emer.clues import course_features, spectrum_features, voice_features
from emer.clues.prosody import Voice
from emer.clues.voice_features import LEAST_VOICED, features_of, named
from emer.types import Features

NAMES = (*voice_features.NAMES, *spectrum_features.NAMES, *course_features.NAMES)


def describe(voice: Voice, version: str) -> Features:
    """Features of a clip or of a stretch of it. With less than 0.2 s of voice, all but the first 21 are masked."""
    first = features_of(voice, version)
    measured = {name: value for name, value, known in zip(first.names, first.values, first.mask, strict=True) if known}
    if voice.voiced.sum() >= LEAST_VOICED:
        measured |= spectrum_features.spectrum_features(voice) | course_features.course_features(voice)
    return named(measured, NAMES, version)
