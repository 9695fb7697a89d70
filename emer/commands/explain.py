"""`emer explain`: clips in, explanations out, as text, JSON lines, HTML reports and annotation files."""

import os
import sys
from argparse import Namespace
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from emer import files
from emer.clues.extract import Progress
from emer.commands.progress import progress_bar
from emer.commands.sources import is_batch, sources_of
from emer.errors import ConfigError, EmerError, OutputError
from emer.explain import Explainer
from emer.files import cache_folder
from emer.jsonio import dumps
from emer.media import Limits
from emer.report import export, html, terminal
from emer.types import Clip, Explanation

EXPORTS = {
    "textgrid": (".TextGrid",),
    "eaf": (".eaf",),
    "csv": (".csv", ".segments.csv"),
    "srt": (".emer.srt",),  # not STEM.srt: beside the clip, the next run would read that as its transcript
}


@dataclass(frozen=True, slots=True)
class Outputs:
    """What is written for each clip, and where."""

    folder: Path
    json: bool
    html: bool
    exports: tuple[str, ...]
    names: dict[Clip, str]

    def write(self, clip: Clip, explanation: Explanation) -> list[Path]:
        """Every file asked for; each is whole or absent."""
        base = self.folder / self.names[clip]
        written = []
        if self.json:
            written.append(base.with_name(base.name + ".json"))
            files.write_text(written[-1], dumps(explanation) + "\n")
        if self.html:
            written.append(base.with_name(base.name + ".html"))
            html.write(explanation, written[-1], Path(clip.path))
        for suffix in self.exports:
            written.append(base.with_name(base.name + suffix))
            export.write(explanation, written[-1])
        return written


def run(options: Namespace) -> int:
    """Explain all clips that PATH stands for. One bad clip or row of many is reported, counted, and stops nothing."""
    batch = is_batch(options.path)
    sources = sources_of(options)
    clips = sources.clips
    outputs = outputs_of(options, clips, batch)
    failures: list[tuple[str, EmerError]] = list(sources.unread)
    with progress_bar(len(clips)) as bar:
        for _, unread in sources.unread:
            bar.say(f"emer: {' '.join(str(unread).split())}")
        explainer = explainer_of(options, bar.stage)
        explainer.prepare()
        for clip in clips:
            try:
                explanation = explainer.explain(clip)
                written = outputs.write(clip, explanation)
            except EmerError as error:
                if not batch:
                    raise
                failures.append((clip.path, error))
                bar.say(f"emer: {' '.join(str(error).split())}")
            else:
                bar.pause()
                show(options, explanation, written, batch)
            bar.next()
    return report_failures(outputs.folder, failures, len(clips) + len(sources.unread)) if failures else 0


def explainer_of(options: Namespace, progress: Progress) -> Explainer:
    """The explainer that the command line asks for; `emer clues` has no engine and no fusion."""
    model = getattr(options, "model", None)
    return Explainer(
        engine=getattr(options, "engine", None) or ("transformers" if model else "composer"),
        model=model,
        adapter=getattr(options, "adapter", None),
        stages=getattr(options, "stages", None),
        views=getattr(options, "views", None),
        weights=getattr(options, "weights", None),
        fusion=getattr(options, "fusion", None),
        transcriber=options.asr,
        cache=None if options.no_cache else cache_folder(),
        limits=Limits() if options.max_duration is None else Limits(duration=options.max_duration),
        progress=progress,
    )


def outputs_of(options: Namespace, clips: Sequence[Clip], batch: bool) -> Outputs:
    """What to write; checked before any clip is decoded."""
    kinds = [kind.strip().lower() for kind in options.export.split(",") if kind.strip()]
    if unknown := [kind for kind in kinds if kind not in EXPORTS]:
        raise ConfigError(f"--export {unknown[0]} is not known; choose among {', '.join(EXPORTS)}")
    if batch and options.out is None:
        raise OutputError(f"{options.path} stands for {len(clips)} clips; name a folder for the results with --out DIR")
    folder = Path(options.out or ".")
    if folder.exists() and not folder.is_dir():
        raise OutputError(f"--out {folder} is a file; name a folder")
    there = next(place for place in (folder.absolute(), *folder.absolute().parents) if place.exists())
    if (options.out or options.html or kinds) and not os.access(there, os.W_OK | os.X_OK):
        raise OutputError(f"{there} cannot be written; name another folder with --out")
    return Outputs(
        folder=folder,
        json=options.out is not None,
        html=options.html,
        exports=tuple(suffix for kind in kinds for suffix in EXPORTS[kind]),
        names=_names(clips),
    )


def _names(clips: Sequence[Clip]) -> dict[Clip, str]:
    """A file name for each clip: its stem; the whole name, then the path, where that would not tell two apart."""
    names = {clip: Path(clip.path).stem for clip in clips}
    for longer in (lambda c: Path(c.path).name, lambda c: c.path.strip("/").replace("/", "_"), _timed_name):
        count = Counter(names.values())
        names = {clip: name if count[name] == 1 else longer(clip) for clip, name in names.items()}
    return names


def _timed_name(clip: Clip) -> str:
    return f"{Path(clip.path).stem}_{clip.start or 0:g}-{'end' if clip.end is None else f'{clip.end:g}'}"


def show(options: Namespace, explanation: Explanation, written: Sequence[Path], batch: bool) -> None:
    """JSON alone on stdout when asked for; else text for one clip, a line each for many."""
    if options.json:
        print(dumps(explanation), flush=True)
    elif batch:
        labels = ", ".join(emotion.label for emotion in explanation.emotions) or "no label"
        print(f"{explanation.clip.path}: {labels}", flush=True)
    else:
        terminal.show(explanation)
    for path in written:
        print(f"wrote {path}", file=sys.stderr)


def report_failures(folder: Path, failures: Sequence[tuple[str, EmerError]], total: int) -> int:
    """Name every clip that failed, in a file and in a last line."""
    rows = [dumps({"path": path, "error": type(error).__name__, "reason": str(error)}) for path, error in failures]
    files.write_text(folder / "failed.jsonl", "\n".join(rows) + "\n")
    print(
        f"emer: {len(failures)} of {total} clips failed; the reasons are in {folder / 'failed.jsonl'}", file=sys.stderr
    )
    return 1
