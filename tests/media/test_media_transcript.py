"""Transcripts: named files, side-cars and embedded tracks; encodings, markup, times, language."""

from pathlib import Path

import pytest
from clips import make_clip

from emer import media
from emer.errors import TranscriptError
from emer.media.language import language_of
from emer.media.transcript import decode, plain, read, sidecars
from emer.types import Clip, Transcript, Utterance

SRT = """1
00:00:00,500 --> 00:00:01,250
<i>I lost</i> my keys again,

2
00:00:01,500 --> 00:00:02,000
{\\an8}and I am <font color="#ff0000">so</font>
angry about it &amp; you!
"""
VTT = """WEBVTT - a title

NOTE this is a comment

STYLE
::cue { color: red }

intro
00:00.500 --> 00:01.250 align:start position:10%
<v Anna>I lost</v> my <c.loud>keys</c> again,

00:01.500 --> 00:02.000
and I am <00:01.700>so
angry about it &amp; you!
"""
CUES = (
    Utterance("I lost my keys again,", 0.5, 1.25),
    Utterance("and I am so angry about it & you!", 1.5, 2.0),
)


@pytest.fixture
def clip(tmp_path: Path) -> Path:
    return make_clip(tmp_path / "clip.mp4", 3.0)


def transcript(path: Path, **settings: object) -> Transcript | None:
    return media.open(Clip(str(path), **settings)).transcript


@pytest.mark.parametrize(("suffix", "content"), [(".srt", SRT), (".vtt", VTT)])
def test_a_side_car_gives_cues_without_markup(clip: Path, suffix: str, content: str) -> None:
    clip.with_suffix(suffix).write_text(content, encoding="utf-8")
    assert transcript(clip) == Transcript(
        "I lost my keys again, and I am so angry about it & you!", f"sidecar:clip{suffix}", "en", CUES
    )


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "latin-1"])
@pytest.mark.parametrize("line_end", ["\n", "\r\n", "\r"])
def test_encodings_and_line_ends_are_told_apart(tmp_path: Path, encoding: str, line_end: str) -> None:
    path = tmp_path / "words.srt"
    text = "1\n00:00:00,000 --> 00:00:01,000\nÄrger über müde Füße, déjà vu\n"
    path.write_bytes(text.replace("\n", line_end).encode(encoding))
    assert read(path) == (Utterance("Ärger über müde Füße, déjà vu", 0.0, 1.0),)


def test_chinese_in_utf8_and_utf16(tmp_path: Path) -> None:
    for encoding in ("utf-8", "utf-16"):
        path = tmp_path / f"{encoding}.txt"
        path.write_text("我今天很高兴,你呢?", encoding=encoding)
        assert read(path) == (Utterance("我今天很高兴,你呢?"),)


def test_a_plain_text_gives_lines_without_times(clip: Path) -> None:
    clip.with_suffix(".txt").write_text("I lost my keys again.\n\nWhat a day!\n", encoding="utf-8")
    found = transcript(clip)
    assert found is not None
    assert found.utterances == (Utterance("I lost my keys again."), Utterance("What a day!"))
    assert (found.source, found.text) == ("sidecar:clip.txt", "I lost my keys again. What a day!")


def test_side_cars_with_times_come_first_then_english(tmp_path: Path) -> None:
    clip = tmp_path / "my.clip [1].mp4"
    stem = "my.clip [1]"
    names = [f"{stem}.srt", f"{stem}.vtt", f"{stem}.en.srt", f"{stem}.de.srt", f"{stem}.txt", f"{stem}.de.txt"]
    for name in [*reversed(names), f"{stem}.notes.srt", "my.srt", f"{stem}2.srt", f"{stem}.json"]:
        (tmp_path / name).touch()
    assert [path.name for path, _ in sidecars(clip)] == names
    assert dict(sidecars(clip))[tmp_path / names[3]] == "de"


def test_a_stated_language_counts_where_the_words_are_too_few(clip: Path) -> None:
    cue = "1\n00:00:00,500 --> 00:00:01,250\n{}\n"
    (clip.parent / "clip.de.srt").write_text(cue.format("Oh nein!"))
    assert transcript(clip).language == "de"
    (clip.parent / "clip.de.srt").write_text(cue.format("He told me yesterday that they sold the house."))
    assert transcript(clip).language == "en"


def test_a_named_transcript_comes_before_a_side_car(clip: Path, tmp_path: Path) -> None:
    clip.with_suffix(".srt").write_text(SRT)
    (tmp_path / "other.txt").write_text("Something else was said here.")
    found = transcript(clip, transcript=str(tmp_path / "other.txt"))
    assert (found.source, found.text) == ("file:other.txt", "Something else was said here.")


def test_a_part_of_a_clip_has_its_own_words_with_times_cut_to_it(clip: Path) -> None:
    clip.with_suffix(".srt").write_text(SRT)
    assert transcript(clip, start=1.0, end=1.6).utterances == (
        Utterance("I lost my keys again,", 1.0, 1.25),
        Utterance("and I am so angry about it & you!", 1.5, 1.6),
    )
    assert transcript(clip, start=2.1) is None


def test_without_text_no_transcript_is_looked_for(clip: Path) -> None:
    clip.with_suffix(".srt").write_text(SRT)
    assert transcript(clip, without=frozenset({"text"})) is None


def test_a_side_car_that_cannot_be_read_is_passed_over_and_that_is_said(clip: Path) -> None:
    clip.with_suffix(".srt").write_bytes(bytes(range(256)) * 4)
    clip.with_suffix(".vtt").write_text(VTT)
    assert transcript(clip).source == "sidecar:clip.vtt"
    (notice,) = media.open(Clip(str(clip))).facts.notices
    assert notice.code == "transcript_passed_over"
    assert "clip.srt is not text" in notice.text


def test_an_unreadable_sidecar_leaves_the_embedded_track(tmp_path: Path) -> None:
    clip = make_clip(tmp_path / "clip.mp4", 3.0, cues=[(0.5, 1.0, "Hello")])
    clip.with_suffix(".srt").write_text("no cues at all")
    assert transcript(clip).source == "track:2"


@pytest.mark.parametrize("start", [0.0, 1.5])
@pytest.mark.parametrize("name", ["clip.mp4", "clip.mov", "clip.mkv", "clip.webm"])
def test_embedded_subtitles_are_read_on_the_clip_s_clock(tmp_path: Path, name: str, start: float) -> None:
    """mov_text, SubRip and WebVTT tracks; the clip of test_media_clock tells the same of sound and picture."""
    cues = [(0.5, 1.25, "I {\\i1}lost{\\i0} my keys again,"), (1.5, 2.0, "and I am so\\Nangry about it!")]
    clip = make_clip(tmp_path / name, 3.0, cues=cues, start=start, rate=48_000)
    found = transcript(clip)
    assert (found.text, found.source, found.language) == (
        "I lost my keys again, and I am so angry about it!",
        "track:2",
        "en",
    )
    # the priming of AAC and Opus that stands before the content shifts the clock by up to 25 ms
    assert [(cue.start, cue.end) for cue in found.utterances] == [
        (pytest.approx(0.5, abs=0.025), pytest.approx(1.25, abs=0.025)),
        (pytest.approx(1.5, abs=0.025), pytest.approx(2.0, abs=0.025)),
    ]


def test_a_short_embedded_track_has_its_stated_language(tmp_path: Path) -> None:
    assert transcript(make_clip(tmp_path / "a.mkv", 1.0, cues=[(0.0, 1.0, "Nein")], language="ger")).language == "de"
    assert transcript(make_clip(tmp_path / "b.mkv", 1.0, cues=[(0.0, 1.0, "Nein")], language="und")).language is None


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("Kids are talking by the door", "en"),
        ("Das will sie am Mittwoch abgeben.", "de"),
        ("Bonjour tout le monde", "fr"),
        ("我今天很高兴", "zh"),
        ("I am fine", None),
        ("hello", None),
        ("oh no", None),
        ("no no no no no no no no", None),
        ("12 34 56 78 90 ... !!! ???", None),
        ("", None),
    ],
)
def test_a_language_is_told_only_where_the_words_suffice(text: str, code: str | None) -> None:
    assert language_of(text) == code


def test_markup_goes_and_comparisons_stay() -> None:
    assert plain("I <b>really</b> <3 you") == "I really <3 you"
    assert plain("4 < 5 &gt; 3") == "4 < 5 > 3"
    assert plain("one\\Ntwo\\hthree") == "one two three"


def test_bytes_that_are_no_text_are_refused() -> None:
    for content in (bytes(range(256)) * 4, b"\xff\xfe\x00", b"\xff\xfe\x00\xd8" + b"a\0" * 99, bytes(100)):
        with pytest.raises(TranscriptError, match=r"words\.srt is not text"):
            decode(content, "words.srt")


def test_a_transcript_of_the_size_of_a_film_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "long.txt"
    path.write_bytes(b"word " * 2_100_000)
    with pytest.raises(TranscriptError, match="over 10 MB"):
        read(path)


def test_text_that_a_data_set_gives_is_the_transcript(example_clip: Path) -> None:
    opened = media.open(Clip(str(example_clip), said="I never said that."))
    assert opened.transcript is not None  # and not the side-car file beside the clip
    assert (opened.transcript.text, opened.transcript.source) == ("I never said that.", "data set")


def test_a_data_set_may_say_that_nothing_is_said(example_clip: Path) -> None:
    assert media.open(Clip(str(example_clip), said=" ")).transcript is None
