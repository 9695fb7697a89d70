"""Every name is defined: ruff's check for undefined names, without the axes of array shapes.

`Float[np.ndarray, "row label"]` is a type whose text ruff and mypy take for names, so both ignore undefined names
altogether. Here those within texts are left out and the others are mistakes.
"""

import io
import json
import subprocess
import sys
import tokenize
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]


def undefined(source: Path, folder: Path) -> list[str]:
    """`file:line name` of each undefined name outside of texts."""
    command = [sys.executable, "-m", "ruff", "check", "--isolated", "--select", "F821", "--output-format", "json"]
    done = subprocess.run([*command, str(source)], capture_output=True, text=True, check=False, cwd=folder)
    found = json.loads(done.stdout)
    return [
        f"{Path(one['filename']).name}:{one['location']['row']} {one['message']}" for one in found if not in_text(one)
    ]


def in_text(one: dict) -> bool:
    """Whether a diagnostic points into a string."""
    where = (one["location"]["row"], one["location"]["column"] - 1)
    tokens = tokenize.generate_tokens(io.StringIO(Path(one["filename"]).read_text()).readline)
    return any(token.type == tokenize.STRING and token.start <= where < token.end for token in tokens)


@pytest.mark.parametrize("folder", ["emer", "benchmarks", "weights", "docs", "examples", "tests"])
def test_every_name_is_defined(folder: str) -> None:
    assert undefined(ROOT / folder, ROOT) == []


def test_an_undefined_name_is_found_and_an_axis_is_none(tmp_path: Path) -> None:
    (tmp_path / "some.py").write_text('def f(x: Float[np.ndarray, "row"]) -> None: ...\n')
    assert [line.split(" ")[0] for line in undefined(tmp_path, tmp_path)] == ["some.py:1", "some.py:1"]  # Float, np
