"""Reading the data tables of this folder."""

from functools import cache
from importlib.resources import files
from typing import Any

import yaml

# The C parser reads the lexicon about ten times as fast; some builds of PyYAML lack it.
_LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


@cache
def table(name: str) -> Any:
    """The YAML table `name` of `emer/emotions/`, as plain lists and dictionaries."""
    return yaml.load(files("emer.emotions").joinpath(name).read_text(encoding="utf-8"), Loader=_LOADER)
