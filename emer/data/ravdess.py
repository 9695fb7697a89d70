"""RAVDESS speech: actors say two sentences with eight emotions; the label stands in the file name.

Source: Livingstone and Russo 2018, https://doi.org/10.5281/zenodo.1188976 (licence CC BY-NC-SA 4.0).
Name: modality-channel-emotion-intensity-sentence-repetition-actor; neutral has no strong intensity. emer's splits
are made for actors 01 to 20, 60 utterances each; odd actors are men, even ones women.
"""

from collections.abc import Mapping
from itertools import product
from pathlib import Path

from emer.data.rows import Row, existing, refuse, some
from emer.emotions import label_set
from emer.types import Annotation, Clip

SOURCE = "RAVDESS speech (Livingstone and Russo 2018)"
LICENCE = "CC BY-NC-SA 4.0"
FOLDER = "clips/ravdess_speech"
ENDINGS = (".flac", ".wav")
SPEAKERS = tuple(f"actor{number:02d}" for number in range(1, 21))
LABELS: Mapping[str, str] = {f"{place:02d}": label for place, label in enumerate(label_set("emer8"), start=1)}


def clips(folder: str | Path) -> tuple[Row, ...]:
    """All 1,200 utterances, sorted by id (the file name without its ending). Labels are those of `emer8`.

    `folder` holds `clips/ravdess_speech/*.flac` (or .wav). Raises ConfigError that names what is missing or odd.
    """
    place = existing(folder, FOLDER, f"the recordings of {SOURCE}")
    files = {path.stem: path for path in sorted(place.iterdir()) if path.suffix.lower() in ENDINGS}
    expected = names()
    mistakes = []
    if missing := [name for name in expected if name not in files]:
        mistakes.append(f"{len(missing)} of {len(expected)} recordings are missing ({some(missing)})")
    if odd := sorted(set(files) - set(expected)):
        mistakes.append(f"{len(odd)} are not speech of actors 01 to 20 ({some(odd)}); take them out")
    refuse(mistakes, f"{place} is not the set that emer's splits are made for")
    return tuple(_row(files[name]) for name in expected)


def names() -> tuple[str, ...]:
    """The 1,200 names that the design of the corpus gives: 20 actors × (7 × 2 + 1) × 2 sentences × 2 repetitions."""
    styles = [pair for pair in product(LABELS, ("01", "02")) if pair != ("01", "02")]
    return tuple(
        sorted(
            f"03-01-{emotion}-{intensity}-{sentence}-{repetition}-{speaker.removeprefix('actor')}"
            for (emotion, intensity), sentence, repetition, speaker in product(
                styles, ("01", "02"), ("01", "02"), SPEAKERS
            )
        )
    )


def _row(path: Path) -> Row:
    codes = path.stem.split("-")
    return Row(path.stem, Clip(str(path)), Annotation((LABELS[codes[2]],)), speaker=f"actor{codes[6]}")
