"""Frozen values to JSON and back, unchanged; the one place that knows how.

Optional keys of the schema (`words`, `quality`, `segments`) are left out when they are None, and the
curves of the report never go into JSON.
"""

from typing import Any, TypeVar

import msgspec

from emer.errors import ConfigError
from emer.types import Explanation

T = TypeVar("T")

OPTIONAL = frozenset({"words", "quality", "segments"})
LEFT_OUT = frozenset({"tracks"})


def to_builtins(value: object) -> Any:
    """Dictionaries, lists, numbers and strings, as they stand in the JSON of `emer explain --json`."""
    return _pruned(msgspec.to_builtins(value))


def _pruned(value: Any) -> Any:
    if isinstance(value, dict):
        return {
            key: _pruned(item)
            for key, item in value.items()
            if key not in LEFT_OUT and not (item is None and key in OPTIONAL)
        }
    if isinstance(value, list | tuple):
        return [_pruned(item) for item in value]
    return value


def dumps(value: object) -> str:
    """One line of JSON (UTF-8 text, no newline at its end)."""
    return msgspec.json.encode(to_builtins(value)).decode()


def loads(text: str | bytes, kind: type[T] = Explanation) -> T:  # type: ignore[assignment]
    """The value that `dumps` wrote. Raises ConfigError naming the first key that does not fit."""
    try:
        return msgspec.json.decode(text, type=kind)
    except (msgspec.DecodeError, msgspec.ValidationError) as error:
        raise ConfigError(f"this is not {kind.__name__} JSON: {error}") from error


def pack(value: object) -> bytes:
    """The value whole, curves included, for caches (MessagePack)."""
    return msgspec.msgpack.encode(value)


def unpack(data: bytes, kind: type[T]) -> T:
    """The value that `pack` wrote."""
    return msgspec.msgpack.decode(data, type=kind)
