"""The page that comes with nano: what it is, what it learned from, what it reaches, what it is not for."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from emer.jsonio import loads

ROWS = {
    "claims_a_clip": "claims a clip",
    "grounded": "claims that the clues bear out",
    "contradicted": "claims that they contradict",
    "numbers_copied": "numbers that stand in a clue",
    "in_form": "answers in the form that was asked for",
    "label_right": "first label in the family that the actor was to show",
}
PAGE = """\
---
license: cc-by-nc-sa-4.0
library_name: transformers
tags: [emotion-recognition, speech, explanation]
---
# nano

**A demonstration model.** Seven million numbers in the architecture of the Qwen2.5-Omni thinker (Xu et al. 2025,
arXiv:2503.20215), made from nothing on two CPU cores, so that `emer explain clip.wav --model nano` shows on any machine
what a large model does: it hears the sound, reads clue sentences, cites them in an explanation, names emotions, and
gives a verdict with calibrated confidence. It is no good at emotions in the wild, and it is not meant to be.

* **Perceives** sound and text. Its vision encoder is untrained, pixels are not fed; what is measured in a face reaches
  it as clue sentences.
* **Writes** English, in the phrases of emer's composer. What it writes is checked against the clues like any text.
* **Needs** the prompt `explain_brief`, which emer takes by itself. It knows no other: with `--stages 2` its text is
  nonsense.
* **Is calibrated** for recordings of a voice without a transcript. Where it is also given words or a face there is no
  confidence.

## Data

* RAVDESS speech, actors 1 to 12 (Livingstone and Russo 2018, PLoS ONE 13(5): e0196391; CC BY-NC-SA 4.0), and Berlin
  EmoDB, speakers 03, 08, 09 and 10 (Burkhardt et al. 2005): acted speech, two sentences in English and ten in German.
  Actors 13 and 14 and speaker 11 chose what was kept; actors 15 and 16 and speaker 13 calibrated. Actors 17 to 20 and
  speakers 12 and 14 are test speakers, and were not used.
* Explanations of these recordings by emer's composer, which needs no model, from measured clues and the label of the
  recording.
* 20,000 invented lessons: clue sentences of all modalities with numbers drawn at random, explained by the composer.

The ear learned to measure (curves and features of retold recordings) before it named emotions; the language model
learned to read and to copy before it heard anything. `python weights/nano/make.py` makes all of it again.

## Reached

On {clips} recordings of validation speakers, greedy; *told*: with clue sentences, *heard*: from the sound alone.

| | told | heard |
|---|---|---|
{table}

The ear: {ear}.
These speakers also chose what was kept. Nothing was measured on test speakers yet.

## Limits

* It imitates a composer of sentences. A fluent explanation is no evidence that the label is right; look at the statuses
  of its statements and at its confidence.
* Twelve actors and four speakers are few, and acted feeling is not felt feeling.
* Nobody should be judged by it: not at work, not at school, not at a border.

Licence: CC BY-NC-SA 4.0, non-commercial, because of the recordings.
"""


def told(figures: Mapping[str, Mapping[str, Any]], ear_record: Path) -> str:
    """The page, by figures of `measures.reached` for `told` and `heard`, and by the ear's own record."""
    cells = {title: (_cell(figures, "told", row), _cell(figures, "heard", row)) for row, title in ROWS.items()}
    table = "\n".join(f"| {title} | {with_them} | {without} |" for title, (with_them, without) in cells.items())
    last = loads(ear_record.read_bytes(), dict[str, Any])["reached"][-1]
    ear = (
        f"mean R² of 40 ms curves {last['curves_r2']:.2f}, of 389 features {last['features_r2']:.2f}; a linear probe "
        f"on its mean vector has a UAR of {last['probe_uar']:.2f} over eight emotions (n = {last['n']})"
    )
    clips = figures["told"]["clips"]
    return PAGE.format(table=table, ear=ear, clips=clips)


def _cell(figures: Mapping[str, Mapping[str, Any]], shown: str, row: str) -> str:
    value = figures[shown][row]
    return "none" if value is None else f"{value:.1f}" if row == "claims_a_clip" else f"{100 * value:.0f} %"
