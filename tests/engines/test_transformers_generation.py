"""Writing with a tiny random model. Expected tokens and logits come from a plain forward pass of the same model."""

from dataclasses import replace
from typing import Any

import pytest
import torch
from tiny_folders import tiny

from emer.backbones.attached import Conversation
from emer.backbones.backbone import Backbone
from emer.backbones.loading import load
from emer.engines.generation import Writing, Written, nucleus, write
from emer.types import Message

SHORT = Writing(max_new_tokens=12)


@pytest.fixture(scope="module")
def backbone() -> Backbone:
    torch.set_num_threads(1)
    return load(tiny("text_clues"), dtype=torch.float32)


def asked(backbone: Backbone, *texts: str, **options: Any) -> list[Written]:
    batch = backbone.encode([Conversation((Message("user", text),)) for text in texts])
    options = {"writing": SHORT} | options
    return write(backbone.model, backbone.tokenizer, backbone.lm_head, batch.inputs, **options)


def last_logits(backbone: Backbone, text: str) -> torch.Tensor:
    """Logits behind the prompt, by one plain pass."""
    batch = backbone.encode([Conversation((Message("user", text),))])
    with torch.no_grad():
        return backbone.model(**batch.inputs).logits[0, -1]


def test_the_logits_of_rows_are_those_behind_the_prompt_whatever_stands_beside(backbone: Backbone) -> None:
    texts = ("a", "how does the voice sound, and what does the face show?")
    rows = (7, 300, 12)
    for text, written in zip(texts, asked(backbone, *texts, rows=rows), strict=True):
        torch.testing.assert_close(
            torch.tensor(written.logits), last_logits(backbone, text)[list(rows)], atol=1e-4, rtol=0
        )


def test_rows_of_the_verdict_are_never_written(backbone: Backbone) -> None:
    """Forbidden is all but three tokens, then the one of these that is chosen first."""
    logits = last_logits(backbone, "a")
    words = [token for token in range(len(logits)) if backbone.tokenizer.decode([token]).isalpha()][:3]
    others = [token for token in range(len(logits)) if token not in words]
    likeliest = max(words, key=lambda token: float(logits[token]))
    free, bound = asked(backbone, "a", rows=others)[0], asked(backbone, "a", rows=[*others, likeliest])[0]
    assert free.text.startswith(backbone.tokenizer.decode([likeliest]))
    assert backbone.tokenizer.decode([likeliest]) not in bound.text
    assert bound.logits[-1] == pytest.approx(float(logits[likeliest]), abs=1e-4)


def test_texts_in_a_batch_are_those_that_are_written_alone(backbone: Backbone) -> None:
    texts = ("a", "what does she feel?", "the voice rises " * 9)
    assert [one.text for one in asked(backbone, *texts)] == [asked(backbone, text)[0].text for text in texts]


def test_a_draw_depends_on_its_seed_and_on_nothing_beside_it(backbone: Backbone) -> None:
    hot = replace(SHORT, temperature=1.5)
    texts = ("a", "what does she feel?", "a")
    drawn = [one.text for one in asked(backbone, *texts, writing=hot, seeds=(1, 2, 3))]
    alone = [
        asked(backbone, text, writing=hot, seeds=(seed,))[0].text for text, seed in zip(texts, (1, 2, 3), strict=True)
    ]
    assert drawn == alone
    assert drawn[0] != drawn[2]
    assert asked(backbone, "a", writing=hot, seeds=(4,))[0].text != drawn[0]


def test_draws_follow_the_softmax(backbone: Backbone) -> None:
    """The share of each of the ten likeliest first tokens, within five standard errors of its probability."""
    draws, temperature = 600, 0.25
    hot = Writing(max_new_tokens=1, temperature=temperature)
    p = (last_logits(backbone, "a") / temperature).softmax(-1)
    texts = [one.text for one in asked(backbone, *["a"] * draws, writing=hot, seeds=range(draws))]
    by_text: dict[str, float] = {}
    for token, share in enumerate(p.tolist()):
        text = backbone.tokenizer.decode([token], skip_special_tokens=True)
        by_text[text] = by_text.get(text, 0.0) + share
    likeliest = sorted(by_text, key=lambda text: -by_text[text])[:10]
    assert sum(by_text[text] for text in likeliest) > 0.2
    for text in likeliest:
        share, expected = texts.count(text) / draws, by_text[text]
        assert abs(share - expected) < 5 * (expected * (1 - expected) / draws) ** 0.5 + 1e-9


def test_the_nucleus_is_the_smallest_set_with_that_probability() -> None:
    """By hand: .4 + .3 is the first sum of at least .6."""
    kept = nucleus(torch.tensor([[0.1, 0.4, 0.2, 0.3]]).log(), 0.6)
    assert kept.isfinite().tolist() == [[False, True, False, True]]


def test_a_text_ends_where_it_is_complete_and_says_so(backbone: Backbone) -> None:
    cut = asked(backbone, "a", complete=lambda text: len(text) > 3)[0]
    assert cut.ended
    assert cut.new_tokens < SHORT.max_new_tokens
    whole = asked(backbone, "a")[0]
    assert whole.text.startswith(cut.text)
    assert (whole.ended, whole.new_tokens) == (False, SHORT.max_new_tokens)


def test_a_text_that_is_complete_waits_for_others_without_growing(backbone: Backbone) -> None:
    first = asked(backbone, "a", writing=Writing(max_new_tokens=3))[0].text
    short, long = asked(backbone, "a", "what does she feel?", complete=lambda text: text == first)
    assert short.text == first
    assert long.new_tokens > short.new_tokens


def test_texts_are_told_while_they_grow_without_half_characters(backbone: Backbone) -> None:
    heard: list[tuple[int, str]] = []
    written = asked(backbone, "a", "what now?", heard=lambda row, text: heard.append((row, text)))
    for row, one in enumerate(written):
        told = [text for place, text in heard if place == row]
        assert len(told) > 3
        assert all(one.text.startswith(text) for text in told)
