"""Make the example clip: a photograph that speaks two sentences, the first worried, the second glad.

    python examples/make_example.py

writes `talking_face.mp4` and `talking_face.srt` beside this file. The photograph comes with scikit-image (Eileen
Collins, NASA, public domain); the voice is espeak-ng, a system package that only this script needs. Its landmarks are
found by mediapipe FaceMesh, moved by hand-written curves, and the pixels follow by piecewise linear warping. There is
no randomness: the same versions of the packages give the same clip.
"""

import subprocess
from dataclasses import dataclass
from pathlib import Path

import av
import cv2
import numpy as np
from numpy.typing import NDArray
from puppet import Pose, Puppet
from scipy.io import wavfile
from scipy.ndimage import gaussian_filter1d

HERE = Path(__file__).parent
SIZE, FPS, SECONDS, RATE = 480, 25, 7.6, 22_050
CROP = (128, 6, 192)
"""Left, top and side of the square cut from the photograph, in its pixels."""


@dataclass(frozen=True)
class Sentence:
    text: str
    start: float
    pitch: int
    """espeak-ng's own scale, 0 to 99."""
    words_per_minute: int
    amplitude: int


SENTENCES = (
    Sentence("I was so worried, I thought that we had lost everything.", 0.5, 30, 150, 65),
    Sentence("But look, it worked! I am so happy!", 4.3, 68, 160, 140),
)

# What the face does besides speaking: (start, end) in seconds.
WORRY = (0.6, 3.7)
BROW_RAISE = (4.25, 5.15)
SMILE = (5.4, SECONDS)
BLINKS = (0.28, 2.08, 3.88)


def main() -> None:
    voices = [speak(sentence) for sentence in SENTENCES]
    sound = mix(voices)
    frames = animate(sound)
    write_video(HERE / "talking_face.mp4", frames, sound)
    write_subtitles(HERE / "talking_face.srt", voices)
    kilobytes = (HERE / "talking_face.mp4").stat().st_size / 1000
    print(f"talking_face.mp4: {SECONDS} s, {len(frames)} frames of {SIZE}x{SIZE}, {kilobytes:.0f} kB")
    for sentence, voice in zip(SENTENCES, voices, strict=True):
        print(f"  {sentence.start:.2f} to {sentence.start + len(voice) / RATE:.2f} s: {sentence.text}")
    print(f"  blinks at {BLINKS} s; worry {WORRY}; brows raised {BROW_RAISE}; smile {SMILE}")


def speak(sentence: Sentence) -> NDArray[np.float64]:
    """The sentence as espeak-ng says it: mono in [-1, 1] at RATE, silence at its end cut off."""
    prosody = ["-p", str(sentence.pitch), "-s", str(sentence.words_per_minute), "-a", str(sentence.amplitude)]
    wave = HERE / "sentence.wav"
    subprocess.run(["espeak-ng", "-v", "en-us+f2", *prosody, "-w", str(wave), sentence.text], check=True)
    rate, samples = wavfile.read(wave)
    wave.unlink()
    assert rate == RATE, f"espeak-ng gave {rate} Hz; set RATE to it"
    audible = np.flatnonzero(np.abs(samples) > 200)
    return samples[: audible[-1] + 1] / 32768


def mix(voices: list[NDArray[np.float64]]) -> NDArray[np.float64]:
    """The whole sound, with a faint steady room noise so that pauses are not digital silence."""
    sound = 0.0006 * np.random.default_rng(0).standard_normal(round(SECONDS * RATE))
    for sentence, voice in zip(SENTENCES, voices, strict=True):
        first = round(sentence.start * RATE)
        sound[first : first + len(voice)] += voice
    return np.clip(sound, -1, 1)


def animate(sound: NDArray[np.float64]) -> list[NDArray[np.uint8]]:
    from skimage import data

    left, top, side = CROP
    photograph = data.astronaut()[top : top + side, left : left + side]
    puppet = Puppet(cv2.resize(photograph, (SIZE, SIZE), interpolation=cv2.INTER_LANCZOS4))
    jaw = jaw_opening(sound)
    return [puppet.draw(pose_at(i / FPS, float(jaw[i]))) for i in range(round(SECONDS * FPS))]


def jaw_opening(sound: NDArray[np.float64]) -> NDArray[np.float64]:
    """0 (closed) to 1 per frame, from the loudness of the voice: the root of its envelope, smoothed over 40 ms."""
    per_frame = RATE // FPS
    count = round(SECONDS * FPS)
    loud = np.sqrt(np.mean(sound[: count * per_frame].reshape(count, per_frame) ** 2, axis=1))
    curve = gaussian_filter1d(np.sqrt(loud / loud.max()), 1.0)
    return np.clip((curve - 0.15) / 0.75, 0, 1)


def pose_at(time: float, jaw: float) -> Pose:
    """What every part of the face does at one moment."""
    return Pose(
        jaw=jaw,
        smile=plateau(time, *SMILE, 0.35),
        worry=plateau(time, *WORRY, 0.4),
        brows=plateau(time, *BROW_RAISE, 0.2),
        blink=max(plateau(time, start, start + 0.24, 0.1) for start in BLINKS),
        yaw=2.5 * np.sin(2 * np.pi * time / 3.9) + 1.2 * np.sin(2 * np.pi * time / 1.7),
        pitch=1.5 * np.sin(2 * np.pi * time / 2.9 + 1) + 2.0 * plateau(time, *WORRY, 0.6),
        roll=1.6 * np.sin(2 * np.pi * time / 5.1 + 0.5),
    )


def plateau(time: float, start: float, end: float, ramp: float) -> float:
    """0 outside, 1 inside, with smooth ramps (3x² - 2x³) at both ends."""
    x = np.clip(min(time - start, end - time) / ramp, 0, 1) if end < SECONDS else np.clip((time - start) / ramp, 0, 1)
    return float(x * x * (3 - 2 * x))


def write_video(path: Path, frames: list[NDArray[np.uint8]], sound: NDArray[np.float64]) -> None:
    """H.264 and AAC; one encoder thread, so that the bytes do not depend on the machine's cores."""
    with av.open(str(path), "w", options={"movflags": "+faststart"}) as container:
        video = container.add_stream("libx264", rate=FPS, options={"crf": "19", "preset": "slow", "threads": "1"})
        video.width = video.height = SIZE
        video.pix_fmt = "yuv420p"
        audio = container.add_stream("aac", rate=RATE, layout="mono")
        audio.bit_rate = 64_000
        for pixels in frames:
            container.mux(video.encode(av.VideoFrame.from_ndarray(pixels, format="rgb24")))
        container.mux(video.encode())
        samples = np.round(sound * 32767).astype(np.int16)[None]
        block = av.AudioFrame.from_ndarray(samples, format="s16", layout="mono")
        block.sample_rate, block.pts = RATE, 0
        container.mux(audio.encode(block))
        container.mux(audio.encode())


def write_subtitles(path: Path, voices: list[NDArray[np.float64]]) -> None:
    cues = []
    for number, (sentence, voice) in enumerate(zip(SENTENCES, voices, strict=True), start=1):
        end = sentence.start + len(voice) / RATE
        cues.append(f"{number}\n{clock(sentence.start)} --> {clock(end)}\n{sentence.text}\n")
    path.write_text("\n".join(cues), encoding="utf-8")


def clock(seconds: float) -> str:
    """`HH:MM:SS,mmm`, as SubRip writes times."""
    milliseconds = round(seconds * 1000)
    return f"00:{milliseconds // 60_000:02}:{milliseconds // 1000 % 60:02},{milliseconds % 1000:03}"


if __name__ == "__main__":
    main()
