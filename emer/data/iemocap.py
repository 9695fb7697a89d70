"""IEMOCAP: ten actors in five sessions of two, playing scripts and improvising, judged by three people or more.

Source: Busso et al. 2008 (https://doi.org/10.1007/s10579-008-9076-6), https://sail.usc.edu/iemocap, on request.
`IEMOCAP_full_release/Session1 … Session5` has `dialog/EmoEvaluation/Ses01F_impro01.txt` (a line "[start - end] name
label [valence, activation, dominance]" an utterance, then what each judge said), `dialog/transcriptions/*.txt` ("name
[start-end]: words") and `dialog/avi/DivX/*.avi`; an utterance is read as a part of that video.

10,039 utterances: 1,708 neu, 1,849 fru, 1,103 ang, 1,084 sad, 1,041 exc, 595 hap, 107 sur, 40 fea, 2 dis, 3 oth and
2,507 xxx without a majority. **4-way** keeps neu, sad, ang, and hap with exc as happy: 5,531 (so in MERBench, Lian et
al. 2024, https://arxiv.org/abs/2401.03429, and AffectGPT). **6-way** keeps hap and exc apart, and fru: 7,380.

The five folds leave out a session each, so that no speaker is on both sides; `test` is Session 5 (1,241 of the 4-way
rows), as in MER-UniBench, and `fold` gives the others. Its packed form (`iemocap-process/`, see `unibench`) is read
too; it calls angry `anger`, which every released wheel puts in the same cluster.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from emer.data.dataset import About
from emer.data.released import tell_counts
from emer.data.rows import Part, Row, refuse
from emer.data.unibench import Packing, read_packed
from emer.errors import ConfigError
from emer.types import Annotation, Clip

SOURCE = "Busso et al. 2008, https://doi.org/10.1007/s10579-008-9076-6; https://sail.usc.edu/iemocap"
LICENCE = "IEMOCAP licence: research, on request"
NOTE = "both actors are in the picture, side by side; test is Session 5, and `emer.data.iemocap.fold` gives the others"
ABOUT: Mapping[str, About] = {
    "iemocap4": About("iemocap4", "IEMOCAP, 4-way", SOURCE, LICENCE, "hit_rate", "iemocap4", "en", note=NOTE),
    "iemocap6": About("iemocap6", "IEMOCAP, 6-way", SOURCE, LICENCE, "war_uar", "iemocap6", "en", note=NOTE),
}
SIX = {"neu": "neutral", "hap": "happy", "sad": "sad", "ang": "angry", "exc": "excited", "fru": "frustrated"}
FOUR = {"neu": "neutral", "hap": "happy", "sad": "sad", "ang": "angry", "exc": "happy"}
CODES = frozenset(SIX) | {"sur", "fea", "dis", "oth", "xxx"}
JUDGED = {
    "neutral state": "neutral",
    "happiness": "happy",
    "sadness": "sad",
    "anger": "angry",
    "frustration": "frustrated",
}
"""Words of the judges that the labels say otherwise."""
COUNTS: Mapping[str, Mapping[str, int]] = {"iemocap4": {"train": 4_290, "test": 1_241}, "iemocap6": {}}
PACKED_WORDS = {
    "iemocap4": ("happy", "sad", "neutral", "angry"),
    "iemocap6": ("happy", "sad", "neutral", "angry", "excited", "frustrated"),
}
TEST_SESSION = 5
SESSIONS = range(1, 6)

HEAD = re.compile(r"\[([\d.]+) - ([\d.]+)\]\t(\w+)\t(\w+)\t\[")
JUDGE = re.compile(r"C-E\d+:\t(.*?)\t")
SPOKEN = re.compile(r"(Ses\d\d[FM]_\w+) \[[\d.]+-[\d.]+\]: ?(.*)")


@dataclass(frozen=True, slots=True)
class _Utterance:
    """One line of an evaluation file, and what its judges said."""

    name: str
    code: str
    start: float
    end: float
    votes: Mapping[str, float]


def iemocap4(folder: Path) -> tuple[Row, ...]:
    """Neutral, sad, angry, and happy with excited. Raises ConfigError."""
    return _read(folder, "iemocap4", FOUR)


def iemocap6(folder: Path) -> tuple[Row, ...]:
    """Neutral, sad, angry, happy, excited, frustrated. Raises ConfigError."""
    return _read(folder, "iemocap6", SIX)


def fold(rows: tuple[Row, ...], session: int) -> tuple[Row, ...]:
    """The same rows with another session as the test part. Raises ConfigError for a session that is not 1 to 5."""
    if session not in SESSIONS:
        raise ConfigError(f"IEMOCAP has no session {session}; choose one of 1 to 5")
    return tuple(replace(row, part=_part(row.id, session)) for row in rows)


# ---------------------------------------------------------------- two layouts


def _read(folder: Path, name: str, labels: Mapping[str, str]) -> tuple[Row, ...]:
    packed = f"label_{name[-1]}way.npz"
    if (folder / packed).is_file():
        packing = Packing(
            ABOUT[name].title,
            {"whole_corpus": None},
            PACKED_WORDS[name],
            labels=packed,
            videos=("subvideo", "subvideo-tgt"),
        )
        rows = read_packed(folder, packing)
        strange = [row.id for row in rows if not re.match(r"Ses0[1-5][FM]_", row.id)]
        refuse([repr(name) for name in strange], f"{folder / packed} has names that are not IEMOCAP's")
        rows = tuple(replace(row, speaker=_speaker(row.id), part=_part(row.id, TEST_SESSION)) for row in rows)
    else:
        rows = tuple(row for session in _sessions(folder) for row in _session(session, labels))
    tell_counts(name, rows, COUNTS[name])
    return rows


def _sessions(folder: Path) -> list[Path]:
    places = [folder, folder / "IEMOCAP_full_release"]
    root = next((place for place in places if (place / "Session1").is_dir()), folder)
    missing = [f"Session{n}" for n in SESSIONS if not (root / f"Session{n}" / "dialog" / "EmoEvaluation").is_dir()]
    refuse(missing, f"{root} lacks dialog/EmoEvaluation of")
    return [root / f"Session{n}" for n in SESSIONS]


def _session(session: Path, labels: Mapping[str, str]) -> Iterator[Row]:
    for path in sorted((session / "dialog" / "EmoEvaluation").glob("Ses*.txt")):
        video = session / "dialog" / "avi" / "DivX" / f"{path.stem}.avi"
        said = _said(session / "dialog" / "transcriptions" / path.name)
        lines: list[str] = []
        for utterance in sorted(_utterances(path), key=lambda told: told.start):
            speaker, words = _speaker(utterance.name), said.get(utterance.name)
            if utterance.code in labels:
                yield Row(
                    utterance.name,
                    Clip(str(video), utterance.start, utterance.end, said=words),
                    Annotation((labels[utterance.code],), votes=utterance.votes),
                    speaker=speaker,
                    part=_part(utterance.name, TEST_SESSION),
                    language="en",
                    context="\n".join(lines) or None,
                )
            if words:
                lines.append(f"{speaker}: {words}")


def _speaker(name: str) -> str:
    """The actor of an utterance.

    >>> _speaker("Ses05F_script01_1_M003")
    'Ses05M'
    """
    return name[:5] + name.rsplit("_", 1)[-1][0]


def _part(name: str, session: int) -> Part:
    return "test" if int(name[3:5]) == session else "train"


# ---------------------------------------------------------------- two kinds of text file


def _utterances(path: Path) -> list[_Utterance]:
    """What an evaluation file says; a block of lines an utterance. Raises ConfigError for unknown codes."""
    found: list[_Utterance] = []
    mistakes = []
    for block in re.split(r"\n\s*\n", _text(path)):
        head = HEAD.search(block)
        if head is None:
            continue
        start, end, name, code = float(head[1]), float(head[2]), head[3], head[4]
        if code not in CODES or not re.match(r"Ses0[1-5][FM]_", name) or end <= start:
            mistakes.append(f"{name} has the label {code!r} from {start} to {end} s")
            continue
        found.append(_Utterance(name, code, start, end, _votes(block)))
    refuse(mistakes, f"{path} cannot be read")
    return found


def _votes(block: str) -> dict[str, float]:
    """How many of the judges named an emotion; a judge may name several. The actors' own words are left out."""
    votes: dict[str, float] = {}
    for named in JUDGE.findall(block):
        for word in {word.strip().lower() for word in named.split(";") if word.strip()}:
            label = JUDGED.get(word, word)
            votes[label] = votes.get(label, 0.0) + 1
    return votes


def _said(path: Path) -> dict[str, str]:
    """The words of every utterance of a dialogue."""
    return {name: words.strip() for name, words in SPOKEN.findall(_text(path))}


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8", errors="replace").replace("\r\n", "\n")
    except OSError as error:
        raise ConfigError(f"{path} cannot be read ({error.strerror}); fetch the release again") from error
