"""`emer calibrate ADAPTER`: a model's verdict on labelled clips in, a calibration out, into the adapter's own record.

Each clip is put before the model with everything that it has, and with every part of that: the voice alone, the words
alone, face and words, …; each set of modalities is a view of its own and has a temperature of its own. Where trained
heads speak in the form of the verdict, it is calibrated alone and fused with them. The verdict is read in the pass over
the prompt: nothing is written.
"""

from argparse import Namespace
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import combinations
from pathlib import Path

import numpy as np

from emer import media
from emer.adapters.calibrated import put_calibration
from emer.adapters.files import RECORD, read_record
from emer.adapters.record import AdapterRecord, VerdictRecord
from emer.commands.calibrate import split_of_run
from emer.commands.calibrating import Spoken, Wanted, calibrated, refuse_few, refuse_fewer
from emer.commands.labelled import Labelled
from emer.commands.labelled_clips import (
    LabelledClips,
    calibration_rows,
    known_clips,
    labelled_clips,
    name_of_data,
    speakers_of,
)
from emer.commands.progress import Bar, progress_bar
from emer.config import build, overridden
from emer.data.rows import Row, some
from emer.data.splits import split as read_split
from emer.engines.model_requests import modalities
from emer.engines.verdicts import FORM, fusable
from emer.errors import ConfigError, EmerError, ModelError
from emer.evidence.calibration import write_calibration
from emer.evidence.judgement import calibrated_views
from emer.evidence.rows import refuse_seen, row_hashes
from emer.evidence.trained import CALIBRATION, load_trained
from emer.evidence.verdict_labels import LabelMap
from emer.evidence.verdict_spec import VerdictSpec
from emer.evidence.weights import INSTALLED
from emer.explain import Explainer, heard_of
from emer.files import write_text
from emer.shipped import SHIPPED
from emer.types import MODALITIES, VERDICT, Answer, Modality, Opinion, Request

CARD_STAYS = "README.md is not the card that emer would write and stays as it is: it tells nothing of this calibration"
AT_ONCE = 16
"""Clips that are measured before the model is asked about them; more give batches of more even length."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AdapterSettings(Wanted):
    """What stands behind DIR on the command line, where DIR holds an adapter or a merged model."""

    data: str
    """A manifest of labelled clips (.jsonl, .csv) that training has not seen."""
    model: str = ""
    """The base: a folder or hub id; empty for a merged model, and where the adapter names its base by a hub id or as
    one that ships."""
    split: str = ""
    """A split whose calibration part is taken; empty: the manifest's own marks, or the split of the adapter's run."""
    shown: tuple[str, ...] | None = None
    """Sets of modalities to ask with besides all that a clip has: [audio, audio+text]; null takes every set."""
    weights: str = INSTALLED
    """Trained heads that explanations will use beside the verdict: installed, none, or a folder."""
    label_map: Mapping[str, str] = field(default_factory=dict)
    """Words of the data to labels of the verdict; they go before the adapter's own map, and before every table."""
    engine: Mapping[str, object] = field(default_factory=dict)
    """Settings of the engine, as explanations will use them: engine.batch_size=8 engine.frames=face."""
    out: str = ""
    """Folder for calibration.json; empty: into emer.json of DIR."""


@dataclass(frozen=True, slots=True)
class Asked:
    """One clip as it is put before the model."""

    row: int
    request: Request
    partial: bool
    """Whether something of the clip is left out."""


@dataclass(frozen=True, slots=True)
class Said:
    """One opinion on one row."""

    row: int
    opinion: Opinion
    views: tuple[str, ...]
    partial: bool
    behind: str = ""
    """SHA-256 of the prompt behind which the verdict was read; empty for messages of a caller's own."""


def run(options: Namespace) -> int:
    """Ask, fit, write, and say what was fitted."""
    settings = build(AdapterSettings, overridden({}, options.settings), "emer calibrate")
    folder = Path(options.folder)
    record = read_record(folder)
    verdict = _verdict(record, folder)
    spec, words = verdict.spec, LabelMap(verdict.spec, {**verdict.label_map, **settings.label_map})
    parts = None if settings.shown is None else tuple(map(_set_of, settings.shown))
    explainer = explainer_of(folder, record, settings)
    clips = labelled_clips(rows_of(folder, record, settings), words)
    refuse_fewer(len(clips.rows))  # before a model is loaded, and before an hour of asking
    explainer.prepare()
    with progress_bar(len(clips.rows)) as bar:
        contents = known_clips(clips.rows, seen_by(explainer, record, spec), bar)
        said = list(verdicts(explainer, clips, contents, parts, bar))
    spoken = spoken_of(clips, contents, said, name_of_data(settings.data))
    refuse_few(spoken, spec.labels)
    calibration, told = calibrated(spoken, record.trained_rows, settings)
    calibration = replace(calibration, prompt=prompt_of(said))
    if settings.out:
        path = Path(settings.out) / CALIBRATION
        write_text(path, write_calibration(calibration) + "\n")
    else:
        path = folder / RECORD
        told += [] if put_calibration(folder, calibration) else [CARD_STAYS]
    print("\n".join([*left_out(clips), _count(spoken, clips), *told, f"wrote {path}"]))
    return 0


def _verdict(record: AdapterRecord, folder: Path) -> VerdictRecord:
    if record.verdict is None:
        raise ModelError(f"{folder} has no verdict: there is nothing to calibrate; train it with one")
    return record.verdict


def explainer_of(folder: Path, record: AdapterRecord, settings: AdapterSettings) -> Explainer:
    """The explainer that will use the calibration. Raises ConfigError where the base of an adapter is not named."""
    if record.names == "merged":
        if settings.model and Path(settings.model).resolve() != folder.resolve():
            raise ConfigError(f"{folder} is a whole model and needs no other; leave model={settings.model} out")
        model, adapter = str(folder), None
    else:
        model, adapter = settings.model or record.base.name, str(folder)
        if not settings.model and "/" not in model and model not in SHIPPED:
            raise ConfigError(f"the adapter needs its base ({record.base.name}); give model=FOLDER or model=HUB-ID")
    return Explainer(
        engine="transformers", model=model, adapter=adapter, weights=settings.weights, settings=settings.engine
    )


def rows_of(folder: Path, record: AdapterRecord, settings: AdapterSettings) -> tuple[Row, ...]:
    """The rows to calibrate on, none of which training knew by its id. Raises ConfigError for those."""
    named = read_split(settings.split) if settings.split else None
    rows = calibration_rows(settings.data, named)
    ids = [row.id for row in rows]
    if named is None and not set(row_hashes(ids)).isdisjoint(record.trained_rows):
        own = split_of_run(folder, settings.data)
        rows = rows if own is None else calibration_rows(settings.data, own)
    refuse_seen((row.id for row in rows), record.trained_rows, "calibration", "training")
    return rows


def seen_by(explainer: Explainer, record: AdapterRecord, spec: VerdictSpec) -> tuple[str, ...]:
    """Hashes of all rows that the adapter, or heads that are fused with its verdict, were trained on."""
    found = list(record.trained_rows)
    weights = explainer.trained
    for folder in () if weights is None else (weights.plain, weights.baseline):
        if folder is not None:
            heads = load_trained(folder).heads.record
            own = heads.spec
            form = (own.label_set, own.labels, own.kind, own.weight, own.rates)
            found += heads.trained_rows if form == tuple(getattr(spec.vacuous, name) for name in FORM) else ()
    return tuple(found)


# ---------------------------------------------------------------- asking


def verdicts(
    explainer: Explainer,
    clips: LabelledClips,
    contents: Mapping[str, str],
    parts: Sequence[frozenset[Modality]] | None,
    bar: Bar,
) -> Iterator[Said]:
    """What is said of each clip, of all and of parts of it. A clip that fails is told of and stops no other."""
    places = [place for place, row in enumerate(clips.rows) if row.id in contents]
    for start in range(0, len(places), AT_ONCE):
        asked: list[Asked] = []
        for place in places[start : start + AT_ONCE]:
            try:
                asked += questions(explainer, place, clips.rows[place], parts)
            except EmerError as error:
                bar.say(f"row {clips.rows[place].id} is left out: {error}")
            bar.next()
        answers = explainer.answering.verdicts([each.request for each in asked])
        silent: set[int] = set()
        for each, answer in zip(asked, answers, strict=True):
            if answer.error is None and each.row not in silent:
                yield from opinions_of(explainer, each, answer)
            elif answer.error is not None:
                # Without its whole a clip would teach the temperatures of its parts and be missed by the threshold.
                silent |= set() if each.partial else {each.row}
                bar.say(f"row {clips.rows[each.row].id} is left out: {answer.error}")


def questions(
    explainer: Explainer, place: int, row: Row, parts: Sequence[frozenset[Modality]] | None
) -> Iterator[Asked]:
    """A clip with everything that it has, then with less, as `--without` would leave it out of an explanation."""
    opened = media.open(row.clip)
    whole = explainer.request(opened, explainer.clues(row.clip, opened), without=row.clip.without)
    yield Asked(place, whole, partial=False)
    there = frozenset(modalities(whole, media=explainer.answering.tuned.streams))
    for kept in smaller_sets(there):
        if parts is None or kept in parts:
            clip = replace(row.clip, without=frozenset(MODALITIES) - kept)
            less = media.open(clip)
            request = explainer.request(less, explainer.clues(clip, less), without=clip.without)
            yield Asked(place, request, partial=True)


def smaller_sets(there: frozenset[Modality]) -> list[frozenset[Modality]]:
    """Every set of some, but not all, of these modalities.

    >>> ["+".join(sorted(each)) for each in smaller_sets(frozenset({"audio", "text"}))]
    ['audio', 'text']
    """
    ordered = sorted(there)
    return [frozenset(each) for size in range(1, len(ordered)) for each in combinations(ordered, size)]


def opinions_of(explainer: Explainer, asked: Asked, answer: Answer) -> Iterator[Said]:
    """The verdict with the heads that are fused with it, and the verdict alone."""
    assert answer.verdict is not None
    heard = explainer.judged_by(heard_of(asked.request), answer)
    together, _ = fusable({**asked.request.opinions, VERDICT: answer.verdict})
    alone = {VERDICT: answer.verdict}
    views = calibrated_views(together, answer.shown)
    behind = answer.behind.sha256 if answer.behind else ""
    yield Said(asked.row, explainer.fused(together, heard), views, asked.partial, behind)
    if len(views) > 1:
        yield Said(asked.row, explainer.fused(alone, heard), calibrated_views(alone, answer.shown), True, behind)


def _set_of(told: str) -> frozenset[Modality]:
    """`audio+text` as a set. Raises ConfigError for other words."""
    named = {word.strip() for word in told.split("+")}
    if odd := sorted(named - set(MODALITIES)):
        raise ConfigError(f"shown {told!r}: {', '.join(odd) or 'nothing'} is none of {', '.join(MODALITIES)}")
    return frozenset(modality for modality in MODALITIES if modality in named)


# ---------------------------------------------------------------- what was said


def spoken_of(clips: LabelledClips, contents: Mapping[str, str], said: Sequence[Said], name: str) -> Spoken:
    """Opinions beside their rows. Raises ConfigError where the model said nothing."""
    if not said:
        raise ConfigError(f"the model gave no verdict on any of {len(clips.rows)} rows; see the reasons above")
    places = [each.row for each in said]
    rows = [clips.rows[place] for place in places]
    speakers = speakers_of(rows)
    return Spoken(
        Labelled(
            name=name,
            ids=tuple(row.id for row in rows),
            features=tuple({} for _ in rows),
            target=clips.target[np.array(places)],
            speakers=speakers,
            contents=tuple(contents[row.id] for row in rows),
        ),
        tuple(each.opinion for each in said),
        tuple(each.views for each in said),
        tuple(each.partial for each in said),
    )


def prompt_of(said: Sequence[Said]) -> str:
    """The one prompt behind which all verdicts were read; empty where they are several, one a language."""
    found = {each.behind for each in said}
    return found.pop() if len(found) == 1 else ""


def left_out(clips: LabelledClips) -> Iterator[str]:
    """Labels that reach no label of the verdict, and rows that have no other."""
    if clips.unmapped:
        yield f"labels that are not in the set, and in how many rows: {_counts(clips.unmapped)}"
    if clips.unknown:
        yield f"{len(clips.unknown)} rows have no label in the set and are left out ({some(clips.unknown)})"


def _counts(words: Mapping[str, int]) -> str:
    return some(f"{word} {count}" for word, count in words.items())


def _count(spoken: Spoken, clips: LabelledClips) -> str:
    whole = len(spoken.whole.opinions)
    every = len(spoken.opinions)
    return f"{whole} of {len(clips.rows)} clips gave a verdict; {every} opinions with those on parts of them"
