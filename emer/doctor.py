"""`emer doctor`: what is installed, what is broken, and how to mend it, by name."""

import json
import os
import subprocess
import sys
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from importlib import metadata
from pathlib import Path
from typing import Literal

State = Literal["ok", "absent", "broken"]

MARKS = {"ok": "ok    ", "absent": "absent", "broken": "BROKEN"}


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that was looked at."""

    name: str
    state: State
    detail: str
    mend: str = ""
    needed: bool = True
    """Whether `emer explain` cannot do without it."""


def run(as_json: bool = False) -> int:
    """Print every finding; the exit code is 1 when something needed is absent or broken."""
    findings = examine()
    if as_json:
        print(json.dumps([asdict(finding) for finding in findings]))
    else:
        for finding in findings:
            print(f"{MARKS[finding.state]}  {finding.name}: {finding.detail}")
            if finding.mend:
                print(f"        mend: {finding.mend}")
    return int(any(finding.needed and finding.state != "ok" for finding in findings))


def examine() -> list[Finding]:
    """All findings, the needed ones first."""
    return [
        python(),
        *requirements(),
        voice_activity(),
        face(),
        *extras(),
        *others(),
        *misfits(),
        cache_folder(),
        *weights(),
    ]


def python() -> Finding:
    """Python 3.11 or 3.12."""
    version = ".".join(map(str, sys.version_info[:3]))
    if (3, 11) <= sys.version_info[:2] <= (3, 12):
        return Finding("Python", "ok", version)
    return Finding(
        "Python", "broken", f"{version} was never tested", "make a virtual environment with Python 3.11 or 3.12"
    )


def requirements() -> list[Finding]:
    """Each package that emer itself requires, against the bound it states."""
    from packaging.requirements import Requirement

    stated = [Requirement(text) for text in metadata.requires("emer") or ()]
    return [_requirement(r.name, r.specifier.contains) for r in stated if r.marker is None]


def _requirement(name: str, fits: Callable[[str], bool]) -> Finding:
    version = installed(name)
    if version is None:
        return Finding(name, "absent", "not installed", f"pip install {name}")
    if not fits(version):
        return Finding(name, "broken", f"{version} is outside what emer states", f"pip install --upgrade {name}")
    return Finding(name, "ok", version)


def voice_activity() -> Finding:
    """Loads silero-vad's model, in a process of its own."""
    said = attempt("import silero_vad; silero_vad.load_silero_vad()")
    if said is None:
        return Finding("voice activity", "ok", f"silero-vad {installed('silero-vad')} loads its model (MIT)")
    return Finding("voice activity", "broken", said, "pip install --force-reinstall silero-vad 'torch>=2.13'")


def face() -> Finding:
    """Builds mediapipe's FaceMesh, in a process of its own."""
    if installed("mediapipe") is None:
        return Finding("face", "absent", "no facial clues without mediapipe", "pip install 'emer[face]'", needed=False)
    said = attempt("import mediapipe; mediapipe.solutions.face_mesh.FaceMesh(refine_landmarks=True).close()")
    if said is None:
        return Finding("face", "ok", f"mediapipe {installed('mediapipe')} builds FaceMesh (Apache-2.0)", needed=False)
    return Finding("face", "broken", said, _mend_face(said), needed=False)


def _mend_face(said: str) -> str:
    if "libGL" in said or "libgthread" in said:
        return (
            "install the system's libGL (Debian: apt install libgl1 libglib2.0-0), or the build that needs none: "
            "pip install --force-reinstall --no-deps 'opencv-contrib-python-headless<5'"
        )
    if "protobuf" in said or "descriptor" in said.lower():
        return "pip install 'protobuf>=4.25.3,<5' (vLLM needs its own environment for this reason)"
    return "pip install --force-reinstall 'mediapipe==0.10.14' 'opencv-contrib-python<5'"


def extras() -> list[Finding]:
    """Optional packages and what they bring."""
    wanted = {
        "transformers": ("speech recognition with Whisper", "asr"),
        "pocketsphinx": ("speech recognition offline, unreliable", "asr"),
    }
    found = []
    for name, (brings, extra) in wanted.items():
        version = installed(name)
        if version is None:
            found.append(Finding(name, "absent", f"no {brings}", f"pip install 'emer[{extra}]'", needed=False))
        elif (said := attempt(f"import {name}")) is not None:
            found.append(Finding(name, "broken", said, f"pip install --force-reinstall 'emer[{extra}]'", needed=False))
        else:
            found.append(Finding(name, "ok", f"{version}: {brings}", needed=False))
    return found


def others() -> list[Finding]:
    """Optional packages that are only looked for: their import takes seconds and fails in no known way."""
    wanted = {
        "matplotlib": ("plots in benchmark reports", "plots"),
        "datasets": ("data sets as datasets.Dataset", "data"),
        "pyarrow": ("Parquet files", "data"),
        "peft": ("adapters on multimodal models", "mllm"),
    }
    return [
        Finding(name, "ok", f"{version}: {brings}", needed=False)
        if (version := installed(name)) is not None
        else Finding(name, "absent", f"no {brings}", f"pip install 'emer[{extra}]'", needed=False)
        for name, (brings, extra) in wanted.items()
    ]


def misfits() -> list[Finding]:
    """Packages known to break beside a CPU build of torch."""
    if "+cpu" not in (installed("torch") or ""):
        return []
    return [
        Finding(
            name,
            "broken",
            f"{installed(name)} from the package index is a CUDA build; beside a CPU torch its import fails",
            f"pip uninstall {name}",
            needed=False,
        )
        for name in ("torchaudio", "torchcodec")
        if installed(name) is not None and attempt(f"import {name}") is not None
    ]


def cache_folder() -> Finding:
    """Whether clues can be kept, and how much is there."""
    from emer.files import cache_folder

    folder = cache_folder()
    nearest = next(parent for parent in (folder, *folder.parents) if parent.exists())
    if not os.access(nearest, os.W_OK):
        mend = "set EMER_CACHE to a folder that can be written"
        return Finding("clue cache", "broken", f"{folder} cannot be written", mend, needed=False)
    size = sum(file.stat().st_size for file in Path(folder).rglob("*.msgpack"))
    return Finding("clue cache", "ok", f"{folder}, {size / 1e6:.1f} MB (delete it whenever you like)", needed=False)


def weights() -> list[Finding]:
    """Models that ship inside packages, and emer's own trained weights, with their licences."""
    bundled = {
        "silero-vad": "voice activity model, MIT",
        "mediapipe": "face detection and mesh models, Apache-2.0",
        "vaderSentiment": "sentiment lexicon, MIT",
        "py3langid": "language model, BSD-3-Clause",
    }
    found = [
        Finding(f"weights of {name}", "ok", f"{what} (inside the package, {installed(name)})", needed=False)
        for name, what in bundled.items()
        if installed(name) is not None
    ]
    return [*found, trained_heads()]


def trained_heads() -> Finding:
    """The heads that `emer explain` runs, whether they can be read, and under which licence they may be used."""
    from emer.errors import EmerError
    from emer.evidence.weights import INSTALLED, find_weights

    name, told = "emer-weights", "opinions are hints from published rules, and no calibrated confidence is given"
    weights = find_weights(INSTALLED)
    if weights is None:
        state: State = "absent" if installed(name) is None else "broken"
        there = "no trained heads" if state == "absent" else f"{installed(name)} holds no heads"
        mend = "" if state == "absent" else "pip install --force-reinstall emer-weights"
        return Finding(name, state, f"{there}: {told}", mend, needed=False)
    from emer.evidence.trained import load_trained

    try:
        parts = [load_trained(folder).heads.record for folder in (weights.plain, weights.baseline) if folder]
    except EmerError as error:
        return Finding(name, "broken", str(error), "pip install --force-reinstall emer-weights", needed=False)
    if unfit := next(filter(None, (_unfit(record.spec.versions) for record in parts)), None):
        return Finding(name, "broken", unfit, "install the emer-weights that belong to this emer", needed=False)
    licences = ", ".join(dict.fromkeys(record.licence or "unknown" for record in parts))
    heads = ", ".join(f"{record.variant} (trained on {record.data})" for record in parts)
    return Finding(
        name, "ok", f"{installed(name) or 'not installed by pip'}, licence {licences}: {heads}", needed=False
    )


def _unfit(versions: Mapping[str, str]) -> str:
    """Why heads cannot read what this emer measures, given the versions that they read; empty when they can."""
    from emer.registry import EXTRACTORS, load

    for view, version in versions.items():
        if (own := load(view, EXTRACTORS).version) != version:
            return f"the heads were trained on {view} features of version {version}, and this emer measures {own}"
    return ""


def installed(name: str) -> str | None:
    """The installed version of a distribution, or None."""
    try:
        return metadata.version(name)
    except metadata.PackageNotFoundError:
        return None


def attempt(code: str) -> str | None:
    """Run `code` in a Python of its own: None when it works, else the last line that it said.

    A package that kills its process, or takes over two minutes, is a finding and not the end of the doctor.
    """
    try:
        done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=120, check=False)
    except subprocess.TimeoutExpired:
        return "took over two minutes to load"
    if done.returncode == 0:
        return None
    lines = [line for line in done.stderr.splitlines() if line.strip()]
    return lines[-1].strip() if lines else f"died with signal or status {done.returncode} and said nothing"
