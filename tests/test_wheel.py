"""The wheel holds everything that emer needs, and works outside the checkout."""

import json
import os
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
DATA = {
    "kinds.yaml",
    "py.typed",
    "clues/norms.yaml",
    "emotions/label_sets.yaml",
    "emotions/lexicon.yaml",
    "evidence/rules/audio.yaml",
    "evidence/rules/visual.yaml",
    "evidence/rules/text.yaml",
    "report/explanation.schema.json",
    "report/templates/report.html.j2",
    "report/templates/report.css",
    "report/templates/report.js",
    "configs/splits/ravdess.json",
    "configs/bench/mer_unibench.yaml",
    "emotions/own_wheels/plutchik.yaml",
    "bench/published.yaml",
    "prompt_files/extract_labels.en.md",
}


@pytest.mark.long
def test_the_wheel_explains_a_clip_outside_the_checkout(tmp_path: Path, example_clip: Path) -> None:
    pip = [sys.executable, "-m", "pip", "--quiet", "--disable-pip-version-check"]
    subprocess.run([*pip, "wheel", str(ROOT), "--no-deps", "--wheel-dir", str(tmp_path)], check=True)
    (wheel,) = tmp_path.glob("emer-*.whl")
    assert {f"emer/{name}" for name in DATA} <= set(zipfile.ZipFile(wheel).namelist())
    assert wheel.stat().st_size < 2_000_000
    subprocess.run([*pip, "install", str(wheel), "--no-deps", "--target", str(tmp_path / "site")], check=True)
    env = os.environ | {"PYTHONPATH": str(tmp_path / "site")}
    where = [sys.executable, "-c", "import emer; print(emer.__file__)"]
    found = subprocess.run(where, capture_output=True, text=True, check=True, cwd=tmp_path, env=env).stdout
    assert found.startswith(str(tmp_path / "site"))
    split = [sys.executable, "-c", "from emer.data.splits import split; print(split('ravdess').name)"]
    assert (
        subprocess.run(split, capture_output=True, text=True, check=True, cwd=tmp_path, env=env).stdout == "ravdess\n"
    )
    command = [sys.executable, "-m", "emer.cli", "explain", str(example_clip), "--json", "--html", "--out", "out"]
    done = subprocess.run(command, capture_output=True, text=True, check=True, cwd=tmp_path, env=env)
    assert json.loads(done.stdout)["schema"] == "emer.explanation/1"
    assert (tmp_path / "out" / "talking_face.html").exists()
