"""nano's tokenizer: byte-level BPE in which a phrase of a clue, a number or the id of a clue is one token.

A prompt of clues says the same phrases over and over. Merges may cross spaces here (Liu et al. 2025, SuperBPE,
arXiv:2503.13423), so that a clue takes about ten tokens instead of thirty, and a number is carried over in one step.
What was never seen falls apart into words, letters, and in the end bytes.
"""

from collections.abc import Iterable, Iterator
from typing import Any

from shape import UNUSED, VOCABULARY

from emer.backbones.opening import transformers
from emer.backbones.tiny import QWEN_TOKENS
from emer.backbones.tiny_tokenizer import CHATML
from emer.emotions import lexicon
from emer.prompts import prompt

SEGMENTS = r'\[[avt]\d{1,2}\]|\d+(?:\.\d+)?|\n+|["“”\[\]]|[^\d\n"“”\[\]]+'
"""What no merge crosses: the id of a clue, a number, ends of lines, quotation marks, and the words between them."""
CONTROL = ("<|im_start|>", "<|im_end|>", "<|endoftext|>", *QWEN_TOKENS.values())
EACH_NUMBER = 40
"""How often numbers, ids and emotion words are told, so that each becomes a token of its own."""


def train_tokenizer(texts: Iterable[str]) -> Any:
    """The tokenizer of the family's layout (control tokens, ChatML), learned from `texts` and what stands below.

    Its last row is below `VOCABULARY - UNUSED`: the rows behind it are free for verdicts.
    """
    from tokenizers import Regex, Tokenizer, decoders, models, pre_tokenizers, trainers

    learned = Tokenizer(models.BPE())
    learned.pre_tokenizer = pre_tokenizers.Sequence(
        [
            pre_tokenizers.Split(Regex(SEGMENTS), "isolated"),
            pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False),
        ]
    )
    learned.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=VOCABULARY - UNUSED - len(CONTROL),
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        min_frequency=3,
        show_progress=False,
    )
    learned.train_from_iterator((text for source in (texts, numbers(), words(), sounds()) for text in source), trainer)
    tokenizer = transformers().PreTrainedTokenizerFast(
        tokenizer_object=learned,
        eos_token="<|im_end|>",
        pad_token="<|endoftext|>",
        extra_special_tokens=dict(QWEN_TOKENS),
        chat_template=_template(),
        model_max_length=1_000_000,
    )
    tokenizer.add_special_tokens({"additional_special_tokens": ["<|im_start|>"]}, replace_extra_special_tokens=False)
    return tokenizer


def make_processor(tokenizer: Any) -> Any:
    """The family's processor around the tokenizer, as the released models have it."""
    package = transformers()
    return package.Qwen2_5OmniProcessor(
        image_processor=package.Qwen2VLImageProcessor(patch_size=14),
        video_processor=package.Qwen2VLVideoProcessor(
            patch_size=14, cap_pixels_per_frame=False, do_sample_frames=False
        ),
        feature_extractor=package.WhisperFeatureExtractor(feature_size=128),
        tokenizer=tokenizer,
        chat_template=_template(),
    )


def _template() -> str:
    """ChatML with the family's placeholders between the tokens that open and close a medium."""
    sound = QWEN_TOKENS["audio_bos_token"] + QWEN_TOKENS["audio_token"] + QWEN_TOKENS["audio_eos_token"]
    picture = QWEN_TOKENS["vision_bos_token"] + QWEN_TOKENS["video_token"] + QWEN_TOKENS["vision_eos_token"]
    return CHATML.replace("AUDIO", sound).replace("VIDEO", picture)


def numbers() -> Iterator[str]:
    """Ids of clues, tenths below 20, shares, scores of sentiment; single digits are tokens anyway."""
    for _ in range(EACH_NUMBER):
        yield "".join(f"[{letter}{number}]" for letter in "avt" for number in range(1, 16))
        yield "\n".join(f"{tenths / 10:.1f}" for tenths in range(200))
        yield "\n".join(map(str, range(101)))
        yield "\n".join(f"{hundredths / 100:.2f}" for hundredths in range(100))


def words() -> Iterator[str]:
    """Labels as they stand in a list, and the prompts of emer."""
    for _ in range(EACH_NUMBER // 4):
        yield "\n".join(f'"{entry.label}"' for entry in lexicon("en").entries)
    for name in ("explain_brief", "explain", "annotate", "describe_audio", "describe_visual", "merge"):
        text = prompt(name, "en")
        yield f"{text.system}\n{text.user}"


def sounds() -> Iterator[str]:
    """How voices are described without numbers, for answers about what is heard alone."""
    adjectives = [
        "high",
        "low",
        "bright",
        "dark",
        "rough",
        "smooth",
        "clear",
        "breathy",
        "loud",
        "quiet",
        "fast",
        "slow",
        "lively",
        "flat",
        "wide",
        "narrow",
    ]
    degrees = ("", "rather ", "very ", "a little ")
    for first, second in zip(adjectives, reversed(adjectives), strict=True):
        for degree in degrees:
            yield f"The voice is {degree}{first} and {degree}{second}."
            yield f"The speech is {degree}{first}; the pitch and the timbre are {degree}{second}, with pauses."
