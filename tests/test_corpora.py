"""Every real clip goes through the whole path (`make check`); a seeded handful in `make test`."""

import csv
import random
from collections import Counter
from pathlib import Path

import pytest

from emer import Clip, Explainer, Explanation

Row = dict[str, str]


def rows_of(folder: Path) -> list[Row]:
    with (folder / "clips" / "manifest.csv").open() as file:
        return list(csv.DictReader(file))


def faults_of(explanation: Explanation) -> list[str]:
    """What is wrong with an explanation, whatever the clip."""
    wrong = [f"{failure.extractor}: {failure.reason}" for failure in explanation.failed]
    wrong += [f"{s.status}: {s.text}" for s in explanation.statements if s.status in ("contradicted", "unsupported")]
    known = {clue.id for clue in explanation.clues}
    wrong += [f"cites {i}" for s in explanation.statements for i in s.clue_ids if i not in known]
    fused = explanation.fused
    uncertainty = fused.prior_weight / (fused.prior_weight + sum(fused.evidence))
    wrong += [f"uncertainty {uncertainty:.2f} of an untrained opinion"] * (uncertainty < 0.8)
    end = explanation.clip.end + 0.1
    wrong += [f"{c.id} outside the clip" for c in explanation.clues if not 0 <= c.start <= c.end <= end]
    return wrong + ["no text"] * (not explanation.explanation)


def explain_all(folder: Path, rows: list[Row]) -> dict[str, list[str]]:
    explainer = Explainer(cache=None)
    found = {row["file"]: faults_of(explainer.explain(Clip(str(folder / "clips" / row["file"])))) for row in rows}
    return {name: wrong for name, wrong in found.items() if wrong}


def test_a_seeded_handful_of_real_clips_is_explained_without_fault(real_data: Path) -> None:
    rows = rows_of(real_data)
    by_folder = [[row for row in rows if row["file"].startswith(name)] for name in ("ravdess", "emodb")]
    sample = [row for group in by_folder for row in random.Random(5).sample(group, 10)]
    sample += [row for row in rows if row["file"].startswith("speech")]
    assert explain_all(real_data, sample) == {}


@pytest.mark.long
def test_every_real_clip_is_explained_without_fault(real_data: Path) -> None:
    rows = rows_of(real_data)
    counts = Counter(row["file"].split("/")[0] for row in rows)
    assert (counts["ravdess_speech"], counts["emodb"]) == (1200, 266)  # as its README counts them
    assert explain_all(real_data, rows) == {}
