"""Nano's ear: retelling, targets, pooling, and a course of learning that is taken up again."""

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import load_file

pytest.importorskip("transformers", reason="transformers is not installed: nano's ear is a tower of it")

import augment
import ear
import ear_ablations
import ear_course
import ear_measures
import ear_model
import ear_targets
import sounds

from emer.clues.voice_description import NAMES
from emer.data import ravdess
from emer.types import SAMPLE_RATE, Span

SECOND = np.arange(SAMPLE_RATE) / SAMPLE_RATE


def tone(hz: float, seconds: float = 1.0) -> sounds.Sound:
    """A buzz of eight harmonics with a quarter of a second of silence on either side."""
    time = np.arange(round(seconds * SAMPLE_RATE)) / SAMPLE_RATE
    buzz = sum(np.sin(2 * np.pi * k * hz * time) / k for k in range(1, 9))
    samples = np.pad(0.1 * np.asarray(buzz, np.float32), SAMPLE_RATE // 4)
    return sounds.Sound("buzz", "nobody", "calm", samples, (Span(0.25, 0.25 + seconds),))


def pitch_st(sound: sounds.Sound) -> float:
    """Median semitones above 100 Hz, as the clues measure them."""
    return float(told(sound).features[NAMES.index("f0_median_st")])


def told(sound: sounds.Sound) -> ear_targets.Targets:
    return ear_targets.targets_of(sound, ear.WEIGHTS)


def test_a_larger_speaker_is_lower_and_slower_by_the_factor_of_speed() -> None:
    original = tone(200.0)
    changed = augment.faster(original, 0.9)
    assert pitch_st(changed) - pitch_st(original) == pytest.approx(12 * np.log2(0.9), abs=0.1)
    assert len(changed.samples) == pytest.approx(len(original.samples) / 0.9, abs=2)
    assert changed.speech[0].end - changed.speech[0].start == pytest.approx(1 / 0.9)


def test_tempo_alone_leaves_the_pitch() -> None:
    original = tone(200.0)
    changed = augment.quicker(original, 1.15)
    assert pitch_st(changed) == pytest.approx(pitch_st(original), abs=0.1)
    assert len(changed.samples) == pytest.approx(len(original.samples) / 1.15, rel=0.02)
    assert changed.speech[0].end == pytest.approx(original.speech[0].end / 1.15, rel=0.02)


def test_cropping_takes_silence_and_never_speech() -> None:
    original = tone(200.0)
    for seed in range(20):
        changed = augment.cropped(original, np.random.default_rng(seed))
        span = changed.speech[0]
        assert span.start >= augment.SPEECH_MARGIN - 1e-6
        kept = changed.samples[round(span.start * SAMPLE_RATE) : round(span.end * SAMPLE_RATE)]
        assert np.abs(kept).sum() == pytest.approx(np.abs(original.samples).sum(), rel=1e-3)


def test_noise_lies_as_far_below_the_sound_as_asked() -> None:
    original = tone(200.0)
    added = augment.noisy(original, 20.0, np.random.default_rng(0)) - original.samples
    assert 10 * np.log10(np.mean(original.samples**2) / np.mean(added**2)) == pytest.approx(20.0, abs=0.01)


def test_a_microphone_changes_each_octave_by_its_response() -> None:
    for hz, gain in ((500.0, 6.0), (2000.0, -3.0)):
        pure = np.sin(2 * np.pi * hz * SECOND).astype(np.float32)
        response = np.where(np.array(augment.OCTAVES_HZ) == hz, gain, 0.0)
        heard = augment.coloured(pure, response)[4000:-4000]
        assert 20 * np.log10(np.std(heard) / np.std(pure)) == pytest.approx(gain, abs=0.2)


def test_a_gain_changes_mel_and_levels_as_the_sound_made_louder_does() -> None:
    quiet = tone(200.0)
    loud = told(replace(quiet, samples=quiet.samples * np.float32(10 ** (6 / 20))))
    soft = told(quiet)
    scale = ear_model.Scale(*(torch.full((n,), float(v)) for n in (58, 389) for v in (0, 100)))
    shifted = ear_model.batch_of([soft], scale, gains_db=[6.0])
    measured = ear_model.batch_of([loud], scale)
    assert torch.allclose(shifted.mel, measured.mel, atol=2e-3)
    # Clues of the level alone are compared: harmonics of a tone without noise hang on the last bits of silence.
    place = NAMES.index("intensity_mean_db")
    assert shifted.features[0, place] == pytest.approx(float(measured.features[0, place]), abs=1e-3)
    level = ear_targets.CURVES.index("intensity_db")
    known = measured.curves[:, level].isfinite()
    assert torch.allclose(shifted.curves[known, level][3:-3], measured.curves[known, level][3:-3], atol=2e-3)


def test_vectors_are_counted_as_the_tower_counts_them() -> None:
    tower = ear_model.make_tower()
    frames = torch.arange(10, 2000, 7)
    assert ear_targets.vectors(frames).tolist() == tower._get_feat_extract_output_lengths(frames)[1].tolist()
    mel = torch.zeros(128, 333 + 1207)
    assert len(tower(mel, feature_lens=torch.tensor([333, 1207])).last_hidden_state) == sum(
        ear_targets.vectors(n) for n in (333, 1207)
    )


def test_means_are_of_each_sound_and_stretches_are_unbroken_and_never_empty() -> None:
    vectors, counts = torch.tensor([[1.0], [3.0], [10.0], [20.0], [60.0]]), torch.tensor([2, 3])
    assert ear_model.pooled(vectors, counts).tolist() == [[2.0], [30.0]]
    inside = torch.tensor([True, False, False, True, True])
    assert ear_model.pooled(vectors, counts, inside).tolist() == [[1.0], [40.0]]
    rng, counts = np.random.default_rng(0), torch.tensor([1, 7, 200])
    lengths = []
    for _ in range(200):
        for kept in ear_model.random_stretches(counts, rng).split(counts.tolist()):
            edges = np.flatnonzero(np.diff(np.pad(kept.numpy().astype(int), 1)))
            assert len(edges) == 2
            lengths.append(int(kept.sum()))
    assert min(lengths) == 1
    assert max(lengths) > 150


def test_r_squared_is_that_of_scikit_learn_where_all_was_measured() -> None:
    metrics = pytest.importorskip("sklearn.metrics")
    rng = np.random.default_rng(0)
    wanted, said = rng.normal(size=(30, 4)), rng.normal(size=(30, 4))
    ours = ear_measures.r_squared(torch.from_numpy(said), torch.from_numpy(wanted))
    assert ours.numpy() == pytest.approx(metrics.r2_score(wanted, said, multioutput="raw_values"))
    gaps = torch.from_numpy(np.where(np.arange(30)[:, None] < 5, np.nan, wanted))
    fewer = ear_measures.r_squared(torch.from_numpy(said), gaps)
    assert fewer.numpy() == pytest.approx(metrics.r2_score(wanted[5:], said[5:], multioutput="raw_values"))


def test_only_speakers_of_the_role_are_opened(tmp_path: Path, real_data: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    opened = []

    def note(row, speech):  # type: ignore[no-untyped-def]
        opened.append(row.speaker)
        return sounds.Sound(row.id, row.speaker, "calm", np.zeros(1, np.float32), ())

    monkeypatch.setattr(sounds, "_sound", note)
    sounds.read_sounds(real_data, "validation", tmp_path)
    assert set(opened) == {"actor13", "actor14", "11"}
    assert len(opened) == 2 * 60 + 35  # RAVDESS: 60 recordings an actor; EmoDB: 35 files of speaker 11
    assert len(ravdess.SPEAKERS) == 20


# ---------------------------------------------------------------- learning


def small_round(count: int = 4) -> ear_targets.Round:
    """Random targets of sounds of about a second."""
    rng = np.random.default_rng(1)
    frames = np.array([100, 121, 90, 104][:count])
    vectors = int(ear_targets.vectors(frames).sum())
    return ear_targets.Round(
        mel=rng.normal(size=(128, int(frames.sum()))).astype(np.float16),
        frames=frames,
        curves=rng.normal(size=(vectors, len(ear_targets.CURVES))).astype(np.float16),
        features=rng.normal(size=(count, len(NAMES))).astype(np.float32),
        opinion=rng.dirichlet(np.ones(8), count).astype(np.float32),
        label=np.arange(count),
    )


LESSON = ear_course.Lesson(epochs=3, seconds=1e6, batch=2, labels_from=0.0)


def test_a_course_that_was_stopped_ends_as_an_unbroken_one(tmp_path: Path) -> None:
    sounds_, scale = small_round(), ear_model.scale_of(small_round())
    unbroken = ear_course.Course(LESSON, tmp_path / "a.pt")
    while not unbroken.finished:
        unbroken.epoch(sounds_, scale)
    for _ in range(3):  # taken up anew before every epoch
        broken = ear_course.Course(LESSON, tmp_path / "b.pt")
        broken.epoch(sounds_, scale)
        broken.save()
    assert broken.finished
    for ours, theirs in zip(broken.kept.parameters(), unbroken.kept.parameters(), strict=True):
        assert torch.equal(ours, theirs)


def test_a_checkpoint_of_another_lesson_is_refused(tmp_path: Path) -> None:
    ear_course.Course(LESSON, tmp_path / "a.pt").save()
    with pytest.raises(ear_course.ConfigError, match=r"a\.pt is of another lesson; delete it to teach the ear anew"):
        ear_course.Course(replace(LESSON, seed=1), tmp_path / "a.pt")


def test_ablations_stand_in_one_table_with_their_number_of_seeds(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pytest.importorskip("sklearn", reason="scikit-learn is not installed: it fits the probe")
    short = replace(LESSON, epochs=1)
    monkeypatch.setattr(
        ear_ablations, "material", lambda folder, data, rounds: (small_round(), small_round(), [small_round()])
    )
    monkeypatch.setattr(ear_ablations, "SHORT", short)
    monkeypatch.setattr(ear_ablations, "COURSES", {"labels alone": replace(short, curves=0.0, features=0.0)})
    ear_ablations.compare(tmp_path, tmp_path)
    table = json.loads((tmp_path / ear_ablations.RESULT).read_text())
    assert (table["epochs"], table["seeds"]) == (1, 1)
    assert set(table["reached"]) == {"labels alone", "recordings as they are"}
    assert {row["n"] for row in table["reached"].values()} == {4}


def test_the_record_says_what_is_had_without_the_ear(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("sklearn", reason="scikit-learn is not installed: it fits the probe")
    sure = replace(small_round(), opinion=np.eye(8, dtype=np.float32)[:4])  # an opinion that is always right
    monkeypatch.setattr(ear, "material", lambda folder, data, rounds: (sure, sure, [sure]))
    written = ear.teach_ear(tmp_path, tmp_path, replace(LESSON, epochs=1))
    assert ear_model.make_tower().load_state_dict(load_file(written)).missing_keys == []
    record = json.loads((tmp_path / ear.RECORD).read_text())
    assert record["uar_without_this_ear"]["shipped audio head"] == 1.0
    assert record["reached"][-1]["n"] == 4


def test_labels_count_only_late_in_the_course() -> None:
    lesson = ear_course.Lesson(labels_from=0.3, label=0.5)
    assert [lesson.weight("label", p) for p in (0.0, 0.3, 0.35, 0.4, 1.0)] == pytest.approx([0, 0, 0.25, 0.5, 0.5])
    assert lesson.weight("features", 0.0) == 1.0


def test_what_is_handed_on_has_mean_0_and_variance_1() -> None:
    pupil, sounds_ = ear_model.Pupil(), small_round()
    scale = ear_model.scale_of(sounds_)
    ear_model.to_unit_variance(pupil.tower, torch.cat(ear_measures.heard(pupil, sounds_, scale)))
    vectors = torch.cat(ear_measures.heard(pupil, sounds_, scale))
    assert vectors.mean(0).numpy() == pytest.approx(np.zeros(256), abs=0.05)
    assert vectors.std(0).numpy() == pytest.approx(np.ones(256), abs=0.05)
