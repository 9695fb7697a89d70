"""What heads of the variant `baseline` read: how a clip's features differ from the speaker's own neutral ones."""

from dataclasses import replace

from emer.types import Features


def relative(features: Features, baseline: Features) -> Features:
    """Each feature minus the same feature of the baseline; masked where one of the two was not measured.

    The baseline holds the median of each feature over the speaker's neutral recordings (`emer.clues.baseline`).

    >>> own = Features("audio", ("pitch", "rate"), (9.0, 4.0), (True, True), "1")
    >>> neutral = Features("audio", ("rate", "pitch"), (0.0, 7.0), (False, True), "1")
    >>> relative(own, neutral).values, relative(own, neutral).mask
    ((2.0, 0.0), (True, False))
    """
    known = {name: value for name, value, m in zip(baseline.names, baseline.values, baseline.mask, strict=True) if m}
    usual = [known.get(name) for name in features.names]
    mask = tuple(here and there is not None for here, there in zip(features.mask, usual, strict=True))
    pairs = zip(features.values, usual, mask, strict=True)
    values = tuple(value - there if both and there is not None else 0.0 for value, there, both in pairs)
    return replace(features, values=values, mask=mask)
