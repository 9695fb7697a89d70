"""How the composer tells what trained heads say, beside the hints of the views that have none.

The emotion comes from the trained views alone. Hints of the other views are told as hints, with whether they point the
same way: a reader who sees voice and face disagree must know that only one of them was measured against people.
"""

from collections.abc import Mapping, Sequence

from emer.engines.labels import ranked
from emer.engines.salience import Told
from emer.engines.together import Lean, agreement, listed, shows
from emer.engines.wording import NAMES, noun, phrases
from emer.evidence.hints import Reason
from emer.evidence.judgement import Heard
from emer.evidence.opinion import probability
from emer.grounding import check, claims
from emer.types import MODALITIES, Modality, Opinion, Request

MOST = 2
"""Clusters that are named; where more are about as strong, only the strongest is, and the text says so."""
WHO: Mapping[str, str] = {**dict(NAMES.items()), "joint": "joint reading of all views", "verdict": "model"}


def spoken_views(request: Request) -> tuple[str, ...]:
    """The trained views that said something."""
    return tuple(view for view, opinion in request.opinions.items() if opinion.trained and opinion.present)


def hints(request: Request) -> Mapping[str, Opinion]:
    """The opinions of views without a trained head."""
    return {view: opinion for view, opinion in request.opinions.items() if not opinion.trained}


def decided(fused: Opinion) -> tuple[str, ...]:
    """The labels to name, strongest first: one or two, or, of labels that hold each by itself, those that hold."""
    if fused.kind == "beta":
        p = dict(zip(fused.labels, probability(fused).tolist(), strict=True))
        return tuple(sorted((label for label in p if p[label] > 0.5), key=lambda label: -p[label]))
    close = ranked(fused)
    return close if len(close) <= MOST else close[:1]


def verdict(request: Request, told: Mapping[Modality, Told], reasons: Sequence[Reason]) -> str:
    """What the trained views say, and a clue that fits it: "The voice speaks for anger, as heads trained on … hear"."""
    close = decided(request.prior) if request.prior.kind == "beta" else ranked(request.prior)
    who = listed([WHO.get(view, view) for view in spoken_views(request)])
    speaks = "speak" if len(spoken_views(request)) > 1 or spoken_views(request) == ("text",) else "speaks"
    by = _trained_on(request)
    if not close:
        return f"The {who} {speaks} for no emotion{by}."
    named = [_emotion(label) for label in close]
    if request.prior.kind == "beta":
        return f"The {who} {speaks} for {listed(named)}{by}{_fits(request, told, close[0], reasons)}."
    if len(close) > MOST:
        others = listed(named[1:])
        return f"The {who} {speaks} for {named[0]}{by}, though hardly more than for {others}."
    second = f", and almost as much for {named[1]}" if len(named) > 1 else ""
    return f"The {who} {speaks} for {named[0]}{second}{by}{_fits(request, told, close[0], reasons)}."


def beside(request: Request, pointing: Sequence[Lean], brief: bool) -> str | None:
    """The hints of the other views, that they are hints, and whether they point the same way."""
    if not pointing:
        return None
    answer = decided(request.prior)
    differing = [lean for lean in pointing if lean.cluster not in answer]
    who = listed([NAMES[lean.modality] for lean in pointing])
    told = agreement(pointing) or ""
    hint = f"What the {who} {_suggest(pointing)} is a hint from published rules, untrained"
    if not answer or not differing:
        return told if brief else f"{told} {hint}, and does not enter the confidence."
    aside = "not what the trained head says" if len(differing) == len(pointing) else "in part not what is said above"
    end = "." if brief else "; it does not enter the confidence, so look at the clip before you believe either."
    return f"{told} {hint}, and {aside}{end}"


def caution(request: Request, brief: bool) -> str | None:
    """That the clip is unlike those that a head knows, which was therefore not asked."""
    heard = _heard(request)
    if heard is None or not heard.outside:
        return None
    if brief:
        return "This stretch is unlike the trained head's own clips, so it was not asked."
    return "The clip is unlike those that the trained head knows, so it was not asked."


def _fits(request: Request, told: Mapping[Modality, Told], cluster: str, reasons: Sequence[Reason]) -> str:
    """A clue of a trained view that published rules count towards the same emotion."""
    for modality in MODALITIES:
        if modality in spoken_views(request) and (clue := shows(told[modality].clues, cluster, reasons)) is not None:
            return f"; {noun(clue)} would fit that"
    return ""


def _trained_on(request: Request) -> str:
    """Whom the head learned from; left out where the name would read as a claim about this clip."""
    heard = _heard(request)
    data = " ".join(heard.data.split()) if heard else ""
    words = f", as heard by a head that was trained on {data}" if data else ""
    return words if words and not claims(check(f"It speaks{words}.", ())) else ", as heard by a trained head"


def _heard(request: Request) -> Heard | None:
    heard = request.settings.get("heard")
    return heard if isinstance(heard, Heard) else None


def _suggest(pointing: Sequence[Lean]) -> str:
    return "suggests" if len(pointing) == 1 and pointing[0].modality != "text" else "suggest"


def _emotion(label: str) -> str:
    return str(phrases()["emotions"].get(label, label))
