"""Hints on real voices: the training speakers of RAVDESS (actors 01 to 12), never others."""

from pathlib import Path

import numpy as np
import pytest

from emer.clues.audio import AudioClues
from emer.clues.listening import Listening
from emer.clues.voice_activity import detect
from emer.evidence import opinion as op
from emer.evidence.hints import affect, hint
from emer.media import open as open_media
from emer.types import Clip, Features

# silero-vad ships a TorchScript model, which newer releases of torch load with a warning
pytestmark = pytest.mark.filterwarnings("ignore:.torch.jit.load. is deprecated:DeprecationWarning")

EMOTIONS = {"calm": "02", "sad": "04", "angry": "05"}


def voices(real_data: Path, emotion: str) -> list[Features]:
    """One strong portrayal of each actor, first sentence, first repetition."""
    folder = real_data / "clips" / "ravdess_speech"
    found = []
    for actor in range(1, 13):
        media = open_media(Clip(str(folder / f"03-01-{EMOTIONS[emotion]}-02-01-01-{actor:02d}.flac")))
        found.append(AudioClues().extract(media, Listening(detect(media))).features)
    return found


def arousals(features: list[Features]) -> np.ndarray:
    """Arousal of the voices that were heard: in about one recording of a hundred no speech is found."""
    told = [affect({"audio": one}).arousal for one in features]
    known = np.array([arousal for arousal in told if arousal is not None])
    assert len(known) >= 10
    return known


def test_acted_anger_sounds_more_aroused_than_sadness_and_calm(real_data: Path) -> None:
    """The sign that all reviews agree on (Banse & Scherer 1996; Juslin & Laukka 2003), in most pairs of speakers."""
    angry, sad, calm = (arousals(voices(real_data, emotion)) for emotion in ("angry", "sad", "calm"))
    for quiet in (sad, calm):
        assert np.mean(angry[:, None] > quiet[None]) > 0.75
    assert np.mean(angry) > 0.3


def test_hints_from_real_voices_stay_hints(real_data: Path) -> None:
    opinions = [hint(features) for features in voices(real_data, "angry")]
    assert all(op.uncertainty(opinion) >= 0.8 for opinion in opinions)
    assert sum(opinion.labels[int(np.argmax(opinion.evidence))] == "angry" for opinion in opinions) >= 6
