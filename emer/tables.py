"""Reading the data tables (YAML) that ship beside the code."""

from functools import cache
from importlib.resources import files
from typing import Any

import yaml

from emer.errors import ConfigError

# The C parser is about ten times as fast; some builds of PyYAML lack it.
_LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


@cache
def table(package: str, name: str) -> Any:
    """The table `name` that lies in `package`, as plain dictionaries, lists, numbers and texts.

    It is read once and shared: nobody may change it.

    >>> table("emer.emotions", "label_sets.yaml")["sets"]["iemocap4"]
    ['neutral', 'happy', 'sad', 'angry']
    """
    return parse(files(package).joinpath(name).read_text(encoding="utf-8"), name)


def parse(text: str, name: str) -> Any:
    """YAML text as plain values. Raises ConfigError that says where a mistake is; `name` is the table's."""
    try:
        return yaml.load(text, Loader=_LOADER)
    except yaml.YAMLError as error:
        raise ConfigError(f"{name}: this is not YAML: {' '.join(str(error).split())}") from error
