"""What a reader should know about the clip itself before believing anything measured in it."""

from collections.abc import Sequence

from emer.types import Clip, Faults, MediaFacts, Notice

SHORTFALL = 0.05
"""Share of the promised duration that may be missing before it is said (and at least 0.5 s)."""


def notices_of(facts: MediaFacts, faults: Sequence[Faults], clip: Clip) -> tuple[Notice, ...]:
    """Damage, missing streams and left-out modalities, each said once."""
    notices = list(facts.notices)
    if bad := max((f.bad_packets for f in faults), default=0):
        notices.append(Notice("bad_packets", f"{_counted(bad, 'damaged packet')} skipped while decoding"))
    if corrupt := max((f.corrupt_frames for f in faults), default=0):
        notices.append(Notice("corrupt_frames", f"{_counted(corrupt, 'damaged frame')} left out"))
    notices += _cut_off(facts, clip)
    notices += _short_streams(facts, faults)
    if not facts.has_audio and "audio" not in clip.without:
        notices.append(Notice("no_audio", "the clip has no sound: the voice says nothing"))
    if not facts.has_video and "visual" not in clip.without:
        notices.append(Notice("no_video", "the clip has no picture: the face says nothing"))
    notices += [Notice(f"without_{m}", f"{m} clues were left out as asked") for m in sorted(clip.without)]
    return tuple(notices)


def _cut_off(facts: MediaFacts, clip: Clip) -> list[Notice]:
    """Where the file holds less than its container promises of the part that was asked for."""
    if facts.container_duration is None:
        return []
    promised = facts.container_duration if clip.end is None else min(clip.end, facts.container_duration)
    if not _falls_short(facts.span.duration, promised - facts.span.start):
        return []
    text = f"the clip ends at {facts.span.end:.1f} s, although its container promises {promised:.1f} s"
    return [Notice("cut_off", text)]


def _short_streams(facts: MediaFacts, faults: Sequence[Faults]) -> list[Notice]:
    """Where sound or picture does not cover the clip: cut short by its makers or by damage, one cannot tell."""
    if facts.is_image:
        return []
    whole = facts.span.duration
    found = []
    for name, decoded in (
        ("sound", [f.decoded_audio for f in faults if f.decoded_audio is not None]),
        ("picture", [f.decoded_video for f in faults if f.decoded_video is not None]),
    ):
        if decoded and _falls_short(max(decoded), whole):
            found.append(Notice(f"short_{name}", f"only {max(decoded):.1f} s of the {whole:.1f} s have {name}"))
    return found


def _falls_short(seconds: float, promised: float) -> bool:
    return promised - seconds > max(0.5, SHORTFALL * promised)


def _counted(number: int, noun: str) -> str:
    return f"{number} {noun}{' was' if number == 1 else 's were'}"
