"""Write an explanation where annotation tools, tables and players can read it; the suffix decides.

`.TextGrid` (Praat), `.eaf` (ELAN), `.csv` (one row a clue), `.segments.csv` (one row a segment), `.srt` (one cue a
segment). Times are those of the file, so that each lies right beside it.
"""

from collections.abc import Callable, Mapping
from pathlib import Path

from emer.errors import OutputError
from emer.files import write_bytes
from emer.report import elan, subtitles, tables, textgrid
from emer.types import Explanation

FORMATS: Mapping[str, Callable[[Explanation, Path], bytes]] = {
    ".textgrid": lambda explanation, path: textgrid.render(explanation).encode(),
    ".eaf": lambda explanation, path: elan.render(explanation, beside=path),
    ".segments.csv": lambda explanation, path: tables.segments_csv(explanation).encode("utf-8", "replace"),
    ".csv": lambda explanation, path: tables.clues_csv(explanation).encode("utf-8", "replace"),
    ".srt": lambda explanation, path: subtitles.render(explanation).encode("utf-8", "replace"),
}
"""How each suffix is written; the first that fits counts, upper or lower case."""


def write(explanation: Explanation, path: str | Path) -> None:
    """Write whole or not at all. Raises OutputError for a suffix that is not in `FORMATS`, or a place out of reach."""
    target = Path(path)
    made = next((form for suffix, form in FORMATS.items() if target.name.lower().endswith(suffix)), None)
    if made is None:
        raise OutputError(f"{path} has no suffix to export to; use .TextGrid, .eaf, .csv, .segments.csv or .srt")
    _refuse_sidecar(explanation, target)
    write_bytes(target, made(explanation, target))


def _refuse_sidecar(explanation: Explanation, target: Path) -> None:
    """Subtitles that share the clip's name and folder are its transcript: ours would be read as what was said."""
    clip = Path(explanation.clip.path)
    beside = target.resolve().parent == clip.resolve().parent
    if target.suffix.lower() == ".srt" and beside and target.stem == clip.stem:
        raise OutputError(
            f"{target} would be taken for the transcript of {clip.name}; "
            f"name it {clip.stem}.emer.srt or choose another folder"
        )
