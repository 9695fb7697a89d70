"""Trained heads in the path: what they say, what stays a hint, and what may be believed of it.

The heads here have weights by hand: whatever they hear, they give 12 pieces of evidence for anger and next to none for
anything else, so that every number that follows can be worked out on paper.
"""

import json
import math
import wave
from dataclasses import replace
from pathlib import Path

import jsonschema
import numpy as np
import pytest
import torch

from emer import Clip, Explainer
from emer.cli import main
from emer.clues.audio import AudioClues
from emer.clues.voice_description import NAMES
from emer.emotions import label_set
from emer.errors import ConfigError
from emer.evidence.calibration import Calibration, ViewSet
from emer.evidence.domain import Domain, DomainRecord
from emer.evidence.head_files import HeadRecord
from emer.evidence.heads import HeadSpec, MultiViewHeads
from emer.evidence.opinion import uncertainty
from emer.evidence.selective import Threshold
from emer.evidence.speaker_baseline import relative
from emer.evidence.trained import AS_MEASURED, hear, write_weights
from emer.evidence.weights import find_weights
from emer.jsonio import loads, to_builtins
from emer.report import html, terminal
from emer.types import Explanation, Features

torch.set_num_threads(1)
LABELS = label_set("emer8")
ANGRY = LABELS.index("angry")
SPEC = HeadSpec(
    label_set="emer8", labels=LABELS, features={"audio": NAMES}, versions={"audio": AudioClues.version}, hidden=()
)
TEMPERATURE = 2.0
CONFIDENCE = math.sqrt(13) / (math.sqrt(13) + 7)  # alpha is 13 for anger and 1 for seven others; p goes as its root
SCHEMA = json.loads((Path(__file__).parents[1] / "emer/report/explanation.schema.json").read_text())


def network(evidence: float = 12.0, label: int = ANGRY) -> MultiViewHeads:
    made = MultiViewHeads(replace(SPEC, activation="exp")).eval()
    with torch.no_grad():
        linear = made.heads["audio"].layers[0]
        linear.weight.zero_()
        linear.bias.fill_(-60.0)
        linear.bias[label] = math.log(evidence)
    return made


def calibration(views: tuple[str, ...] = ("audio",), trusted_above: float = 0.3) -> Calibration:
    threshold = Threshold(
        value=trusted_above, target_risk=0.1, risk=0.05, coverage=0.5, n=60, guarantee=None, rows=("ff",)
    )
    return Calibration(
        data="acted voices",
        label_set="emer8",
        labels=LABELS,
        kind="dirichlet",
        prior_weight=8.0,
        method="temperature",
        n=100,
        sets=(ViewSet(views=views, n=100, temperature=(TEMPERATURE,)),),
        rows=("aa",),
        threshold=threshold,
    )


def domain(limit: float) -> Domain:
    record = DomainRecord(
        names=NAMES,
        data="acted voices",
        limit=limit,
        least=1,
        quantile=0.99,
        n_train=100,
        n_held_out=50,
        held_out_rows=("bb",),
    )
    count = len(NAMES)
    return Domain(record, np.zeros(count), np.ones(count), np.ones((count, 1)), 1.0)


def weights(
    folder: Path,
    *,
    limit: float = 1e12,
    made: Calibration | None = None,
    variant: str = "plain",
    label: int = ANGRY,
    version: str = AudioClues.version,
) -> Path:
    head = network(label=label)
    head.spec = replace(head.spec, versions={"audio": version})
    record = HeadRecord(
        spec=head.spec, data="acted voices", trained_rows=("cc",), licence="CC BY-NC-SA 4.0", variant=variant
    )
    write_weights(folder, head, record, made or calibration(), {"audio": domain(limit)})
    return folder


@pytest.fixture(scope="module")
def cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("cache")


@pytest.fixture(scope="module")
def explained(tmp_path_factory: pytest.TempPathFactory, cache: Path) -> Explanation:
    clip = Path(__file__).parents[1] / "examples" / "talking_face.mp4"
    return Explainer(cache=cache, weights=weights(tmp_path_factory.mktemp("voices"))).explain(clip)


def deaf_to_faces(example_clip: Path) -> Clip:
    return Clip(str(example_clip), without=frozenset({"visual"}))


# ---------------------------------------------------------------- what is said


def test_the_trained_voice_gives_label_confidence_and_trust(explained: Explanation) -> None:
    assert explained.confidence == pytest.approx(CONFIDENCE)
    assert explained.calibrated
    assert explained.trusted
    assert not explained.out_of_domain
    assert [emotion.cluster for emotion in explained.emotions] == ["angry"]
    assert explained.emotions[0].confidence == pytest.approx(CONFIDENCE)
    assert explained.conflict.degree is None  # only one view is trained


def test_hints_of_face_and_words_stay_hints_and_do_not_enter_the_fusion(explained: Explanation) -> None:
    assert {view: opinion.trained for view, opinion in explained.opinions.items()} == {
        "audio": True,
        "visual": False,
        "text": False,
    }
    assert explained.fused.evidence == explained.opinions["audio"].evidence
    assert min(uncertainty(explained.opinions[view]) for view in ("visual", "text")) >= 0.8


def test_the_provenance_names_weights_licence_and_calibration(explained: Explanation) -> None:
    record, made = explained.provenance.weights, explained.provenance.calibration
    assert record is not None
    assert record.licence == "CC BY-NC-SA 4.0"
    assert made is not None
    assert (made.data, made.n, made.views) == ("acted voices", 100, ("audio",))


def test_the_text_tells_the_trained_voice_from_the_hints_beside_it(explained: Explanation) -> None:
    text = explained.explanation
    assert "The voice speaks for anger, as heard by a head that was trained on acted voices" in text
    assert "hint from published rules, untrained, and not what the trained head says" in text  # they point to joy
    assert "without trained heads" not in text
    assert "nothing here speaks for any emotion" not in text


def test_every_sentence_still_passes_the_grounding_check(explained: Explanation) -> None:
    for each in (explained, *(explained.segments or ())):
        assert {statement.status for statement in each.statements} <= {"grounded", "uncheckable"}


def test_each_utterance_has_an_opinion_and_a_confidence_of_its_own(explained: Explanation) -> None:
    assert explained.segments is not None
    for part in explained.segments:
        assert part.opinions["audio"].trained
        assert part.confidence == pytest.approx(CONFIDENCE)
        assert "The voice speaks for anger" in part.explanation


def test_the_explanation_fits_the_schema_and_comes_back(explained: Explanation) -> None:
    value = to_builtins(explained)
    jsonschema.validate(value, SCHEMA)
    assert loads(json.dumps(value)).confidence == explained.confidence


def test_terminal_and_page_mark_what_is_trained_and_what_is_a_hint(
    explained: Explanation, capsys: pytest.CaptureFixture[str]
) -> None:
    terminal.show(explained)
    lines = {line.split()[0]: line for line in capsys.readouterr().out.splitlines() if "  u 0." in line}
    assert lines["voice"].endswith("(trained)")
    assert lines["face"].endswith("(hint)")
    assert lines["fused"].endswith("(trained views alone)")
    page = html.render(explained)
    assert f"confidence {CONFIDENCE:.2f}, calibrated on acted voices (n = 100, voice)" in page
    assert page.count("hint, untrained") == 2
    assert "CC BY-NC-SA 4.0" in page


# ---------------------------------------------------------------- what may be believed


def test_out_of_domain_the_head_is_not_asked_and_hints_are_all_there_is(
    example_clip: Path, tmp_path: Path, cache: Path
) -> None:
    explainer = Explainer(cache=cache, weights=weights(tmp_path, limit=0.0))
    found = explainer.explain(deaf_to_faces(example_clip))
    assert found.out_of_domain
    assert (found.confidence, found.calibrated, found.trusted) == (None, False, None)
    assert not any(opinion.trained for opinion in found.opinions.values())
    assert found.fused == Explainer(cache=cache, weights=None).explain(deaf_to_faces(example_clip)).fused
    (notice,) = [notice for notice in found.warnings if notice.code == "out_of_domain"]
    assert "where 99 % of held-out clips lie within 0.0: the clip is out of domain" in notice.text
    assert "unlike those that the trained head knows, so it was not asked" in found.explanation


def test_a_set_of_views_that_was_never_calibrated_has_no_confidence(
    example_clip: Path, tmp_path: Path, cache: Path
) -> None:
    made = calibration(views=("audio", "visual"))
    found = Explainer(cache=cache, weights=weights(tmp_path, made=made)).explain(deaf_to_faces(example_clip))
    assert (found.confidence, found.calibrated, found.trusted, found.out_of_domain) == (None, False, None, True)
    told = "no clip of the calibration on acted voices was judged by audio, only by audio with visual"
    assert told in found.warnings[-1].text


def test_below_the_threshold_a_clip_is_not_trusted(example_clip: Path, tmp_path: Path, cache: Path) -> None:
    made = calibration(trusted_above=0.35)
    found = Explainer(cache=cache, weights=weights(tmp_path, made=made)).explain(deaf_to_faces(example_clip))
    assert (found.trusted, found.out_of_domain) == (False, False)


def test_without_weights_everything_is_a_hint(example_clip: Path, cache: Path) -> None:
    found = Explainer(cache=cache, weights=None).explain(deaf_to_faces(example_clip))
    assert not any(opinion.trained for opinion in found.opinions.values())
    assert (found.confidence, found.calibrated, found.provenance.weights) == (None, False, None)
    assert "without trained heads there is no calibrated confidence" in found.explanation


def test_without_the_sound_the_hints_come_back(example_clip: Path, tmp_path: Path, cache: Path) -> None:
    clip = Clip(str(example_clip), without=frozenset({"audio", "visual"}))
    found = Explainer(cache=cache, weights=weights(tmp_path)).explain(clip)
    assert not found.opinions["audio"].present
    assert found.confidence is None
    assert found.fused.evidence == found.opinions["text"].evidence


def test_a_sound_in_which_nobody_speaks_is_vacuous_whatever_the_prior_weight_of_the_heads(
    tmp_path: Path, cache: Path
) -> None:
    with wave.open(str(tmp_path / "noise.wav"), "wb") as sound:
        sound.setparams((1, 2, 16_000, 0, "NONE", ""))
        sound.writeframes((np.random.default_rng(0).normal(size=32_000) * 3000).astype("<i2").tobytes())
    spec = replace(SPEC, prior_weight=0.8)
    record = HeadRecord(spec=spec, data="acted voices", trained_rows=())
    write_weights(tmp_path / "heads", MultiViewHeads(spec).eval(), record, None, {})
    found = Explainer(cache=cache, weights=tmp_path / "heads").explain(tmp_path / "noise.wav")
    assert not found.fused.present
    assert (found.confidence, found.out_of_domain, found.provenance.weights) == (None, False, None)
    assert "little_measured" in {notice.code for notice in found.warnings}


# ---------------------------------------------------------------- which heads are run


def voice(measured: int = len(NAMES), version: str = AudioClues.version) -> Features:
    mask = tuple(i < measured for i in range(len(NAMES)))
    return Features("audio", NAMES, tuple(1.0 if m else 0.0 for m in mask), mask, version)


def test_with_the_speakers_neutral_voice_the_heads_for_it_are_run_on_differences(tmp_path: Path) -> None:
    weights(tmp_path / "audio")
    weights(tmp_path / "audio_baseline", variant="baseline", label=LABELS.index("sad"), limit=0.5)
    found = find_weights(tmp_path)
    assert found is not None
    plain, own = hear(found, {"audio": voice()}, None), hear(found, {"audio": voice()}, voice())
    assert np.argmax(plain.opinions["audio"].evidence) == ANGRY
    assert np.argmax(own.opinions["audio"].evidence) == LABELS.index("sad")
    assert own.outside == ()  # the differences are all zero, hence at distance 0
    assert set(relative(voice(), voice()).values) == {0.0}


def test_differences_hide_the_recording_so_heads_for_them_look_at_the_clip_itself_too(tmp_path: Path) -> None:
    head = network()
    record = HeadRecord(spec=head.spec, data="acted voices", trained_rows=(), variant="baseline")
    bounds = {"audio": domain(0.5), "audio" + AS_MEASURED: domain(0.5)}
    write_weights(tmp_path, head, record, calibration(), bounds)
    found = find_weights(tmp_path)
    assert found is not None
    heard = hear(found, {"audio": voice()}, voice())
    # The differences are all 0, at distance 0; the features all 1, far along the one component.
    assert len(heard.outside) == 1
    assert "lie at distance" in heard.outside[0]


def test_too_short_a_stretch_is_vacuous_and_says_so(tmp_path: Path) -> None:
    found = find_weights(weights(tmp_path))
    assert found is not None
    heard = hear(found, {"audio": voice(measured=3)}, None)
    assert heard.views == ()
    assert uncertainty(heard.opinions["audio"]) == 1
    assert [notice.code for notice in heard.notices] == ["little_measured"]


def test_installed_heads_are_found_by_name_and_their_absence_is_fine(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, example_clip: Path, cache: Path
) -> None:
    monkeypatch.setattr("emer.evidence.weights.PACKAGE", "voices_for_test")
    assert find_weights("installed") is None
    package = tmp_path / "site" / "voices_for_test"
    weights(package / "audio", version="0")
    (package / "__init__.py").write_text("")
    monkeypatch.syspath_prepend(tmp_path / "site")
    found = find_weights("installed")
    assert found is not None
    assert found.plain == package / "audio"
    explained = Explainer(cache=cache).explain(deaf_to_faces(example_clip))
    assert explained.confidence is None  # features of another version: hints, and a note
    (notice,) = [notice for notice in explained.warnings if notice.code == "heads_do_not_fit"]
    assert "the heads were trained on 0; measure the clip again or install heads for this version" in notice.text


def test_heads_that_the_user_named_must_fit(
    tmp_path: Path, example_clip: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, cache: Path
) -> None:
    monkeypatch.setenv("EMER_CACHE", str(cache))
    arguments = ["explain", str(example_clip), "--without", "visual", "--weights"]
    assert main([*arguments, str(weights(tmp_path / "old", version="0"))]) == 2
    assert "the heads were trained on 0" in capsys.readouterr().err
    assert main([*arguments, str(tmp_path)]) == 2
    assert "holds no heads; name a folder with heads.json" in capsys.readouterr().err
    assert main([*arguments, str(weights(tmp_path / "new")), "--json"]) == 0
    assert loads(capsys.readouterr().out).calibrated
    assert main([*arguments, "none", "--json"]) == 0
    assert not loads(capsys.readouterr().out).calibrated


def test_parts_that_do_not_belong_together_are_refused(tmp_path: Path) -> None:
    head = network()
    record = HeadRecord(spec=head.spec, data="acted voices", trained_rows=())
    with pytest.raises(ConfigError, match=r"the calibration has prior_weight 4.0 and the heads 8.0"):
        write_weights(tmp_path, head, record, replace(calibration(), prior_weight=4.0), {})
    far = domain(1.0)
    other = replace(far, record=replace(far.record, names=("x",)))
    with pytest.raises(ConfigError, match="the domain of audio has other features than its head"):
        write_weights(tmp_path, head, record, None, {"audio": other})
    (weights(tmp_path / "w") / "calibration.json").write_text("{}")
    found = find_weights(tmp_path / "w")
    assert found is not None
    with pytest.raises(ConfigError, match=r"calibration.json cannot be used: this is not Calibration JSON"):
        hear(found, {"audio": voice()}, None)
