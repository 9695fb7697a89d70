"""What a reader should know about the clip itself before believing anything measured in it."""

from collections.abc import Sequence

from emer.types import Clip, Faults, MediaFacts, Notice

SHORTFALL = 0.05
"""Share of the promised duration that may be missing before it is said (and at least 0.5 s)."""


def notices_of(facts: MediaFacts, faults: Sequence[Faults], clip: Clip) -> tuple[Notice, ...]:
    """Damage, missing streams and left-out modalities, each said once."""
    notices = []
    if bad := max((f.bad_packets for f in faults), default=0):
        notices.append(Notice("bad_packets", f"{bad} damaged packets were skipped while decoding"))
    if corrupt := max((f.corrupt_frames for f in faults), default=0):
        notices.append(Notice("corrupt_frames", f"{corrupt} frames were damaged and left out"))
    notices += _shortfalls(facts, faults)
    if not facts.has_audio and "audio" not in clip.without:
        notices.append(Notice("no_audio", "the clip has no sound: the voice says nothing"))
    if not facts.has_video and "visual" not in clip.without:
        notices.append(Notice("no_video", "the clip has no picture: the face says nothing"))
    notices += [Notice(f"without_{m}", f"{m} clues were left out as asked") for m in sorted(clip.without)]
    return tuple(notices)


def _shortfalls(facts: MediaFacts, faults: Sequence[Faults]) -> list[Notice]:
    """Where less was decoded than the container promises."""
    promised = facts.span.duration
    found = []
    for name, decoded in (
        ("sound", [f.decoded_audio for f in faults if f.decoded_audio is not None]),
        ("picture", [f.decoded_video for f in faults if f.decoded_video is not None]),
    ):
        if decoded and not facts.is_image and promised - max(decoded) > max(0.5, SHORTFALL * promised):
            text = f"only {max(decoded):.1f} s of {name} could be decoded; the container promises {promised:.1f} s"
            found.append(Notice(f"short_{name}", text))
    return found
