"""RAVDESS speech: actors say two sentences with eight emotions; the label stands in the file name.

Source: Livingstone and Russo 2018, https://doi.org/10.5281/zenodo.1188976 (licence CC BY-NC-SA 4.0).
Name: modality-channel-emotion-intensity-sentence-repetition-actor; neutral has no strong intensity. emer's splits
are made for actors 01 to 20, 60 utterances each; odd actors are men, even ones women.

`read` takes the archives as the owners pack them: `Audio_Speech_Actors_01-24.zip` has `Actor_01/03-01-….wav` (1,440
files), each `Video_Speech_Actor_01.zip` has `Actor_01/01-01-….mp4` with sound and `02-01-….mp4` without, which is left
aside. Where both are there, the videos are read. Songs (channel 02) are another part of the corpus and no rows.
`clips` takes the 1,200 recordings, all of them, that heads were trained on.
"""

import re
from collections.abc import Mapping, Sequence
from itertools import product
from pathlib import Path

from emer.data.dataset import About
from emer.data.released import parts_by_speaker
from emer.data.rows import Part, Row, existing, refuse, some
from emer.emotions import label_set
from emer.errors import ConfigError
from emer.types import Annotation, Clip

SOURCE = "RAVDESS speech (Livingstone and Russo 2018)"
LICENCE = "CC BY-NC-SA 4.0"
FOLDER = "clips/ravdess_speech"
ENDINGS = (".flac", ".wav")
VIDEO = ".mp4"
SPEAKERS = tuple(f"actor{number:02d}" for number in range(1, 21))
ALL_SPEAKERS = tuple(f"actor{number:02d}" for number in range(1, 25))
SENTENCES: Mapping[str, str] = {"01": "Kids are talking by the door", "02": "Dogs are sitting by the door"}
AUDIO_VISUAL, AUDIO = "01", "03"
"""The first number of a name; 02 is the picture alone."""
SPEECH = re.compile(r"0[13]-01(-\d\d){5}")
ABOUT = About(
    name="ravdess",
    title="RAVDESS, the speech of 24 actors",
    source="Livingstone and Russo 2018, PLoS ONE 13(5) e0196391, https://doi.org/10.5281/zenodo.1188976",
    licence=LICENCE,
    metric="war_uar",
    label_set="emer8",
    language="en",
    verified=True,
    note="acted: two sentences in eight manners; the parts are emer's own, by actor, and actors 21 to 24 are in none",
)
LABELS: Mapping[str, str] = {f"{place:02d}": label for place, label in enumerate(label_set("emer8"), start=1)}


def read(folder: Path) -> tuple[Row, ...]:
    """The 1,440 utterances of the release, sorted by id; the 1,200 of actors 01 to 20 where `folder` holds
    `clips/ravdess_speech`. Labels are those of `emer8`; the parts are those of `configs/splits/ravdess.json`.

    A recording that is not there is a row all the same. Raises ConfigError when there is none, or one of an unknown
    actor, emotion or sentence.
    """
    shared = folder / FOLDER
    place, speakers = (shared, SPEAKERS) if shared.is_dir() else (folder, ALL_SPEAKERS)
    found = [path for path in sorted(place.rglob("*")) if SPEECH.fullmatch(path.stem) and _is_speech(path)]
    if not found:
        raise ConfigError(f"{place} has no Actor_01/03-01-….wav or 01-01-….mp4; unpack the archives of {SOURCE} there")
    shown = AUDIO_VISUAL if any(path.suffix.lower() == VIDEO for path in found) else AUDIO
    files = {path.stem: path for path in reversed(found) if path.stem.startswith(shown)}
    expected = names(speakers, shown)
    odd = sorted(set(files) - set(expected))
    refuse([f"{some(odd)} ({len(odd)} in all)"] if odd else [], f"{place} has names that RAVDESS speech does not have")
    ending = VIDEO if shown == AUDIO_VISUAL else ".wav"
    parts = parts_by_speaker("ravdess")
    return tuple(
        _full_row(files.get(name, place / f"Actor_{name[-2:]}" / f"{name}{ending}"), parts) for name in expected
    )


def _is_speech(path: Path) -> bool:
    """Sound of its own for 03, a video with sound for 01."""
    return path.suffix.lower() in ((VIDEO,) if path.stem.startswith(AUDIO_VISUAL) else ENDINGS)


def _full_row(path: Path, parts: Mapping[str, Part]) -> Row:
    codes = path.stem.split("-")
    speaker = f"actor{codes[6]}"
    return Row(
        path.stem,
        Clip(str(path), said=SENTENCES[codes[4]]),
        Annotation((LABELS[codes[2]],)),
        speaker=speaker,
        part=parts.get(speaker),
        language="en",
    )


# ---------------------------------------------------------------- what heads are trained on


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


def names(speakers: Sequence[str] = SPEAKERS, shown: str = AUDIO) -> tuple[str, ...]:
    """The 1,200 names that the design of the corpus gives: 20 actors × (7 × 2 + 1) × 2 sentences × 2 repetitions."""
    styles = [pair for pair in product(LABELS, ("01", "02")) if pair != ("01", "02")]
    return tuple(
        sorted(
            f"{shown}-01-{emotion}-{intensity}-{sentence}-{repetition}-{speaker.removeprefix('actor')}"
            for (emotion, intensity), sentence, repetition, speaker in product(
                styles, SENTENCES, ("01", "02"), speakers
            )
        )
    )


def _row(path: Path) -> Row:
    codes = path.stem.split("-")
    return Row(path.stem, Clip(str(path)), Annotation((LABELS[codes[2]],)), speaker=f"actor{codes[6]}")
