"""Fixtures of the media tests."""

import pytest

from emer.media import decoding


@pytest.fixture
def decoded_frames(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """A list that grows by one (its length in seconds) for every frame that is decoded."""
    lengths: list[float] = []
    length_of = decoding.length_of

    def noted(*arguments: object) -> float:
        lengths.append(length_of(*arguments))
        return lengths[-1]

    monkeypatch.setattr(decoding, "length_of", noted)
    return lengths
