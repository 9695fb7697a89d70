"""M3ED: dialogues of two people in 56 Chinese television series, with emotions that may blend.

Source: Zhao et al. 2022, "M3ED: multi-modal multi-scene multi-label emotional dialogue database", ACL,
https://github.com/AIM3-RUC/RUCM3ED; for research. 990 dialogues, 24,449 utterances.

Layout: `annotation.json` (series → dialogue → `SpeakerInfo` and `Dialog`, in which each utterance has StartTime,
EndTime, Text, Speaker and EmoAnnotation with three annotators, `final_mul_emo`, comma-separated, and
`final_main_emo`), `splitInfo/movie_list_train.txt`, `…_val.txt` and `…_test.txt`, and the sound of each utterance
`modality_speech/A_anjia_1_1.wav` (speaker, then id). The videos are not passed on.

The seven words are those of `ekman7` in another spelling: Happy is joy, Sad is sadness.
"""

import json
from collections import Counter
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from emer.data.dataset import About
from emer.data.released import first_file, tell_counts
from emer.data.rows import Part, Row, existing, refuse, some
from emer.errors import ConfigError
from emer.types import Annotation, Clip

TABLE = "annotation.json"
LISTS: Mapping[Part, str] = {
    "train": "splitInfo/movie_list_train.txt",
    "validation": "splitInfo/movie_list_val.txt",
    "test": "splitInfo/movie_list_test.txt",
}
PARTS_OF_M3ED = {"train": 17_427, "validation": 2_821, "test": 4_201}
WORDS: Mapping[str, str] = {
    "neutral": "neutral",
    "anger": "anger",
    "disgust": "disgust",
    "fear": "fear",
    "happy": "joy",
    "sad": "sadness",
    "surprise": "surprise",
}
ABOUT = About(
    name="m3ed",
    title="M3ED, blended emotions in dialogues",
    source="Zhao et al. 2022, ACL, https://github.com/AIM3-RUC/RUCM3ED",
    licence="for research",
    metric="micro_f1",
    label_set="ekman7",
    language="zh",
    note="the release has the sound of utterances and no videos; 12 of its sound files are said to be empty",
)


def read(folder: Path) -> tuple[Row, ...]:
    """All utterances by series, dialogue and turn; labels of `ekman7`, several where emotions blend, main one first.

    Votes are what the three annotators wrote; words of theirs outside the seven are left out. The context of an
    utterance is what was said in the dialogue before it. Raises ConfigError that names every utterance that does not
    fit.
    """
    path = existing(folder, TABLE, "the annotations of M3ED")
    series = _json(path)
    parts = _parts(folder)
    strangers = sorted(set(series) - set(parts))
    refuse([some(strangers)] if strangers else [], f"{folder / 'splitInfo'} has no part for series of {TABLE}")
    mistakes: list[str] = []
    rows = tuple(
        row
        for name, dialogues in series.items()
        for dialogue in dialogues.values()
        for row in _dialogue(folder, name, parts[name], dialogue, mistakes)
    )
    refuse(mistakes, f"{path} is not the released table")
    tell_counts("m3ed", rows, PARTS_OF_M3ED)
    return rows


def _json(path: Path) -> dict[str, dict[str, dict[str, Any]]]:
    try:
        found = json.loads(path.read_text(encoding="utf-8-sig"))
    except (OSError, ValueError, RecursionError) as error:
        raise ConfigError(f"{path} cannot be read as JSON in UTF-8: {error}; fetch the file again") from error
    fits = isinstance(found, dict) and all(
        isinstance(dialogues, dict)
        and all(isinstance(one, dict) and isinstance(one.get("Dialog"), dict) for one in dialogues.values())
        for dialogues in found.values()
    )
    if not fits or not found:
        raise ConfigError(f"{path} is not series, dialogues and their `Dialog`; fetch annotation.json of M3ED again")
    return dict(found)


def _parts(folder: Path) -> dict[str, Part]:
    """Series to part, from the three lists."""
    parts: dict[str, Part] = {}
    for part, name in LISTS.items():
        path = existing(folder, name, "a list of series of M3ED")
        try:
            listed = path.read_text(encoding="utf-8-sig").split()
        except (OSError, UnicodeDecodeError) as error:
            raise ConfigError(f"{path} cannot be read: {error}; fetch the file again") from error
        for series in listed:
            if parts.setdefault(series, part) != part:
                raise ConfigError(f"the series {series} stands in two lists of {folder / 'splitInfo'}")
    return parts


def _dialogue(folder: Path, series: str, part: Part, dialogue: Mapping[str, Any], mistakes: list[str]) -> Iterator[Row]:
    people = dialogue.get("SpeakerInfo", {})
    before: list[str] = []
    for name in sorted(dialogue["Dialog"], key=_turn):
        said = dialogue["Dialog"][name]
        text, who, annotation = _utterance(said)
        if annotation is None:
            mistakes.append(f"{name} has no text, no speaker, or another emotion than the seven")
            continue
        sound = first_file(folder / place / f"{who}_{name}.wav" for place in ("modality_speech", "audio"))
        profile = people.get(who)
        known = profile.get("Name") if isinstance(profile, dict) else None
        dialogue_name = name.rpartition("_")[0]
        yield Row(
            name,
            Clip(str(sound), said=text),
            annotation,
            speaker=f"{series}/{known or f'{dialogue_name}/{who}'}",
            part=part,
            language="zh",
            context="\n".join(before) or None,
        )
        before.append(f"{who}: {text}")


def _turn(name: str) -> tuple[int, str]:
    number = name.rpartition("_")[2]
    return (int(number) if number.isdecimal() else 0, name)


def _utterance(said: Any) -> tuple[str, str, Annotation | None]:
    """Text, speaker (A or B) and annotation; None where something is missing."""
    fields = said if isinstance(said, dict) else {}
    text, who, emotion = (fields.get(key) for key in ("Text", "Speaker", "EmoAnnotation"))
    if not isinstance(text, str) or not isinstance(who, str) or not isinstance(emotion, dict):
        return "", "", None
    main = _words(emotion.get("final_main_emo"))
    blended = _words(emotion.get("final_mul_emo"))
    if not main or None in main or not blended or None in blended:
        return "", "", None
    labels = dict.fromkeys(word for word in (*main, *blended) if word)
    voted = [_words(value) for key, value in sorted(emotion.items()) if key.startswith("EmoAnnotator")]
    votes = Counter(word for words in voted for word in words if word)
    return text, who, Annotation(tuple(labels), votes={label: float(count) for label, count in votes.items()})


def _words(cell: object) -> list[str | None]:
    """The labels of a cell; None for a word that is not one of the seven."""
    given = cell.split(",") if isinstance(cell, str) else []
    return [WORDS.get(word.strip().lower()) for word in given if word.strip()]
