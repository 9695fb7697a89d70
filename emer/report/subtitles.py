"""Subtitles that say, over each segment, which emotions were named and why (`.srt`)."""

import pysubs2

from emer.report.wording import label_list, prose, without_citations
from emer.types import Explanation


def render(explanation: Explanation) -> str:
    """One cue per segment (one for the whole clip where it has none): emotions, then the explanation uncited."""
    cues = pysubs2.SSAFile()
    for part in explanation.segments or (explanation,):
        start = pysubs2.make_time(s=part.clip.start)
        end = max(pysubs2.make_time(s=part.clip.end), start + 1)
        lines = (label_list(part.emotions), without_citations(prose(part)))
        cues.append(pysubs2.SSAEvent(start=start, end=end, text=r"\N".join(_plain(line) for line in lines)))
    return cues.to_string("srt")


def _plain(text: str) -> str:
    """One line without what a player would take for markup: braces, angle brackets and backslashes."""
    return " ".join(text.translate(str.maketrans("{}<>\\", "()‹›/")).split())
