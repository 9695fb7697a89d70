"""Berlin EmoDB, four categories: actors say everyday German sentences; the label stands in the file name.

Source: Burkhardt et al. 2005, "A database of German emotional speech", http://emodb.bilderbar.info (free for
research, with attribution). Name: speaker (two digits), sentence, sixth letter the emotion, version.
emer uses 266 utterances of 8 speakers: those of anger (Wut), happiness (Freude), neutral and sadness (Trauer)
that the shared subset holds. Speakers 03, 10, 11 and 12 are men, 08, 09, 13 and 14 women.
"""

from collections import Counter
from collections.abc import Mapping
from pathlib import Path

from emer.data.rows import Row, existing, refuse, some
from emer.types import Annotation, Clip

SOURCE = "Berlin EmoDB (Burkhardt et al. 2005)"
LICENCE = "EmoDB terms: free for research, with attribution"
FOLDER = "clips/emodb"
ENDINGS = (".flac", ".wav")
LABELS: Mapping[str, str] = {"N": "neutral", "F": "happiness", "T": "sadness", "W": "anger"}
SPEAKERS: Mapping[str, int] = {"03": 39, "08": 42, "09": 30, "10": 21, "11": 35, "12": 22, "13": 36, "14": 41}
"""Utterances per speaker."""


def clips(folder: str | Path) -> tuple[Row, ...]:
    """All 266 utterances, sorted by id (the file name without its ending). Labels are those of `emodb4`.

    `folder` holds `clips/emodb/*.flac` (or .wav). Raises ConfigError that names what is missing or odd.
    """
    place = existing(folder, FOLDER, f"the recordings of {SOURCE}")
    files = {path.stem: path for path in sorted(place.iterdir()) if path.suffix.lower() in ENDINGS}
    odd = [name for name in files if not _fits(name)]
    mistakes = [f"{len(odd)} names have no known speaker and emotion ({some(odd)}); take them out"] if odd else []
    found = Counter(name[:2] for name in files)
    mistakes += [
        f"speaker {speaker} has {found[speaker]} utterances instead of {count}"
        for speaker, count in SPEAKERS.items()
        if found[speaker] != count
    ]
    refuse(mistakes, f"{place} is not the set that emer's splits are made for")
    return tuple(_row(files[name]) for name in sorted(files))


def _fits(name: str) -> bool:
    return len(name) == 7 and name[:2] in SPEAKERS and name[5] in LABELS


def _row(path: Path) -> Row:
    return Row(path.stem, Clip(str(path)), Annotation((LABELS[path.stem[5]],)), speaker=path.stem[:2])
