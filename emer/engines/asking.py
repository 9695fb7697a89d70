"""What a model is asked about a clip: a prompt, filled with what was measured and said, and the media beside it.

    messages = messages_of(request)                                    # one stage: media, clues, words → explanation
    messages = messages_of(request, "describe_audio")                  # the voice alone
    messages = messages_of(request, "merge", descriptions={"audio": …, "visual": …})
    messages = messages_of(request, shown=Shown(sentences=False))      # listen and look, without being told

Opinions, labels that people gave, paths and file names never come in; only the prompt `annotate`, by which a teacher
writes what others learn from, takes labels (`known`).
"""

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from emer.errors import ConfigError
from emer.prompts import prompt
from emer.tables import table
from emer.types import MODALITIES, Clue, Message, Modality, Request, Transcript, Utterance

TABLE = "asking.yaml"
STREAMS: dict[Modality, str] = {"audio": "audio", "visual": "video"}
"""Which stream of the clip carries a modality."""


@dataclass(frozen=True, slots=True)
class Shown:
    """What of a clip is put before the model. Training varies it (modality dropout), and so does asking by modality."""

    modalities: frozenset[Modality] = frozenset(MODALITIES)
    """A modality that is left out takes its stream, its clue sentences and, for text, the transcript with it."""
    sentences: bool = True
    """Whether the clue sentences are shown; without them the model has to listen and to look."""
    media: bool = True
    """Whether sound and picture are attached; without them the model has to read."""
    streams: frozenset[str] = frozenset(STREAMS.values())
    """Those of `audio` and `video` that the model takes; the others are neither attached nor announced."""


LIMITS: dict[str, Shown] = {
    "describe_audio": Shown(frozenset({"audio"})),
    "describe_visual": Shown(frozenset({"visual"})),
    "merge": Shown(frozenset({"text"}), media=False),
    "annotate": Shown(media=False),
}
"""What some prompts show at most. Descriptions are made without the words, which then decide between their readings
(Lian et al. 2023, https://arxiv.org/abs/2306.15401); merging and teaching need text alone."""


def messages_of(
    request: Request,
    name: str = "explain",
    language: str = "en",
    *,
    shown: Shown | None = None,
    descriptions: Mapping[Modality, str] | None = None,
    known: Sequence[str] = (),
) -> tuple[Message, ...]:
    """The conversation that asks about a request; the media are named at the user's message.

    `name` is a prompt that ships, or the path of one with the slots `material` and, if it wants, `known`. Raises
    ConfigError for an unknown prompt, and where nothing of the clip is left to be shown.
    """
    asking = prompt(name, language)
    shown = _both(shown or Shown(), LIMITS.get(name, Shown()))
    words = table("emer.engines", TABLE)[asking.language if asking.language in ("en", "zh") else "en"]
    media = attached(request, shown)
    sections = list(_sections(request, shown, words, descriptions or {}))
    if not media and not sections:
        raise ConfigError(
            f"the prompt {name} would show nothing of the clip: no media, clues or words are left; leave less out"
        )
    told = {"material": "\n\n".join([_opening(request, media, words), *sections]), "known": _known(known, words)}
    *before, user = asking.messages(**{slot: told[slot] for slot in asking.slots if slot in told})
    return (*before, replace(user, media=media))


def language_of(transcript: Transcript | None) -> str:
    """The language in which to ask about what is said: `zh` for Chinese, else `en`."""
    return "zh" if transcript is not None and transcript.language == "zh" else "en"


def streams_of(perceives: Collection[Modality]) -> frozenset[str]:
    """The streams that carry what a model perceives."""
    return frozenset(stream for modality, stream in STREAMS.items() if modality in perceives)


def attached(request: Request, shown: Shown) -> tuple[str, ...]:
    """Which of `audio` and `video` the clip has and the model gets."""
    if request.media is None or not shown.media:
        return ()
    facts = request.media.facts
    there = {"audio": facts.has_audio, "video": facts.has_video or facts.is_image}
    taken = shown.streams
    return tuple(s for modality, s in STREAMS.items() if modality in shown.modalities and there[s] and s in taken)


def _both(wanted: Shown, limit: Shown) -> Shown:
    """What is wanted, as far as the prompt allows."""
    sentences, media = wanted.sentences and limit.sentences, wanted.media and limit.media
    return Shown(wanted.modalities & limit.modalities, sentences, media, wanted.streams & limit.streams)


# ---------------------------------------------------------------- the material


def _opening(request: Request, media: Sequence[str], words: Mapping[str, Any]) -> str:
    """What is attached, and which part of the clip is meant."""
    facts = request.media.facts if request.media is not None else None
    image = facts is not None and facts.is_image
    names = [words["media"]["image" if image and stream == "video" else stream] for stream in media]
    lines = [words["attached"].format(media=words["and"].join(names)) if names else words["nothing_attached"]]
    span = request.span
    if facts is not None and span.duration < facts.span.duration - 0.05:
        lines.append(words["part"].format(start=_seconds(span.start), end=_seconds(span.end)))
    elif not image and span.duration > 0:
        lines.append(words["length"].format(seconds=_seconds(span.duration)))
    return "\n".join(lines)


def _sections(
    request: Request, shown: Shown, words: Mapping[str, Any], descriptions: Mapping[Modality, str]
) -> Iterator[str]:
    for modality in STREAMS:
        if description := descriptions.get(modality, "").strip():
            yield f"{words['descriptions'][modality]}\n{description}"
    clues = [clue for clue in request.clues.items if shown.sentences and clue.modality in shown.modalities]
    if clues:
        yield "\n".join([words["clues"], *(_clue(clue, words) for clue in clues)])
    if "text" in shown.modalities and (said := _said(request.transcript)):
        yield f"{words['said']}\n{said}"


def _clue(clue: Clue, words: Mapping[str, Any]) -> str:
    """`[a3] 1.3–2.1 voice 4.1 semitones above this clip's median`, with why to doubt it."""
    doubt = words["doubt"].format(why=_line(clue.quality)) if clue.quality else ""
    return f"[{clue.id}] {_seconds(clue.start)}–{_seconds(clue.end)} {_line(clue.text)}{doubt}"


def _said(transcript: Transcript | None) -> str:
    """The words, by utterance with its times where they are known; not where they came from, which may be a path."""
    if transcript is None:
        return ""
    lines = [_utterance(utterance) for utterance in transcript.utterances if utterance.text.strip()]
    return "\n".join(lines) or _line(transcript.text)


def _utterance(utterance: Utterance) -> str:
    if utterance.start is None or utterance.end is None:
        return _line(utterance.text)
    return f"{_seconds(utterance.start)}–{_seconds(utterance.end)} {_line(utterance.text)}"


def _known(labels: Sequence[str], words: Mapping[str, Any]) -> str:
    return words["known"].format(labels=words["comma"].join(labels)) if labels else str(words["unknown"])


def _seconds(time: float) -> str:
    return f"{time:.1f}"


def _line(text: str) -> str:
    """One line: material cannot look like a section of its own."""
    return " ".join(text.split())
