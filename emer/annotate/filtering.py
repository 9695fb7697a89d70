"""What of a draft may be learned from: sentences that the clues bear out, and labels that people would give.

A sentence goes when the grounding check finds it contradicted or unsupported, when it calls on the labels themselves
("as the annotators say"), or when it describes what was measured by the emotion ("an angry voice"), which would make
the conclusion its own evidence. The draft as a whole is refused for the reasons of `Reason`.

The grounding check knows behaviour words of English alone. A Chinese claim in which it finds nothing to check is
neither for nor against a draft, as long as the clues that it cites exist.
"""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Literal

from emer.annotate.lessons import Draft
from emer.emotions import cluster_of, lexicon
from emer.emotions.extraction import extract_labels
from emer.emotions.lexicon import HAN
from emer.grounding import check, claims, shares
from emer.types import Clue, Statement

Reason = Literal[
    "no_explanation",
    "no_label",
    "no_claim",
    "few_grounded",
    "no_claim_left",
    "other_emotion",
    "unknown_labels",
    "unknown_gold",
    "text_disagrees",
]
Fault = Literal["contradicted", "unsupported", "echo"]

_TOLD = re.compile(
    r"\b(?:annotat\w+|label(?:s|led)?|ground[- ]truth|gold (?:label|standard)|raters?|people (?:who|say|said)"
    r"|(?:i|we) (?:was|were|am|are) told)\b|标签|标注|被告知|人们认为|了解这段视频的人",
    re.IGNORECASE,
)
_TOUCHING = re.compile(r"(?<=[\u3400-\u9fff])(?=\d)|(?<=\d)(?=[\u3400-\u9fff])")
"""Where a number and Chinese touch: the grounding check reads numbers that stand apart."""
_MEASURED = r"(?:voice|tone|face|expression|look|eyes|brows?|mouth|smile|pitch|speech|gaze)"
_MEASURED_ZH = r"(?:声音|语气|语调|面部|表情|脸|眼神|目光|笑容)"


@dataclass(frozen=True, slots=True)
class Dropped:
    """A sentence that was taken out, and why."""

    text: str
    why: Fault


@dataclass(frozen=True, slots=True)
class Filtered:
    """What is left of a draft; `reason` and `told` say why it is refused, where it is."""

    explanation: str
    labels: tuple[str, ...]
    """What people said, then the draft's own words; of a refused draft its own words alone."""
    statements: tuple[Statement, ...]
    """Of the sentences that are left."""
    dropped: tuple[Dropped, ...] = ()
    claims: int = 0
    """Claims of the whole draft."""
    grounded: float = 0.0
    """Share of them that the clues bear out."""
    reason: Reason | None = None
    told: str = ""


def filtered(
    draft: Draft, clues: Sequence[Clue], said: str = "", gold: Sequence[str] = (), least_grounded: float = 0.6
) -> Filtered:
    """What of a draft may be learned from.

    `least_grounded` is the share of its claims, before anything is taken out, that the clues must bear out (0 to 1).
    """
    words = {*draft.labels, *(label.lower() for label in gold)}
    text = _TOUCHING.sub(" ", draft.explanation)
    paragraphs = [check(part, clues, said) for part in re.split(r"\n\s*\n", text)]
    statements = [statement for part in paragraphs for statement in part]
    faults = {statement: fault for statement in statements if (fault := fault_of(statement, words))}
    kept = [[one for one in part if one not in faults] for part in paragraphs]
    left = tuple(one for part in kept for one in part)
    reason, told = (
        _refusal(draft, statements, left, least_grounded) or disagreement(draft.labels, left, gold) or (None, "")
    )
    return Filtered(
        explanation="\n\n".join(joined(part) for part in kept if part),
        labels=draft.labels if reason else together(draft.labels, gold),
        statements=left,
        dropped=tuple(Dropped(statement.text, fault) for statement, fault in faults.items()),
        claims=len(claims(statements)),
        grounded=shares(statements)["grounded"],
        reason=reason,
        told=told,
    )


def fault_of(statement: Statement, words: Iterable[str]) -> Fault | None:
    """Why a sentence may not be learned from; `words` are the labels of the draft and of people."""
    if statement.status in ("contradicted", "unsupported"):
        return statement.status
    names = "|".join(sorted((re.escape(word) for word in words), key=len, reverse=True))
    begging = rf"\b(?:{names})\s+{_MEASURED}\b|(?:{names})的?{_MEASURED_ZH}"
    if _TOLD.search(statement.text) or (names and re.search(begging, statement.text, re.IGNORECASE)):
        return "echo"
    return None


def joined(statements: Sequence[Statement]) -> str:
    """Sentences as a paragraph; Chinese ones need no space between them.

    >>> joined([Statement("他笑了。"), Statement("She smiles."), Statement("He too.")])
    '他笑了。She smiles. He too.'
    """
    text = ""
    for statement in statements:
        text += (" " if text and not text.endswith(("。", "！", "？")) else "") + statement.text
    return text


def _refusal(
    draft: Draft, statements: Sequence[Statement], left: Sequence[Statement], least: float
) -> tuple[Reason, str] | None:
    """Why the draft is refused whatever its labels mean."""
    if not draft.explanation.strip():
        return "no_explanation", draft.strayed or "there is no explanation"
    if not draft.labels:
        return "no_label", "the draft names no emotion"
    told = claims(statements)
    if not told:
        return "no_claim", "it claims nothing that clues could bear out"
    share = shares([claim for claim in told if not _beyond_check(claim)] or told)["grounded"]
    if share < least and not all(map(_beyond_check, told)):
        return "few_grounded", f"the clues bear out {share:.0%} of its claims, and {least:.0%} are wanted"
    if not any(claim.status == "grounded" or _beyond_check(claim) for claim in claims(left)):
        return "no_claim_left", "no claim that the clues bear out is left"
    return None


def _beyond_check(claim: Statement) -> bool:
    """A Chinese claim that cites clues and says nothing that the check can read."""
    return claim.status == "uncheckable" and bool(claim.clue_ids) and HAN.search(claim.text) is not None


def disagreement(
    labels: Sequence[str], statements: Sequence[Statement], gold: Sequence[str]
) -> tuple[Reason, str] | None:
    """How the labels of a draft, or the emotions that its text names, are others than people's, by cluster of emer8."""
    own, true = _clusters(labels), _clusters(gold)
    if gold and not true:
        if {label.lower() for label in gold} & {label.lower() for label in labels}:
            return None
        return "unknown_gold", f"people say {_listed(gold)}, which belongs to no cluster, so nothing can be compared"
    if gold and not own:
        return "unknown_labels", f"{_listed(labels)} belongs to no cluster, so nothing can be compared"
    if gold and not own <= true:
        return "other_emotion", f"the draft says {_listed(labels)}, people say {_listed(gold)}"
    named = extract_labels(" ".join(statement.text for statement in statements))
    found, wanted = _clusters(named), true or own
    if found and wanted and not found & wanted:
        return "text_disagrees", f"the text speaks of {_listed(named)}, the labels are {_listed(labels)}"
    return None


def _clusters(labels: Iterable[str]) -> set[str]:
    return {cluster for label in labels if (cluster := cluster_of(label)) is not None}


def together(labels: Sequence[str], gold: Sequence[str]) -> tuple[str, ...]:
    """What people said comes first and is kept; the draft's own words follow, but not another form of the same word.

    >>> together(["disgusted", "appalled"], ["Disgust"])
    ('Disgust', 'appalled')
    """
    there = {_word(label) for label in gold}
    return (*gold, *(label for label in labels if _word(label) not in there))


def _word(label: str) -> str:
    """The adjective of a label's family of words, so that its forms are one."""
    entry = lexicon("zh" if HAN.search(label) else "en").entry(label)
    return entry.label if entry is not None else label.lower()


def _listed(labels: Sequence[str]) -> str:
    return ", ".join(labels) or "nothing"
