"""Make docs/report.png: the report of the example clip in a headless Chromium.

python docs/screenshot.py      # or: make readme
"""

import shutil
import tempfile
from pathlib import Path

from playwright.sync_api import sync_playwright

from emer import Explainer
from emer.report import html

ROOT = Path(__file__).parents[1]
QUIET = ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking"]


def main() -> None:
    """Explain, render, photograph."""
    clip = ROOT / "examples" / "talking_face.mp4"
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as player:
        report = Path(folder) / "report.html"
        html.write(Explainer().explain(clip), report, clip)
        chromium = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
        browser = player.chromium.launch(executable_path=chromium, args=QUIET)
        page = browser.new_page(viewport={"width": 1280, "height": 1560})
        page.goto(report.as_uri())
        page.get_by_text("v10", exact=True).first.click()  # the smile: the player goes there
        page.mouse.move(5, 5)
        page.wait_for_timeout(3000)  # until the player has drawn the frame and hidden its wheel
        page.screenshot(path=str(ROOT / "docs" / "report.png"))
        browser.close()


if __name__ == "__main__":
    main()
