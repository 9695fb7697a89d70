"""Speech recognition: pieces of sound, a Whisper made here with random weights, PocketSphinx on a known sentence."""

import json
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest

import emer.media
from emer.clues.asr import PocketSphinx, Whisper, heard_together, pieces, said_together
from emer.clues.listening import VoiceActivity
from emer.errors import ConfigError, MissingExtra, TranscriptError
from emer.types import SAMPLE_RATE, Clip, Faults, Frame, MediaFacts, Span, Track, Transcript, Window, Word

NO_FAULTS = Faults()


@dataclass(frozen=True)
class Sound:
    """Media made of an array: sample i holds the number i, scaled, so that every cut can be checked."""

    samples: np.ndarray
    start: float = 0.0
    transcript: Transcript | None = None
    faults: Faults = NO_FAULTS

    @property
    def facts(self) -> MediaFacts:
        return MediaFacts(
            "x.wav", "0", Span(self.start, self.start + len(self.samples) / SAMPLE_RATE), None, True, False
        )

    def windows(
        self, *, seconds: float = 30.0, audio: bool = True, fps: float | None = None, max_width: int = 960
    ) -> Iterator[Window]:
        step = int(seconds * SAMPLE_RATE)
        for i in range(0, len(self.samples), step):
            part = self.samples[i : i + step]
            start = self.start + i / SAMPLE_RATE
            yield Window(start, start + len(part) / SAMPLE_RATE, part)

    def sample(self, n: int, *, max_width: int = 960) -> tuple[Frame, ...]:
        return ()


def heard(*speech: tuple[float, float], loudness: np.ndarray | None = None) -> VoiceActivity:
    curve = np.zeros(0, np.float32) if loudness is None else loudness
    track = Track("speech", "audio", "probability", 0.0, 0.1, ())
    return VoiceActivity(tuple(Span(a, b) for a, b in speech), curve, track)


# ---------------------------------------------------------------- pieces


def ramp(seconds: float) -> np.ndarray:
    return np.arange(int(seconds * SAMPLE_RATE), dtype=np.float32) / 2**21


@pytest.mark.parametrize("start", [0.0, 12.5])
def test_each_piece_holds_exactly_the_samples_of_its_span(start: float) -> None:
    media = Sound(ramp(100), start)
    speech = [(start + a, start + b) for a, b in ((1.0, 4.0), (28.0, 33.0), (59.5, 60.5), (95.0, 100.0))]
    found = list(pieces(media, heard(*speech)))
    assert [(span.start, span.end) for span, _ in found] == speech
    for span, samples in found:
        first = round((span.start - start) * SAMPLE_RATE)
        assert samples[0] * 2**21 == first
        assert len(samples) == round(span.duration * SAMPLE_RATE)
        assert samples[-1] * 2**21 == first + len(samples) - 1


def test_short_pauses_are_heard_together_and_long_ones_part() -> None:
    activity = heard((0.0, 2.0), (2.5, 4.0), (6.0, 7.0))
    assert heard_together(activity, 0.0) == [Span(0.0, 4.0), Span(6.0, 7.0)]


def test_nothing_longer_than_whisper_hears_is_handed_over() -> None:
    spans = heard_together(heard((0.0, 100.0)), 0.0)
    assert all(0 < span.duration <= 30.0 for span in spans)
    assert spans[0].start == 0.0
    assert spans[-1].end == 100.0
    assert all(a.end == b.start for a, b in pairwise(spans))


def test_a_long_stretch_is_cut_where_the_voice_is_softest() -> None:
    loudness = np.full(400, -20, np.float32)
    loudness[243] = -60  # 24.3 to 24.4 s
    assert heard_together(heard((0.0, 40.0), loudness=loudness), 0.0)[0].end == pytest.approx(24.35)


def test_sound_that_ends_before_its_header_says_is_still_heard() -> None:
    span, samples = next(pieces(Sound(ramp(3.0)), heard((1.0, 5.0))))
    assert span == Span(1.0, 5.0)
    assert len(samples) == 2 * SAMPLE_RATE


def test_a_full_stop_or_a_pause_ends_an_utterance() -> None:
    words = [Word(" No.", 0, 0.4), Word(" I", 0.5, 0.6), Word(" am", 0.6, 0.8), Word(" glad", 2.0, 2.4)]
    assert [u.text for u in said_together(words)] == ["No.", "I am", "glad"]


def test_no_sound_is_said_plainly() -> None:
    with pytest.raises(TranscriptError, match="there is no sound to recognise words in"):
        PocketSphinx().transcribe(Sound(ramp(1.0)), None)


# ---------------------------------------------------------------- Whisper


@pytest.fixture(scope="module")
def tiny_whisper(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A multilingual Whisper with 2 layers of 16 numbers, random weights, and a tokenizer trained on one sentence."""
    import torch
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers
    from transformers import (
        GenerationConfig,
        WhisperConfig,
        WhisperFeatureExtractor,
        WhisperForConditionalGeneration,
        WhisperTokenizer,
    )

    folder = tmp_path_factory.mktemp("whisper")
    torch.manual_seed(0)
    torch.set_num_threads(1)
    bpe = Tokenizer(models.BPE())
    bpe.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    bpe.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=300, initial_alphabet=pre_tokenizers.ByteLevel.alphabet(), show_progress=False
    )
    bpe.train_from_iterator(["ask not what your country can do for you"] * 4, trainer)
    state = json.loads(bpe.to_str())["model"]
    tokenizer = WhisperTokenizer(vocab=state["vocab"], merges=[tuple(pair) for pair in state["merges"]])
    special = ["<|startoftranscript|>", "<|en|>", "<|de|>", "<|translate|>", "<|transcribe|>"]
    special += ["<|startoflm|>", "<|startofprev|>", "<|nospeech|>", "<|notimestamps|>"]
    tokenizer.add_special_tokens({"additional_special_tokens": special})
    tokenizer.add_tokens([f"<|{i * 0.02:.2f}|>" for i in range(1501)])
    number = tokenizer.convert_tokens_to_ids
    start, end = number("<|startoftranscript|>"), number("<|endoftext|>")
    sizes = {"encoder_layers": 2, "decoder_layers": 2, "encoder_attention_heads": 2, "decoder_attention_heads": 2}
    sizes |= {"d_model": 16, "encoder_ffn_dim": 32, "decoder_ffn_dim": 32, "num_mel_bins": 80}
    config = WhisperConfig(
        **sizes,
        vocab_size=len(tokenizer),
        max_target_positions=64,
        pad_token_id=end,
        bos_token_id=end,
        eos_token_id=end,
        decoder_start_token_id=start,
        begin_suppress_tokens=[end],
    )
    model = WhisperForConditionalGeneration(config).eval()
    model.generation_config = GenerationConfig(
        decoder_start_token_id=start,
        bos_token_id=end,
        eos_token_id=end,
        pad_token_id=end,
        begin_suppress_tokens=[end],
        no_timestamps_token_id=number("<|notimestamps|>"),
        is_multilingual=True,
        lang_to_id={"<|en|>": number("<|en|>"), "<|de|>": number("<|de|>")},
        task_to_id={"transcribe": number("<|transcribe|>"), "translate": number("<|translate|>")},
        prev_sot_token_id=number("<|startofprev|>"),
        max_initial_timestamp_index=50,
        max_length=40,
        return_timestamps=False,
    )
    model.save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    WhisperFeatureExtractor(feature_size=80).save_pretrained(folder)
    return folder


@pytest.fixture(scope="module")
def tiny_whisper_with_word_times(tiny_whisper: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The same, with two attention heads named as those that follow the sound."""
    folder = tmp_path_factory.mktemp("whisper_words")
    for file in tiny_whisper.iterdir():
        (folder / file.name).write_bytes(file.read_bytes())
    settings = json.loads((folder / "generation_config.json").read_text())
    (folder / "generation_config.json").write_text(json.dumps(settings | {"alignment_heads": [[0, 0], [1, 1]]}))
    return folder


def noise(seconds: float) -> np.ndarray:
    return np.random.default_rng(0).normal(0, 0.1, int(seconds * SAMPLE_RATE)).astype(np.float32)


SPEECH = ((0.5, 29.0), (40.0, 65.0))


def assert_times_lie_in_speech(transcript: Transcript) -> None:
    for each in (*transcript.utterances, *(transcript.words or ())):
        assert each.start is not None
        assert each.end is not None
        assert any(a <= each.start <= each.end <= b for a, b in SPEECH), each


def test_whisper_runs_end_to_end_and_its_times_lie_in_the_speech(tiny_whisper: Path) -> None:
    transcript = Whisper(str(tiny_whisper)).transcribe(Sound(noise(66)), heard(*SPEECH))
    assert transcript.source == f"whisper:{tiny_whisper}"
    assert transcript.language in ("en", "de")
    assert transcript.words is None
    assert transcript.utterances
    assert transcript.text == " ".join(utterance.text for utterance in transcript.utterances)
    assert_times_lie_in_speech(transcript)


def test_whisper_gives_words_with_times_where_the_model_can(tiny_whisper_with_word_times: Path) -> None:
    transcript = Whisper(str(tiny_whisper_with_word_times)).transcribe(Sound(noise(66)), heard(*SPEECH))
    assert transcript.words
    assert transcript.utterances
    joined = "".join(transcript.text.split())
    assert joined == "".join("".join(word.text.split()) for word in transcript.words)
    assert_times_lie_in_speech(transcript)


def test_without_speech_whisper_hears_no_words(tiny_whisper: Path) -> None:
    transcript = Whisper(str(tiny_whisper)).transcribe(Sound(noise(2)), heard())
    assert (transcript.text, transcript.utterances, transcript.language) == ("", (), None)


@pytest.mark.parametrize("name", ["/no/such/folder", "./nothing", "~/none/here"])
def test_a_missing_model_folder_is_named(name: str) -> None:
    with pytest.raises(ConfigError, match=f"Whisper model {name}: there is no such folder"):
        Whisper(name).transcribe(Sound(noise(1)), heard((0.0, 1.0)))


def test_a_folder_that_holds_no_model_is_named(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"holds no config\.json"):
        Whisper(str(tmp_path)).transcribe(Sound(noise(1)), heard((0.0, 1.0)))


def test_a_model_that_is_no_recogniser_cannot_be_loaded(tmp_path: Path) -> None:
    (tmp_path / "config.json").write_text('{"model_type": "nothing"}')
    with pytest.raises(ConfigError, match=r"cannot be loaded .* give the folder of a model"):
        Whisper(str(tmp_path)).transcribe(Sound(noise(1)), heard((0.0, 1.0)))


def test_a_hub_model_that_cannot_be_reached_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    import huggingface_hub.constants

    monkeypatch.setattr(huggingface_hub.constants, "HF_HUB_OFFLINE", True)
    with pytest.raises(ConfigError, match=r"Whisper model nobody/no-such-model cannot be loaded .* check the name"):
        Whisper("nobody/no-such-model").transcribe(Sound(noise(1)), heard((0.0, 1.0)))


def test_without_transformers_the_extra_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "transformers", None)
    with pytest.raises(MissingExtra, match=r"pip install 'emer\[asr\]'"):
        Whisper("any").transcribe(Sound(noise(1)), heard((0.0, 1.0)))


def test_whisper_without_a_model_asks_for_one() -> None:
    with pytest.raises(ConfigError, match="write --asr whisper:FOLDER"):
        Whisper()


# ---------------------------------------------------------------- PocketSphinx


def test_pocketsphinx_takes_no_model() -> None:
    with pytest.raises(ConfigError, match="takes none"):
        PocketSphinx("small")


def test_without_pocketsphinx_the_package_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pocketsphinx", None)
    with pytest.raises(MissingExtra, match="pip install pocketsphinx"):
        PocketSphinx().transcribe(Sound(noise(1)), heard((0.0, 1.0)))


def test_pocketsphinx_hears_most_words_of_a_known_sentence(real_data: Path) -> None:
    """The words are those that the data's own table gives; the stretches of speech were read off the waveform."""
    media = emer.media.open(Clip(str(real_data / "clips" / "speech" / "jfk.flac")))
    transcript = PocketSphinx().transcribe(media, heard((0.3, 2.3), (3.2, 4.5), (5.3, 7.7), (8.1, 10.7)))
    said = "and so my fellow americans ask not what your country can do for you ask what you can do for your country"
    right = sum(word in transcript.text.split() for word in said.split())
    assert right >= 0.7 * len(said.split())
    assert "what your country can do for you" in transcript.text
    assert transcript.source == "pocketsphinx (unreliable)"
    assert transcript.words is not None
    assert all(0.2 < word.start < word.end < 11.0 for word in transcript.words)
    assert len(transcript.utterances) >= 3
