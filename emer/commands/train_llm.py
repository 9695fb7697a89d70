"""`emer train` for a language model: a configuration and labelled or explained clips in, a proved adapter out.

Under `accelerate launch … -m emer.cli train …` every process runs this; the main one alone prints and writes.
"""

import json
import sys
from argparse import Namespace
from collections.abc import Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from pathlib import Path
from typing import TYPE_CHECKING

from emer.commands.progress import progress_bar
from emer.data.rows import some
from emer.runs import run_folder
from emer.training.llm.configuration import LlmConfig, read_llm_config

if TYPE_CHECKING:
    from emer.training.llm.preparing import Progress
    from emer.training.llm.running import Outcome

PLOT = "loss.png"


def run(options: Namespace) -> int:
    """Train, or with --dry-run say what would be trained on what."""
    from emer.training.llm.checkpoints import CHECKPOINTS, last_whole
    from emer.training.llm.preparing import this_process
    from emer.training.llm.running import train

    config = read_llm_config(options.config, options.changes)
    out = Path(config.out or f"runs/llm/{Path(options.config).stem}-{Path(config.data).stem}")
    process = this_process()
    if options.dry_run:
        return dry(config, process.num_processes, main=process.is_main_process)
    if process.is_main_process:
        command = f"emer train {options.config} {' '.join(options.changes)}".rstrip()
        run_folder(out, config, command, empty_may_change=True)
        if options.resume and last_whole(out / CHECKPOINTS) is None:
            print(f"emer: {out} has no whole checkpoint; training begins anew", file=sys.stderr)
    process.wait_for_everyone()
    with watching(main=process.is_main_process) as progress:
        outcome = train(config, out, resume=options.resume, progress=progress)
    if process.is_main_process:
        drawn = plot(out, outcome.course)
        print("\n".join(told(config, outcome, drawn)))
    return 0


def dry(config: LlmConfig, processes: int, *, main: bool) -> int:
    """Print what would be trained; nothing is written."""
    from emer.training.llm.dry_run import dry_run
    from emer.training.llm.preparing import joint_of, prepare

    with watching(main=main) as progress:
        prepared = prepare(config, None, progress)
        joint, _ = joint_of(config, prepared)
    if main:
        print(dry_run(config, prepared.backbone, prepared.taught, joint, processes=processes))
    return 0


def watching(*, main: bool) -> "AbstractContextManager[Progress]":
    """A bar in the main process."""
    return _drawn() if main else nullcontext(untold)


@contextmanager
def _drawn() -> "Iterator[Progress]":
    with progress_bar(1) as bar:
        yield bar.stage


def untold(stage: str, share: float) -> None:
    """Nobody watches."""


# ---------------------------------------------------------------- telling


def told(config: LlmConfig, outcome: "Outcome", drawn: bool) -> Iterator[str]:
    """What a reader needs at the end: how it went, where the adapter is, and what to do next."""
    counts = ", ".join(f"{count} {part}" for part, count in outcome.clips.items())
    yield (
        f"{counts} clips; {outcome.steps} steps; kept is the state of step {outcome.chosen_step}, the best "
        f"{config.evaluation.choose_by} on validation"
    )
    yield "validation: " + ", ".join(f"{name} {value:.3f}" for name, value in outcome.figures.items())
    if outcome.left_out:
        yield f"left out: {len(outcome.left_out)} clips ({some(outcome.left_out)}), reasons in results.json"
    if not drawn:
        yield f'no {PLOT}: matplotlib is not installed; run: pip install "emer[plots]"'
    live = "" if outcome.change is None else f", which moves the verdict's logits by up to {outcome.change:.2g}"
    yield f"adapter: {outcome.adapter} (loaded again and proved live{live})"
    yield "next:"
    if config.verdict is not None:
        yield f"  emer calibrate {outcome.adapter} model={config.base} data=CLIPS_THAT_TRAINING_HAS_NOT_SEEN.jsonl"
    yield f"  emer explain CLIP --model {config.base} --adapter {outcome.adapter}"


def plot(folder: Path, course: Sequence[Mapping[str, float]]) -> bool:
    """Losses over steps as a picture; False without matplotlib."""
    try:
        import matplotlib
    except ImportError:
        return False
    matplotlib.use("Agg")
    from matplotlib.figure import Figure

    steps = [line for line in map(json.loads, (folder / "log.jsonl").read_text().splitlines()) if "loss" in line]
    figure = Figure(figsize=(7, 4), layout="constrained")
    axes = figure.subplots()
    for name in ("text", "verdict", "fused"):
        if steps and name in steps[0]:
            axes.plot([line["step"] for line in steps], [line[name] for line in steps], label=f"{name}, training")
    for name, title in (("text_loss", "text, validation"), ("nll", "verdict's NLL, validation")):
        if shown := [(line["step"], line[name]) for line in course if name in line]:
            axes.plot(*zip(*shown, strict=True), "o--", label=title)
    axes.set_xlabel("step")
    axes.set_ylabel("nats (text: a token)")
    axes.legend()
    figure.savefig(folder / PLOT, dpi=120)
    return True
