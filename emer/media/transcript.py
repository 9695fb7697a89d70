"""What is said in a clip, from a named file, a data set's own text, a side-car file, or a subtitle track."""

import html
import logging
import re
from collections.abc import Iterator
from glob import escape
from pathlib import Path
from typing import Any

import av
import pysubs2
from av.container import InputContainer
from av.stream import Disposition, Stream
from av.subtitles.stream import SubtitleStream

from emer.errors import TranscriptError
from emer.media.checks import Limits, check_file, shown
from emer.media.container import opened, read_only
from emer.media.decoding import Tally, packets
from emer.media.language import language_of, two_letters
from emer.types import Clip, Notice, Span, Transcript, Utterance

LARGEST = 10_000_000
"""Bytes of a transcript file: a hundred hours of speech stay below it."""
TEXT_TRACKS = frozenset({"mov_text", "subrip", "srt", "ass", "ssa", "webvtt", "text"})
SUFFIXES = (".srt", ".vtt", ".txt")

_TAG = re.compile(r"</?[A-Za-z][^<>]*>|<[\d:.]+>|\{[^{}]*\}")
_CUE = re.compile(r"^[\d:.,]+\s*-->\s*[\d:.,]+", re.MULTILINE)

logger = logging.getLogger("emer")


def find(
    clip: Clip, path: Path, span: Span, origin: float, limits: Limits
) -> tuple[Transcript | None, tuple[Notice, ...]]:
    """The clip's words within the span, None where there are none; and what the reader should know of the search.

    A named file that cannot be read is an error; a side-car that cannot be read is passed over, and that is said.
    """
    if clip.transcript is not None:
        named = check_file(clip.transcript, TranscriptError, "transcript")
        return _transcript(read(named), f"file:{named.name}", None, span), ()
    if clip.said is not None:
        return _transcript((Utterance(clip.said),) if clip.said.strip() else (), "data set", None, span), ()
    passed_over: list[Notice] = []
    for sidecar, code in sidecars(path):
        try:
            utterances = read(check_file(str(sidecar), TranscriptError, "transcript"))
        except TranscriptError as problem:
            passed_over.append(
                Notice("transcript_passed_over", f"a transcript beside the clip was not read: {problem}")
            )
            continue
        return _transcript(utterances, f"sidecar:{sidecar.name}", code, span), tuple(passed_over)
    return _embedded(path, span, origin, limits), tuple(passed_over)


def _transcript(utterances: tuple[Utterance, ...], source: str, stated: str | None, span: Span) -> Transcript | None:
    within = tuple(cue for utterance in utterances if (cue := _within(utterance, span)) is not None)
    if not within:
        return None
    text = " ".join(utterance.text for utterance in within)
    return Transcript(text, source, language_of(text, stated), within)


def _within(utterance: Utterance, span: Span) -> Utterance | None:
    """The utterance with its times cut to the span; None outside of it. Text without times is kept."""
    if utterance.start is None or utterance.end is None:
        return utterance
    if utterance.end <= span.start or utterance.start >= span.end:
        return None
    return Utterance(utterance.text, max(utterance.start, span.start), min(utterance.end, span.end))


# ---------------------------------------------------------------- files


def sidecars(path: Path) -> list[tuple[Path, str | None]]:
    """Transcript files that share the clip's stem, best first: with times, then without a language, then English."""
    found = []
    for candidate in path.parent.glob(f"{escape(path.stem)}.*"):
        middle = candidate.name[len(path.stem) : -len(candidate.suffix)].removeprefix(".")
        code = two_letters(middle)
        if candidate.suffix.lower() in SUFFIXES and (not middle or code) and candidate.is_file():
            rank = (
                candidate.suffix.lower() == ".txt",
                bool(middle),
                code != "en",
                SUFFIXES.index(candidate.suffix.lower()),
            )
            found.append((rank, candidate.name, candidate, code))
    return [(candidate, code) for _, _, candidate, code in sorted(found, key=lambda row: row[:2])]


def read(path: Path) -> tuple[Utterance, ...]:
    """The cues of an .srt or .vtt file (told by their content), or the lines of a plain text.

    Raises TranscriptError when the file is too large, not text, or holds no words.
    """
    name = shown(path.name)
    if path.stat().st_size > LARGEST:
        raise TranscriptError(f"{name} is over {LARGEST // 1_000_000} MB, too large for a transcript; check the file")
    text = decode(path.read_bytes(), name)
    if text.startswith("WEBVTT") or _CUE.search(text):
        utterances = tuple(_cues(text, name))
    elif path.suffix.lower() in (".srt", ".vtt"):
        raise TranscriptError(f"{name} has no cues with times; check that it is a subtitle file")
    else:
        utterances = tuple(Utterance(words) for line in text.splitlines() if (words := plain(line)))
    if not utterances:
        raise TranscriptError(f"{name} holds no words; check the file, or leave the transcript out")
    return utterances


def _cues(text: str, name: str) -> Iterator[Utterance]:
    try:
        cues = pysubs2.SSAFile.from_string(text, format_="vtt" if text.startswith("WEBVTT") else "srt")
    except (pysubs2.exceptions.Pysubs2Error, ValueError) as problem:
        raise TranscriptError(f"{name} cannot be read as subtitles ({problem}); check the file") from problem
    for cue in sorted(cues, key=lambda cue: cue.start):
        if words := plain(cue.plaintext):
            yield Utterance(words, cue.start / 1000, max(cue.start, cue.end) / 1000)


def decode(content: bytes, name: str) -> str:
    """Text from UTF-8 (with or without a mark), UTF-16 or, where the bytes fit neither, Latin-1.

    Raises TranscriptError for bytes that are no text in any of them.
    """
    if content.startswith((b"\xff\xfe", b"\xfe\xff")):
        encodings = ["utf-16"]
    elif b"\0" in content[:1000]:
        encodings = ["utf-16-le" if content[1:2] == b"\0" else "utf-16-be"]
    else:
        encodings = ["utf-8-sig", "latin-1"]
    for encoding in encodings:
        try:
            text = content.decode(encoding)
        except UnicodeDecodeError:
            continue
        odd = sum(not (c.isprintable() or c in "\t\n\r\x0b\x0c\ufeff\u2028\xa0\xad\u200b\u200e\u200f") for c in text)
        if odd <= len(text) // 100:
            return text.replace("\r\n", "\n").replace("\r", "\n").lstrip("\ufeff\n")
    raise TranscriptError(f"{name} is not text; name a .srt, .vtt or .txt file")


def plain(text: str) -> str:
    """One line of words without markup.

    >>> plain("<i>Good</i>{\\\\an8}\\nday &amp; night")
    'Good day & night'
    """
    return " ".join(html.unescape(_TAG.sub("", text.replace("\\N", "\n").replace("\\h", " "))).split())


# ---------------------------------------------------------------- tracks


def _embedded(path: Path, span: Span, origin: float, limits: Limits) -> Transcript | None:
    """The first subtitle track with words: the default one before others, forced ones (signs alone) last."""
    with opened(path, limits) as container:
        tracks = [
            stream
            for stream in container.streams.subtitles
            if stream.codec_context is not None and stream.codec_context.name in TEXT_TRACKS
        ]
        numbers = [track.index for track in sorted(tracks, key=_preference)]
    for number in numbers:
        with opened(path, limits) as container:
            track = container.streams[number]
            utterances = tuple(_track_cues(container, track, origin))
            found = _transcript(utterances, f"track:{number}", track.language, span)
        if found is not None:
            return found
    return None


def _preference(track: SubtitleStream) -> tuple[bool, bool, int]:
    kind = track.disposition
    return bool(kind & Disposition.forced), not kind & Disposition.default, track.index


def _track_cues(container: InputContainer, track: Stream, origin: float) -> Iterator[Utterance]:
    read_only(container, track)
    for packet in packets(container, (track,), Tally()):
        if packet.pts is None or packet.time_base is None:
            continue
        try:
            cues: list[Any] = packet.decode()
            texts = [plain(cue.dialogue.decode("utf-8", "replace")) for cue in cues if cue.type != b"bitmap"]
        except av.FFmpegError as problem:
            logger.warning("subtitle track %d: a cue cannot be read (%s)", track.index, problem)
            continue
        start = float(packet.pts * packet.time_base) - origin
        end = start + float((packet.duration or 0) * packet.time_base)
        for text in texts:
            if text:
                yield Utterance(text, start, end)
