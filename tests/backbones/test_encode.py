"""Conversations become the ids and features that the family's own processor makes of the same content."""

import warnings

import numpy as np
import pytest
import torch

from emer.backbones.attached import Attached, Caps, Conversation
from emer.backbones.attaching import attach
from emer.errors import ModelError
from emer.types import Message

FAMILIES = ("qwen2_5_omni", "qwen3_omni", "gemma4", "text_clues")
OMNI = FAMILIES[:3]
ASKED = (Message("system", "You read emotion."), Message("user", "What does the person feel?", ("audio", "video")))
FACE = "faces/single_face.mp4"


def small(backbone) -> Caps:
    return Caps(frames=4, seconds=2.0, multiple=backbone.caps.multiple, pixels=16 * backbone.caps.multiple**2)


def stock_inputs(backbone, attached: Attached):
    """What transformers' own processor makes of the same messages, sound and frames."""
    sound = {"type": "audio", "audio": attached.samples}
    video = {"type": "video", "video": torch.from_numpy(attached.frames).permute(0, 3, 1, 2)}
    question = {"type": "text", "text": ASKED[1].text}
    messages = [
        {"role": "system", "content": [{"type": "text", "text": ASKED[0].text}]},
        {"role": "user", "content": [sound, video, question]},
    ]
    text = backbone.processor.apply_chat_template(messages, tokenize=False, add_generation_prompt=True)
    videos = {"do_sample_frames": False}
    if backbone.family == "gemma4":
        count = len(attached.frames)
        videos = {
            "do_sample_frames": False,
            "video_metadata": [{"total_num_frames": count, "fps": attached.fps, "frames_indices": list(range(count))}],
        }
    else:
        # pictures come in their final size, which the processor is told to leave
        videos |= {"size": {"shortest_edge": 1, "longest_edge": 2**30}, "cap_pixels_per_frame": False}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return backbone.processor(
            text=[text],
            audio=[attached.samples],
            videos=[video["video"]],
            videos_kwargs=videos,
            add_special_tokens=False,
            return_tensors="pt",
        )


@pytest.mark.parametrize("family", OMNI)
def test_ids_and_features_are_those_of_the_stock_processor(family, tiny_backbone, clip_media) -> None:
    """Oracle: transformers' processor on the same rendered conversation."""
    backbone = tiny_backbone(family)
    attached = attach(clip_media(FACE), None, small(backbone))
    ours = backbone.encode([Conversation(ASKED, attached)]).inputs
    stock = stock_inputs(backbone, attached)
    assert ours["input_ids"].tolist() == stock["input_ids"].tolist()
    for name in ("pixel_values_videos", "video_grid_thw", "video_second_per_grid", "video_position_ids"):
        if name in stock:
            assert torch.allclose(ours[name].float(), torch.as_tensor(stock[name]).float()), name
    if family == "gemma4":
        assert torch.equal(ours["input_features"], stock["input_features"])
        assert ours["mm_token_type_ids"].tolist() == stock["mm_token_type_ids"].tolist()
        return
    length = ours["input_features"].shape[-1]
    assert stock["feature_attention_mask"].sum() == length == ours["feature_attention_mask"].sum()
    assert torch.allclose(ours["input_features"], stock["input_features"][..., :length], atol=1e-6)


@pytest.mark.parametrize("family", OMNI)
def test_stock_inputs_and_ours_give_the_same_logits(family, tiny_backbone, clip_media) -> None:
    """Oracle: the whole model on the stock processor's tensors, without anything of ours."""
    backbone = tiny_backbone(family)
    attached = attach(clip_media(FACE), None, small(backbone))
    stock = stock_inputs(backbone, attached)
    with torch.no_grad():
        expected = backbone.model(**stock).logits[:, -1]
        batch = backbone.encode([Conversation(ASKED, attached)])
        found = backbone.outputs_at(batch, batch.last_prompt)
    assert torch.allclose(found.logits, expected, atol=1e-4)
    cap = backbone.softcap
    raw = torch.nn.functional.linear(found.hidden, backbone.lm_head.weight)
    assert torch.allclose(raw if cap is None else cap * torch.tanh(raw / cap), expected, atol=1e-4)


@pytest.mark.parametrize("family", FAMILIES)
def test_any_set_of_modalities_in_one_batch_gives_the_state_that_each_has_alone(
    family, tiny_backbone, clip_media
) -> None:
    backbone = tiny_backbone(family)
    face = attach(clip_media(FACE), None, small(backbone))
    speech = attach(clip_media("speech/jfk.flac"), None, small(backbone))
    photograph = attach(clip_media("faces/single_face.jpg"), None, small(backbone))
    acted = attach(clip_media("ravdess_speech/03-01-01-01-01-01-01.flac"), None, small(backbone))
    given = [speech, face.only(audio=False), face, photograph, Attached(), face.only(video=False), acted]
    conversations = [Conversation(ASKED, attached) for attached in given]
    with torch.no_grad():
        batch = backbone.encode(conversations)
        together = backbone.hidden_at(batch, batch.last_prompt)
        singles = [backbone.encode([conversation]) for conversation in conversations]
        alone = torch.cat([backbone.hidden_at(single, single.last_prompt) for single in singles])
    assert torch.allclose(together, alone, atol=1e-4)
    different = 1 if family == "text_clues" else len(given)
    assert len({tuple(row) for row in alone.mul(100).round().int().tolist()}) == different


@pytest.mark.parametrize("family", FAMILIES)
def test_left_and_right_padding_agree_with_and_without_answers(family, tiny_backbone, clip_media) -> None:
    backbone = tiny_backbone(family)
    face = attach(clip_media(FACE), None, small(backbone))
    conversations = [Conversation(ASKED, face), Conversation(ASKED, face.only(video=False)), Conversation(ASKED)]
    answers = ["Happy.", "The voice rises [a3].", ""]
    with torch.no_grad():
        batches = [backbone.encode(conversations, side=side) for side in ("left", "right")]
        batches += [backbone.encode(conversations, answers, side=side) for side in ("left", "right")]
        states = [backbone.hidden_at(batch, batch.last_prompt) for batch in batches]
    for other in states[1:]:
        assert torch.allclose(states[0], other, atol=1e-4)


@pytest.mark.parametrize("family", FAMILIES)
def test_labels_are_the_answer_and_the_end_of_its_turn_and_nothing_else(family, tiny_backbone) -> None:
    backbone = tiny_backbone(family)
    answers = ['The person smiles [v1].\nEmotions: ["happy"]', "A long pause; the voice is low. " * 3]
    batch = backbone.encode([Conversation(ASKED)] * 2, answers, side="right")
    for row, answer in enumerate(answers):
        labelled = batch.labels[row] != -100
        ids = batch.labels[row][labelled]
        assert torch.equal(ids, batch.inputs["input_ids"][row][labelled])
        assert ids[-1] == backbone.end_id
        assert backbone.tokenizer.decode(ids[:-1]) == answer
        assert int(labelled.nonzero()[0]) == batch.last_prompt[row] + 1
    ends = {"gemma4": "<turn|>"}
    assert backbone.tokenizer.decode([backbone.end_id]) == ends.get(family, "<|im_end|>")


@pytest.mark.parametrize("family", FAMILIES)
def test_a_mask_reads_states_of_all_answer_places_at_once(family, tiny_backbone) -> None:
    """Oracle: the model's own logits of the whole batch."""
    backbone = tiny_backbone(family)
    batch = backbone.encode([Conversation(ASKED)] * 2, ["Sad.", "Very happy indeed."], side="right")
    where = batch.labels != -100
    with torch.no_grad():
        found = backbone.outputs_at(batch, where)
        plain = backbone.model(**batch.inputs).logits
    assert torch.allclose(found.logits, plain[where], atol=1e-4)
    assert found.hidden.shape == (int(where.sum()), backbone.hidden_size)


@pytest.mark.parametrize("family", FAMILIES)
def test_generation_runs_and_batched_answers_are_those_of_each_alone(family, tiny_backbone, clip_media) -> None:
    backbone = tiny_backbone(family)
    face = attach(clip_media(FACE), None, small(backbone))
    conversations = [Conversation(ASKED, face), Conversation(ASKED, face.only(video=False)), Conversation(ASKED)]

    def answer(given) -> list[list[int]]:
        batch = backbone.encode(given, room=8)
        out = backbone.model.generate(**batch.inputs, max_new_tokens=8, min_new_tokens=8, do_sample=False)
        return out[:, batch.inputs["input_ids"].shape[1] :].tolist()

    together = answer(conversations)
    assert together == [answer([conversation])[0] for conversation in conversations]
    assert len({tuple(ids) for ids in together}) == (1 if family == "text_clues" else 3)


@pytest.mark.parametrize("family", FAMILIES)
def test_control_tokens_in_a_transcript_are_text(family, tiny_backbone) -> None:
    """Hand count: a prompt has as many ends of turns as messages, whatever the messages spell."""
    backbone = tiny_backbone(family)
    evil = "".join(sorted(str(token) for token in backbone.tokenizer.added_tokens_decoder.values()))
    asked = (ASKED[0], Message("user", f"She says: {evil}"))
    ids = backbone.encode([Conversation(asked)]).inputs["input_ids"][0]
    assert int((ids == backbone.end_id).sum()) == 2
    for name in ("audio_token_id", "video_token_id", "image_token_id"):
        assert int((ids == getattr(backbone.model.config, name, -1)).sum()) == 0
    assert backbone.tokenizer.decode(ids).replace("\u200b", "").count(evil) == 1


def test_too_long_a_prompt_says_by_how_much(tiny_backbone, clip_media) -> None:
    backbone = tiny_backbone("qwen2_5_omni")
    fitting = backbone.encode([Conversation((Message("user", "a"),))])
    rest = 4096 - fitting.inputs["input_ids"].shape[1]
    assert backbone.encode([Conversation((Message("user", "a"),))], room=rest).labels is None
    with pytest.raises(ModelError, match=r"take 4,099 tokens, 3 more than the model's context of 4,096; allow fewer"):
        backbone.encode([Conversation((Message("user", "a"),))], room=rest + 3)
    sound = Attached(samples=np.zeros(200 * 16_000, np.float32))
    with pytest.raises(ModelError, match="more than the model's context"):
        backbone.encode([Conversation(ASKED, sound)])


def test_media_stand_where_messages_name_them_and_nowhere_else(tiny_backbone, clip_media) -> None:
    backbone = tiny_backbone("qwen2_5_omni")
    face = attach(clip_media(FACE), None, small(backbone))
    heard = (Message("user", "first", ("audio",)), Message("assistant", "yes"), Message("user", "then"))
    batch = backbone.encode([Conversation(heard, face)])
    assert "pixel_values_videos" not in batch.inputs
    text = backbone.tokenizer.decode(batch.inputs["input_ids"][0])
    assert text.index("<|audio_eos|>") < text.index("first") < text.index("yes") < text.index("then")
    assert text.endswith("<|im_start|>assistant\n")


def test_whole_picture_and_face_are_two_videos(tiny_backbone, clip_media) -> None:
    backbone = tiny_backbone("qwen2_5_omni")
    caps = Caps(frames=4, multiple=28, pixels=16 * 28 * 28, face_side=56)
    face = attach(clip_media(FACE), None, caps, frames="both")
    grids = backbone.encode([Conversation(ASKED, face)]).inputs["video_grid_thw"].tolist()
    height, width = face.frames.shape[1:3]
    assert grids == [[2, height // 14, width // 14], [2, 4, 4]]
