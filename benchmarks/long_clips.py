"""720p clips of any length for the benchmarks, looped from a real one with a face and a voice."""

import os
from fractions import Fraction
from pathlib import Path

import av
import numpy as np

ROOT = Path(__file__).parents[1]

PIECE = 20
"""Seconds of the piece that is repeated."""

GAP = 0.08
"""Seconds between repetitions: AAC's last frame reaches beyond the piece."""


def real_data() -> Path:
    """The folder of real clips; benchmarks fail without it."""
    folder = Path(os.environ.get("EMER_TEST_DATA", ROOT.parent / "shared" / "data"))
    if not (folder / "clips").is_dir():
        raise SystemExit("benchmarks need real clips: set EMER_TEST_DATA to their folder")
    return folder


def looped_720p(path: Path, seconds: float) -> Path:
    """A 720p, 25 fps H.264 clip of about `seconds`: a real face, with real speech as its sound, both looped.

    One piece of 20 s is encoded, and its packets are repeated.
    """
    piece = path.with_name(f"piece-{path.name}")
    _encode(piece, PIECE)
    with av.open(str(piece)) as source, av.open(str(path), "w") as out:
        streams = {s.index: out.add_stream_from_template(s) for s in source.streams}
        for turn in range(round(seconds / PIECE)):
            source.seek(0)
            for packet in source.demux():
                if packet.dts is None or packet.pts is None or packet.time_base is None:
                    continue
                shift = round(turn * (PIECE + GAP) / packet.time_base)
                packet.pts, packet.dts = packet.pts + shift, packet.dts + shift
                packet.stream = streams[packet.stream.index]
                out.mux(packet)
    piece.unlink()
    return path


def _encode(path: Path, seconds: int) -> None:
    clips = real_data() / "clips"
    frames = _frames(clips / "faces" / "WolfgangLanger_Pexels.mp4", limit=250)
    speech = _samples(clips / "speech" / "jfk.flac")
    with av.open(str(path), "w") as out:
        video = out.add_stream("libx264", rate=25, options={"preset": "veryfast", "crf": "23"})
        video.width, video.height, video.pix_fmt = 1280, 720, "yuv420p"
        audio = out.add_stream("aac", rate=16_000, layout="mono")
        for second in range(seconds):
            for i in range(25 * second, 25 * second + 25):
                frame = av.VideoFrame.from_ndarray(frames[_there_and_back(i, len(frames))], format="rgb24")
                frame.pts, frame.time_base = i, Fraction(1, 25)
                out.mux(video.encode(frame))
            block = np.take(speech, range(16_000 * second, 16_000 * (second + 1)), mode="wrap")[None, :]
            sound = av.AudioFrame.from_ndarray(block, format="flt", layout="mono")
            sound.sample_rate, sound.pts, sound.time_base = 16_000, 16_000 * second, Fraction(1, 16_000)
            out.mux(audio.encode(sound))
        out.mux(video.encode(None))
        out.mux(audio.encode(None))


def _there_and_back(i: int, n: int) -> int:
    """0, 1, … n-1, n-2, … 0, so that the loop has no jump."""
    place = i % (2 * n - 2)
    return place if place < n else 2 * n - 2 - place


def _frames(path: Path, limit: int) -> list[np.ndarray]:
    with av.open(str(path)) as container:
        frames = []
        for frame in container.decode(video=0):
            frames.append(frame.reformat(width=1280, height=720, format="rgb24").to_ndarray())
            if len(frames) == limit:
                break
        return frames


def _samples(path: Path) -> np.ndarray:
    resampler = av.AudioResampler(format="flt", layout="mono", rate=16_000)
    with av.open(str(path)) as container:
        blocks = [b.to_ndarray()[0] for frame in container.decode(audio=0) for b in resampler.resample(frame)]
    return np.concatenate(blocks).astype(np.float32)
