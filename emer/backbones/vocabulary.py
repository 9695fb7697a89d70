"""Verdict rows: rows of the vocabulary that no token uses, so that a head can live in the output layer."""

import re
from collections.abc import Sequence
from typing import Any

from emer.errors import ModelError


def unused_rows(tokenizer: Any, model: Any, count: int, reserved: re.Pattern[str] | None = None) -> tuple[int, ...]:
    """The lowest `count` rows that nothing uses. Raises ModelError when there are fewer."""
    if count < 1:
        raise ValueError(f"{count} verdict rows; at least 1 is needed")
    free = sorted(set(range(_size(model))) - used_rows(tokenizer, model, reserved))
    if len(free) < count:
        raise ModelError(
            f"{count} verdict rows are needed, and this model's vocabulary of {_size(model):,} rows has {len(free)} "
            "that no token uses; choose a label set with fewer labels, or enlarge the vocabulary"
        )
    return tuple(free[:count])


def check_unused(rows: Sequence[int], tokenizer: Any, model: Any, reserved: re.Pattern[str] | None = None) -> None:
    """Raises ModelError when a row is used by a token, stands twice, or lies outside of the vocabulary."""
    twice = sorted({row for row in rows if list(rows).count(row) > 1})
    outside = [row for row in rows if not 0 <= row < _size(model)]
    taken = sorted(set(rows) & used_rows(tokenizer, model, reserved))
    if twice:
        raise ModelError(f"verdict rows {_listed(twice)} stand twice; give each output a row of its own")
    if outside:
        raise ModelError(
            f"verdict rows {_listed(outside)} lie outside of this model's {_size(model):,} rows; "
            "the adapter was made for another base model"
        )
    if taken:
        names = ", ".join(f"{row} ({tokenizer.convert_ids_to_tokens(row) or 'its configuration'})" for row in taken[:5])
        raise ModelError(
            f"verdict rows are used by tokens of this tokenizer: {names}; the adapter was made for another base model"
        )


def used_rows(tokenizer: Any, model: Any, reserved: re.Pattern[str] | None = None) -> set[int]:
    """Rows of every token, and those that configurations name (placeholders of media, ends of turns)."""
    tokens = {**tokenizer.get_vocab(), **tokenizer.get_added_vocab()}
    used = {row for token, row in tokens.items() if reserved is None or not reserved.fullmatch(token)}
    for config in (model.config, model.config.get_text_config(), model.generation_config):
        for name, value in config.to_dict().items():
            if re.search(r"token_(id|index)$", name):
                used |= {row for row in (value if isinstance(value, list) else [value]) if isinstance(row, int)}
    return used


def _size(model: Any) -> int:
    return int(model.config.get_text_config().vocab_size)


def _listed(rows: Sequence[int]) -> str:
    return ", ".join(map(str, rows[:5])) + (", …" if len(rows) > 5 else "")
