"""Pictures: upright, of true shape and colour, no wider than asked; photographs and covers; sampling."""

from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest
from clips import corners, grey, make_clip, time_shown

from emer import media
from emer.types import Clip

RED, GREEN, BLUE, WHITE = (255, 0, 0), (0, 255, 0), (0, 0, 255), (255, 255, 255)


def first_picture(path: Path, max_width: int = 960) -> np.ndarray:
    window = next(media.open(Clip(str(path))).windows(fps=1, max_width=max_width))
    return window.frames[0].pixels


def quarters(pixels: np.ndarray) -> list[tuple[int, ...]]:
    """The pure colour next to the middle of each quarter: top left, top right, bottom left, bottom right."""
    height, width = pixels.shape[:2]
    middles = [(1, 1), (1, 3), (3, 1), (3, 3)]
    return [tuple(int(c) for c in (pixels[height * y // 4, width * x // 4] > 127) * 255) for y, x in middles]


@pytest.mark.parametrize(
    ("rotation", "mirrored", "turn", "expected"),
    [
        (0, False, 0, [RED, GREEN, BLUE, WHITE]),
        (90, False, 270, [GREEN, WHITE, RED, BLUE]),
        (180, False, 180, [WHITE, BLUE, GREEN, RED]),
        (-90, False, 90, [BLUE, RED, WHITE, GREEN]),
        (0, True, 0, [GREEN, RED, WHITE, BLUE]),
    ],
)
def test_pictures_are_turned_upright(
    tmp_path: Path, rotation: int, mirrored: bool, turn: int, expected: list[tuple[int, ...]]
) -> None:
    """Counter-clockwise turns of red green / blue white, by hand."""
    path = make_clip(tmp_path / "clip.mp4", 0.5, picture=corners(128, 96), rotation=rotation, mirrored=mirrored)
    facts = media.open(Clip(str(path))).facts
    size = (96, 128) if turn in (90, 270) else (128, 96)
    assert (facts.width, facts.height, facts.rotation) == (*size, turn)
    pixels = first_picture(path)
    assert pixels.shape == (size[1], size[0], 3)
    assert quarters(pixels) == expected
    assert quarters(first_picture(path, max_width=48)) == expected


@pytest.mark.parametrize("size", [(61, 47), (47, 61), (63, 17), (640, 359)])
@pytest.mark.parametrize("max_width", [960, 33, 16])
def test_odd_sizes_keep_their_shape(tmp_path: Path, size: tuple[int, int], max_width: int) -> None:
    path = make_clip(tmp_path / "clip.mkv", 0.2, picture=corners(*size), pixel_format="yuv444p", video_codec="ffv1")
    pixels = first_picture(path, max_width)
    width = min(size[0], max_width)
    assert pixels.shape == (max(1, round(size[1] * width / size[0])), width, 3)
    assert pixels.dtype == np.uint8
    assert pixels.flags.c_contiguous
    assert quarters(pixels) == [RED, GREEN, BLUE, WHITE]


@pytest.mark.parametrize("pixel_format", ["yuv420p", "yuv422p", "yuv420p10le", "yuv444p10le"])
def test_any_depth_and_chroma_layout_gives_eight_bit_rgb(tmp_path: Path, pixel_format: str) -> None:
    pixels = first_picture(make_clip(tmp_path / "clip.mp4", 0.2, picture=corners(128, 96), pixel_format=pixel_format))
    assert quarters(pixels) == [RED, GREEN, BLUE, WHITE]


def test_pixels_that_are_not_square_are_made_so(tmp_path: Path) -> None:
    path = make_clip(tmp_path / "clip.mp4", 0.2, picture=corners(64, 48), aspect=Fraction(2, 1))
    facts = media.open(Clip(str(path))).facts
    assert (facts.width, facts.height) == (128, 48)
    assert first_picture(path).shape == (48, 128, 3)


@pytest.mark.parametrize("name", ["photo.jpg", "photo.png", "photo.webp"])
def test_a_photograph_is_one_frame_at_time_zero(tmp_path: Path, name: str) -> None:
    handle = media.open(Clip(str(make_clip(tmp_path / name, 0.04, picture=corners(128, 96)))))
    facts = handle.facts
    assert (facts.is_image, facts.has_video, facts.has_audio) == (True, True, False)
    assert (facts.span.start, facts.span.end, facts.container_duration, facts.frame_rate) == (0.0, 1.0, None, None)
    (window,) = handle.windows(fps=5)
    assert [frame.time for frame in window.frames] == [0.0]
    assert [frame.time for frame in handle.sample(4)] == [0.0]
    assert quarters(window.frames[0].pixels) == [RED, GREEN, BLUE, WHITE]


def test_an_animation_is_no_photograph(tmp_path: Path) -> None:
    handle = media.open(Clip(str(make_clip(tmp_path / "moving.gif", 2.0))))
    assert not handle.facts.is_image
    assert len(next(handle.windows(fps=5)).frames) == 10


def test_the_cover_of_a_music_file_is_no_video(tmp_path: Path) -> None:
    sound = make_clip(tmp_path / "plain.mp3", 1.0)
    cover = make_clip(tmp_path / "cover.png", 0.04, picture=corners())
    with av.open(str(sound)) as source, av.open(str(tmp_path / "song.mp3"), "w") as target:
        audio = target.add_stream_from_template(source.streams.audio[0])
        picture = target.add_stream("png", rate=25)
        picture.width, picture.height, picture.pix_fmt = 64, 48, "rgb24"
        picture.disposition = av.stream.Disposition.attached_pic
        target.start_encoding()
        packet = av.Packet(cover.read_bytes())
        packet.stream = picture
        target.mux(packet)
        for packet in source.demux(source.streams.audio[0]):
            if packet.size:
                packet.stream = audio
                target.mux(packet)
    with av.open(str(tmp_path / "song.mp3")) as container:
        assert len(container.streams.video) == 1  # the cover is there
    facts = media.open(Clip(str(tmp_path / "song.mp3"))).facts
    assert (facts.has_audio, facts.has_video, facts.is_image) == (True, False, False)


def test_a_sample_is_spread_evenly_and_shows_its_times(tmp_path: Path) -> None:
    handle = media.open(Clip(str(make_clip(tmp_path / "clip.mp4", 20.0, sound=None, fps=10, gop=20))))
    for n, within in ((4, 0.01), (20, 0.11)):
        frames = handle.sample(n)
        assert [frame.time for frame in frames] == pytest.approx((np.arange(n) + 0.5) * 20 / n, abs=within)
        for frame in frames:
            assert time_shown(frame.pixels) == pytest.approx(frame.time, abs=0.25)


def test_a_sample_of_a_long_clip_decodes_a_small_part_of_it(tmp_path: Path, decoded_frames: list[float]) -> None:
    path = make_clip(tmp_path / "clip.mp4", 300.0, sound=None, picture=grey(32, 32), fps=10, gop=20)
    handle = media.open(Clip(str(path)))
    decoded_frames.clear()
    assert len(handle.sample(8)) == 8
    assert len(decoded_frames) < 8 * (20 + 20)  # of 3,000: a group of pictures each, and what runs in


def test_a_sample_of_a_part_stays_within_it(tmp_path: Path) -> None:
    path = make_clip(tmp_path / "clip.mp4", 10.0, sound=None, fps=10)
    frames = media.open(Clip(str(path), start=4.0, end=6.0)).sample(4)
    assert [frame.time for frame in frames] == pytest.approx([4.25, 4.75, 5.25, 5.75], abs=0.11)


def test_a_clip_without_sound_or_with_a_tiny_picture(tmp_path: Path) -> None:
    mute = media.open(Clip(str(make_clip(tmp_path / "mute.mp4", 1.0, sound=None)))).facts
    assert (mute.has_audio, mute.has_video, mute.sample_rate, mute.frame_rate) == (False, True, None, 25.0)
    tiny = media.open(Clip(str(make_clip(tmp_path / "tiny.mp4", 1.0, picture=grey(2, 2))))).facts
    assert (tiny.has_audio, tiny.has_video, tiny.width, tiny.height) == (True, False, 2, 2)
