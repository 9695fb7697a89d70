"""Clues made by hand for teachers and filters, and clips of tones with a transcript beside them."""

import json
import sys
import wave
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

sys.path.insert(0, str(Path(__file__).parents[1] / "report"))


@pytest.fixture
def talk(tmp_path: Path) -> Callable[..., Path]:
    """Writes a manifest of short recordings in which is said what the rows say; returns its path."""

    def make(rows: list[dict[str, object]], broken: tuple[str, ...] = ()) -> Path:
        lines = []
        for number, row in enumerate(rows):
            name = str(row.get("id", f"clip{number}"))
            sound = tmp_path / f"{name}.wav"
            if name in broken:
                sound.write_bytes(b"no sound at all")
            else:
                with wave.open(str(sound), "wb") as file:
                    file.setparams((1, 2, 16_000, 0, "NONE", ""))
                    file.writeframes((3000 * np.sin(np.arange(8_000) / 10 + number)).astype("<i2").tobytes())
            lines.append(json.dumps({"path": sound.name, "id": name, **row}))
        (tmp_path / "clips.jsonl").write_text("\n".join(lines), encoding="utf-8")
        return tmp_path / "clips.jsonl"

    return make
