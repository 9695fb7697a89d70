"""Folders of `emer bench run` made by hand, in the layout that its parts write."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import yaml

from emer.bench.records import Prediction, Refusal
from emer.data.dataset import About
from emer.jsonio import dumps
from emer.types import Emotion, Statement

COMMAND = "emer bench run made.yaml"


def about(name: str, metric: str, **more: Any) -> About:
    return About(name, f"Made set {name}", "made by a test", "none", metric, **more)


def made_run(
    folder: Path,
    sets: Mapping[str, tuple[About, Sequence[Mapping[str, Any]]]],
    answers: Mapping[str, Mapping[str, Sequence[Prediction]]],
    *,
    missing: Mapping[str, Sequence[str]] = {},
    skipped: Mapping[str, str] = {},
    manifests: Mapping[str, Path] = {},
    **config: Any,
) -> Path:
    """A folder with the gold rows of some sets and the answers of some systems, `answers[set][system]`."""
    systems = list(dict.fromkeys(name for each in answers.values() for name in each))
    values = {
        "task": "predict",
        "data": [{"name": str(manifests.get(name, name))} for name in (*sets, *skipped)],
        "systems": [
            {"name": name, "engine": "composer" if "composer" in name else "other:Engine", "weights": "none"}
            for name in systems
        ],
        "out": str(folder),
        "bootstrap": 200,
        **config,
    }
    _write(folder / "config.resolved.yaml", f"# {COMMAND}\n{yaml.safe_dump(values, sort_keys=False)}")
    for name, (told, rows) in sets.items():
        lost = list(missing.get(name, ()))
        record = asdict(told) | {"sha256": "ab" * 32, "n_rows": len(rows) + len(lost), "metrics": []}
        record |= {"n_asked": len(rows), "n_missing": len(lost), "part": None}
        _write(folder / "data" / f"{name}.json", json.dumps(record))
        _write(folder / "gold" / f"{name}.jsonl", "".join(json.dumps(row) + "\n" for row in rows))
        _write(folder / "missing" / f"{name}.txt", "".join(f"{each}\tclips/{each}.mp4\n" for each in lost))
        for system, predictions in answers.get(name, {}).items():
            lines = "".join(dumps(prediction) + "\n" for prediction in predictions)
            _write(folder / "predictions" / name / f"{system}.jsonl", lines)
            seconds = "".join(json.dumps({"name": each.name, "seconds": 0.5}) + "\n" for each in predictions)
            _write(folder / "timings" / name / f"{system}.jsonl", seconds)
    _write(folder / "skipped.jsonl", "".join(json.dumps({"data": n, "reason": r}) + "\n" for n, r in skipped.items()))
    return folder


def said(name: str, *labels: str, confidence: float | None = None, **more: Any) -> Prediction:
    emotions = tuple(Emotion(label, confidence=confidence) for label in labels)
    return Prediction(name, emotions, confidence=confidence, **more)


def failed(name: str, kind: str = "MediaError", reason: str = "no sound") -> Prediction:
    return Prediction(name, error=Refusal(kind, reason))


def claim(text: str, status: Any) -> Statement:
    return Statement(text, (), status)


def _write(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")
