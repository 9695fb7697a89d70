"""The shells load with `evaluate.load`, offline, and give what `emer.metrics` gives.

In a process of its own: evaluate loads torch and transformers, and keeps its caches where its environment says.
"""

import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from emer.errors import ConfigError
from emer.integrations.evaluate import NAMES, path
from emer.metrics import calibration_error, multilabel, proper_scores, selective, trusted

SCRIPT = """
import json, sys
import emer.torchvision_ops
import evaluate
import numpy as np
from emer.integrations.evaluate import path
from emer.metrics import trusted

given = json.load(open(sys.argv[1]))
out = {}
for name, how in given.items():
    metric = evaluate.load(path(name))
    out[name] = metric.compute(**how)
words = evaluate.load(path("trusted"))
named = dict(predictions=["sad", "happy"], references=["sad", "sad"], confidence=[0.9, 0.4])
out["words"] = words.compute(**named, threshold=0.5)
fitted = trusted.fit_threshold(np.array([0.9, 0.4]), np.array([True, False]), ["a", "b"])
out["fitted"] = words.compute(**named, threshold=fitted, rows=["c", "d"])
try:
    words.compute(**named, threshold=fitted, rows=["a", "d"])
except Exception as error:
    out["refused"] = str(error)
soft = evaluate.load(path("calibration_error"))
out["votes"] = soft.compute(predictions=[[0.7, 0.3]], references=[[0.5, 0.5]], simulations=10)
out["described"] = {name: evaluate.load(path(name)).description for name in given}
print(json.dumps(out))
"""

RNG = np.random.default_rng(0)
PROBABILITY = RNG.dirichlet(np.ones(3), 60)
LABEL = RNG.integers(0, 3, 60)
SAID, TOLD = ["[sad, qzx]", "[angry]", "[happy]"], ["[sad]", "['happy']", "happy"]
FIRST = ["sad", "happy", "happy"]
GOLD, SETS = RNG.random((40, 4)) < 0.4, RNG.random((40, 4)) < 0.4


@pytest.fixture(scope="module")
def computed(tmp_path_factory: pytest.TempPathFactory) -> dict:
    """What evaluate gives for every metric, from one process without a network."""
    pytest.importorskip("evaluate")
    folder = tmp_path_factory.mktemp("evaluate")
    ranked = {
        "predictions": PROBABILITY.argmax(1).tolist(),
        "references": LABEL.tolist(),
        "confidence": PROBABILITY.max(1).tolist(),
    }
    given = {
        "trusted": {**ranked, "threshold": 0.5},
        "aurc": ranked,
        "calibration_error": {"predictions": PROBABILITY.tolist(), "references": LABEL.tolist(), "bins": 5},
        "wheel_f1": {"predictions": SAID, "references": TOLD, "bootstrap": 100},
        "ovmerd12": {"predictions": [[label] for label in FIRST], "references": TOLD, "bootstrap": 0},
        "hit_rate": {"predictions": SAID, "references": FIRST, "bootstrap": 0},
        "sentiment": {"predictions": SAID, "references": [-0.6, 1.0, 0.0], "bootstrap": 0},
        "multilabel": {"predictions": SETS.astype(int).tolist(), "references": GOLD.astype(int).tolist()},
    }
    (folder / "given.json").write_text(json.dumps(given))
    offline = dict.fromkeys(("HF_HUB_OFFLINE", "HF_EVALUATE_OFFLINE", "HF_DATASETS_OFFLINE"), "1")
    done = subprocess.run(
        [sys.executable, "-c", SCRIPT, str(folder / "given.json")],
        env={**os.environ, **offline, "HF_HOME": str(folder / "home")},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout.splitlines()[-1])


RIGHT, CONFIDENCE = PROBABILITY.argmax(1) == LABEL, PROBABILITY.max(1)


def test_trusted_gives_the_scores_their_floor_and_the_oracle(computed: dict) -> None:
    ours = trusted.scores_at(CONFIDENCE, RIGHT, 0.5)
    assert computed["trusted"]["f1"] == ours.f1
    assert computed["trusted"]["floor"] == ours.floor
    assert computed["trusted"]["gain"] == ours.gain
    assert computed["trusted"]["n"] == 60
    assert computed["trusted"]["break_even_oracle"] == trusted.break_even_oracle(CONFIDENCE, RIGHT).f1


def test_labels_may_be_words(computed: dict) -> None:
    assert computed["words"]["f1"] == 1.0


def test_a_fitted_threshold_keeps_its_refusal(computed: dict) -> None:
    assert computed["fitted"]["threshold"] == 0.9
    assert computed["refused"].startswith("threshold fitted on test: 1 of the 2 scored rows (a)")


def test_aurc_gives_the_areas(computed: dict) -> None:
    ours = selective.selective_scores(CONFIDENCE, (~RIGHT).astype(float))
    assert computed["aurc"]["aurc"] == ours.aurc
    assert computed["aurc"]["e_aurc"] == ours.e_aurc
    assert computed["aurc"]["auroc"] == ours.auroc


def test_calibration_error_gives_the_error_beside_its_band_and_the_proper_scores(computed: dict) -> None:
    theirs = computed["calibration_error"]
    band = calibration_error.perfect_band(CONFIDENCE, bins=5)
    assert theirs["ece_mass"] == calibration_error.ece(CONFIDENCE, RIGHT, bins=5)
    assert (theirs["ece_mass_if_perfect"], theirs["ece_mass_upper_if_perfect"]) == (band.mean, band.upper)
    assert theirs["brier"] == proper_scores.brier(PROBABILITY, LABEL)
    assert theirs["nll"] == proper_scores.nll(PROBABILITY, LABEL)


def test_references_may_be_votes_of_people(computed: dict) -> None:
    """.7 and .3 against an even split: Brier .2^2 + .2^2, total variation .2, calibration error .2."""
    votes = computed["votes"]
    assert (votes["brier"], votes["total_variation"], votes["ece_mass"]) == pytest.approx((0.08, 0.2, 0.2))


def test_multilabel_gives_flat_numbers(computed: dict) -> None:
    ours = multilabel.multilabel(GOLD, SETS)
    assert computed["multilabel"]["jaccard"] == ours.jaccard
    assert computed["multilabel"]["micro_f1"] == ours.micro.f1
    assert computed["multilabel"]["macro_recall"] == ours.macro.recall


def test_open_vocabulary_scores_take_labels_as_text_or_list(computed: dict) -> None:
    """Two of three clips are right in every cluster: precision, recall and F are 2/3, and so is the hit rate."""
    found = computed["wheel_f1"]
    assert (found["wheel_f1"], found["n_scored"], found["tables"]) == (pytest.approx(2 / 3), 3, "emer 1")
    assert found["low"] < found["wheel_f1"] < found["high"]
    assert found["unknown_share"] == 0.25
    assert "[angry, sad, happy]" in found["floors"]
    assert computed["ovmerd12"]["ovmerd12"] == 1.0
    assert computed["hit_rate"]["hit_rate"] == pytest.approx(2 / 3)


def test_sentiment_takes_values(computed: dict) -> None:
    """Of -.6 and 1 (0 is left out), sad is right and angry wrong: F1 2/3 of negatives, 0 of positives."""
    found = computed["sentiment"]
    assert (found["accuracy"], found["sentiment"]) == (0.5, pytest.approx(1 / 3))
    assert found["n_skipped"] == 1


def test_every_metric_says_what_it_is(computed: dict) -> None:
    assert set(computed["described"]) == set(NAMES)
    assert all(len(text) > 50 for text in computed["described"].values())


def test_every_folder_holds_a_script_of_its_own_name() -> None:
    folders = {
        folder.name for folder in Path(path("aurc")).parent.iterdir() if (folder / f"{folder.name}.py").is_file()
    }
    assert folders == set(NAMES)


def test_an_unknown_metric_is_refused_with_those_that_there_are() -> None:
    with pytest.raises(ConfigError, match="no metric 'bleu' for evaluate; choose one of aurc, calibration_error"):
        path("bleu")


def test_neither_the_scores_nor_the_way_to_the_shells_load_anything_heavy() -> None:
    code = (
        "import sys, pkgutil, importlib, emer.metrics, emer.integrations.evaluate\n"
        "for m in pkgutil.iter_modules(emer.metrics.__path__): importlib.import_module('emer.metrics.' + m.name)\n"
        "print(sorted({'torch', 'scipy', 'evaluate', 'datasets', 'sklearn', 'pandas'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
