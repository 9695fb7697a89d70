"""A 7B-shaped random Qwen2.5-Omni on one GPU: training with LoRA and the verdict, and writing, in tokens a second.

    python benchmarks/gpu_llm.py         # ten minutes on one GPU with 40 GB; writes benchmarks/results/gpu_llm.json

Without a GPU it says so, and nothing else. Rows are 10 seconds of noise and text, with an answer; weights are random,
in bfloat16, the verdict's head in float32. Model FLOPs of a step with frozen weights: 4 for each multiplied weight and
token (2 forward, 2 for the gradient of the states; frozen weights need none of their own), and those of attention
(Chowdhery et al. 2022, PaLM, appendix B). The audio tower and what checkpointing computes again do not count.
"""

import json
import statistics
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
import torch
from llm_training import median_interval
from random_omni import SEVEN_B, Shape, multiplied, random_omni

import emer
from emer.backbones.attached import Attached, Conversation
from emer.backbones.backbone import Backbone, Batch
from emer.emotions import label_set
from emer.engines.generation import Writing, write
from emer.engines.reading_answers import whole_answer
from emer.training.llm.configuration import LlmConfig, LoraSettings, Schedule, VerdictSettings
from emer.training.llm.example import JointBatch
from emer.training.llm.joint_model import JointModel, make_joint_model
from emer.types import SAMPLE_RATE, Message

RESULTS = Path(__file__).parent / "results"
NOT_MEASURED = "Not measured on a GPU: none was at hand."
PEAK_FLOPS = {"H200": 989e12, "H100": 989e12, "A100": 312e12, "L40S": 362e12, "B200": 2250e12}
"""bfloat16, dense, by the makers' data sheets (SXM where there are several); for others MFU is not told."""
ROWS, SECONDS, WORDS = 4, 10.0, 60
"""Rows of a training batch, seconds of sound of each, repetitions of the sentence in each prompt."""
PAIRS, WARM = 10, 3
BATCHES = (1, 2, 4, 8, 16, 32)
NEW_TOKENS = 128
ANSWER = whole_answer("The voice is low and slow [a1], and the pauses are long [a2]. " * 4, ["sad"])


@dataclass(frozen=True, slots=True)
class Training:
    """A step of joint training."""

    step_s: float
    tokens_per_s: float
    mfu: float | None
    """Share of the device's peak; None where the peak is not known."""
    peak_gb: float | None
    head: tuple[float, float, float]
    """Step time with the head over that without it: median and its interval."""
    head_gb: float | None
    """What the head adds to the peak."""


@dataclass(frozen=True, slots=True)
class Written:
    """Writing at one batch size."""

    batch: int
    tokens_per_s: float
    peak_gb: float | None


def main() -> None:
    """Measure and tell, or say that nothing can be measured."""
    if not torch.cuda.is_available():
        print(NOT_MEASURED)
        return
    device = torch.device("cuda")
    name = torch.cuda.get_device_name(device)
    trained, written = measured(SEVEN_B, device, torch.bfloat16)
    result = {
        "command": "python benchmarks/gpu_llm.py",
        "emer": emer.__version__,
        "torch": torch.__version__,
        "device": name,
        "training": asdict(trained),
        "writing": [asdict(each) for each in written],
    }
    RESULTS.mkdir(exist_ok=True)
    (RESULTS / "gpu_llm.json").write_text(json.dumps(result, indent=2) + "\n")
    print("\n".join(told(name, trained, written)))


def measured(
    shape: Shape,
    device: torch.device,
    dtype: torch.dtype,
    *,
    pairs: int = PAIRS,
    batches: Sequence[int] = BATCHES,
    new_tokens: int = NEW_TOKENS,
) -> tuple[Training, list[Written]]:
    """Training first, then writing with the same model and its LoRA."""
    backbone = random_omni(shape, device=device, dtype=dtype)
    joint = make_joint_model(config(), backbone)
    trained = training(joint, shape, pairs)
    joint.eval()
    backbone.model.gradient_checkpointing_disable()
    rows = backbone.verdict_rows(8)
    return trained, [writing(backbone, size, rows, new_tokens) for size in batches]


def config() -> LlmConfig:
    """What `emer train` does at 7B, with emer8 for labels."""
    verdict = VerdictSettings(label_set="emer8", kind="dirichlet")
    return LlmConfig(verdict=verdict, lora=LoraSettings(rank=16, alpha=32), schedule=Schedule(checkpointing=True))


def conversations(count: int) -> list[Conversation]:
    """Noise and the same sentence many times; the same for the same count."""
    rng = np.random.default_rng(0)
    asked = Message("user", "The voice is 3.1 semitones above the median. " * WORDS, ("audio",))
    samples = rng.normal(0, 0.1, (count, round(SECONDS * SAMPLE_RATE))).astype(np.float32)
    return [Conversation((asked,), Attached(samples=each)) for each in samples]


# ---------------------------------------------------------------- training


def training(joint: JointModel, shape: Shape, pairs: int) -> Training:
    """Steps with the head and without it in turn, on one batch and with the same LoRA."""
    backbone = joint.backbone
    batch = joint_batch(backbone.encode(conversations(ROWS), [ANSWER] * ROWS, side="right"))
    batch = batch.to(backbone.device, backbone.dtype)
    alone = JointModel(backbone, None)
    optimizer = torch.optim.AdamW([p for p in joint.parameters() if p.requires_grad], lr=1e-4)
    joint.train()

    def step(model: JointModel) -> Callable[[], None]:
        def act() -> None:
            torch.autograd.backward(model(batch).loss)
            optimizer.step()
            optimizer.zero_grad()

        return act

    for _ in range(WARM):
        step(joint)()
    took = [(timed(step(joint), backbone.device), timed(step(alone), backbone.device)) for _ in range(pairs)]
    median, low, high, _ = median_interval([ours.seconds / theirs.seconds for ours, theirs in took])
    seconds = statistics.median(ours.seconds for ours, _ in took)
    lengths = batch.batch.inputs["attention_mask"].sum(dim=1).tolist()
    assert batch.batch.labels is not None
    flops = model_flops(shape, lengths, int((batch.batch.labels >= 0).sum()))
    peaks = [max((each.peak_gb or 0.0) for each in side) for side in zip(*took, strict=True)]
    known = took[0][0].peak_gb is not None
    return Training(
        step_s=seconds,
        tokens_per_s=sum(lengths) / seconds,
        mfu=None if (peak := peak_flops(backbone.device)) is None else flops / seconds / peak,
        peak_gb=peaks[0] if known else None,
        head=(median, low, high),
        head_gb=peaks[0] - peaks[1] if known else None,
    )


def joint_batch(batch: Batch) -> JointBatch:
    """Every row teaches the text and the first label."""
    count = len(batch.last_prompt)
    target = torch.zeros(count, len(label_set("emer8")))
    target[:, 0] = 1
    return JointBatch(batch=batch, target=target, known=torch.ones(count, dtype=torch.bool))


def model_flops(shape: Shape, lengths: Sequence[int], answered: int) -> float:
    """FLOPs of forward and backward of one step with frozen weights; `answered` tokens reach the output layer.

    Attention: queries by keys and weights by values are 4 s d FLOPs a token and layer over s tokens, half of them
    behind the causal mask, and twice as many backward (both of their factors have gradients).

    >>> one = Shape(hidden=2, inner=3, layers=1, heads=1, key_value_heads=1, vocabulary=5, ear=1, ear_inner=1,
    ...             ear_layers=1, ear_heads=1, mrope=(0, 0, 0))
    >>> model_flops(one, [10], 4)  # 34 weights × 4 × 10, 10 weights × 4 × 4, and 3 × 2 × 10 × 2 × 10
    2720.0
    """
    layers, output = multiplied(shape)
    attention = sum(3 * 2 * length * length * shape.hidden * shape.layers for length in lengths)
    return float(4 * layers * sum(lengths) + 4 * output * answered + attention)


def peak_flops(device: torch.device) -> float | None:
    """Of the device, where its name is known."""
    name = torch.cuda.get_device_name(device) if device.type == "cuda" else ""
    return next((peak for part, peak in PEAK_FLOPS.items() if part in name), None)


# ---------------------------------------------------------------- writing


def writing(backbone: Backbone, size: int, rows: Sequence[int], new_tokens: int) -> Written:
    """New tokens a second of all texts of a batch together, the pass over the prompts included."""
    batch = backbone.encode(conversations(size), room=new_tokens).to(backbone.device, backbone.dtype)
    counts: list[int] = []

    def act() -> None:
        found = write(
            backbone.model,
            backbone.tokenizer,
            backbone.lm_head,
            batch.inputs,
            rows=rows,
            writing=Writing(max_new_tokens=new_tokens),
        )
        counts.append(sum(each.new_tokens for each in found))

    act()
    took = timed(act, backbone.device)
    return Written(size, counts[-1] / took.seconds, took.peak_gb)


# ---------------------------------------------------------------- clocks


@dataclass(frozen=True, slots=True)
class Took:
    """One measurement."""

    seconds: float
    peak_gb: float | None
    """Of the device's memory; None on a processor."""


def timed(act: Callable[[], None], device: torch.device) -> Took:
    """Seconds until the device is done, and the most memory that was taken meanwhile."""
    on_gpu = device.type == "cuda"
    if on_gpu:
        torch.cuda.synchronize(device)
        torch.cuda.reset_peak_memory_stats(device)
    began = time.perf_counter()
    act()
    if on_gpu:
        torch.cuda.synchronize(device)
    seconds = time.perf_counter() - began
    return Took(seconds, torch.cuda.max_memory_allocated(device) / 1e9 if on_gpu else None)


def told(name: str, trained: Training, written: Sequence[Written]) -> Iterator[str]:
    """The tables."""
    ratio, low, high = trained.head
    mfu = "not known" if trained.mfu is None else f"{trained.mfu:.0%}"
    yield f"On one {name}, bfloat16, LoRA of rank 16, gradient checkpointing, {ROWS} rows a step."
    yield ""
    yield "| training | |"
    yield "|---|---:|"
    yield f"| tokens a second | {trained.tokens_per_s:,.0f} |"
    yield f"| MFU | {mfu} |"
    yield f"| peak memory | {_gigabytes(trained.peak_gb)} |"
    yield f"| step with the head over without | {ratio:.3f} [{low:.3f}, {high:.3f}] |"
    yield f"| memory of the head | {_gigabytes(trained.head_gb, 3)} |"
    yield ""
    yield f"| writing {NEW_TOKENS} tokens, batch | tokens a second | peak memory |"
    yield "|---|---:|---:|"
    for each in written:
        yield f"| {each.batch} | {each.tokens_per_s:,.0f} | {_gigabytes(each.peak_gb)} |"


def _gigabytes(value: float | None, digits: int = 1) -> str:
    return "not known" if value is None else f"{value:.{digits}f} GB"


if __name__ == "__main__":
    main()
