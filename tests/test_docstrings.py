"""The examples in docstrings are true."""

import doctest
import pkgutil
from importlib import import_module

import pytest

import emer

MODULES = sorted(
    module.name
    for module in pkgutil.walk_packages(emer.__path__, "emer.")
    if not module.name.startswith("emer.integrations")  # shells for packages that need not be installed
)


@pytest.mark.parametrize("name", MODULES)
def test_examples_in_docstrings_hold(name: str) -> None:
    assert doctest.testmod(import_module(name)).failed == 0


def test_there_are_examples() -> None:
    finder = doctest.DocTestFinder()
    assert sum(bool(test.examples) for name in MODULES for test in finder.find(import_module(name))) > 20
