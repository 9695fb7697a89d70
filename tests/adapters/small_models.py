"""Small causal language models of random numbers, with LoRA that does something and a verdict head that was trained."""

import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch

from emer.adapters.base_hash import base_sha256
from emer.adapters.export import base_record, export_adapter
from emer.adapters.record import AdapterRecord, VerdictRecord
from emer.backbones.opening import transformers
from emer.evidence.verdict import VerdictHead, VerdictSpec

HIDDEN, VOCABULARY = 32, 96
ROWS = (90, 93, 91)
"""Not in order: the order of the rows is that of the labels."""
MOOD = VerdictSpec(label_set="mood", labels=("good", "bad", "flat"))
PROMPT = (5, 17, 2, 44, 61)
TARGETS = r"model\.layers\..*\.(q|v)_proj"
"""The encoder of sound has layers of these names too."""
SIZES = {
    "vocab_size": VOCABULARY,
    "hidden_size": HIDDEN,
    "intermediate_size": 48,
    "num_hidden_layers": 2,
    "num_attention_heads": 2,
    "num_key_value_heads": 1,
    "head_dim": 16,
    "max_position_embeddings": 128,
    "bos_token_id": 1,
    "eos_token_id": 2,
    "pad_token_id": 0,
}


def qwen2(*, tied: bool = False) -> Any:
    """A text model; tied: the embedding is the output layer."""
    config = transformers().Qwen2Config(**SIZES, tie_word_embeddings=tied)
    return _seeded(lambda: transformers().Qwen2ForCausalLM(config))


def gemma2() -> Any:
    """A text model with a soft cap so low that every logit feels it, and tied embeddings."""
    config = transformers().Gemma2Config(**SIZES, final_logit_softcapping=1.5, tie_word_embeddings=True)
    return _seeded(lambda: transformers().Gemma2ForCausalLM(config))


def omni_thinker() -> Any:
    """The part of Qwen2.5-Omni that listens, sees and writes."""
    package = transformers()
    text = {**SIZES, "rope_scaling": {"rope_type": "default", "mrope_section": [2, 3, 3]}}
    audio = {"d_model": 32, "encoder_layers": 1, "encoder_attention_heads": 2, "encoder_ffn_dim": 32}
    audio["output_dim"] = HIDDEN
    vision = {"depth": 1, "hidden_size": 32, "num_heads": 2, "intermediate_size": 32, "out_hidden_size": HIDDEN}
    names = ("audio_token_index", "image_token_index", "video_token_index", "audio_start_token_id")
    names += ("audio_end_token_id", "vision_start_token_id", "vision_end_token_id")
    ids = {name: 80 + i for i, name in enumerate(names)}
    config = package.Qwen2_5OmniThinkerConfig(audio_config=audio, vision_config=vision, text_config=text, **ids)
    return _seeded(lambda: package.Qwen2_5OmniThinkerForConditionalGeneration(config))


MAKERS = {"plain": qwen2, "tied": lambda: qwen2(tied=True), "softcap": gemma2, "omni": omni_thinker}
FAMILIES = tuple(MAKERS)


def make(family: str) -> Any:
    return MAKERS[family]()


def _seeded(maker: Callable[[], Any]) -> Any:
    torch.manual_seed(0)
    model = maker().eval()
    with torch.no_grad():  # random weights of the usual size would give logits near zero in every row
        model.get_output_embeddings().weight.normal_(std=0.5)
    return model


def head_for(model: Any, spec: VerdictSpec, hidden: int, seed: int = 1) -> VerdictHead:
    """A verdict head whose rows are of the size that training gives them."""
    softcap = getattr(model.config.get_text_config(), "final_logit_softcapping", None)
    head = VerdictHead(hidden, spec, softcap=softcap)
    torch.manual_seed(seed)
    with torch.no_grad():
        head.linear.weight.normal_(std=0.4)
    return head


def with_lora(model: Any, **options: Any) -> Any:
    """The model with LoRA that changes its states, as after training."""
    import peft

    settings = {"r": 4, "lora_alpha": 8, "target_modules": TARGETS, "lora_dropout": 0.1} | options
    torch.manual_seed(2)
    adapted = peft.get_peft_model(model, peft.LoraConfig(**settings))
    with torch.no_grad():
        for name, each in adapted.named_parameters():
            if "lora_B" in name:
                each.normal_(std=0.3)
    return adapted.eval()


@dataclass(frozen=True)
class Trained:
    """A base on disk, the model trained on it, its verdict head, and what the trainer writes down."""

    base: Path
    model: Any
    head: VerdictHead
    record: AdapterRecord


def trained(
    folder: Path, base: Any, spec: VerdictSpec = MOOD, rows: tuple[int, ...] = ROWS, hidden: int = HIDDEN, **lora: Any
) -> Trained:
    """As a training run ends: the base saved in a folder, LoRA and head in memory."""
    base.save_pretrained(folder)
    record = AdapterRecord(
        base=base_record(base, "me/tiny", base_sha256(folder)), verdict=VerdictRecord(spec=spec, rows=rows)
    )
    head = head_for(base, spec, hidden)
    return Trained(folder, with_lora(base, **lora), head, record)


def loaded(run: Trained) -> Any:
    """The base again, from its folder, without what was trained on it."""
    found = getattr(transformers(), run.record.base.model_class)
    return found.from_pretrained(run.base).eval()


def last_logits(model: Any, tokens: tuple[int, ...] = PROMPT) -> torch.Tensor:
    """Logits of all rows after a prompt, as the model itself gives them."""
    with torch.no_grad():
        logits: torch.Tensor = model(input_ids=torch.tensor([tokens])).logits[0, -1]
    return logits


# ---------------------------------------------------------------- exported, and loaded again


@dataclass(frozen=True)
class Exported:
    """A trained model, and the folder of its adapter."""

    trained: Trained
    folder: Path
    record: AdapterRecord


def exported(folder: Path, run: Trained) -> Exported:
    """The adapter of a run, as `emer train` leaves it."""
    record = export_adapter(folder, run.model, run.record, run.head, probe=("a clip of someone", PROMPT))
    return Exported(run, folder, record)


@contextmanager
def tied_embeddings() -> Iterator[None]:
    """PEFT warns of LoRA on an output layer that is the embedding; the tests show that the embedding stays as it is."""
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="Model has `tie_word_embeddings=True`")
        yield


def stock_peft(one: Exported) -> Any:
    """The adapter on a fresh base, as PEFT loads it."""
    base = loaded(one.trained)
    import peft

    with tied_embeddings():
        return peft.PeftModel.from_pretrained(base, one.folder).eval()
