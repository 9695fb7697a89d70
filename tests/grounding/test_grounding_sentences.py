"""Texts cut into sentences; the expected cuts are made by hand."""

import pytest

from emer.grounding.sentences import sentences

CASES = {
    "decimals": (
        "It rises 4.1 semitones at 2.3–3.1 s. It falls.",
        ["It rises 4.1 semitones at 2.3–3.1 s.", "It falls."],
    ),
    "citations": ("It rises [a3]. It falls [a1, v2].", ["It rises [a3].", "It falls [a1, v2]."]),
    "citation behind the stop": ("It rises. [a3] It falls. [a4]", ["It rises. [a3]", "It falls. [a4]"]),
    "citation before": ("[a3] It rises. It falls.", ["[a3] It rises.", "It falls."]),
    "quotation": (
        "He says “No. Never. Go!” and leaves. Then quiet.",
        ["He says “No. Never. Go!” and leaves.", "Then quiet."],
    ),
    "straight quotation": ('"Go. Away." he says.', ['"Go. Away." he says.']),
    "stray quotation mark": ('It is 5" wide. It ends.', ['It is 5" wide.', "It ends."]),
    "ellipsis goes on": ("It rises… then rests. It ends...", ["It rises… then rests.", "It ends..."]),
    "ellipsis ends": ("It rises… Then rest.", ["It rises…", "Then rest."]),
    "several marks": ("Really?! Yes.", ["Really?!", "Yes."]),
    "abbreviation": ("A sign, e.g. a smile, vs. none. End.", ["A sign, e.g. a smile, vs. none.", "End."]),
    "Chinese": ("声音在2.3秒升高[a3]。他皱眉!然后停。", ["声音在2.3秒升高[a3]。", "他皱眉!然后停。"]),
    "Chinese wide marks": ("他笑了！真的？是。", ["他笑了！", "真的？", "是。"]),
    "list": (
        "- **Voice:** it rises [a3]\n- Face: it smiles [v1]\n2. Words.",
        ["Voice: it rises [a3]", "Face: it smiles [v1]", "Words."],
    ),
    "wrapped line": ("The voice rises\nand falls. End.", ["The voice rises and falls.", "End."]),
    "paragraphs": ("One.\n\nTwo", ["One.", "Two"]),
    "label line": ('It rises [a3].\nEmotions: ["worried", "tense"]', ["It rises [a3]."]),
    "nothing": (" \n ... \n", []),
}  # fmt: skip


@pytest.mark.parametrize("name", CASES)
def test_text_is_cut_where_a_reader_would_cut_it(name: str) -> None:
    text, expected = CASES[name]
    assert list(sentences(text)) == expected
