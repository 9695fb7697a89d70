"""A report opened in Chromium, for the tests of what people see and do there."""

from pathlib import Path
from typing import Any

import pytest
import sample

MARKS = [
    pytest.mark.browser,
    pytest.mark.filterwarnings("ignore::ResourceWarning", "ignore::pytest.PytestUnraisableExceptionWarning"),
]

DESK, PHONE = {"width": 1280, "height": 900}, {"width": 390, "height": 844}


def by_id(name: str) -> Any:
    return next(clue for clue in sample.CLUES if clue.id == name)


class Reader:
    """One open report, and all that it asked for or complained about."""

    def __init__(self, browser: Any, report: Path, **options: Any) -> None:
        self.context = browser.new_context(**{"viewport": DESK, **options})
        self.page = self.context.new_page()
        self.complaints: list[str] = []
        self.requests: list[str] = []
        self.page.on("console", lambda message: self.complaints.append(f"{message.type}: {message.text}"))
        self.page.on("pageerror", lambda error: self.complaints.append(str(error)))
        self.page.on("request", lambda request: self.requests.append(request.url))
        self.page.goto(report.as_uri())
        if self.page.locator("#media").count():
            self.until("document.getElementById('media').readyState >= 1")

    def until(self, condition: str) -> None:
        """Wait for a condition. The page's policy forbids playwright's own way, which evaluates strings in it."""
        for _ in range(400):
            if self.run(condition):
                return
            self.page.wait_for_timeout(50)
        raise AssertionError(f"after 20 s still not: {condition}")

    def time(self) -> float:
        """Where the player is (s), once it has arrived."""
        self.until("!document.getElementById('media').seeking")
        return float(self.page.evaluate("document.getElementById('media').currentTime"))

    def run(self, script: str) -> Any:
        return self.page.evaluate(script)
