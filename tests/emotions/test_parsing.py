"""The published parser against hand-worked cells, the tolerant one against every form in which labels come."""

import csv
import json
import random
import re
import time
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import pytest

from emer.emotions.lexicon import lexicon
from emer.emotions.parsing import published, tolerant

WRITERS: dict[str, Callable[[Sequence[str]], str]] = {
    "json": json.dumps,
    "json object": lambda labels: json.dumps({"reason": "her brows, low", "emotions": labels}),
    "json of scores": lambda labels: json.dumps([{"label": label, "score": 0.5} for label in labels]),
    "json in a fence": lambda labels: f"Here they are:\n```json\n{json.dumps(labels)}\n```\nDone.",
    "python": repr,
    "python tuple": lambda labels: repr(tuple(labels)),
    "bare brackets": lambda labels: f"[{', '.join(labels)}]",
    "commas": ", ".join,
    "semicolons": "; ".join,
    "slashes": "/".join,
    "lines": "\n".join,
    "and": lambda labels: ", ".join(labels[:-1]) + " and " + labels[-1] if len(labels) > 1 else labels[0],
    "oxford": lambda labels: ", ".join(labels[:-1]) + ", and " + labels[-1] if len(labels) > 1 else labels[0],
    "bullets": lambda labels: "\n".join(f"- {label}" for label in labels),
    "numbers": lambda labels: "\n".join(f"{i}. {label}" for i, label in enumerate(labels, 1)),
    "bold bullets": lambda labels: "\n".join(
        f"* **{label.title()}**: a long sentence, with commas." for label in labels
    ),
    "scores": lambda labels: ", ".join(f"{label} (0.{i})" for i, label in enumerate(labels, 1)),
    "shares": lambda labels: "; ".join(f"{label}: {i}0%" for i, label in enumerate(labels, 1)),
    "last line": lambda labels: f"He is afraid, we think [a3, v1].\nEmotions: {json.dumps(labels)}",
    "head and bullets": lambda labels: "**Emotions:**\n" + "\n".join(f"- {label}" for label in labels),
    "after thoughts": lambda labels: f"<think>angry, or sad?</think>\n{', '.join(labels)}",
    "Chinese commas": "、".join,
    "curly quotes": lambda labels: "，".join(f"“{label}”" for label in labels),
}


@pytest.mark.parametrize("form", WRITERS)
def test_labels_that_were_written_in_any_form_are_read_back(form: str) -> None:
    """Two hundred random label sets from the lexicon, one to five labels of one to three words."""
    chance = random.Random(form)
    words = sorted({entry.label for entry in lexicon().entries})
    for _ in range(200):
        labels = chance.sample(words, chance.randint(1, 5))
        assert tolerant(WRITERS[form](labels)) == labels


@pytest.mark.parametrize(
    ("cell", "labels"),
    [
        ("['Happy', 'sad']", ["happy", "sad"]),
        ('["Happy", "sad"]', ["happy", "sad"]),
        ("[happy, ill at ease]", ["happy", "ill at ease"]),
        ("happy", ["happy"]),
        ("", []),
        ("[", []),
        ("]", []),
        ("[]", []),
        ("[[happy]]", ["[happy]"]),
        (" [happy]", ["[happy"]),
        ("can't wait", ["can", "t wait"]),
        ("happy; sad", ["happy; sad"]),
        ("happy, happy", ["happy", "happy"]),
        ("高兴、难过", ["高兴、难过"]),
        ("['轻松', '愉快']", ["轻松", "愉快"]),
        (None, []),
        (float("nan"), []),
        (np.nan, []),
        (["Happy ", "", "sad, tired"], ["happy", "sad, tired"]),
        (np.array(["Happy", "sad"]), ["happy", "sad"]),
        (3, ["3"]),
    ],
)
def test_the_published_parser_reads_cells_with_all_its_faults(cell: object, labels: list[str]) -> None:
    """Worked by hand from the rule: one bracket off either end, cut at quotes and commas, stripped, lower case."""
    assert published(cell) == labels


def test_the_published_parser_agrees_with_its_rule_on_any_text() -> None:
    """The rule as a regular expression, on random texts of the characters that it treats."""
    chance = random.Random(4)
    for _ in range(5000):
        text = "".join(chance.choices("ab []'\",;\n\u00c4", k=chance.randint(1, 12)))
        rest = text[1:] if text[0] == "[" else text
        rest = rest[:-1] if rest.endswith("]") else rest
        assert published(text) == [part.strip().lower() for part in re.split("['\",]", rest) if part.strip()]


def test_both_parsers_agree_on_released_cells_but_for_the_forms_that_only_one_knows(real_data: Path) -> None:
    """OV-MERD+ predictions and gold: plain lists of short labels, where the field's parser has no faults."""
    for name, column in (("ovmerdplus.ep50.pred.csv", "openset"), ("ovmerdplus.gold.csv", "label")):
        with open(real_data / "parity" / name, newline="", encoding="utf-8") as file:
            cells = [row[column] for row in csv.DictReader(file)]
        assert len(cells) == 532
        assert [set(tolerant(cell)) for cell in cells] == [set(published(cell)) for cell in cells]


@pytest.mark.parametrize(
    ("cell", "labels"),
    [
        ("She is not happy but worried.", ["worried"]),
        ("The voice is tense [a1, a2], the smile brief [v3]. He sounds angry.", ["tense", "angry"]),
        ("From [0:12, 0:15] on she sounds sad.", ["sad"]),
        ('Here it is: {"emotions": ["happy", "sad"], "n": 2}', ["happy", "sad"]),
        ("他不高兴，显得很焦虑。", ["焦虑"]),
        ("高兴、惊讶和愤怒", ["高兴", "惊讶", "愤怒"]),
        ("1) happy 2) sad 3) deeply moved", ["happy", "sad", "deeply moved"]),
        ("1. happy 2. sad", ["happy", "sad"]),
        ("温和", ["温和"]),
        ("平静和温和", ["平静", "温和"]),
        ('{"emotions": ["happy", "sa', ["happy", "sa"]),
        ("[[happy], [sad]]", ["happy", "sad"]),
        ('{"happy": 0.8, "sad": 0.0}', ["happy"]),
        ('{"first": ["happy"], "second": [["sad"]]}', ["happy", "sad"]),
        ({"emotion": "happy", "why": "a smile"}, ["happy"]),
        (["Happy", ["sad", "happy"]], ["happy", "sad"]),
        (np.array(["Happy", "sad"]), ["happy", "sad"]),
        ("['at a loss', 'worried']", ["at a loss", "worried"]),
        ("1.0", []),
        (0.5, []),
        ("None", []),
        ("n/a", []),
        ("[]", []),
        ("", []),
        (None, []),
        (float("nan"), []),
        ("\ufeffhappy\0, sad", ["happy", "sad"]),
        ("```\nhappy\n", ["happy"]),
    ],
)
def test_the_tolerant_parser_reads_answers_and_prose(cell: object, labels: list[str]) -> None:
    assert tolerant(cell) == labels


BAD = [
    "a",
    "[",
    "[]",
    "{",
    "\0",
    " \n",
    "'",
    "(",
    "x (",
    "happy ",
    "not ",
    "emotions: ",
    "```",
    "高兴和",
    "- ",
    "- x\n",
    "1",
]


@pytest.mark.parametrize("part", BAD)
def test_long_labels_cost_time_in_proportion(part: str) -> None:
    """Twice the text takes about twice the time: a quadratic step would take four times as long."""
    times = []
    for length in (10_000, 20_000):
        text = "x" + part * (length // len(part)) + "y"
        begin = time.process_time()
        tolerant(text)
        assert all(isinstance(label, str) for label in published(text))
        times.append(time.process_time() - begin)
    assert times[1] < 3 * times[0] + 0.1


@pytest.mark.parametrize("cell", ["a" * 100_000, f"[{'a' * 100_000}, happy]", "happy; " * 15_000, "[" * 100_000])
def test_labels_of_a_hundred_thousand_characters_are_read(cell: str) -> None:
    assert set(tolerant(cell)) - {"a" * 100_000} <= {"happy"}
    assert sum(map(len, published(cell))) >= 95_000


def test_no_text_makes_either_parser_fail() -> None:
    chance = random.Random(7)
    alphabet = [
        *"[]{}()'\",:;/|\\-*#`~ \n\r\t\0\ufeff0.9%",
        "happy",
        "not ",
        "Emotions: ",
        "```",
        "高兴",
        "和",
        "é",
        "\ud800",
        "😀",
    ]
    for _ in range(3000):
        text = "".join(chance.choices(alphabet, k=chance.randint(0, 40)))
        for parse in (published, tolerant):
            labels = parse(text)
            assert all(label and label == label.lower() for label in labels)


def test_ten_thousand_open_brackets_are_no_labels() -> None:
    assert tolerant("[" * 10_000 + "happy") == ["happy"]
    assert tolerant([[[["happy"]]]]) == ["happy"]
