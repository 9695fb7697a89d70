"""A score as people read it: percent as the field prints it, the fraction beside it, and all that belongs to it."""

import textwrap
from collections.abc import Iterator, Mapping
from typing import Any

from emer.score.result import Score

WIDTH = 88
LABEL = 11
"""Characters of the first column."""


def as_text(score: Score, predicted: str, gold: str, *, detail: bool = False) -> str:
    """A few lines for the terminal; with `detail`, every column of the metric, in percent too."""
    lines = [f"{score.metric} of {predicted} on {gold}", *_row("score", _headline(score))]
    lines += _beside(score)
    lines += _row("clips", _clips(score))
    if score.unknown_share is not None:
        lines += _row("unknown", _unknown(score))
    lines += _floors(score)
    if score.tables is not None:
        lines += _row("tables", f"{score.tables.name}, sha256 {score.tables.sha256[:12]}")
    for note in score.detail.get("notes", ()):
        lines += _row("note", note)
    return "\n".join([*lines, *(_detail(score) if detail else ())])


def difference_as_text(score: Score, gold: str) -> str:
    """Both scores and the gap between them."""
    first, second = score.detail["first"], score.detail["second"]
    lines = [f"{score.metric} on {gold}"]
    for key, one in (("first", first), ("second", second)):
        lines += _row(key, f"{_percent(one['score'])}{_bounds(one['interval'])}  {one['source']}")
    lines += _row("difference", f"{_points(score.score)}{_bounds(score.interval)} points; {_verdict(score)}")
    lines += _row("clips", _clips(score))
    if score.tables is not None:
        lines += _row("tables", f"{score.tables.name}, sha256 {score.tables.sha256[:12]}")
    for note in score.detail.get("notes", ()):
        lines += _row("note", note)
    return "\n".join(lines)


def _verdict(score: Score) -> str:
    if score.interval is None:
        return "no interval was asked for"
    low, high = score.interval
    if low <= 0 <= high:
        return "these clips do not tell the two apart"
    return f"the {'first' if score.score > 0 else 'second'} is better on clips like these"


def _headline(score: Score) -> str:
    how = ""
    if score.interval is not None:
        how = f", 95 % interval from resampled {score.detail.get('resampled', 'clips')}"
    return f"{_percent(score.score)}{_bounds(score.interval)}  ({score.score:.4f}{how})"


def _beside(score: Score) -> list[str]:
    """The metric's other numbers, which are read together with it: WAR beside UAR, precision beside F1."""
    others = [f"{name.replace('_', ' ')} {_percent(value)}" for name, value in _numbers(score).items()]
    return _row("beside", ", ".join(others)) if others else []


def _numbers(score: Score) -> dict[str, float]:
    return {name: value for name, value in score.detail.items() if isinstance(value, float)}


def _clips(score: Score) -> str:
    reasons = "; ".join(f"{reason}: {count:,}" for reason, count in score.skipped.items())
    return f"{score.n_scored:,} scored, {score.n_skipped:,} skipped" + (f" ({reasons})" if reasons else "")


def _unknown(score: Score) -> str:
    examples = ", ".join(f"{word} {count:,}" for word, count in score.detail.get("unknown", {}).items())
    return f"{100 * (score.unknown_share or 0):.1f} % of the predicted words" + (f" ({examples})" if examples else "")


def _floors(score: Score) -> Iterator[str]:
    for number, (answer, value) in enumerate(score.floors.items()):
        yield from _row("floors" if number == 0 else "", f"{_percent(value)}  {answer}")


def _detail(score: Score) -> Iterator[str]:
    for name, value in score.detail.items():
        if name in ("notes", "unknown", "resampled") or isinstance(value, float):
            continue
        if isinstance(value, Mapping) and value and all(isinstance(row, Mapping) for row in value.values()):
            yield from _columns(value)
        elif isinstance(value, Mapping):
            yield from _row(name, ", ".join(f"{key} {_plain(one)}" for key, one in value.items()))
        elif value is not None:
            yield from _row(name, _plain(value))


def _columns(rows: Mapping[str, Mapping[str, Any]]) -> Iterator[str]:
    """One line a mapping (label), one column a score."""
    heads = list(next(iter(rows.values())))
    width = max(24, *(len(_mapping(name)) for name in rows)) + 2
    yield " " * (width + 2) + "".join(f"{head:>11}" for head in heads)
    for name, row in rows.items():
        yield f"  {_mapping(name):<{width}}" + "".join(f"{_plain(row[head]):>11}" for head in heads)


def _mapping(name: str) -> str:
    """`case3_wheel1_level2` as people say it."""
    if name in ("case1", "case2"):
        return {"case1": "M1 (inflections)", "case2": "M2 (synonyms)"}[name]
    wheel, _, ring = name.removeprefix("case3_wheel").partition("_level")
    return f"wheel {wheel}, ring {ring}" if ring else name


def _plain(value: object) -> str:
    if isinstance(value, bool) or not isinstance(value, int | float):
        return str(value)
    return f"{value:,}" if isinstance(value, int) else f"{100 * value:.2f}"


def _percent(value: float) -> str:
    return f"{100 * value:.2f} %"


def _points(value: float) -> str:
    return f"{100 * value:+.2f}"


def _bounds(interval: tuple[float, float] | None) -> str:
    return "" if interval is None else f"  [{100 * interval[0]:.2f}, {100 * interval[1]:.2f}]"


def _row(label: str, text: str) -> list[str]:
    indent = " " * (LABEL + 2)
    first = f"  {label.replace('_', ' '):<{LABEL - 1}} "
    return textwrap.wrap(text, WIDTH, initial_indent=first, subsequent_indent=indent, break_long_words=False)
