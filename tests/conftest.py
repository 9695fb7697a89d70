"""Shared fixtures: where real material lies, and a count of what was skipped."""

import os
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[1]
CHROMIUM = [
    "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
    "--disable-background-networking", "--disable-component-update", "--disable-sync",
]  # fmt: skip


@pytest.hookimpl(trylast=True)
def pytest_configure(config: pytest.Config) -> None:
    """Before any test module imports evaluate or torchmetrics, which import torchvision, and after jaxtyping's plugin
    has laid its hook on emer."""
    import emer.torchvision_ops  # noqa: F401


@pytest.fixture(scope="session")
def real_data() -> Path:
    """The folder of real clips (`EMER_TEST_DATA`, default `../shared/data`); skips where it is absent."""
    folder = Path(os.environ.get("EMER_TEST_DATA", ROOT.parent / "shared" / "data"))
    if not (folder / "clips").is_dir():
        pytest.skip("real clips are absent: set EMER_TEST_DATA to their folder")
    return folder


@pytest.fixture(scope="session")
def example_clip() -> Path:
    """The clip that ships in `examples/`."""
    return next((ROOT / "examples").glob("*.mp4"))


@pytest.fixture(autouse=True)
def own_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Each test has a clue cache of its own, and finds no installed weights unless it names some."""
    monkeypatch.setenv("EMER_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr("emer.evidence.weights.PACKAGE", "no_such_package")
    return tmp_path / "cache"


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    """A Chromium, the one of the machine. Skips where there is none."""
    path = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    if path is None:
        pytest.skip("no Chromium on this machine: pages were not opened")
    sync_api = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
    with sync_api.sync_playwright() as playwright:
        opened = playwright.chromium.launch(executable_path=path, args=CHROMIUM)
        yield opened
        opened.close()


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Say how many gates were skipped, and why: a skipped gate proves nothing."""
    reasons: dict[str, int] = {}
    for report in terminalreporter.stats.get("skipped", []):
        reason = report.longrepr[2] if isinstance(report.longrepr, tuple) else str(report.longrepr)
        reasons[reason.removeprefix("Skipped: ")] = reasons.get(reason.removeprefix("Skipped: "), 0) + 1
    terminalreporter.write_line(f"gates skipped: {sum(reasons.values())}")
    for reason, count in sorted(reasons.items()):
        terminalreporter.write_line(f"  {count} × {reason}")
