"""What a run refuses before it asks anybody, and what an engine may do without ending the run of the others."""

from pathlib import Path

import pytest

from emer.bench.prediction_files import read_lines
from emer.bench.report import report
from emer.bench.run_configuration import RunConfig, RunData, RunSystem
from emer.bench.running import opened
from emer.errors import ConfigError

ENGINE = '''
import os
from emer.types import Answer, Emotion

class Odd:
    """What it does stands in the name of the clip."""

    name = "odd"

    def answer(self, requests):
        for request in requests:
            clip = os.path.basename(request.media.facts.path)
            if clip == "exits.wav":
                raise SystemExit(3)
            if clip == "half.wav":
                yield Answer("half a character \\udcff", labels=(Emotion("sad"),))
            elif clip == "short.wav":
                return
            else:
                yield Answer("glad", labels=(Emotion("happy"),))
'''
CLIPS = ("exits", "half", "short", "good")


def config(folder: Path, **changes: object) -> RunConfig:
    told: dict[str, object] = {
        "data": (RunData(name=str(folder / "clips.jsonl")),),
        "systems": (RunSystem(name="plain", weights="none"),),
        "out": str(folder / "out"),
    }
    return RunConfig(**{**told, **changes})


def test_all_that_would_go_wrong_later_is_told_before_the_first_clip(tmp_path: Path) -> None:
    systems = (
        RunSystem(name="mixes", weights="none", fusion="blend"),
        RunSystem(name="weighs", weights="none", fusion="discount"),
        RunSystem(name="hears", weights="none", transcriber="ear:large"),
        RunSystem(name="knows", weights="none", without=("audio", "visual", "text")),
        RunSystem(name="whispers", weights="none", transcriber="whisper:tiny"),
    )
    data = (RunData(name="melt", metric="wheel_f2", metrics=("jacard",)), RunData(name="meld", metric="hit_rate"))
    with (
        pytest.raises(ConfigError) as caught,
        opened(config(tmp_path, systems=systems, data=data, wheels="no/where"), ""),
    ):
        pass
    told = str(caught.value)
    for mistake in (
        "mixes: fusion rule 'blend' is not known",
        "weighs: fusion rule 'discount' needs reliabilities",
        "hears: 'ear' is not known here; choose one of pocketsphinx, whisper",
        "knows: without has audio, visual, text, so nothing remains",
        "data set melt: 'melt' is not known here",
        "data set melt: there is no metric 'wheel_f2'",
        "data set melt: there is no metric 'jacard'",
        "wheels: there are no emotion tables at no/where",
    ):
        assert mistake in told
    assert "whispers" not in told
    assert "meld:" not in told
    assert not (tmp_path / "out").exists()


@pytest.fixture(scope="module")
def odd_run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run over clips in each of which the engine does something else."""
    folder = tmp_path_factory.mktemp("odd")
    (folder / "odd_engine.py").write_text(ENGINE)
    for name in CLIPS:
        (folder / f"{name}.wav").write_bytes(_sound())
    rows = "".join(f'{{"path": "{name}.wav", "id": "{name}", "labels": ["sad"]}}\n' for name in CLIPS)
    (folder / "clips.jsonl").write_text(rows)
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(str(folder))
        patch.setenv("EMER_CACHE", str(folder / "cache"))
        system = RunSystem(name="odd", engine="odd_engine:Odd", weights="none")
        with opened(config(folder, systems=(system,)), "emer bench run odd") as run:
            assert len(list(run.steps())) == len(CLIPS)
        report(folder / "out")
    return folder / "out"


def _sound(seconds: int = 1) -> bytes:
    """Silence at 16 kHz as a WAV file (RIFF, 16 bits, mono)."""
    data = bytes(32_000 * seconds)
    form = b"WAVEfmt " + bytes([16, 0, 0, 0, 1, 0, 1, 0]) + (16_000).to_bytes(4, "little")
    form += (32_000).to_bytes(4, "little") + bytes([2, 0, 16, 0]) + b"data" + len(data).to_bytes(4, "little")
    return b"RIFF" + (len(form) + len(data)).to_bytes(4, "little") + form + data


def test_an_engine_that_breaks_on_some_clips_answers_the_others(odd_run: Path) -> None:
    told = {found.name: found for _, found in read_lines(odd_run / "predictions/clips/odd.jsonl") if found}
    assert [emotion.label for emotion in told["good"].emotions] == ["happy"]
    errors = {name: found.error for name, found in told.items() if found.error}
    assert set(errors) == {"exits", "half", "short"}
    assert errors["half"] is not None
    assert errors["half"].kind == "UnicodeEncodeError"
    # Which exit code a process had is known only once it has ended; killed before, it would look out of memory.
    assert errors["exits"] is not None
    assert "ended with exit code 3" in errors["exits"].reason


def test_a_clip_that_failed_is_not_asked_about_again_for_its_page(odd_run: Path) -> None:
    """The report is made by one process without a time limit: what ended a worker would end it."""
    page = (odd_run / "report.md").read_text(encoding="utf-8")
    assert "ended with exit code 3" in page
    assert [path.name.partition(".")[0] for path in (odd_run / "worst").rglob("*.html")] == ["good"]
