"""A model that takes no pictures is neither given any nor told that there are some; clue sentences of a face stay."""

from dataclasses import dataclass, field

import numpy as np
import pytest

from emer.emotions import label_set
from emer.engines.asking import Shown, messages_of, streams_of
from emer.engines.model_requests import alone, explaining, modalities
from emer.errors import ConfigError
from emer.evidence.opinion import vacuous
from emer.types import (
    Clue,
    Clues,
    Faults,
    Frame,
    MediaFacts,
    Request,
    Span,
    Transcript,
    Window,
)

SMILE = Clue("v1", "visual", "lip_corner_pull", "lip corners pulled up", 0.1, 0.4, 5.0, "inter-ocular %", "neutral")
NOTHING = vacuous("emer8", label_set("emer8"))


@dataclass(frozen=True)
class Film:
    """A clip with sound and picture, of which nobody decodes anything."""

    facts: MediaFacts = field(
        default_factory=lambda: MediaFacts("film.mp4", "0" * 64, Span(0.0, 2.0), 2.0, has_audio=True, has_video=True)
    )
    transcript: Transcript | None = None
    faults: Faults = field(default_factory=Faults)

    def windows(
        self, *, seconds: float = 30.0, audio: bool = True, fps: float | None = None, max_width: int = 960
    ) -> "list[Window]":
        return [Window(0.0, 2.0, np.zeros(32_000, np.float32))]

    def sample(self, n: int, *, max_width: int = 960) -> tuple[Frame, ...]:
        return ()


def request(*clues: Clue) -> Request:
    return Request(Film(), Clues(clues, {}), Span(0.0, 2.0), {}, NOTHING)


def test_only_streams_that_the_model_takes_are_announced() -> None:
    whole = messages_of(request(SMILE))[-1]
    assert whole.media == ("audio", "video")
    assert whole.text.startswith("Attached: the sound and the picture.")
    hearing = messages_of(request(SMILE), shown=Shown(streams=streams_of({"audio", "text"})))[-1]
    assert hearing.media == ("audio",)
    assert hearing.text.startswith("Attached: the sound.")
    assert "[v1] 0.1–0.4 lip corners pulled up" in hearing.text


def test_streams_follow_from_what_is_perceived() -> None:
    assert streams_of({"audio", "visual", "text"}) == {"audio", "video"}
    assert streams_of({"audio", "text"}) == {"audio"}
    assert streams_of({"text"}) == frozenset()


def test_engines_ask_without_streams_that_are_no_use() -> None:
    hearing = streams_of({"audio", "text"})
    assert explaining(request(SMILE), "explain", "en", media=hearing).media == {"audio"}
    assert modalities(request(), media=hearing) == ("audio",)
    assert modalities(request(SMILE), media=hearing) == ("audio", "visual")


def test_a_face_that_is_neither_seen_nor_told_of_cannot_be_asked_about_alone() -> None:
    with pytest.raises(ConfigError, match="would show nothing of the clip"):
        alone(request(), "visual", "explain", "en", media=streams_of({"audio", "text"}))
