"""Prosody: how fast it is beside librosa's pyin, and how far it agrees with Praat. Prints markdown.

python benchmarks/prosody.py            # speed and parity, about five minutes
python benchmarks/prosody.py speed
python benchmarks/prosody.py parity [--files 100]
python benchmarks/prosody.py norms      # the rows "neutral read speech" of emer/clues/norms.yaml
"""

import os

os.environ.setdefault("OMP_NUM_THREADS", "1")

import argparse
import random
import sys
import time
import warnings
from collections.abc import Callable
from pathlib import Path

import numpy as np
from long_clips import ROOT, real_data

from emer import media
from emer.clues.frames import intensity_db, power_spectra
from emer.clues.pitch import track
from emer.clues.prosody import listen
from emer.clues.voice_activity import detect
from emer.clues.voice_features import features_of
from emer.clues.voice_levels import levels
from emer.types import SAMPLE_RATE, Clip, Media

# The comparison with Praat is the one that the tests gate.
sys.path.insert(0, str(ROOT / "tests" / "clues"))

ROUNDS = 3


def main() -> None:
    """Run what was asked for; speed and parity without arguments."""
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("what", nargs="?", choices=("speed", "parity", "norms"))
    options.add_argument("--files", type=int, help="parity over a seeded sample only")
    told = options.parse_args()
    if told.what in (None, "speed"):
        speed()
    if told.what in (None, "parity"):
        parity(told.files)
    if told.what == "norms":
        norms()


def speed() -> None:
    """Seconds per second of sound on one core, best of three, after one warm-up."""
    import librosa

    opened = media.open(Clip(str(real_data() / "clips" / "speech" / "jfk.flac")))
    sound = np.concatenate([window.samples for window in opened.windows()])
    seconds = len(sound) / SAMPLE_RATE
    activity = detect(opened)
    stages: dict[str, Callable[[], object]] = {
        "librosa.pyin (f0)": lambda: librosa.pyin(
            sound, fmin=75, fmax=600, sr=SAMPLE_RATE, frame_length=1024, hop_length=160
        ),
        "emer f0 (spectra, candidates, path)": lambda: _pitch_alone(sound),
        "emer prosody (decoding, all curves, pauses, syllables)": lambda: listen(opened, activity),
        "emer voice activity (decoding, silero-vad)": lambda: detect(opened),
    }
    taken = {name: _best(stage) / seconds for name, stage in stages.items()}
    baseline = taken["librosa.pyin (f0)"]
    print("| stage | s per s of sound | against pyin |\n|---|---|---|")
    for name, each in taken.items():
        print(f"| {name} | {each:.4f} | {baseline / each:.0f} times as fast |")
    print()


def _pitch_alone(sound: np.ndarray) -> object:
    power = power_spectra(sound)
    level = intensity_db(power)
    return track(power, level - level.max())


def _best(stage: Callable[[], object]) -> float:
    stage()
    times = []
    for _ in range(ROUNDS):
        begin = time.perf_counter()
        stage()
        times.append(time.perf_counter() - begin)
    return min(times)


def parity(limit: int | None) -> None:
    """The gates of tests/clues/test_prosody_parity.py as a table, per corpus and together."""
    from praat_reference import agreement, compare_all, files_of

    files = files_of(real_data())
    if limit:
        files = sorted(random.Random(20).sample(files, limit))
    compared = compare_all(files)
    corpora = {"RAVDESS": "ravdess_speech", "EmoDB": "emodb", "both": ""}
    print("| against Praat | files | gross f0 error | voicing differs | jitter | shimmer | HNR | intensity |")
    print("|---|---|---|---|---|---|---|---|")
    for name, folder in corpora.items():
        a = agreement([c for file, c in zip(files, compared, strict=True) if folder in str(file.parent)])
        shares = f"{100 * a.gross_errors:.2f} % | {100 * a.voicing_differs:.2f} %"
        print(f"| {name} | {a.files} | {shares} | {a.jitter:.3f} | {a.shimmer:.3f} | {a.hnr:.3f} | {a.intensity:.3f} |")
    print("| gate | | 3 % | 12 % | .8 | .8 | .8 | .98 |\n")
    print("Last four: Spearman correlation across files. Pitch range 75 to 600 Hz on both sides.\n")


def norms() -> None:
    """Median and 5th to 95th percentile of every level over neutral speech of RAVDESS actors 1 to 12."""
    folder = real_data() / "clips" / "ravdess_speech"
    files = sorted(f for f in folder.glob("03-01-01-*.flac") if int(f.stem[-2:]) <= 12)
    found = [features_of(listen(opened, detect(opened)), "norms") for opened in map(_open, files)]
    print(f"{len(files)} files\n\n| level | typical | low | high |\n|---|---|---|---|")
    for level in levels():
        values = [value for features in found if (value := level.of(features)) is not None]
        low, middle, high = np.percentile(values, [5, 50, 95])
        print(f"| {level.kind} | {middle:.1f} | {low:.1f} | {high:.1f} |")


def _open(file: Path) -> Media:
    return media.open(Clip(str(file)))


if __name__ == "__main__":
    # librosa imports modules that Python has deprecated; a user of this script can do nothing about it.
    warnings.filterwarnings("ignore", category=DeprecationWarning)
    main()
