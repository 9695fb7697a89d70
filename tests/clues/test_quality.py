"""What a reader is told of the clip itself: damage, missing parts, what was left out."""

from pathlib import Path

import numpy as np
import pytest
from clips import make_clip

from emer import media
from emer.clues.quality import notices_of
from emer.types import Clip, Faults, MediaFacts, Notice, Span

WHOLE = Span(0.0, 20.0)
CLIP = Clip("clip.mp4")


def facts(span: Span = WHOLE, promised: float | None = 20.0, *, audio: bool = True) -> MediaFacts:
    return MediaFacts("clip.mp4", "0" * 64, span, promised, has_audio=audio, has_video=True)


def told(facts: MediaFacts, *faults: Faults, clip: Clip = CLIP) -> dict[str, str]:
    return {notice.code: notice.text for notice in notices_of(facts, faults, clip)}


def test_a_sound_clip_needs_no_notice() -> None:
    assert told(facts(), Faults(decoded_audio=20.0, decoded_video=19.9)) == {}


def test_one_damaged_packet_is_one_and_two_are_two() -> None:
    assert told(facts(), Faults(bad_packets=1))["bad_packets"] == "1 damaged packet was skipped while decoding"
    assert told(facts(), Faults(corrupt_frames=2))["corrupt_frames"] == "2 damaged frames were left out"


def test_several_passes_over_the_same_damage_count_it_once() -> None:
    passes = (Faults(bad_packets=3), Faults(bad_packets=5), Faults(bad_packets=5))
    assert told(facts(), *passes)["bad_packets"].startswith("5 ")


def test_a_clip_that_ends_before_its_header_says_is_cut_off() -> None:
    text = told(facts(Span(0.0, 9.4)), Faults(decoded_audio=9.4, decoded_video=9.4))
    assert text == {"cut_off": "the clip ends at 9.4 s, although its container promises 20.0 s"}


@pytest.mark.parametrize(
    ("span", "clip"),
    [
        (Span(4.0, 9.0), Clip("clip.mp4", start=4.0, end=9.0)),
        (Span(4.0, 20.0), Clip("clip.mp4", start=4.0)),
        (Span(4.0, 20.0), Clip("clip.mp4", start=4.0, end=99.0)),
    ],
)
def test_a_part_that_is_there_as_a_whole_is_not_cut_off(span: Span, clip: Clip) -> None:
    assert told(facts(span), Faults(decoded_audio=span.duration), clip=clip) == {}


def test_a_part_that_reaches_beyond_the_cut_is_cut_off() -> None:
    cut = told(facts(Span(4.0, 9.4)), clip=Clip("clip.mp4", start=4.0, end=15.0))
    assert cut == {"cut_off": "the clip ends at 9.4 s, although its container promises 15.0 s"}


def test_a_short_sound_track_is_told_without_a_word_about_damage() -> None:
    text = told(facts(), Faults(decoded_audio=8.0, decoded_video=20.0))
    assert text == {"short_sound": "only 8.0 s of the 20.0 s have sound"}


def test_what_is_missing_and_what_was_left_out_are_different_things() -> None:
    assert "no_audio" in told(facts(audio=False))
    asked = told(facts(audio=False), clip=Clip("clip.mp4", without=frozenset({"audio"})))
    assert asked == {"without_audio": "audio clues were left out as asked"}


def test_a_file_whose_end_was_lost_says_so(tmp_path: Path) -> None:
    whole = make_clip(tmp_path / "whole.mp4", seconds=8.0, options={"movflags": "faststart"})
    cut = tmp_path / "cut.mp4"
    cut.write_bytes(whole.read_bytes()[: whole.stat().st_size * 6 // 10])
    handle = media.open(Clip(str(cut)))
    for _ in handle.windows(fps=5):
        pass
    found: list[Notice] = list(notices_of(handle.facts, [handle.faults], Clip(str(cut))))
    (cut_off,) = [notice for notice in found if notice.code == "cut_off"]
    assert cut_off.text.endswith("although its container promises 8.0 s")


def silence_then_chirps(times: np.ndarray) -> np.ndarray:
    return np.where(times > 4, np.sin(9e4 * times**2), 0.0)


def test_a_format_without_a_header_promises_nothing(tmp_path: Path) -> None:
    """FFmpeg guesses the duration of raw AAC from its first seconds, which are silent here: about 7 minutes."""
    late = make_clip(tmp_path / "late.aac", 12.0, picture=None, sound=silence_then_chirps)
    handle = media.open(Clip(str(late)))
    assert handle.facts.container_duration is None
    assert handle.facts.span.duration == pytest.approx(12.0, abs=0.1)
    assert "cut_off" not in told(handle.facts, clip=Clip(str(late)))
