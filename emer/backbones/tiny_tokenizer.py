"""A byte-level BPE tokenizer trained in place on sentences made here, and chat templates in the families' formats."""

from collections.abc import Iterator, Mapping
from itertools import product
from typing import Any

from emer.backbones.opening import transformers

LEARNED = 384
"""Tokens that are learned: 256 bytes and the commonest pairs."""
VOCABULARY = 640
"""Rows of the tiny models' vocabularies; those behind the last token stay unused."""

CHATML = (
    "{% for message in messages %}<|im_start|>{{ message['role'] }}\n"
    "{% if message['content'] is string %}{{ message['content'] }}{% else %}"
    "{% for part in message['content'] %}"
    "{% if part['type'] == 'audio' %}AUDIO{% elif part['type'] == 'video' %}VIDEO"
    "{% else %}{{ part['text'] }}{% endif %}"
    "{% endfor %}{% endif %}<|im_end|>\n{% endfor %}"
    "{% if add_generation_prompt %}<|im_start|>assistant\n{% endif %}"
)
"""ChatML, the format of the Qwen families; AUDIO and VIDEO are put in place by the recipe."""

GEMMA_TURNS = (
    "<bos>{% for message in messages %}<|turn>"
    "{{ 'model' if message['role'] == 'assistant' else message['role'] }}\n"
    "{% if message['content'] is string %}{{ message['content'] }}{% else %}"
    "{% for part in message['content'] %}"
    "{% if part['type'] == 'audio' %}<|audio|>{% elif part['type'] == 'video' %}\n\n<|video|>\n\n"
    "{% else %}{{ part['text'] }}{% endif %}"
    "{% endfor %}{% endif %}<turn|>\n{% endfor %}"
    "{% if add_generation_prompt %}<|turn>model\n{% endif %}"
)


def train_tokenizer(
    named: Mapping[str, str], template: str, *, end: str, bos: str | None = None, unused: int = 0
) -> Any:
    """A tokenizer with the family's control tokens as attributes, and `unused` tokens kept free."""
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers

    learned = Tokenizer(models.BPE())
    learned.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    learned.decoder = decoders.ByteLevel()
    alphabet = pre_tokenizers.ByteLevel.alphabet()
    trainer = trainers.BpeTrainer(vocab_size=LEARNED, initial_alphabet=alphabet, show_progress=False)
    learned.train_from_iterator(sentences(), trainer)
    others = ["<|im_start|>"] if "im_end" in end else ["<|turn>", "<|video|>"]
    tokenizer = transformers().PreTrainedTokenizerFast(
        tokenizer_object=learned,
        eos_token=end,
        pad_token="<|endoftext|>",
        bos_token=bos,
        extra_special_tokens=dict(named),
        chat_template=template,
        model_max_length=1_000_000,
    )
    tokenizer.add_special_tokens({"additional_special_tokens": others}, replace_extra_special_tokens=False)
    tokenizer.add_tokens([f"<unused{i}>" for i in range(unused)], special_tokens=True)
    return tokenizer


def sentences() -> Iterator[str]:
    """What explanations and their labels are made of."""
    emotions = ("neutral", "calm", "happy", "sad", "angry", "fearful", "disgust", "surprised")
    measures = ("the voice is 4.1 semitones above", "a pause of 0.8 s after", "the lip corners go up at", "words of")
    when = ("this clip's median", "2.4 s", "the beginning", "speech")
    for measure, time, emotion in product(measures, when, emotions):
        yield f'{measure.capitalize()} {time} [a3], so the person may feel {emotion}.\nEmotions: ["{emotion}"]'
