"""nano's tokenizer, its invented lessons, and how its language model is taught: by hand, and by emer's own check."""

import json
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import shape
import torch
from assemble import make_model
from hearing import BOTH, HEARD, READ
from invented import invent
from lessons_of_words import _texts
from measures import summed
from teaching import PROMPT, Lesson
from tokenizer import make_processor, train_tokenizer
from words import Course, Item, batches_of, collated, drills, pace, packed, teach

from emer.backbones.attached import Conversation
from emer.backbones.templates import Template
from emer.engines.asking import messages_of
from emer.grounding import check, claims
from emer.training.llm.example import Example
from emer.types import Annotation, Answer, Emotion, Message


@pytest.fixture(scope="session")
def processor() -> Any:
    texts = [text for request, text, _ in invent(60, 3) for text in (text, messages_of(request, PROMPT)[1].text)]
    return make_processor(train_tokenizer(texts))


def test_numbers_and_ids_of_clues_are_one_token_each(processor: Any) -> None:
    tokenizer = processor.tokenizer
    for text in ("0.0", "3.9", "17.4", "0.57", "46", "[a1]", "[v12]", "[t3]"):
        assert len(tokenizer(text)["input_ids"]) == 1, text


def test_the_tokenizer_reads_no_explanation_of_a_speaker_who_chooses_or_calibrates(tmp_path: Path) -> None:
    manifest = tmp_path / "taught.jsonl"
    rows = [{"split": part, "explanation": f"of {part}"} for part in ("train", "validation", "calibration")]
    manifest.write_text("".join(json.dumps(row) + "\n" for row in rows))
    lesson = Lesson((Message("user", "asked"),), "answered")
    assert list(_texts([lesson], manifest)) == ["asked", "answered", "of train"]


def test_any_text_comes_back_from_its_tokens(processor: Any) -> None:
    text = "Ça va ? 声音 1987.25 [a123] “quoted”\n\n−0.57 😀 \t end"
    assert processor.tokenizer.decode(processor.tokenizer(text)["input_ids"]) == text


def test_rows_are_left_for_verdicts(processor: Any) -> None:
    used = max(processor.tokenizer.get_vocab().values()) + 1
    assert shape.VOCABULARY - used >= 64


def test_invented_lessons_are_the_same_for_the_same_seed() -> None:
    assert [text for _, text, _ in invent(8, 1)] == [text for _, text, _ in invent(8, 1)]
    assert [text for _, text, _ in invent(8, 1)] != [text for _, text, _ in invent(8, 2)]


def test_the_clues_bear_out_every_claim_of_an_invented_lesson() -> None:
    """The oracle is emer's grounding check."""
    told = [
        claim
        for request, text, _ in invent(60, 5)
        for claim in claims(check(text, request.clues.items, request.transcript.text if request.transcript else ""))
    ]
    assert len(told) > 60
    assert [claim.text for claim in told if claim.status in ("contradicted", "unsupported")] == []


def test_invented_lessons_speak_of_every_modality() -> None:
    assert {clue.modality for request, _, _ in invent(40, 6) for clue in request.clues.items} == {
        "audio",
        "visual",
        "text",
    }


def test_only_answers_count_fully_and_sounds_not_at_all() -> None:
    read = Item((5, 6, 7), (8, 9))
    batch = collated([read, Item((5,), (6,))], prompts=0.3)
    assert batch.ids.shape == batch.weight.shape == (2, 32)  # few widths occur: multiples of 32
    assert batch.ids[:, :6].tolist() == [[5, 6, 7, 8, 9, 0], [5, 6, 0, 0, 0, 0]]
    assert batch.weight[0, :5].tolist() == pytest.approx([0.3, 0.3, 1.0, 1.0, 0.0])  # by hand: 6, 7 told, 8, 9 answered
    assert batch.weight[1, :5].tolist() == [1.0, 0.0, 0.0, 0.0, 0.0]
    assert not batch.weight[:, 5:].any()
    heard = collated([Item((5, 6, 7), (8, 9), torch.zeros(1, shape.HIDDEN))], prompts=0.3)
    assert heard.weight[0, :5].tolist() == [0.0, 0.0, 1.0, 1.0, 0.0]


def test_batches_keep_the_number_of_tokens_and_lose_nobody() -> None:
    items = [Item(tuple(range(1, length)), (1,)) for length in (3, 9, 30, 31, 32, 5, 8)]
    groups = list(packed(items, 64))
    assert [item for group in groups for item in group] == items
    assert all(len(group) * max(item.length for item in group) <= 64 for group in groups)


def test_a_course_that_is_taken_up_draws_the_batches_that_it_would_have_drawn() -> None:
    items = [Item((n,) * (n % 7 + 2), (1,)) for n in range(1, 40)]
    course = Course(steps=9, rate=1e-3, tokens=40)
    whole, rest = batches_of(items, course), batches_of(items, course, skip=20)
    for _ in range(20):
        next(whole)
    for _ in range(20):
        assert next(whole).ids.tolist() == next(rest).ids.tolist()


def test_the_learning_rate_rises_to_one_and_falls_to_next_to_nothing() -> None:
    shares = [pace(step, 100) for step in range(100)]
    assert shares[0] == pytest.approx(0.25)  # four steps of warming up
    assert max(shares) == pytest.approx(1, abs=2e-3)
    assert shares[-1] < 0.01


def test_drills_have_ordinary_tokens_said_twice(processor: Any) -> None:
    tokenizer = processor.tokenizer
    for item in drills(tokenizer, 20, 0):
        assert item.prompt == item.answer
        assert not set(item.prompt) & set(tokenizer.all_special_ids)


def test_a_stopped_course_ends_where_the_whole_one_does(processor: Any, tmp_path: Path) -> None:
    items = list(drills(processor.tokenizer, 6, 0))
    ends = []
    for name, stops in (("whole", (3,)), ("stopped", (2, 3))):
        for steps in stops:
            model = make_model(processor)
            course = Course(steps=steps, rate=0.0 if steps < 3 else 1e-3, tokens=256)
            losses = teach(model, items, items[:2], course, tmp_path / f"{name}.pt")
        ends.append(losses)
    assert len(ends[0]) == 1
    assert len(ends[1]) == 2
    assert not list(tmp_path.glob("*.part"))


def test_positions_of_sounds_are_those_of_text(processor: Any) -> None:
    """Teaching counts places one by one; the oracle is the family's own rule."""
    model = make_model(processor)
    tokenizer = processor.tokenizer
    begin, sound, end = (tokenizer.convert_tokens_to_ids(t) for t in ("<|audio_bos|>", "<|AUDIO|>", "<|audio_eos|>"))
    frames = torch.tensor([100])
    ids = torch.tensor([[1, 2, begin, *[sound] * 25, end, 3, 4]])
    positions, _ = model.get_rope_index(
        ids, None, None, torch.ones_like(ids), False, torch.tensor([frames.item()]), None
    )
    assert positions[:, 0].tolist() == [list(range(ids.shape[1]))] * 3


def test_the_ways_of_showing_a_recording() -> None:
    assert (BOTH.shown.media, BOTH.shown.sentences) == (True, True)
    assert (HEARD.shown.media, HEARD.shown.sentences) == (True, False)
    assert (READ.shown.media, READ.shown.sentences) == (False, True)


def test_explanations_are_counted_by_hand() -> None:
    request, _, _ = next(iter(invent(1, 0)))
    clue = request.clues.items[0]
    example = Example(id="x", request=request, annotation=Annotation(labels=("sad",)))
    right = f'Something [{clue.id}] at {clue.start:.1f} s.\n\nEmotions: ["gloomy"]'
    wrong = 'It lies 99.9 dB above.\n\nEmotions: ["happy"]'
    answers = [Answer(right, (Emotion("gloomy"),)), Answer(wrong, (Emotion("happy"),))]
    found = summed([example, example], answers)
    assert (found.clips, found.label_right, found.in_form) == (2, 0.5, 1.0)
    assert found.numbers_copied == pytest.approx(0.5)


def test_a_prompt_is_read_as_the_chat_template_writes_it(processor: Any) -> None:
    request, _, _ = next(iter(invent(1, 0)))
    messages = messages_of(request, PROMPT)
    ids = Template(processor, processor.tokenizer).prompt(Conversation(messages), [], [0, 0])
    text = processor.tokenizer.decode(ids)
    assert text.startswith("<|im_start|>system\nTell what voice")
    assert text.endswith("<|im_end|>\n<|im_start|>assistant\n")
    assert SimpleNamespace(text=text).text.count("<|im_start|>") == 3
