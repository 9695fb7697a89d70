"""Cells with emotion labels to lists of labels: the field's published parser."""

from typing import Any


def published(cell: object) -> list[str]:
    """The labels of a cell, just as the open-vocabulary scorers of the field read it; doubled ones stay.

    A list stays a list. Of a text one leading `[` and one trailing `]` are taken off, and it is cut at `'`, `"` and
    `,`. Labels are stripped and in lower case, empty ones are dropped; an empty text, None and NaN have none.
    So `can't wait` is two labels, `- happy` is one, and `"happy; sad"` is one: numbers that are to be compared with
    published ones need these faults. Definition: `string_to_list` of the released code of AffectGPT (Lian et al. 2025),
    which fails on a lone `[`; here that is an empty list.

    >>> published("['Worried', 'ill at ease']"), published("[happy]"), published(float("nan"))
    (['worried', 'ill at ease'], ['happy'], [])
    """
    if not isinstance(cell, str):
        return [] if is_missing(cell) else _of_value(cell)
    text = cell.removeprefix("[").removesuffix("]").replace("'", ",").replace('"', ",").lower()
    return [label for part in text.split(",") if (label := part.strip())]


def is_missing(cell: object) -> bool:
    """Whether a cell is None, NaN or another library's mark for nothing."""
    return cell is None or (not hasattr(cell, "__len__") and str(cell) in ("nan", "<NA>", "NaT"))


def _of_value(cell: object) -> list[str]:
    """The labels of a list, an array or a number."""
    listed: Any = cell.tolist() if hasattr(cell, "tolist") else cell
    parts = listed if isinstance(listed, list | tuple | set | frozenset) else [listed]
    return [label for part in parts if (label := str(part).lower().strip())]
