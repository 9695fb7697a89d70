"""The hand-worked examples in the docstrings give what they say."""

import doctest
from importlib import import_module
from pathlib import Path

import pytest

import emer.metrics

FOLDER = Path(emer.metrics.__file__).parent
TOPICS = sorted(path.stem for path in FOLDER.glob("*.py") if path.stem not in {"__init__", "checks", "errors"})


@pytest.mark.parametrize("topic", TOPICS)
def test_the_examples_of_each_topic_hold(topic: str) -> None:
    outcome = doctest.testmod(import_module(f"emer.metrics.{topic}"))
    assert outcome.attempted > 0
    assert outcome.failed == 0


def test_the_example_of_the_folder_holds() -> None:
    outcome = doctest.testmod(emer.metrics)
    assert (outcome.failed, outcome.attempted > 0) == (0, True)
