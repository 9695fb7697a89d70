"""How the files in `configs/splits` were made, and how a user's own rows are split by speaker.

    python -m emer.data.making_splits configs/splits [NAME …]

The command needs no data and gives the same files anywhere: order by chance is the order of SHA-256 hashes of
`seed/member`, which no library version changes. The files, once made, are the truth; rerunning is a check.

**By speaker.** The speakers stand in a ring, cut into five test folds. The speakers just before a fold calibrate it,
those before them validate it, all others train. The last fold is the main split.
"""

import json
import sys
from collections import Counter
from collections.abc import Mapping, Sequence
from hashlib import sha256
from pathlib import Path

from emer.data import cremad, handwritten, mosi, ravdess
from emer.data.rows import PARTS, Part
from emer.data.splits import Split, SplitFile
from emer.errors import ConfigError
from emer.files import write_text
from emer.jsonio import to_builtins

Parts = dict[str, tuple[str, ...]]
COMMAND = "python -m emer.data.making_splits configs/splits"
SHARES: Mapping[Part, float] = {"test": 0.2, "train": 0.6, "validation": 0.1, "calibration": 0.1}
"""Of a user's rows."""


def by_chance(members: Sequence[str], seed: int) -> tuple[str, ...]:
    """The members in an order by chance that depends on nothing but their names and the seed.

    >>> by_chance(["a", "b", "c"], 0)
    ('c', 'b', 'a')
    """
    return tuple(sorted(members, key=lambda member: sha256(f"{seed}/{member}".encode()).hexdigest()))


def speaker_disjoint(rows: Sequence[str], speakers: Sequence[str], seed: int, path: str | Path) -> Split:
    """Split a user's rows so that nobody speaks in two parts, and write the split to `path` (.json).

    About 60 % of the rows train, 10 % validate, 10 % calibrate, 20 % test: speakers, by chance, go one by one to
    the part that lacks most of its share. Raises ConfigError for fewer than four speakers.
    """
    if len(rows) != len(speakers):
        raise ConfigError(f"{len(speakers)} speakers stand beside {len(rows)} rows; give one a row")
    counts = Counter(speakers)
    if len(counts) < len(PARTS):
        raise ConfigError(
            f"{len(counts)} speakers cannot fill {', '.join(PARTS)}; give clips of at least {len(PARTS)} speakers, "
            "or a column `split` of your own"
        )
    if not str(path).endswith(".json"):
        raise ConfigError(f"{path} is no place for a split; give a name that ends in .json")
    about = f"{len(rows)} rows of {len(counts)} speakers, no speaker in two parts"
    made_by = f"emer.data.making_splits.speaker_disjoint, seed {seed}"
    parts = _shared_out(counts, seed)
    write(SplitFile(Path(path).stem, about, made_by, "speaker", seed, parts), path)
    return Split(Path(path).stem, "speaker", **parts)


def write(file: SplitFile, path: str | Path) -> None:
    """The file as JSON for people: one list a line. Raises OutputError."""
    builtin = to_builtins(file)
    first = ("schema", "name", "about", "made_by", "unit", "seed")
    lines = [f"  {json.dumps(key)}: {json.dumps(builtin[key], ensure_ascii=False)}" for key in first]
    lines.append(f'  "split": {_parts_json(file.split, "  ")}')
    if file.folds:
        inner = ",\n".join(f"    {_parts_json(fold, '    ')}" for fold in file.folds)
        lines.append(f'  "folds": [\n{inner}\n  ]')
    if file.halves:
        inner = ",\n".join(f"    {json.dumps(half)}" for half in file.halves)
        lines.append(f'  "halves": [\n{inner}\n  ]')
    write_text(path, "{\n" + ",\n".join(lines) + "\n}\n")


def _parts_json(parts: Parts, indent: str) -> str:
    inner = ",\n".join(f'{indent}  "{part}": {json.dumps(parts.get(part, ()))}' for part in PARTS)
    return "{\n" + inner + "\n" + indent + "}"


def _shared_out(counts: Mapping[str, int], seed: int) -> Parts:
    """Each speaker to the part that lacks most; every part gets one speaker first."""
    total = sum(counts.values())
    given: dict[Part, list[str]] = {part: [] for part in SHARES}
    # Speakers with many rows first: a late heavy speaker could not be balanced any more.
    order = sorted(by_chance(sorted(counts), seed), key=lambda who: -counts[who])
    for left, speaker in zip(range(len(order), 0, -1), order, strict=True):
        empty = [part for part in SHARES if not given[part]]
        choice: Sequence[Part] = empty if empty and left <= len(empty) else tuple(SHARES)
        lack = {part: SHARES[part] - sum(counts[who] for who in given[part]) / total for part in choice}
        given[max(choice, key=lambda part: lack[part])].append(speaker)
    return {part: tuple(sorted(given[part])) for part in PARTS}


# ---------------------------------------------------------------- public data sets


def ring(blocks: Sequence[Sequence[str]], validation: int, calibration: int) -> tuple[Parts, ...]:
    """One fold per block of a ring of speakers (see the top of this file).

    >>> ring([["a"], ["b"], ["c", "d"]], 1, 1)[2]
    {'train': (), 'validation': ('a',), 'calibration': ('b',), 'test': ('c', 'd')}
    """
    everyone = [member for block in blocks for member in block]
    found = []
    for block in blocks:
        start = everyone.index(block[0])
        others = (everyone[start + len(block) :] + everyone[:start])[::-1]  # nearest before the block first
        held = others[validation + calibration :][::-1]
        found.append(
            {
                "train": tuple(sorted(held)),
                "validation": tuple(sorted(others[calibration : calibration + validation])),
                "calibration": tuple(sorted(others[:calibration])),
                "test": tuple(block),
            }
        )
    return tuple(found)


def _by_speaker(name: str, about: str, blocks: Sequence[Sequence[str]], held: int, seed: int) -> SplitFile:
    made = ring(blocks, held, held)
    return SplitFile(name, about, f"{COMMAND} {name}", "speaker", seed, made[-1], made)


def make_ravdess() -> SplitFile:
    about = (
        "RAVDESS speech: actors 1-12 train, 13-14 validation, 15-16 calibration, 17-20 test. "
        "Folds: four consecutive actors each, two men and two women; the main split is the last fold."
    )
    blocks = [ravdess.SPEAKERS[i : i + 4] for i in range(0, 20, 4)]
    return _by_speaker("ravdess", about, blocks, 2, 0)


def make_emodb() -> SplitFile:
    about = (
        "EmoDB: speakers 03 (m), 09 (f), 10 (m), 08 (f) train, 11 (m) validation, 13 (f) calibration, "
        "12 (m) and 14 (f) test. Folds of 1, 1, 2, 2, 2 speakers, pairs of both sexes; the main split is the last fold."
    )
    return _by_speaker("emodb", about, [["03"], ["09"], ["10", "08"], ["11", "13"], ["12", "14"]], 1, 0)


def make_voices() -> SplitFile:
    about = "RAVDESS and EmoDB together, for the heads that ship: each part is that of both sets' main splits."
    first, second = make_ravdess().split, make_emodb().split
    parts: Parts = {part: (*first[part], *second[part]) for part in PARTS}
    return SplitFile("voices", about, f"{COMMAND} voices", "speaker", 0, parts)


def make_cremad() -> SplitFile:
    about = "CREMA-D: 91 actors in an order by chance; folds of 18 or 19; the main split is the last fold."
    order = by_chance(cremad.ACTORS, 0)
    blocks = [order[i * 91 // 5 : (i + 1) * 91 // 5] for i in range(5)]
    return _by_speaker("cremad", about, blocks, 9, 0)


def make_mosi() -> SplitFile:
    about = (
        "CMU-MOSI: training and test rows as released; validation is 15 % of the training rows: the last 106 positive "
        "and the last 111 negative ones. Rows stand by class, within a class in the order of the videos, so the two "
        "ends are mostly the same speakers, and few of them train (speakers are not named). "
        "halves: the test part in two by chance, for cross-fitting; a speaker may be in both halves."
    )
    train, test = (_released(mosi.row_ids(), part) for part in ("train", "test"))
    positive, negative = train[: mosi.POSITIVE["train"]], train[mosi.POSITIVE["train"] :]
    parts: Parts = {
        "train": positive[:-106] + negative[:-111],
        "validation": positive[-106:] + negative[-111:],
        "calibration": (),
        "test": test,
    }
    mixed = by_chance(test, 0)
    halves = tuple(tuple(sorted(half)) for half in (mixed[:376], mixed[376:]))
    return SplitFile("mosi", about, f"{COMMAND} mosi", "row", 0, parts, halves=halves)


def make_handwritten() -> SplitFile:
    about = (
        "Handwritten digits: test rows as released; of the 160 training rows of each digit (sorted by digit), "
        "16 validation and 16 calibration by chance. Writers are not known."
    )
    train, test = (_released(handwritten.row_ids(), part) for part in ("train", "test"))
    digits = [by_chance(train[i : i + 160], 0) for i in range(0, 1600, 160)]
    parts = {
        "train": tuple(sorted(row for digit in digits for row in digit[32:])),
        "validation": tuple(sorted(row for digit in digits for row in digit[:16])),
        "calibration": tuple(sorted(row for digit in digits for row in digit[16:32])),
        "test": test,
    }
    return SplitFile("handwritten", about, f"{COMMAND} handwritten", "row", 0, parts)


def _released(rows: Sequence[str], part: str) -> tuple[str, ...]:
    return tuple(row for row in rows if row.startswith(f"{part}-"))


MAKERS = {
    "ravdess": make_ravdess,
    "emodb": make_emodb,
    "voices": make_voices,
    "cremad": make_cremad,
    "mosi": make_mosi,
    "handwritten": make_handwritten,
}


def main(arguments: Sequence[str]) -> None:
    """Write the named splits, or all, into a folder."""
    if not arguments or (unknown := [name for name in arguments[1:] if name not in MAKERS]):
        what = f"unknown: {', '.join(unknown)}; " if arguments else ""
        raise SystemExit(f"{what}usage: python -m emer.data.making_splits FOLDER [{'|'.join(MAKERS)} …]")
    for name in arguments[1:] or MAKERS:
        write(MAKERS[name](), Path(arguments[0]) / f"{name}.json")


if __name__ == "__main__":
    main(sys.argv[1:])
