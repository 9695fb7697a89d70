"""MER-UniBench as its owners pack it: one folder a set, `NAME-process`, with labels, subtitles and cut clips.

    label….npz               corpora by part, name → {emo: a word or a place in the set's list, val: valence}
    transcription….csv       name, chinese, english
    video/, subvideo/ …      clips named after the rows; two sets have another cut, `…_new/`, which goes first

Source: Lian et al. 2025, AffectGPT (ICML, https://arxiv.org/abs/2501.16566); archives named in the README of
https://github.com/zeroQiaoba/AffectGPT, paths and columns in its `AffectGPT/config.py` and
`my_affectgpt/datasets/datasets/*.py`, made by `MERBench/toolkit/preprocess/*.py` of
https://github.com/zeroQiaoba/MERTools. The .npz files hold Python objects; see `object_arrays` for how they are read.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from emer.data.object_arrays import read_objects
from emer.data.released_clips import VIDEO, Clips, spoken
from emer.data.rows import Part, Row, existing, refuse, some
from emer.types import Annotation, Clip

UNRATED = -10
"""Valence of a clip that nobody rated."""


@dataclass(frozen=True, slots=True)
class Packing:
    """Where one set keeps what."""

    title: str
    corpora: Mapping[str, Part | None]
    """Array of the label file to part."""
    words: Sequence[str] | None = None
    """The labels, in the order of their numbers; None for sets of sentiment, where only `val` counts."""
    labels: str = "label.npz"
    subtitles: str = "transcription-engchi-polish.csv"
    said: str = "english"
    """The column of the language that is spoken."""
    language: str = "en"
    videos: Sequence[str] = ("subvideo",)
    """Folders of clips, the best first."""
    endings: Sequence[str] = VIDEO


def read_packed(folder: Path, packing: Packing) -> tuple[Row, ...]:
    """The rows of a packed set, in its order.

    Raises ConfigError when the label file or the subtitles are missing or damaged, and for labels that are unknown.
    """
    path = existing(folder, packing.labels, f"the labels of {packing.title}")
    said = spoken(existing(folder, packing.subtitles, f"subtitles of {packing.title}"), "name", packing.said)
    clips = _clips(folder, packing)
    corpora = read_objects(path)
    rows, mistakes = [], []
    for corpus, part in packing.corpora.items():
        entries = corpora.get(corpus)
        if not isinstance(entries, dict):
            mistakes.append(f"it has no {corpus}; it has {some(corpora) or 'nothing'}")
            continue
        for name, entry in entries.items():
            annotation = _annotation(entry, packing.words)
            if isinstance(annotation, str):
                mistakes.append(f"{name} in {corpus} {annotation}")
                continue
            clip = Clip(clips.path(name), said=said.get(name))
            rows.append(Row(name, clip, annotation, part=part, language=packing.language))
    refuse(mistakes, f"{path} cannot be read")
    return tuple(rows)


def _clips(folder: Path, packing: Packing) -> Clips:
    """CMU-MOSEI and CH-SIMS v2 are read from `subvideo_new` and `video_new` in AffectGPT's `config.py`."""
    places = [place for video in packing.videos for place in (f"{video}_new", video)]
    files = Clips.below(folder, *places, endings=packing.endings).files
    return Clips(folder / packing.videos[0], packing.endings[0], files)


def _annotation(entry: Any, words: Sequence[str] | None) -> Annotation | str:
    """What people said, or what is wrong with it."""
    if not isinstance(entry, dict):
        return "is not a dictionary of emo and val"
    value = entry.get("val")
    value = None if value in (None, "", UNRATED) else value
    if value is not None and not isinstance(value, int | float):
        return f"has the valence {value!r}, which is no number"
    rated = None if value is None else float(value)
    if words is None:
        return Annotation(value=rated)
    emo = entry.get("emo")
    label = words[emo] if isinstance(emo, int) and 0 <= emo < len(words) else emo
    if not isinstance(label, str) or label not in words:
        return f"has the label {emo!r}, which is not one of {', '.join(words)}"
    return Annotation((label,), value=rated)
