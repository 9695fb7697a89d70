"""`emer explain --model`: a clip through a tiny model of random numbers, and what a reader gets."""

import json
from pathlib import Path

import pytest
import torch
from adapted_models import adapt
from jsonschema import Draft202012Validator
from tiny_folders import tiny

from emer import Clip, Explainer
from emer import media as media_
from emer.backbones.attached import Caps
from emer.cli import main
from emer.emotions import label_set
from emer.engines import asking_model
from emer.engines.tuned import heard_with
from emer.evidence.calibration import Calibration, ViewSet
from emer.evidence.judgement import Heard
from emer.evidence.opinion import probability
from emer.evidence.verdict_labels import default_spec
from emer.evidence.verdict_spec import VerdictSpec
from emer.jsonio import dumps, loads
from emer.prompts import prompt
from emer.types import MODALITIES, Answer, Emotion, Explanation, Provenance

ROOT = Path(__file__).parents[1]
SCHEMA = json.loads((ROOT / "emer" / "report" / "explanation.schema.json").read_text())
SMALL = Caps(seconds=3.0, frames=2, pixels=4 * 28 * 28)
ALL = "verdict(audio+text+visual)"
"""What a calibration calls a verdict that was read from everything."""
EMER8 = VerdictSpec(label_set="emer8", labels=label_set("emer8"))


@pytest.fixture(autouse=True)
def _short(monkeypatch: pytest.MonkeyPatch) -> None:
    torch.set_num_threads(1)
    monkeypatch.setattr(asking_model, "LABEL_TOKENS", 4)


def explainer(adapter: Path | None, **settings: object) -> Explainer:
    """One that writes little."""
    short = {"max_new_tokens": 8, "dtype": "float32", "caps": SMALL}
    path = None if adapter is None else str(adapter)
    return Explainer(engine="transformers", model=str(tiny()), adapter=path, weights=None, settings=short, **settings)


def calibration(views: tuple[str, ...], temperature: float) -> Calibration:
    """As `emer calibrate` would write it."""
    one = ViewSet(views=views, n=40, temperature=(temperature,))
    spec = EMER8
    return Calibration(
        data="made-up clips",
        label_set=spec.label_set,
        labels=spec.labels,
        kind="dirichlet",
        prior_weight=spec.weight,
        method="temperature",
        n=40,
        sets=(one,),
        rows=(),
    )


def valid(explanation: Explanation) -> bool:
    text = dumps(explanation)
    Draft202012Validator(SCHEMA).validate(json.loads(text))
    return dumps(loads(text)) == text


def test_without_an_adapter_nothing_is_claimed_and_all_is_named(example_clip: Path) -> None:
    found = explainer(None, seed=7).explain(example_clip)
    assert valid(found)
    assert set(found.opinions) == {"audio", "visual", "text"}
    assert (found.confidence, found.calibrated, found.trusted) == (None, False, None)
    assert found.explanation.splitlines()[-1].startswith("Emotions: [")
    assert len(found.segments or ()) == 2
    made = found.provenance
    assert made == Provenance(
        emer=made.emer, engine="transformers", model="qwen2_5_omni", prompt=prompt("explain").record, seed=7
    )


def test_a_verdict_without_calibration_is_shown_and_gives_no_confidence(example_clip: Path, tmp_path: Path) -> None:
    adapted = adapt(tiny(), tmp_path / "adapter", EMER8, prompt=prompt("explain").record)
    found = explainer(adapted.adapter, views="full").explain(Clip(str(example_clip), start=0.0, end=1.5))
    assert valid(found)
    assert {"verdict", "model_audio", "model_visual"} <= set(found.opinions)
    assert found.fused.evidence == found.opinions["verdict"].evidence  # views of the model alone are not counted again
    assert (found.confidence, found.calibrated) == (None, False)
    assert found.conflict.between
    assert set(found.conflict.between) <= {"model_audio", "model_visual", "model_text"}
    assert found.provenance.adapter == "adapter"
    assert "other_prompt" not in {notice.code for notice in found.warnings}


def test_a_calibrated_verdict_gives_confidence_to_the_clip_and_to_each_label_that_maps(
    example_clip: Path, tmp_path: Path
) -> None:
    """Temperature 1 leaves the probabilities alpha / S, so confidences are those of the fused opinion itself."""
    adapted = adapt(tiny(), tmp_path / "adapter", EMER8, calibration=calibration((ALL,), 1.0))
    asked = explainer(adapted.adapter)
    found = asked.explain(Clip(str(example_clip), start=0.0, end=1.5))
    assert valid(found)
    p = dict(zip(EMER8.labels, probability(found.opinions["verdict"]).tolist(), strict=True))
    assert found.confidence == pytest.approx(max(p.values()))
    assert found.calibrated
    assert found.provenance.calibration is not None
    assert found.provenance.calibration.views == (ALL,)
    media = media_.open(Clip(str(example_clip)))
    request = asked.request(media, asked.clues(Clip(str(example_clip)), media))
    words = (Emotion("relieved", "calm"), Emotion("at sea", None))
    labelled = asked.explanation(request, Answer("x", words, verdict=found.opinions["verdict"], shown=MODALITIES))
    assert [emotion.confidence for emotion in labelled.emotions] == [pytest.approx(p["calm"]), None]


def test_a_verdict_on_less_of_a_clip_than_was_ever_calibrated_has_no_confidence(
    example_clip: Path, tmp_path: Path
) -> None:
    adapted = adapt(tiny(), tmp_path / "adapter", EMER8, calibration=calibration((ALL,), 1.0))
    silent = Clip(str(example_clip), start=0.0, end=1.5, without=frozenset({"audio"}))
    found = explainer(adapted.adapter).explain(silent)
    assert (found.confidence, found.calibrated, found.out_of_domain) == (None, False, True)
    (told,) = [notice.text for notice in found.warnings if notice.code == "out_of_domain"]
    less, whole = "the verdict on text+visual", "the verdict on audio+text+visual"
    assert told == f"no clip of the calibration on made-up clips was judged by {less}, only by {whole}"


def test_an_adapter_that_was_never_calibrated_is_called_by_its_name(example_clip: Path, tmp_path: Path) -> None:
    adapted = adapt(tiny(), tmp_path / "adapter", EMER8)
    found = explainer(adapted.adapter).explain(Clip(str(example_clip), start=0.0, end=1.5))
    (told,) = [notice.text for notice in found.warnings if notice.code == "not_calibrated"]
    assert told == "this adapter's verdict was not calibrated; run emer calibrate on labelled clips"


def test_a_verdict_over_a_wheel_has_clusters_of_that_wheel_and_stands_alone(example_clip: Path, tmp_path: Path) -> None:
    spec = default_spec("ring1/plutchik")
    adapted = adapt(tiny(), tmp_path / "adapter", spec)
    asked = explainer(adapted.adapter)
    assert asked.answering.tuned.cluster("worried") == "fear"
    found = asked.explain(Clip(str(example_clip), start=0.0, end=1.5))
    assert valid(found)
    assert (found.fused.label_set, found.fused.kind) == ("ring1/plutchik", "beta")


def test_an_adapter_brings_its_fusion_and_calibration_to_what_heads_say(tmp_path: Path) -> None:
    adapted = adapt(tiny(), tmp_path / "adapter", EMER8, calibration=calibration(("audio", "verdict"), 2.0))
    heard = heard_with(str(adapted.adapter), Heard(fusion="average", data="other clips", outside=("far away",)))
    assert (heard.fusion, heard.data, heard.outside) == ("weighted", "random numbers", ("far away",))
    assert heard.calibration is not None
    assert heard.calibration.sets[0].views == ("audio", "verdict")


def test_what_is_left_out_is_not_put_before_the_model(example_clip: Path) -> None:
    asked = explainer(None)
    clip = Clip(str(example_clip), start=0.0, end=1.5, without=frozenset({"audio", "text"}))
    seen: list[tuple[frozenset[str], str]] = []
    work = asking_model.Asked._work

    def look(self: asking_model.Asked, manner: asking_model.Manner, batch: list[asking_model.Placed]) -> object:
        for placed in batch:
            text = " ".join(message.text for message in placed.question.messages)
            seen.append((placed.question.media, text))
        return work(self, manner, batch)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(asking_model.Asked, "_work", look)
        asked.explain(clip)
    media, text = seen[0]
    assert media == {"video"}
    assert "What is said" not in text
    assert "[v1]" in text
    assert "[a1]" not in text


def test_the_command_writes_json_and_a_report(
    example_clip: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Random words hold no list of labels, so the warning of the repair stands in the page."""
    words = ["explain", str(example_clip), "--model", str(tiny()), "--start", "0", "--end", "1.5", "--weights", "none"]
    assert main([*words, "--without", "visual", "--stages", "2", "--html", "--out", str(tmp_path)]) == 0
    found = json.loads((tmp_path / "talking_face.json").read_text())
    Draft202012Validator(SCHEMA).validate(found)
    assert found["provenance"]["prompt"]["name"] == "merge.en"
    assert found["provenance"]["engine"] == "transformers"
    page = (tmp_path / "talking_face.html").read_text()
    assert "left the form of answers" in page
    assert "no emotion named" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("options", "told"),
    [
        (["--model", "./nowhere"], "there is no folder ./nowhere"),
        (["--adapter", "x"], "adapter is set, and the engine composer takes no such thing; the engine transformers"),
        (["--engine", "transformers"], "it needs a model; give --model"),
        (["--engine", "composer", "--model", "x"], "model is set, and the engine composer takes no such thing"),
        (["--model", "x", "--views", "full"], "needs an adapter; give --adapter"),
    ],
)
def test_settings_that_do_not_go_together_are_one_line(
    options: list[str], told: str, example_clip: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["explain", str(example_clip), *options]) == 2
    error = capsys.readouterr().err
    assert told in error
    assert error.count("\n") == 1


def test_a_model_that_is_not_there_is_told_once_and_before_a_clip_is_measured(
    example_clip: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def measured(*_: object) -> None:
        raise AssertionError("a clip was measured")

    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", True)
    monkeypatch.setattr(Explainer, "clues", measured)
    folder = str(example_clip.parent)
    assert main(["explain", folder, "--out", str(tmp_path), "--model", "no-such-owner/no-such-model"]) == 2
    error = capsys.readouterr().err
    assert error.count("no-such-owner/no-such-model is no model that transformers can open") == 1
