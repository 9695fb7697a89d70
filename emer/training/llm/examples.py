"""A manifest becomes examples: clips measured, labels as targets, explanations as sentences that know their clues.

    taught = read_examples(config, out=folder)
    taught.parts["train"], taught.unmapped, taught.bad

What is wrong with the manifest stops the run and is told at once, row by row. What is wrong with a clip (it is not
there, it cannot be decoded) is told and the clip is left out.
"""

import hashlib
import logging
from collections import Counter
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory

from emer import media
from emer.clues.cache import Cache
from emer.clues.extract import Progress, extract
from emer.data.making_splits import speaker_disjoint
from emer.data.manifest import read_manifest
from emer.data.rows import PARTS, Part, Row, refuse, some
from emer.data.splits import Split, split
from emer.emotions import label_set
from emer.engines.model_requests import modalities
from emer.errors import ConfigError, EmerError
from emer.evidence.opinion import vacuous
from emer.evidence.rows import clip_row
from emer.evidence.verdict_labels import LabelMap, targets
from emer.files import cache_folder
from emer.grounding import check
from emer.jsonio import dumps
from emer.training.llm.configuration import LlmConfig
from emer.training.llm.example import Example
from emer.training.processes import in_processes
from emer.types import Clip, Clues, Request

logger = logging.getLogger("emer")

LEARNING: tuple[Part, ...] = ("train", "validation")
"""What training reads. Calibration and test rows are not even measured."""
SEED = 0
"""Of the split that is made where the user gives none: the same speakers whatever the run's seed."""


@dataclass(frozen=True, slots=True)
class BadClip:
    """A clip that is left out."""

    id: str
    path: str
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Taught:
    """All that a run learns from."""

    name: str
    parts: Mapping[Part, tuple[Example, ...]]
    """In the order of the manifest; parts that were not asked for are absent."""
    split: Split
    unmapped: Mapping[str, int]
    """Words that reach no label of the verdict, and in how many clips each stands, the most frequent first."""
    bad: tuple[BadClip, ...]
    data_sha256: str
    """Of what is taught about which content: ids, hashes of the clips, annotations, parts."""


def read_examples(
    config: LlmConfig,
    watching: Progress | None = None,
    cache: Cache | None = None,
    *,
    out: str | Path | None = None,
    parts: Collection[Part] = LEARNING,
    jobs: int | None = None,
) -> Taught:
    """The examples of a configuration's manifest, measured through the cache (the user's own by default).

    A split that has to be made is written to the folder `out`; without it nothing is written, and the same split is
    made again next time. `jobs` is the number of processes, one per core by default.

    Raises ConfigError that names the rows: a manifest with mistakes, rows that teach nothing, a split that does not
    fit, a part without a clip.
    """
    if not config.data:
        raise ConfigError("data is missing; add data=manifest.jsonl")
    rows = read_manifest(config.data, missing_clips=True)
    found = split_of(config, rows, None if out is None else Path(out))
    listed = _by_part(rows, found)
    wanted = [row for part in PARTS if part in parts for row in listed[part]]
    words = None if config.verdict is None else config.verdict.words
    _refuse_empty(wanted, words, config.data)
    measured = _all_measured(wanted, cache or Cache(cache_folder()), watching or (lambda stage, share: None), jobs)
    bad = tuple(_bad(wanted, measured, words))
    left_out = {one.id for one in bad}
    kept = [(row, one.request) for row, one in zip(wanted, measured, strict=True) if row.id not in left_out]
    made = dict(_examples([(row, request) for row, request in kept if request is not None], words))
    _tell(bad, measured, config.data)
    examples = {part: tuple(made[row.id] for row in listed[part] if row.id in made) for part in PARTS if part in parts}
    _refuse_missing(examples, found, bad)
    return Taught(
        name=Path(config.data).stem,
        parts=examples,
        split=found,
        unmapped={} if words is None else targets([row.annotation for row, _ in kept], words).unmapped,
        bad=bad,
        data_sha256=_digest(examples),
    )


# ---------------------------------------------------------------- who trains


def split_of(config: LlmConfig, rows: Sequence[Row], out: Path | None) -> Split:
    """The configuration's split, that of the manifest, or a new one that is disjoint in speakers.

    Raises ConfigError where none can be had.
    """
    if config.split:
        return split(config.split)
    if all(row.part is not None for row in rows):
        members: dict[str, tuple[str, ...]] = {part: tuple(r.id for r in rows if r.part == part) for part in PARTS}
        return Split(Path(config.data).stem, "row", **members)
    speakers = [row.speaker for row in rows if row.speaker is not None]
    if len(speakers) < len(rows):
        missing = [row.id for row in rows if row.speaker is None]
        raise ConfigError(
            f"{config.data} has no split, and {len(missing)} of its rows name no speaker ({some(missing)}), so none "
            "can be made; give each row a speaker or a split, or split=FILE.json"
        )
    ids = [row.id for row in rows]
    if out is not None:
        return speaker_disjoint(ids, speakers, SEED, out / "split.json")
    with TemporaryDirectory() as folder:
        return speaker_disjoint(ids, speakers, SEED, Path(folder) / "split.json")


def _by_part(rows: Sequence[Row], among: Split) -> dict[Part, list[Row]]:
    """Raises ConfigError for rows of nobody's part: silently leaving them out would hide a wrong name."""
    part_of = {member: part for part in PARTS for member in among.members(part)}
    members = [row.id if among.unit == "row" else str(row.speaker) for row in rows]
    if strangers := sorted({member for member in members if member not in part_of}):
        raise ConfigError(
            f"the split {among.name} does not fit: no part of it holds the {among.unit} {some(strangers)}; name rows "
            "and speakers as the split does, or give another with split=…"
        )
    found: dict[Part, list[Row]] = {part: [] for part in PARTS}
    for row, member in zip(rows, members, strict=True):
        found[part_of[member]].append(row)
    return found


def _refuse_missing(parts: Mapping[Part, Sequence[Example]], among: Split, bad: Sequence[BadClip]) -> None:
    if missing := [part for part, examples in parts.items() if part in LEARNING and not examples]:
        why = f"; {len(bad)} clips were left out, the first because {bad[0].reason}" if bad else ""
        raise ConfigError(
            f"the split {among.name} leaves no clips for {' and '.join(missing)}{why}; name another with split=…, or "
            "give more clips"
        )


# ---------------------------------------------------------------- what a row teaches


def _refuse_empty(rows: Sequence[Row], words: LabelMap | None, data: str) -> None:
    """Raises ConfigError for rows that teach nothing: nobody said anything of them, or only in unknown words.

    With a map of the user's own, words that it leaves out are meant to be left out: such rows are told as bad.
    """
    mistakes = []
    for row in rows:
        said = (*row.annotation.labels, *row.annotation.votes)
        if not said and row.annotation.explanation is None:
            mistakes.append(f"row {row.id} has neither a label nor an explanation")
        elif words is not None and not words.own and _is_unknown(row, words):
            mistakes.append(f"row {row.id} has no explanation, and no label of {words.spec.label_set} for {some(said)}")
    several = f"{data} has {len(mistakes)} {'row' if len(mistakes) == 1 else 'rows'} that would teach nothing"
    refuse(mistakes, f"{several} (map words by verdict.label_map.WORD=LABEL, or take the rows out)")


def _is_unknown(row: Row, words: LabelMap) -> bool:
    """Whether a row has labels alone, and none that the verdict knows."""
    said = row.annotation.votes or row.annotation.labels
    return row.annotation.explanation is None and all(words.of(word) is None for word in said)


def _examples(kept: Sequence[tuple[Row, Request]], words: LabelMap | None) -> Iterator[tuple[str, Example]]:
    made = None if words is None else targets([row.annotation for row, _ in kept], words)
    for place, (row, request) in enumerate(kept):
        assert request.media is not None
        said = request.transcript.text if request.transcript else ""
        known = made is not None and bool(made.known[place])
        yield (
            row.id,
            Example(
                id=row.id,
                request=request,
                annotation=row.annotation,
                statements=check(row.annotation.explanation or "", request.clues.items, said),
                target=made.target[place] if made is not None and known else None,
                speaker=row.speaker,
                row=clip_row(request.media.facts.sha256, row.clip.start, row.clip.end),
            ),
        )


def _digest(parts: Mapping[Part, Sequence[Example]]) -> str:
    taught = [(part, each.id, each.row, each.annotation) for part, examples in parts.items() for each in examples]
    return hashlib.sha256(dumps(taught).encode()).hexdigest()


# ---------------------------------------------------------------- measuring


@dataclass(frozen=True, slots=True)
class Measured:
    """What a clip gave: what a model may be asked about it, or why there is nothing to ask."""

    request: Request | None = None
    reason: str = ""


def measure(clip: Clip, cache: Cache) -> Measured:
    """One clip through all extractors. Opinions are left out: no prompt holds any."""
    try:
        opened = media.open(clip)
        clues = extract(clip, opened, cache=cache)
    except EmerError as error:
        return Measured(reason=" ".join(str(error).split()))
    if clues.failed and not clues.items:
        return Measured(reason="; ".join(f"{one.extractor}: {one.reason}" for one in clues.failed))
    settings = {"without": clip.without} if clip.without else {}
    prior = vacuous("emer8", label_set("emer8"))
    request = Request(opened, _slim(clues), opened.facts.span, {}, prior, clues.transcript, settings=settings)
    return Measured(request) if modalities(request) else Measured(reason=f"{clip.path}: nothing of it can be shown")


def _slim(clues: Clues) -> Clues:
    """Without curves and utterances, which training has no use for: many clips are held in memory."""
    return replace(clues, tracks=(), segments=())


def _all_measured(rows: Sequence[Row], cache: Cache, watching: Progress, jobs: int | None) -> list[Measured]:
    found = []
    for one in in_processes(partial(measure, cache=cache), [row.clip for row in rows], jobs):
        found.append(one)
        watching("clips", len(found) / len(rows))
    return found


def _bad(rows: Sequence[Row], measured: Sequence[Measured], words: LabelMap | None) -> Iterator[BadClip]:
    """Clips that cannot be read, and clips with labels that nothing learns from."""
    for row, one in zip(rows, measured, strict=True):
        if one.request is None:
            yield BadClip(row.id, row.clip.path, one.reason)
        elif row.annotation.explanation is None and words is None:
            yield BadClip(row.id, row.clip.path, "it has no explanation, and no verdict learns its labels")
        elif words is not None and _is_unknown(row, words):
            yield BadClip(row.id, row.clip.path, f"its labels reach none of {words.spec.label_set}")


def _tell(bad: Sequence[BadClip], measured: Sequence[Measured], data: str) -> None:
    if bad:
        told = some(f"{one.id} ({one.reason})" for one in bad)
        logger.warning("%s: %d of %d clips are left out: %s", data, len(bad), len(measured), told)
    failed = Counter(
        (failure.extractor, failure.reason) for one in measured if one.request for failure in one.request.clues.failed
    )
    for (extractor, reason), count in failed.items():
        logger.warning("%s: %s gives no clues for %d clips: %s", data, extractor, count, reason)
