"""`emer explain` on a manifest with a bad row: the good clip is explained, the bad row is told of and written down."""

import json
import math
import struct
import wave
from pathlib import Path

import pytest

from emer.cli import main


def test_a_bad_row_of_a_csv_is_written_down_beside_the_explanations(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with wave.open(str(tmp_path / "a.wav"), "wb") as sound:
        sound.setnchannels(1)
        sound.setsampwidth(2)
        sound.setframerate(16_000)
        tone = [int(9_000 * math.sin(2 * math.pi * 200 * i / 16_000)) for i in range(16_000)]
        sound.writeframes(struct.pack(f"<{len(tone)}h", *tone))
    table = tmp_path / "clips.csv"
    table.write_text("path,start,text,mine\na.wav,,I am so happy today.,x\nb.wav,soon,,\ngone.wav,,,\n")
    assert main(["explain", str(table), "--out", str(tmp_path / "out")]) == 1
    told = json.loads((tmp_path / "out" / "a.json").read_text())
    assert told["transcript"]["text"] == "I am so happy today."
    failed = [json.loads(line) for line in (tmp_path / "out" / "failed.jsonl").read_text().splitlines()]
    assert [Path(row["path"]).name for row in failed] == ["b.wav", "gone.wav"]
    assert "line 3: start is 'soon', not a number of seconds" in failed[0]["reason"]
    assert "2 of 3 clips failed" in capsys.readouterr().err
