"""What trained heads make of a clip, and what may be believed of it: confidence, trust, domain.

Without trained views there is no confidence. With them it is the calibrated one of the set of views that spoke. A view
outside its head's domain is not asked: where another spoke, the clip is not trusted, else hints are all there is. A set
of views that was never calibrated has no number. A model's verdict is another view for each set of modalities that it
was read from: it is as sure of a voice alone as of voice, face and words, and not as often right.
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from emer.evidence import calibration as calibrated
from emer.evidence.calibration import Calibration
from emer.types import VERDICT, CalibrationRecord, Notice, Opinion, PromptRecord, WeightsRecord


@dataclass(frozen=True, slots=True, kw_only=True)
class Heard:
    """What trained heads say of one clip or one segment."""

    opinions: Mapping[str, Opinion] = field(default_factory=dict)
    """View to its opinion; vacuous where too little was measured; without the views that are out of domain."""
    outside: tuple[str, ...] = ()
    """Why a view is unlike those that its head was trained on, in words, a reason a view."""
    notices: tuple[Notice, ...] = ()
    """What the reader should know besides."""
    data: str = ""
    """What the heads were trained on."""
    weights: WeightsRecord | None = None
    fusion: str = "weighted"
    reliabilities: Mapping[str, float] | None = None
    calibration: Calibration | None = None

    @property
    def views(self) -> tuple[str, ...]:
        """The views that said something, in alphabetical order."""
        return tuple(sorted(view for view, opinion in self.opinions.items() if opinion.present))


@dataclass(frozen=True, slots=True, kw_only=True)
class Judgement:
    """What may be believed of an answer."""

    confidence: float | None = None
    probability: Mapping[str, float] = field(default_factory=dict)
    """Calibrated, of each label of the fused opinion; that of the strongest is the confidence."""
    trusted: bool | None = None
    out_of_domain: bool = False
    notices: tuple[Notice, ...] = ()
    record: CalibrationRecord | None = None


NOTHING = Judgement()
"""Where no trained view spoke."""


OTHER_FUSION = Notice(
    "not_calibrated", "the calibration holds for the fusion that was fitted, and another was asked for; leave it out"
)


OTHER_PROMPT = Notice(
    "not_calibrated",
    "the calibration holds for the prompt behind which its verdicts were read, and the model was asked with another",
)
NO_THRESHOLD = "no_threshold"
"""Code of the notice that nothing is trusted, however large the confidence."""


def calibrated_views(opinions: Mapping[str, Opinion], shown: Iterable[str] = ()) -> tuple[str, ...]:
    """What a calibration calls the trained views that spoke; `shown` is what the verdict was read from, where known.

    >>> from emer.evidence.opinion import dirichlet
    >>> said = dirichlet("mood", ("good", "bad"), [2, 1], trained=True)
    >>> calibrated_views({"verdict": said, "audio": said}, ("text", "audio"))
    ('audio', 'verdict(audio+text)')
    """
    spoke = {view for view, opinion in opinions.items() if opinion.trained and opinion.present}
    return tuple(sorted(verdict_of(shown) if view == VERDICT else view for view in spoke))


def verdict_of(shown: Iterable[str]) -> str:
    """The verdict as a view of a calibration.

    >>> verdict_of(("text", "audio")), verdict_of(())
    ('verdict(audio+text)', 'verdict')
    """
    named = "+".join(sorted(shown))
    return f"{VERDICT}({named})" if named else VERDICT


def in_words(views: Iterable[str]) -> str:
    """A set of views of a calibration, as notices name it.

    >>> in_words(("audio", "verdict(audio+text)"))
    'audio with the verdict on audio+text'
    """
    return " with ".join(re.sub(r"^verdict\((.*)\)$", r"the verdict on \1", view) for view in views)


def judge(
    heard: Heard | None,
    opinions: Mapping[str, Opinion],
    fused: Opinion,
    *,
    as_calibrated: bool = True,
    shown: Iterable[str] = (),
    behind: PromptRecord | None = None,
) -> Judgement:
    """What may be believed of `fused`, which was fused from the trained ones among `opinions`.

    `as_calibrated` is False where they were fused by another rule or other weights than in calibration: of several
    views there is no confidence then. `shown` are the modalities that a verdict among them was read from, and `behind`
    is the prompt: behind another than in calibration it is another verdict, and has no confidence.
    """
    views = calibrated_views(opinions, shown)
    if heard is None:
        return NOTHING
    outside = [f"{reason}: the clip is out of domain, and the trained head was not asked" for reason in heard.outside]
    if not views:
        foreign = (Notice("out_of_domain", reason) for reason in outside)
        return Judgement(out_of_domain=bool(outside), notices=(*heard.notices, *foreign))
    made = heard.calibration
    if made is not None and made.out_of_domain(views):
        known = ", or ".join(in_words(one.views) for one in made.sets)
        outside.append(f"no clip of the calibration on {made.data} was judged by {in_words(views)}, only by {known}")
    other_prompt = made is not None and VERDICT in opinions and _other_prompt(made, behind)
    if made is not None and (other_prompt or (not as_calibrated and len(views) > 1)):
        why = OTHER_PROMPT if other_prompt else OTHER_FUSION
        notices = (*heard.notices, *(Notice("out_of_domain", reason) for reason in outside), why)
        return Judgement(out_of_domain=bool(outside), notices=notices)
    number = calibrated.confidence(fused, made, views)
    notices = (*heard.notices, *(Notice("out_of_domain", reason) for reason in outside))
    if made is None:
        who = "this adapter's verdict was" if VERDICT in opinions else "these heads were"
        told = f"{who} not calibrated; run emer calibrate on labelled clips"
        notices += (Notice("not_calibrated", told),)
    if made is None or number is None:
        return Judgement(out_of_domain=bool(outside), notices=notices)
    if made.threshold is not None and made.threshold.value is None:
        asked = f"{100 * made.threshold.target_risk:g} %"
        told = f"no threshold kept the errors among trusted clips to {asked} at calibration: no clip is trusted"
        notices += (Notice(NO_THRESHOLD, told),)
    return Judgement(
        confidence=number,
        probability=_probability(fused, made, views, number),
        trusted=_trusted(made, number, outside=bool(outside)),
        out_of_domain=bool(outside),
        notices=notices,
        record=calibrated.record(made, views),
    )


def _other_prompt(made: Calibration, behind: PromptRecord | None) -> bool:
    return made.prompt != "" and (behind is None or behind.sha256 != made.prompt)


def _trusted(made: Calibration, number: float, *, outside: bool) -> bool | None:
    if outside:
        return False
    return None if made.threshold is None else made.threshold.trusts(number)


def _probability(fused: Opinion, made: Calibration, views: tuple[str, ...], number: float) -> dict[str, float]:
    p = calibrated.probability(fused, made, views)
    assert p is not None
    by_label = dict(zip(fused.labels, p.tolist(), strict=True))
    strongest = max(by_label, key=lambda label: by_label[label])
    return by_label | {strongest: number}  # a curve bends the confidence, not the other probabilities
