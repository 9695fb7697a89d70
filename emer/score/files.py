"""Prediction files and gold files as columns: what `emer score` reads.

    predictions   name and one of openset, labels, emotions; where an answer states them sentiment, confidence (a number
                  a clip) and confidences (a number a label)
    gold          name and one of label, labels, openset, emotions, value; speaker where it is known

`predictions.jsonl` of `emer bench` is such a file, and so is any table with these columns under other names: a name
that is guessed is told in `Column.notes`. Cells hold labels as a text (`[happy, sad]`, `happy`), as a list, as
`{label: confidence}`, or as objects with `label`, `cluster` and `confidence`.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from emer.data.rows import NAMED, refuse, some
from emer.emotions.parsing import is_missing, published
from emer.errors import ConfigError
from emer.score.cells import Cells, read_cells
from emer.score.options import Parser
from emer.score.result import Column
from emer.types import Emotion

NOTHING = frozenset(
    (
        *("", "#N/A", "#N/A N/A", "#NA", "-1.#IND", "-1.#QNAN", "-NaN", "-nan", "1.#IND", "1.#QNAN", "<NA>"),
        *("N/A", "NA", "NULL", "NaN", "None", "n/a", "nan", "null"),
    )
)
"""Texts of a cell that hold nothing: those of pandas, with which the field's scorers read their files."""
NO_ERROR = frozenset(("0", "false", "no"))
"""How a column `error` says that nothing went wrong, besides saying nothing."""
SENTIMENTS = {
    **dict.fromkeys(("positive", "pos", "积极", "正面", "正向"), "positive"),
    **dict.fromkeys(("negative", "neg", "消极", "负面", "负向"), "negative"),
    **dict.fromkeys(("neutral", "neu", "中性", "中立"), "neutral"),
}
SIGNS = {"positive": 1.0, "negative": -1.0, "neutral": 0.0}
Labels = Sequence[str]


def read_predictions(
    path: str | Path, *, encoding: str | None = None, parser: Parser = "published", confidences: bool = True
) -> Column:
    """The answers in a file. Rows whose `error` is set have no answer and are left out, which a note says.

    Without `confidences`, columns of them are not read: what they hold is of no concern to most metrics.
    Raises ConfigError for everything that does not fit, with the file, the row and what to do.
    """
    cells = _answered(path, read_cells(Path(path), "predictions", encoding))
    names = _names(path, cells)
    labels, emotions = _labels(path, names, cells.columns.get("labels"), parser)
    if confidences and emotions is None and "confidences" in cells.columns:
        emotions = _sure(path, names, labels, cells.columns["confidences"])
    sentiment, strange = _sentiments(cells.columns.get("sentiment"), parser)
    return Column(
        source=str(path),
        names=names,
        labels=labels,
        sentiment=sentiment,
        emotions=emotions,
        confidence=_confidences(path, names, cells.columns.get("confidence") if confidences else None),
        texts=_texts(cells.columns.get("text")),
        notes=(*cells.notes, *strange),
    )


def read_gold(path: str | Path, *, encoding: str | None = None, parser: Parser = "published") -> Column:
    """The truth in a file. Labels that are all numbers are read as values, which a note says.

    Raises ConfigError for everything that does not fit, with the file, the row and what to do.
    """
    cells = read_cells(Path(path), "gold", encoding)
    names, found = _names(path, cells), cells.columns.get("labels")
    values, notes = _given_values(path, names, cells)
    if values is None and found is not None and _all_numbers(found):
        values, notes = _values(path, names, found), (*notes, f"{path}: labels are numbers, read as sentiment values")
    labels, _ = _labels(path, names, found, parser)
    speakers = _texts(cells.columns.get("speaker"))
    return Column(
        source=str(path),
        names=names,
        labels=labels,
        values=values,
        speakers=None if speakers is None else [speaker or "unknown" for speaker in speakers],
        texts=_texts(cells.columns.get("text")),
        notes=notes,
    )


# ---------------------------------------------------------------- rows


def _names(path: str | Path, cells: Cells) -> list[str]:
    names = [name.strip() if isinstance(name, str) else _name(name) for name in cells.columns["name"]]
    unnamed = [str(row) for row, name in enumerate(names, start=1) if not name]
    refuse([f"rows {some(unnamed)}"] if unnamed else [], f"{path} has {len(unnamed)} rows without a name; name them")
    return names


def _name(cell: Any) -> str:
    """A number as a name; of a clip as `emer explain --json` tells it, the file name without folder and ending."""
    if isinstance(cell, dict):
        return Path(str(cell.get("path", ""))).stem
    return "" if is_missing(cell) else str(cell)


def _answered(path: str | Path, cells: Cells) -> Cells:
    errors = cells.columns.get("error")
    if errors is None:
        return cells
    kept = [row for row, error in enumerate(errors) if _nothing(error) or str(error).strip().lower() in NO_ERROR]
    failed = len(errors) - len(kept)
    if not failed:
        return cells
    if not kept:
        raise ConfigError(f"{path}: all {failed} clips failed; run them again before scoring")
    columns = {role: [column[row] for row in kept] for role, column in cells.columns.items()}
    return Cells(columns, (*cells.notes, f"{path}: {failed} clips failed and have no answer"), cells.guessed)


# ---------------------------------------------------------------- labels


def _labels(
    path: str | Path, names: Sequence[str], cells: Sequence[Any] | None, parser: Parser
) -> tuple[list[Labels], list[Sequence[Emotion]] | None]:
    """Labels, and labels with what is said of each where the file holds objects."""
    if cells is None:
        return [()] * len(names), None
    if any(_holds_objects(cell) for cell in cells):
        emotions = [_emotions(path, name, cell) for name, cell in zip(names, cells, strict=True)]
        return [tuple(emotion.label for emotion in answer) for answer in emotions], list(emotions)
    return _parsed(cells, _parser(parser)), None


def _parser(name: Parser) -> Callable[[object], list[str]]:
    if name == "published":
        return published
    from emer.emotions.parsing import tolerant

    return tolerant


def _parsed(cells: Sequence[Any], parse: Callable[[object], list[str]]) -> list[Labels]:
    """Each distinct text is parsed once, and each distinct label kept once."""
    known: dict[str, Labels] = dict.fromkeys(NOTHING, ())
    words: dict[str, str] = {}
    columns: list[Labels] = []
    for cell in cells:
        found = known.get(cell) if isinstance(cell, str) else None
        if found is None:
            labels = parse(cell)
            found = tuple(map(words.setdefault, labels, labels))
            if isinstance(cell, str):
                known[cell] = found
        columns.append(found)
    return columns


def _holds_objects(cell: object) -> bool:
    return isinstance(cell, dict) or (isinstance(cell, list) and bool(cell) and isinstance(cell[0], dict))


def _emotions(path: str | Path, name: str, cell: object) -> tuple[Emotion, ...]:
    try:
        if isinstance(cell, dict):
            return tuple(_emotion({"label": label, "confidence": share}) for label, share in cell.items())
        if isinstance(cell, list):
            return tuple(_emotion(item if isinstance(item, dict) else {"label": item}) for item in cell)
    except (KeyError, TypeError, ValueError) as error:
        raise ConfigError(
            f"{path}: the emotions of {name} cannot be read ({error!r}); give objects with `label`, `cluster` and "
            "`confidence` in [0, 1]"
        ) from error
    return tuple(Emotion(label) for label in published(cell))


def _emotion(item: Mapping[str, Any]) -> Emotion:
    cluster, confidence = item.get("cluster"), item.get("confidence")
    share = None if is_missing(confidence) else float(confidence)  # type: ignore[arg-type]
    if share is not None and not 0 <= share <= 1:
        raise ValueError(f"confidence {share}")
    return Emotion(str(item["label"]).strip().lower(), None if is_missing(cluster) else str(cluster), share)


def _sure(
    path: str | Path, names: Sequence[str], labels: Sequence[Labels], cells: Sequence[Any]
) -> list[Sequence[Emotion]]:
    """Labels with the confidences of a column beside them: one number a label, as a list or as `[0.8, 0.4]`."""
    found: list[Sequence[Emotion]] = []
    for name, answer, cell in zip(names, labels, cells, strict=True):
        listed = cell if isinstance(cell, list) else published(cell)
        numbers = list(_numbers(path, [name] * len(listed), listed, "confidence"))
        if len(numbers) != len(answer) or any(share is not None and not 0 <= share <= 1 for share in numbers):
            raise ConfigError(
                f"{path}: {name} has {len(answer)} labels and the confidences {str(cell)[:40]}; give one a label, "
                "between 0 and 1"
            )
        found.append(tuple(Emotion(word, None, share) for word, share in zip(answer, numbers, strict=True)))
    return found


# ---------------------------------------------------------------- other columns


def _sentiments(cells: Sequence[Any] | None, parser: Parser) -> tuple[list[str | None] | None, tuple[str, ...]]:
    """Sentiment words; what is none of them, an empty cell too, counts as neutral, which a note says.

    `published`: only the three words just as they stand are one, as in the field's scorers (Lian et al. 2025); a column
    without any of them is none that these scorers could read, and is read as `tolerant` does.
    """
    if cells is None or all(is_missing(cell) for cell in cells):
        return None, ()
    exact = parser == "published" and any(isinstance(cell, str) and cell in SIGNS for cell in cells)
    plain = ["" if _nothing(cell) else str(cell) if exact else _plain_sentiment(str(cell)) for cell in cells]
    known: Mapping[str, str] = {word: word for word in SIGNS} if exact else SENTIMENTS
    strange = {word for word in plain if word not in known}
    if not strange:
        return [known[word] for word in plain], ()
    count, shown = sum(word in strange for word in plain), some(sorted(repr(word[:40]) for word in strange))
    note = f"{count} sentiments are none of positive, negative, neutral and count as neutral ({shown})"
    if exact and any(_plain_sentiment(word) in SENTIMENTS for word in strange):
        note += "; --parser tolerant reads some of them"
    return [known.get(word, "neutral") for word in plain], (note,)


def _plain_sentiment(text: str) -> str:
    return text.strip().strip(".。\"'").lower()


def _given_values(
    path: str | Path, names: Sequence[str], cells: Cells
) -> tuple[list[float | None] | None, tuple[str, ...]]:
    """Values of their own column. One that was only guessed and holds something else is left, which a note says."""
    given = cells.columns.get("value")
    if given is None:
        return None, cells.notes
    try:
        return _values(path, names, given), cells.notes
    except ConfigError as error:
        if "value" not in cells.guessed or "labels" not in cells.columns:
            raise
        return None, (*cells.notes, f"no values are read: {error}")


def _values(path: str | Path, names: Sequence[str], cells: Sequence[Any]) -> list[float | None]:
    """Numbers; a word for a sentiment is its sign."""
    signs = [
        SIGNS.get(SENTIMENTS.get(cell.strip().lower(), ""), cell) if isinstance(cell, str) else cell for cell in cells
    ]
    return list(_numbers(path, names, signs, "value"))


def _confidences(path: str | Path, names: Sequence[str], cells: Sequence[Any] | None) -> list[float | None] | None:
    if cells is None or all(is_missing(cell) for cell in cells):
        return None
    numbers = list(_numbers(path, names, cells, "confidence"))
    wrong = [f"{n}: {c:g}" for n, c in zip(names, numbers, strict=True) if c is not None and not 0 <= c <= 1]
    refuse(wrong[:NAMED], f"{path} has {len(wrong)} confidences outside [0, 1]")
    return numbers


def _numbers(path: str | Path, names: Sequence[str], cells: Sequence[Any], what: str) -> Iterator[float | None]:
    for name, cell in zip(names, cells, strict=True):
        try:
            yield None if _nothing(cell) else float(cell)
        except (TypeError, ValueError) as error:
            shown = repr(str(cell)[:40])
            raise ConfigError(f"{path}: the {what} of {name} is {shown}; give a number, or nothing") from error


def _all_numbers(cells: Sequence[Any]) -> bool:
    """Whether every cell that holds something is one number, and some do."""
    something = [cell for cell in cells if not _nothing(cell)]
    try:
        return bool(something) and all(isinstance(float(cell), float) for cell in something)
    except (TypeError, ValueError):
        return False


def _nothing(cell: object) -> bool:
    return is_missing(cell) or (isinstance(cell, str) and cell.strip() in NOTHING)


def _texts(cells: Sequence[Any] | None) -> list[str | None] | None:
    return None if cells is None else [None if is_missing(cell) else str(cell) for cell in cells]
