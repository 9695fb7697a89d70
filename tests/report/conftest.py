"""A clip to show in a browser, and reports that are opened there."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import sample
import small_clip
from browsing import Reader

from emer.report import html
from emer.types import Explanation


@pytest.fixture(scope="module")
def clip(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return small_clip.make(tmp_path_factory.mktemp("clip") / "interview.mp4", sample.END)


@pytest.fixture
def read(browser: Any, clip: Path, tmp_path: Path) -> Iterator[Any]:
    """Opens a report of an explanation; at the end, no report may have complained or asked the network for anything."""
    readers: list[Reader] = []

    def open_report(
        whole: Explanation | None = None, media: Path | None = clip, limit: int = 10**9, **options: Any
    ) -> Reader:
        path = tmp_path / f"report{len(readers)}.html"
        path.write_text(html.render(whole or sample.explanation(), media, beside=path, limit=limit), encoding="utf-8")
        readers.append(Reader(browser, path, **options))
        return readers[-1]

    yield open_report
    for reader in readers:
        reader.context.close()
        assert reader.complaints == []
        assert [url for url in reader.requests if not url.startswith(("file:", "data:", "blob:"))] == []
