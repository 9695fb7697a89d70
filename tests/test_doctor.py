"""The doctor finds what is there and what is broken, and never dies of it."""

import json

import pytest

from emer import doctor


def test_attempt_gives_the_last_line_of_a_failing_import() -> None:
    assert doctor.attempt("import json") is None
    assert doctor.attempt("import no_such_package") == "ModuleNotFoundError: No module named 'no_such_package'"


def test_attempt_survives_a_package_that_kills_its_process() -> None:
    said = doctor.attempt("import os; os._exit(3)")
    assert said is not None
    assert "status 3" in said


def test_a_missing_libgl_is_mended_by_name() -> None:
    mend = doctor._mend_face("ImportError: libGL.so.1: cannot open shared object file")
    assert "apt install libgl1" in mend
    assert "opencv-contrib-python-headless" in mend


def test_a_version_below_the_stated_bound_is_broken(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(doctor, "installed", lambda name: "1.0")
    finding = doctor._requirement("numpy", lambda version: False)
    assert (finding.state, finding.mend) == ("broken", "pip install --upgrade numpy")


def test_an_absent_requirement_makes_the_exit_code_one(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(doctor, "examine", lambda: [doctor.Finding("av", "absent", "not installed", "pip install av")])
    assert doctor.run() == 1
    assert capsys.readouterr().out == "absent  av: not installed\n        mend: pip install av\n"


def test_this_environment_is_well_and_the_json_says_so(capsys: pytest.CaptureFixture[str]) -> None:
    assert doctor.run(as_json=True) == 0
    findings = {row["name"]: row for row in json.loads(capsys.readouterr().out)}
    assert findings["voice activity"]["state"] == "ok"
    assert "MIT" in findings["weights of silero-vad"]["detail"]
