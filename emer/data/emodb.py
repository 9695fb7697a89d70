"""Berlin EmoDB: actors say everyday German sentences; the label stands in the file name.

Source: Burkhardt et al. 2005, "A database of German emotional speech", http://emodb.bilderbar.info (free for
research, with attribution). Name: speaker (two digits), sentence, sixth letter the emotion, version.
`read` takes the release: `wav/03a01Fa.wav`, 535 utterances of ten speakers with seven emotions.
`clips` takes the 266 utterances of 8 speakers that heads were trained on: those of anger (Wut), happiness (Freude),
neutral and sadness (Trauer) in the shared subset. Speakers 03, 10, 11, 12 and 15 are men, the others women.
"""

import logging
import re
from collections import Counter
from collections.abc import Mapping
from pathlib import Path

from emer.data.dataset import About
from emer.data.released import parts_by_speaker
from emer.data.rows import Part, Row, existing, refuse, some
from emer.errors import ConfigError
from emer.types import Annotation, Clip

logger = logging.getLogger("emer")

SOURCE = "Berlin EmoDB (Burkhardt et al. 2005)"
LICENCE = "EmoDB terms: free for research, with attribution"
FOLDER = "clips/emodb"
ENDINGS = (".flac", ".wav")
LABELS: Mapping[str, str] = {"N": "neutral", "F": "happiness", "T": "sadness", "W": "anger"}
SPEAKERS: Mapping[str, int] = {"03": 39, "08": 42, "09": 30, "10": 21, "11": 35, "12": 22, "13": 36, "14": 41}
"""Utterances per speaker."""
ALL_LABELS: Mapping[str, str] = {**LABELS, "A": "fear", "E": "disgust", "L": "boredom"}
"""Wut, Langeweile, Ekel, Angst, Freude, Trauer, neutral."""
ALL_SPEAKERS = (*SPEAKERS, "15", "16")
UTTERANCES = 535
SENTENCES: Mapping[str, str] = {
    "a01": "Der Lappen liegt auf dem Eisschrank.",
    "a02": "Das will sie am Mittwoch abgeben.",
    "a04": "Heute abend könnte ich es ihm sagen.",
    "a05": "Das schwarze Stück Papier befindet sich da oben neben dem Holzstück.",
    "a07": "In sieben Stunden wird es soweit sein.",
    "b01": "Was sind denn das für Tüten, die da unter dem Tisch stehen?",
    "b02": "Sie haben es gerade hochgetragen und jetzt gehen sie wieder runter.",
    "b03": "An den Wochenenden bin ich jetzt immer nach Hause gefahren und habe Agnes besucht.",
    "b09": "Ich will das eben wegbringen und dann mit Karl was trinken gehen.",
    "b10": "Die wird auf dem Platz sein, wo wir sie immer hinlegen.",
}
"""The ten sentences of the corpus (Burkhardt et al. 2005, Table 1)."""
NAME = re.compile(r"\d\d[ab]\d\d[A-Z][a-z]?")
ABOUT = About(
    name="emodb",
    title="Berlin EmoDB",
    source="Burkhardt et al. 2005, Interspeech, http://emodb.bilderbar.info",
    licence=LICENCE,
    metric="war_uar",
    label_set="emodb7",
    language="de",
    verified=True,
    note="acted; held against a subset of 266 files; the parts are emer's own, speakers 15 and 16 are in none",
)


def read(folder: Path) -> tuple[Row, ...]:
    """The utterances of the release, sorted by id; labels are those of `emodb7`.

    `folder` holds `wav/*.wav`, as unpacked, or the subset `clips/emodb/`. The release is known by its files alone, so
    nothing can be listed as missing; other counts than 535 are told in a warning. Raises ConfigError for names that do
    not fit.
    """
    places = [place for place in (folder / FOLDER, folder / "wav", folder) if place.is_dir()]
    files = {path.stem: path for path in sorted(places[0].iterdir()) if path.suffix.lower() in ENDINGS}
    named = {stem: path for stem, path in files.items() if NAME.fullmatch(stem)}
    if not named:
        raise ConfigError(f"{places[0]} has no recordings such as 03a01Fa.wav; unpack {SOURCE} there")
    odd = [stem for stem in files if stem not in named or not _is_known(stem)]
    mistakes = [f"{len(odd)} names have no known speaker, sentence and emotion ({some(odd)})"] if odd else []
    refuse(mistakes, f"{places[0]} is not EmoDB alone")
    if len(files) != UTTERANCES and places[0] != folder / FOLDER:
        logger.warning("%s has %d utterances of EmoDB instead of %d", places[0], len(files), UTTERANCES)
    parts = parts_by_speaker("emodb")
    return tuple(_full_row(path, parts) for path in files.values())


def _is_known(stem: str) -> bool:
    return stem[:2] in ALL_SPEAKERS and stem[2:5] in SENTENCES and stem[5] in ALL_LABELS


def _full_row(path: Path, parts: Mapping[str, Part]) -> Row:
    stem = path.stem
    return Row(
        stem,
        Clip(str(path), said=SENTENCES[stem[2:5]]),
        Annotation((ALL_LABELS[stem[5]],)),
        speaker=stem[:2],
        part=parts.get(stem[:2]),
        language="de",
    )


# ---------------------------------------------------------------- what heads are trained on


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
