"""The clips on which a system was most wrong and most sure, each with a page of its own that explains it again.

Order: highest risk first, among equal risks the highest confidence first (a clip without one last), then by name.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from emer.bench.records import Prediction
from emer.bench.report_grids import Cell, Grid, line, percent, short
from emer.bench.report_run import DataRun, Run
from emer.bench.report_scores import DataScores, SystemScores
from emer.bench.run_systems import explainer_of
from emer.data.dataset import open_dataset
from emer.data.folders import folder_of
from emer.data.manifest import read_manifest
from emer.data.rows import Row
from emer.errors import EmerError
from emer.explain import Explainer
from emer.report import html
from emer.types import Clip

NO_CLIP = "the clip is not there any more"
LONGEST = 160
"""Bytes of a file name, of which file systems take 255: key and ending come after."""
NO_SET = "its data set is not found here; name its folder as for the run"


@dataclass(frozen=True, slots=True)
class Worst:
    """One clip of the list."""

    system: str
    name: str
    risk: float
    confidence: float | None
    gold: str
    said: str
    page: str | None
    """Its own page, below the run folder."""
    why_not: str = ""
    """Why it has none."""


def worst(run: Run, found: DataScores, most: int) -> tuple[Worst, ...]:
    """At most `most` clips of each system that were not right; pages are made where the clips still lie."""
    clips = clips_of(run, found.data) if most else {}
    return tuple(
        _told(run, found.data, system, place, clips) for system in found.systems for place in worst_first(system)[:most]
    )


def worst_first(system: SystemScores) -> list[int]:
    """Places of the clips with a risk above 0 among those of a system."""
    risk = system.judged.risk
    sure = np.nan_to_num(system.judged.confidence, nan=-1.0)
    wrong = np.flatnonzero(np.nan_to_num(risk) > 0)
    return sorted(wrong.tolist(), key=lambda i: (-risk[i], -sure[i], system.judged.names[i]))


def clips_of(run: Run, data: DataRun) -> Mapping[str, Clip]:
    """The clips of a data set as they were handed to systems; empty where its folder is not there any more."""
    asked = next(one for one in run.config.data if one.stem == data.name)
    try:
        rows: Sequence[Row] = (
            read_manifest(asked.name, missing_clips=True)
            if asked.is_manifest
            else open_dataset(asked.name, folder_of(asked.name, run.config.folder_named(asked))).rows
        )
    except EmerError:
        return {}  # each clip then says so
    return {row.id: row.clip for row in rows}


def _told(run: Run, data: DataRun, system: SystemScores, place: int, clips: Mapping[str, Clip]) -> Worst:
    truth, answer = system.truths[place], data.systems[system.name][system.truths[place].name]
    page, why_not = _page(run, data, system.name, answer, clips.get(truth.name))
    said = ", ".join(emotion.label for emotion in answer.emotions) or answer.sentiment or "nothing"
    return Worst(
        system=system.name,
        name=truth.name,
        risk=float(system.judged.risk[place]),
        confidence=answer.confidence,
        gold=", ".join(truth.labels) or ("–" if truth.value is None else f"{truth.value:g}"),
        said=said if answer.error is None else f"failed: {answer.error.kind}",
        page=page,
        why_not=why_not,
    )


def _page(run: Run, data: DataRun, system: str, answer: Prediction, clip: Clip | None) -> tuple[str | None, str]:
    """The page of a clip, made once for each answer; else why there is none."""
    if answer.error is not None:  # asked again it would fail again, or hang, and take the report with it
        return None, answer.error.reason
    if clip is None or not Path(clip.path).is_file():
        return None, NO_SET if clip is None else NO_CLIP
    place = f"worst/{data.name}/{system}/{file_name(answer.name)}.{(answer.key or 'page')[:8]}.html"
    if not (run.folder / place).is_file():
        try:
            explainer, clip = explainer_for(run, system, clip)
            html.write(explainer.explain(clip), run.folder / place, Path(clip.path))
        except Exception as error:  # a bug of an engine is told in the table; it must not cost the whole report
            told = " ".join(str(error).split())
            return None, told if isinstance(error, EmerError) else f"{type(error).__name__}: {told}"
    return place, ""


def explainer_for(run: Run, system: str, clip: Clip) -> tuple[Explainer, Clip]:
    """The system of that name, and the clip as that system got it."""
    told = next(one for one in run.config.systems if one.name == system)
    return explainer_of(told, run.config.seed), replace(clip, without=clip.without | frozenset(told.without))


def file_name(name: str) -> str:
    """The id of a row as the name of a file: ids may hold slashes.

    >>> file_name("Actor_01/03-01.wav"), file_name("..")
    ('Actor_01_03-01.wav', '_.')
    """
    plain = "".join(letter if letter.isalnum() or letter in "-_." else "_" for letter in name)
    plain = plain.encode()[:LONGEST].decode(errors="ignore")
    return f"_{plain[1:]}" if plain.startswith(".") else plain


def worst_grid(worst: Sequence[Worst]) -> tuple[Grid, ...]:
    """One table for all systems."""
    lines = tuple(
        line(
            (
                Cell(short(each.name), href=each.page),
                each.system,
                f"{each.risk:.2f}",
                percent(each.confidence, 1),
                short(each.gold),
                short(each.said),
                "" if each.page else short(each.why_not),
            )
        )
        for each in worst
    )
    headings: tuple[str, ...] = (
        "clip",
        "system",
        "risk",
        "confidence",
        "people said",
        "the system said",
        "no page because",
    )
    if all(each.page for each in worst):
        headings, lines = headings[:-1], tuple(replace(one, cells=one.cells[:-1]) for one in lines)
    return (Grid("Highest risk first, and among those the surest", headings, lines),) if lines else ()
