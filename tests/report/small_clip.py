"""A small clip for the browser: a moving dot and a tone, H.264 and AAC, as phones record it."""

from pathlib import Path

import av
import numpy as np

FPS, SIZE, RATE = 10, (256, 144), 16_000


def make(path: Path, seconds: float) -> Path:
    """Write `seconds` of picture and sound to `path` (.mp4)."""
    with av.open(str(path), "w") as container:
        video = container.add_stream("libx264", rate=FPS, options={"g": "5"})
        video.width, video.height, video.pix_fmt = *SIZE, "yuv420p"
        audio = container.add_stream("aac", rate=RATE)
        for i in range(round(seconds * FPS)):
            container.mux(video.encode(_picture(i / (seconds * FPS))))
        container.mux(video.encode(None))
        for i in range(round(seconds * RATE) // 1024):
            container.mux(audio.encode(_sound(i)))
        container.mux(audio.encode(None))
    return path


def _picture(share: float) -> av.VideoFrame:
    """A disc that wanders from left to right; `share` of the way is done."""
    y, x = np.mgrid[: SIZE[1], : SIZE[0]]
    disc = (x - share * SIZE[0]) ** 2 + (y - SIZE[1] / 2) ** 2 < 30**2
    pixels = np.where(disc[..., None], (226, 171, 55), (36, 44, 52)).astype(np.uint8)
    return av.VideoFrame.from_ndarray(pixels, format="rgb24")


def _sound(block: int) -> av.AudioFrame:
    times = (np.arange(1024) + block * 1024) / RATE
    samples = (0.2 * np.sin(2 * np.pi * 220 * times)).astype(np.float32)
    frame = av.AudioFrame.from_ndarray(samples[None], format="fltp", layout="mono")
    frame.sample_rate, frame.pts = RATE, block * 1024
    return frame
