"""Every number of `parity/expected.json`, which the released scorers gave on the released files, to 1e-6 of a percent.

The files are read by `emer score`'s own readers and scored by its metrics: what a user gets is what is compared.
"""

import json
from pathlib import Path

import pytest

from emer.score.files import read_gold, read_predictions
from emer.score.options import Options
from emer.score.result import Score
from emer.score.scoring import score

PERCENT = 1e-6
TABLES = {"2025": "AffectGPT 2025", "2026": "MER2026"}


@pytest.fixture(scope="module")
def expected(real_data: Path) -> dict[str, dict]:
    """Tables, then data, then run (epoch or system), to percentages."""
    found: dict[str, dict] = json.loads((real_data / "parity" / "expected.json").read_text())
    return found


def scored(folder: Path, metric: str, tables: str, data: str, run: str) -> Score:
    predicted = next((folder / "parity").glob(f"{data}.{run}*.pred.csv"))
    options = Options(wheels=str(folder / "wheels" / tables), bootstrap=0)
    return score(metric, read_predictions(predicted), read_gold(folder / "parity" / f"{data}.gold.csv"), options)


def test_every_entry_of_the_file_is_compared_below(expected: dict[str, dict]) -> None:
    """Hand count: two runs, two runs and one under both tables, two systems under the first."""
    runs = {tables: {data: sorted(of) for data, of in sets.items()} for tables, sets in expected.items()}
    both = {"ovmerdplus": ["ep35", "ep50"], "meld": ["ep30", "ep45"], "sims": ["ep30"]}
    assert runs == {"2025": {**both, "ovmerd": ["Chat-UniVi", "Qwen-Audio"]}, "2026": both}


@pytest.mark.parametrize("tables", TABLES)
@pytest.mark.parametrize("run", ["ep35", "ep50"])
def test_wheel_scores_are_the_released_ones(real_data: Path, expected: dict[str, dict], tables: str, run: str) -> None:
    found = scored(real_data, "wheel_f1", tables, "ovmerdplus", run)
    assert found.tables is not None
    assert found.tables.name == TABLES[tables]
    percent = [100 * found.detail[name] for name in ("f1", "precision", "recall")]
    assert percent == pytest.approx(expected[tables]["ovmerdplus"][run], abs=PERCENT)
    assert 100 * found.score == pytest.approx(percent[0], abs=PERCENT)


@pytest.mark.parametrize("tables", TABLES)
@pytest.mark.parametrize("run", ["ep30", "ep45"])
def test_hit_rates_are_the_released_ones(real_data: Path, expected: dict[str, dict], tables: str, run: str) -> None:
    hit, mscore = expected[tables]["meld"][run]
    found = scored(real_data, "hit_rate", tables, "meld", run)
    assert 100 * found.score == pytest.approx(hit, abs=PERCENT)
    assert 100 * found.detail["mscore"] == pytest.approx(mscore, abs=PERCENT)
    assert 100 * scored(real_data, "mscore", tables, "meld", run).score == pytest.approx(mscore, abs=PERCENT)


@pytest.mark.parametrize("tables", TABLES)
def test_sentiment_scores_are_the_released_ones(real_data: Path, expected: dict[str, dict], tables: str) -> None:
    f1, accuracy = expected[tables]["sims"]["ep30"]
    found = scored(real_data, "sentiment", tables, "sims", "ep30")
    assert 100 * found.score == pytest.approx(f1, abs=PERCENT)
    assert 100 * found.detail["accuracy"] == pytest.approx(accuracy, abs=PERCENT)


@pytest.mark.parametrize("system", ["Chat-UniVi", "Qwen-Audio"])
def test_the_twelve_columns_are_the_released_ones(real_data: Path, expected: dict[str, dict], system: str) -> None:
    columns = expected["2025"]["ovmerd"][system]["columns (F, P, R)"]
    found = scored(real_data, "ovmerd12", "2025", "ovmerd", system)
    assert set(found.detail["each"]) == set(columns)
    assert len(columns) == 12
    for name, percent in columns.items():
        one = found.detail["each"][name]
        assert [100 * one[part] for part in ("f1", "precision", "recall")] == pytest.approx(percent, abs=PERCENT), name
    mean = sum(percent[0] for percent in columns.values()) / 12
    assert 100 * found.score == pytest.approx(mean, abs=PERCENT)


@pytest.mark.parametrize("system", ["Chat-UniVi", "Qwen-Audio"])
def test_single_mappings_are_columns_of_the_table(real_data: Path, expected: dict[str, dict], system: str) -> None:
    columns = expected["2025"]["ovmerd"][system]["columns (F, P, R)"]
    for metric, column in (("m1", "case1"), ("m2", "case2")):
        found = scored(real_data, metric, "2025", "ovmerd", system)
        assert 100 * found.score == pytest.approx(columns[column][0], abs=PERCENT)
