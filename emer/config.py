"""Configuration: YAML whose keys are the fields of a dataclass, `key=value` changes, and all mistakes at once."""

import dataclasses
import difflib
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, TypeVar, get_args, get_origin, get_type_hints

import msgspec

from emer.errors import ConfigError
from emer.tables import parse

T = TypeVar("T")

PACKAGE = Path(__file__).parent
SHIPPED = (PACKAGE / "configs", PACKAGE.parent / "configs")
"""Where an installed emer has its configurations, and where a checkout has them."""


def shipped(kind: str, name: str | Path) -> Path:
    """The file that a name stands for: a path, or the name of a configuration that comes with emer.

    `kind` is a folder of configs/: heads, bench, splits. Raises ConfigError that lists the known names.

    >>> shipped("heads", "tmc").name
    'tmc.yaml'
    """
    if Path(name).is_file():
        return Path(name)
    known = {path.stem: path for folder in SHIPPED for path in sorted((folder / kind).glob("*.yaml"))}
    # A path as it stands in the documentation is also right where emer is installed and there is no checkout.
    stem = Path(name).stem if Path(name) == Path("configs", kind, f"{Path(name).stem}.yaml") else str(name)
    if stem not in known:
        raise ConfigError(f"there is no configuration {name}; give a file, or one of {', '.join(sorted(known))}")
    return known[stem]


def read_yaml(path: str | Path) -> dict[str, Any]:
    """The mapping in a YAML file. Raises ConfigError when there is none."""
    try:
        text = Path(path).read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"the configuration {path} cannot be read ({error}); give a YAML file") from error
    values = parse(text, str(path))
    if not isinstance(values, dict) or not all(isinstance(key, str) for key in values):
        raise ConfigError(f"the configuration {path} holds no mapping of keys to values; start with `task: …`")
    return values


def overridden(values: Mapping[str, Any], changes: Sequence[str]) -> dict[str, Any]:
    """The values with each `key=value` put in; dots reach inside, values are read as YAML.

    Raises ConfigError for a change that is not of that form.

    >>> overridden({"options": {"hidden": [64]}}, ["options.hidden=[]", "seeds=[1, 2]"])
    {'options': {'hidden': []}, 'seeds': [1, 2]}
    """
    result: dict[str, Any] = _copied(values)
    for change in changes:
        key, separator, text = change.partition("=")
        path = key.split(".")
        if not separator or not all(path):
            raise ConfigError(f"{change!r} changes nothing; write key=value, for example seeds=[0,1]")
        inner = result
        for name in path[:-1]:
            inner = inner.setdefault(name, {})
            if not isinstance(inner, dict):
                raise ConfigError(f"{change!r}: {name} is a plain value and has no keys inside")
        inner[path[-1]] = parse(text, change)
    return result


def build(kind: type[T], values: Mapping[str, Any], where: str) -> T:
    """The dataclass with these values; what is not given keeps its default. Nested dataclasses are nested mappings.

    Raises ConfigError that lists every mistake: unknown keys (with the nearest known one), wrong types, missing keys,
    and whatever the dataclass itself refuses.
    """
    mistakes: list[str] = []
    made = _built(kind, values, "", mistakes)
    if mistakes:
        count = len(mistakes)
        raise ConfigError(f"{where} has {count} {'mistake' if count == 1 else 'mistakes'}: {'; '.join(mistakes)}")
    assert made is not None
    return made


def _built(kind: type[T], values: Mapping[str, Any], inside: str, mistakes: list[str]) -> T | None:
    before = len(mistakes)
    fields = {field.name: field for field in dataclasses.fields(kind)}  # type: ignore[arg-type]
    types = get_type_hints(kind)
    mistakes += _unknown(values, list(fields), inside)
    given = {name: _value(types[name], values[name], f"{inside}{name}", mistakes) for name in fields if name in values}
    needed = [name for name, field in fields.items() if _is_needed(field) and name not in values]
    mistakes += [f"{inside}{name} is missing" for name in needed]
    if len(mistakes) > before:
        return None
    try:
        return kind(**given)
    except ConfigError as error:
        mistakes.append(f"{inside.rstrip('.') + ': ' if inside else ''}{error}")
        return None


def _value(kind: Any, value: Any, name: str, mistakes: list[str]) -> Any:
    if dataclasses.is_dataclass(kind) and isinstance(kind, type):
        if isinstance(value, Mapping):
            return _built(kind, value, f"{name}.", mistakes)
        mistakes.append(f"{name} is {value!r} and must be a mapping of keys to values")
        return None
    if get_origin(kind) is tuple and dataclasses.is_dataclass(get_args(kind)[0]) and isinstance(value, list):
        return tuple(_value(get_args(kind)[0], one, f"{name}[{i}]", mistakes) for i, one in enumerate(value))
    try:
        # Not strict: YAML reads 1e-4 as text, for want of a dot.
        return msgspec.convert(value, type=kind, strict=False)
    except msgspec.ValidationError as error:
        mistakes.append(f"{name} is {value!r}: {str(error).lower()}")
        return None


def _unknown(values: Mapping[str, Any], known: Sequence[str], inside: str) -> Iterator[str]:
    for key in values:
        if key not in known:
            near = difflib.get_close_matches(str(key), known, n=1)
            hint = f"did you mean {near[0]}?" if near else f"known are {', '.join(known)}"
            yield f"{inside}{key} is not known ({hint})"


def _is_needed(field: "dataclasses.Field[Any]") -> bool:
    return field.default is dataclasses.MISSING and field.default_factory is dataclasses.MISSING


def _copied(value: Any) -> Any:
    """Mappings and lists anew, so that a change reaches no other user of the same values."""
    if isinstance(value, Mapping):
        return {key: _copied(item) for key, item in value.items()}
    return [_copied(item) for item in value] if isinstance(value, list) else value
