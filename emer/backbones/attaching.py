"""Decides what a model hears and sees of a clip: which seconds, which frames, how large, and the face by itself.

This happens here and nowhere else, so that the trainer, transformers and a server are given the same sound and the same
pictures. Caps are kept before anything is tokenised, and what they leave out is told.
"""

import math
from collections.abc import Collection, Sequence
from typing import Literal

import numpy as np
from av import VideoFrame
from jaxtyping import Float32, UInt8

from emer.backbones.attached import Attached, Caps, Pictures
from emer.backbones.face_crops import face_crops
from emer.media import open as open_media
from emer.types import SAMPLE_RATE, Clip, Frame, Media, Modality, Notice, Span

Wanted = Literal["full", "face", "both"]
LEAST_SOUND = 0.1
"""Seconds to which shorter sound is filled up with silence: encoders halve time thrice."""
SHORTEST_PART = 0.05
"""Seconds below which a part of a clip is not cut out of it by opening it anew."""


def attach(
    media: Media,
    span: Span | None = None,
    caps: Caps | None = None,
    *,
    frames: Wanted = "full",
    without: Collection[Modality] = (),
) -> Attached:
    """What a model is given of a clip, or of the part `span` of it; `without` leaves out audio or visual.

    A longer part is cut to its first `caps.seconds`. Frames are the pictures on the screen at the middles of equal
    parts, `caps.fps` a second and at most `caps.frames`. `face` without a face in sight falls back to the whole
    picture and says so; `both` then gives the whole picture alone.
    """
    caps = caps or Caps()
    whole = media.facts.span
    span = span or whole
    stretch = Span(span.start, min(span.end, span.start + caps.seconds))
    notices = list(_cut_notice(span, stretch))
    part = _part(media, stretch)
    samples = None if "audio" in without or not media.facts.has_audio else sound(part, stretch)
    pictures: tuple[Frame, ...] = ()
    fps = 1.0
    if "visual" not in without and media.facts.has_video:
        wanted, count = frame_count(media, stretch, caps)
        notices += _sparse_notice(wanted, count, stretch)
        pictures = tuple(frame for frame in part.sample(count) if not frame.corrupt)
        fps = len(pictures) / stretch.duration if pictures and stretch.duration > 0 else 1.0
    full, faces = _seen(pictures, caps, frames, notices)
    return Attached(samples=samples, frames=full, faces=faces, fps=fps, notices=tuple(notices))


def sound(media: Media, span: Span) -> Float32[np.ndarray, "sample"] | None:
    """The samples of the clip, at least LEAST_SOUND seconds; None where nothing can be decoded."""
    parts = [window.samples for window in media.windows(audio=True)]
    samples = np.concatenate([np.zeros(0, np.float32), *parts])[: round(span.duration * SAMPLE_RATE)]
    if not len(samples):
        return None
    missing = max(0, round(LEAST_SOUND * SAMPLE_RATE) - len(samples))
    return np.pad(samples, (0, missing)).astype(np.float32)


def frame_count(media: Media, span: Span, caps: Caps) -> tuple[int, int]:
    """How many frames `caps.fps` asks for, and how many are given."""
    if media.facts.is_image:
        return 1, 1
    wanted = max(1, round(span.duration * caps.fps))
    return wanted, min(wanted, caps.frames)


def resized(pixels: UInt8[np.ndarray, "_ _ 3"], width: int, height: int) -> UInt8[np.ndarray, "_ _ 3"]:
    """The picture in another size: mean of the pixels when smaller, bicubic when larger."""
    if pixels.shape[:2] == (height, width):
        return np.ascontiguousarray(pixels)
    how = "AREA" if width * height < pixels.shape[0] * pixels.shape[1] else "BICUBIC"
    frame = VideoFrame.from_ndarray(np.ascontiguousarray(pixels), format="rgb24")
    return frame.reformat(width=width, height=height, format="rgb24", interpolation=how).to_ndarray()


def fitting_size(width: int, height: int, caps: Caps) -> tuple[int, int]:
    """Width and height of at most `caps.pixels`, in multiples, about the same shape, never larger but for rounding.

    >>> fitting_size(640, 360, Caps(pixels=100_352, multiple=28))
    (420, 224)
    >>> fitting_size(20, 20, Caps())
    (28, 28)
    """
    shrink = min(1.0, math.sqrt(caps.pixels / (width * height)))
    across = max(1, round(width * shrink / caps.multiple))
    down = max(1, round(height * shrink / caps.multiple))
    while across * down * caps.multiple**2 > caps.pixels and max(across, down) > 1:
        across, down = (across - 1, down) if across >= down else (across, down - 1)
    return across * caps.multiple, down * caps.multiple


def _seen(
    pictures: Sequence[Frame], caps: Caps, frames: Wanted, notices: list[Notice]
) -> tuple[Pictures | None, Pictures | None]:
    """The whole pictures and the crops of the face, where they are wanted and there."""
    if not pictures:
        return None, None
    faces = face_crops(pictures, caps.face_side, resized) if frames != "full" else None
    if frames != "full" and faces is None:
        notices.append(Notice("no_face_for_model", "no face was found in the frames, so the model sees them whole"))
    if frames == "face" and faces is not None:
        return None, faces
    height, width = pictures[0].pixels.shape[:2]
    size = fitting_size(width, height, caps)
    return np.stack([resized(frame.pixels, *size) for frame in pictures]), faces


def _part(media: Media, span: Span) -> Media:
    """The clip itself where all of it is wanted, else the part opened by itself."""
    whole = media.facts.span
    if media.facts.is_image or (abs(span.start - whole.start) + abs(span.end - whole.end)) < SHORTEST_PART:
        return media
    without: frozenset[Modality] = frozenset({"text"})
    return open_media(Clip(media.facts.path, start=span.start, end=span.end, without=without))


def _cut_notice(span: Span, stretch: Span) -> tuple[Notice, ...]:
    if span.duration - stretch.duration < SHORTEST_PART:
        return ()
    text = f"the model is given the first {stretch.duration:g} s of {span.duration:.1f} s"
    return (Notice("model_seconds_capped", text),)


def _sparse_notice(wanted: int, count: int, span: Span) -> tuple[Notice, ...]:
    if wanted <= count:
        return ()
    text = f"the model sees {count} frames of {span.duration:.1f} s instead of {wanted}"
    return (Notice("model_frames_capped", text),)
