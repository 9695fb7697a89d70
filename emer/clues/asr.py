"""Speech recognition for clips without a transcript, and only when asked for.

`Whisper` (Radford et al. 2022) runs a model of the user's through transformers. `PocketSphinx` (CMU Sphinx, English,
works offline) is right on clear speech alone, and its transcript says so. Both read the clip in windows and hear one
piece of speech of at most 30 s at a time.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import Float32

from emer.clues.listening import VoiceActivity
from emer.clues.voice_activity import LOUDNESS_STEP
from emer.errors import ConfigError, EmerError, MissingExtra, TranscriptError
from emer.types import SAMPLE_RATE, Media, Span, Transcript, Utterance, Word

LONGEST = 30.0
"""Seconds of sound that Whisper hears at once."""
JOINED_OVER = 1.0
"""Seconds of pause over which neighbouring stretches of speech are heard together, for context."""
PAUSE = 0.6
"""Seconds between two words that end an utterance."""
_FULL_STOPS = (".", "!", "?", "…", "。", "！", "？")
WIDE_BEAM = (1e-60, 1e-40)
"""PocketSphinx's search, of states and of words. With its own narrower one a shift of 0.1 s changes what it hears."""

Samples = Float32[np.ndarray, "sample"]


@dataclass(frozen=True, slots=True)
class Whisper:
    """A Whisper model: a folder on this machine, or a name on the model hub. Raises ConfigError without either."""

    model: str = ""

    def __post_init__(self) -> None:
        if not self.model:
            raise ConfigError("Whisper needs a model: write --asr whisper:FOLDER, or whisper:NAME as on the model hub")

    def transcribe(self, media: Media, activity: VoiceActivity | None) -> Transcript:
        """What is said, one utterance per stretch that the model sets apart, words timed where the model can.

        Raises MissingExtra without transformers, ConfigError when the model cannot be loaded, and TranscriptError
        when the clip has no sound.
        """
        recogniser = self._recogniser()
        utterances: list[Utterance] = []
        words: list[Word] = []
        languages: list[str] = []
        timed = _times_words(recogniser)
        for span, samples in pieces(media, _sounding(activity)):
            heard = self._hear(recogniser, samples, timed)
            chunks = [_chunk(chunk, span) for chunk in heard["chunks"] if _is_heard(chunk, span)]
            languages += [chunk["language"] for chunk in heard["chunks"] if chunk.get("language")]
            if timed:
                words += [Word(chunk.text.strip(), chunk.start, chunk.end) for chunk in chunks]
                utterances += said_together(chunks)
            else:
                utterances += [Utterance(chunk.text.strip(), chunk.start, chunk.end) for chunk in chunks]
        text = " ".join(utterance.text for utterance in utterances)
        language = _code(languages) or _language(text)
        return Transcript(text, f"whisper:{self.model}", language, tuple(utterances), tuple(words) if timed else None)

    def _recogniser(self) -> Any:
        import emer.torchvision_ops  # noqa: F401  before transformers, which may import torchvision

        try:
            from transformers import pipeline
        except ImportError as error:
            raise MissingExtra(
                "Whisper needs the package transformers; install it with: pip install 'emer[asr]'"
            ) from error
        folder = Path(self.model).expanduser()
        looks_like_folder = self.model.startswith(("/", ".", "~")) or self.model.count("/") > 1
        if looks_like_folder and not (folder / "config.json").is_file():
            why = "it holds no config.json" if folder.is_dir() else "there is no such folder"
            raise ConfigError(f"Whisper model {self.model}: {why}; name the folder of a saved model, or one on the hub")
        where = str(folder) if folder.is_dir() else self.model
        try:
            return pipeline("automatic-speech-recognition", model=where, device="cpu")
        except Exception as error:
            raise self._cannot_load(error) from error

    def _cannot_load(self, error: Exception) -> EmerError:
        """transformers raises many kinds of error for a model that is absent, unreachable, or no recogniser."""
        why = " ".join(str(error).split())[:160]
        return ConfigError(
            f"Whisper model {self.model} cannot be loaded ({type(error).__name__}: {why}); "
            "check the name and the network, or give the folder of a model that is already on this machine"
        )

    def _hear(self, recogniser: Any, samples: Samples, timed: bool) -> dict[str, Any]:
        import torch

        # transformers' word times fail where the model goes on past the end of a short piece: give it all of its 30 s.
        filled = np.zeros(int(LONGEST * SAMPLE_RATE), np.float32)
        filled[: len(samples)] = samples[: len(filled)]
        with torch.inference_mode():
            heard: dict[str, Any] = recogniser(
                {"raw": filled, "sampling_rate": SAMPLE_RATE},
                return_timestamps="word" if timed else True,
                return_language=True,
            )
        return heard


@dataclass(frozen=True, slots=True)
class PocketSphinx:
    """CMU PocketSphinx with the English model that its package brings. Raises ConfigError when another is named."""

    model: str = ""

    def __post_init__(self) -> None:
        if self.model:
            raise ConfigError(f"PocketSphinx has a model of its own and takes none ({self.model}): --asr pocketsphinx")

    def transcribe(self, media: Media, activity: VoiceActivity | None) -> Transcript:
        """What is said, one utterance per piece of speech, with the times of its words (steps of 10 ms).

        Raises MissingExtra without the package and TranscriptError when the clip has no sound.
        """
        try:
            from pocketsphinx import Decoder
        except ImportError as error:
            raise MissingExtra(
                "this recogniser needs the package pocketsphinx; install it with: pip install pocketsphinx"
            ) from error
        decoder = Decoder(samprate=SAMPLE_RATE, loglevel="FATAL", beam=WIDE_BEAM[0], wbeam=WIDE_BEAM[1])
        utterances: list[Utterance] = []
        words: list[Word] = []
        for span, samples in pieces(media, _sounding(activity)):
            found = list(_sphinx_words(decoder, samples, span))
            words += found
            utterances += said_together(Word(f" {word.text}", word.start, word.end) for word in found)
        text = " ".join(utterance.text for utterance in utterances)
        return Transcript(text, "pocketsphinx (unreliable)", "en", tuple(utterances), tuple(words))


# ---------------------------------------------------------------- pieces of speech


def pieces(media: Media, activity: VoiceActivity) -> Iterator[tuple[Span, Samples]]:
    """The sound of each stretch of speech in order, at most 30 s each. Never more than two windows are in memory."""
    wanted = heard_together(activity, media.facts.span.start)
    held = np.zeros(0, np.float32)
    held_from = media.facts.span.start
    at = 0
    for window in media.windows(audio=True):
        held = np.concatenate([held, window.samples])
        while at < len(wanted) and wanted[at].end <= window.end:
            yield wanted[at], _cut(held, held_from, wanted[at])
            at += 1
        if at == len(wanted):
            return
        # Sound before the next piece is needed no more.
        drop = min(len(held), max(0, round((wanted[at].start - held_from) * SAMPLE_RATE)))
        held, held_from = held[drop:], held_from + drop / SAMPLE_RATE
    for span in wanted[at:]:
        # The sound may end a little before its header says.
        rest = _cut(held, held_from, span)
        if len(rest):
            yield span, rest


def heard_together(activity: VoiceActivity, origin: float) -> list[Span]:
    """Stretches of speech joined over short pauses, and cut where they are longer than 30 s."""
    joined: list[Span] = []
    for span in (part for stretch in activity.speech for part in _within_reach(stretch, activity, origin)):
        last = joined[-1] if joined else None
        if last and span.start - last.end <= JOINED_OVER and span.end - last.start <= LONGEST:
            joined[-1] = Span(last.start, span.end)
        else:
            joined.append(span)
    return joined


def _within_reach(span: Span, activity: VoiceActivity, origin: float) -> Iterator[Span]:
    """A long stretch in parts of at most 30 s, each cut where the voice is softest in its last third."""
    while span.duration > LONGEST:
        first, last = (round((span.start + seconds - origin) / LOUDNESS_STEP) for seconds in (LONGEST * 2 / 3, LONGEST))
        heard = activity.loudness[first:last]
        softest = (first + int(np.argmin(heard)) + 0.5) * LOUDNESS_STEP + origin if len(heard) else span.start + LONGEST
        cut = min(softest, span.start + LONGEST)
        yield Span(span.start, cut)
        span = Span(cut, span.end)
    yield span


def _cut(held: Float32[np.ndarray, "held"], held_from: float, span: Span) -> Samples:
    first, last = (max(0, round((time - held_from) * SAMPLE_RATE)) for time in (span.start, span.end))
    return held[first:last]


def _sounding(activity: VoiceActivity | None) -> VoiceActivity:
    if activity is None:
        raise TranscriptError("there is no sound to recognise words in; leave --asr out, or name a --transcript")
    return activity


def said_together(words: Iterable[Word]) -> Iterator[Utterance]:
    """Words, with the spaces before them, as utterances: a full stop or a pause ends one."""
    group: list[Word] = []
    for word in words:
        if group and (word.start - group[-1].end >= PAUSE or group[-1].text.rstrip().endswith(_FULL_STOPS)):
            yield _utterance(group)
            group = []
        group.append(word)
    if group:
        yield _utterance(group)


def _utterance(words: Sequence[Word]) -> Utterance:
    return Utterance("".join(word.text for word in words).strip(), words[0].start, words[-1].end)


# ---------------------------------------------------------------- Whisper's answers


def _times_words(recogniser: Any) -> bool:
    """Word times need the attention heads that follow the sound, which a model may not name."""
    return bool(getattr(recogniser.model.generation_config, "alignment_heads", None))


def _is_heard(chunk: dict[str, Any], span: Span) -> bool:
    """Whether a chunk has words and begins within its piece: in the silence behind it the model may invent some."""
    return bool(chunk["text"].strip()) and (chunk["timestamp"][0] or 0.0) < span.duration


def _chunk(chunk: dict[str, Any], span: Span) -> Word:
    """A chunk on the clip's clock, kept inside its piece, with its text as it came; a missing time is the piece's."""
    start, end = chunk["timestamp"]
    first = span.start if start is None else min(max(span.start + start, span.start), span.end)
    last = span.end if end is None else min(max(span.start + end, first), span.end)
    return Word(chunk["text"], round(first, 3), round(last, 3))


def _code(languages: Sequence[str]) -> str | None:
    """ISO 639-1 code of the language that Whisper names most often (`english`)."""
    if not languages:
        return None
    from transformers.models.whisper.tokenization_whisper import TO_LANGUAGE_CODE

    name = max(set(languages), key=lambda each: (languages.count(each), each))
    code: str = TO_LANGUAGE_CODE.get(name, name)
    return code


def _language(text: str) -> str | None:
    from emer.media.language import language_of

    return language_of(text)


# ---------------------------------------------------------------- PocketSphinx's answers


def _sphinx_words(decoder: Any, samples: Samples, span: Span) -> Iterator[Word]:
    pcm = (np.clip(samples, -1, 1) * 32767).astype("<i2").tobytes()
    decoder.start_utt()
    decoder.process_raw(pcm, full_utt=True)
    decoder.end_utt()
    step = 1 / decoder.config["frate"]
    for segment in decoder.seg() or ():
        # Silence and noise stand in marks; a second pronunciation has a number behind it.
        if segment.word[0] not in "<[+":
            start = span.start + segment.start_frame * step
            end = min(span.end, span.start + (segment.end_frame + 1) * step)
            yield Word(segment.word.partition("(")[0], round(min(start, end), 3), round(end, 3))
