"""A speaker's neutral voice, measured once, so that clues can say "for this person"."""

from pathlib import Path

import numpy as np

from emer.clues.audio import AudioClues
from emer.clues.listening import Listening
from emer.clues.voice_activity import detect
from emer.clues.voice_description import NAMES
from emer.errors import MediaError
from emer.media.suffixes import SOUND, VIDEO, suffix
from emer.types import Clip, Features


def measure(path: Path) -> Features:
    """Audio features of a neutral recording, or the median of each over all recordings in a folder.

    Raises MediaError when there is no recording, one cannot be read, or none holds enough speech.
    """
    recordings = _recordings(path)
    measured = [_features(recording) for recording in recordings]
    heard = [features for features in measured if features.get("f0_median_st") is not None]
    if not heard:
        raise MediaError(f"{path}: no speech to take as the speaker's neutral voice; give a recording of a few seconds")
    values = {name: [v for f in heard if (v := f.get(name)) is not None] for name in NAMES}
    return Features(
        view="audio",
        names=NAMES,
        values=tuple(float(np.median(values[name])) if values[name] else 0.0 for name in NAMES),
        mask=tuple(bool(values[name]) for name in NAMES),
        version=AudioClues.version,
    )


def _recordings(path: Path) -> list[Path]:
    if not path.is_dir():
        return [path]
    found = sorted(entry for entry in path.iterdir() if suffix(entry) in SOUND | VIDEO and entry.is_file())
    if not found:
        raise MediaError(f"{path}: no recording in this folder; put neutral recordings of the speaker there")
    return found


def _features(recording: Path) -> Features:
    from emer import media

    opened = media.open(Clip(str(recording)))
    if not opened.facts.has_audio:
        raise MediaError(f"{recording}: has no sound; a speaker baseline needs the speaker's voice")
    features = AudioClues().extract(opened, Listening(detect(opened))).features
    assert features is not None
    return features
