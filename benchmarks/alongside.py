"""Does training alongside pay? One model, taught to write alone and with its verdict trained alongside, and every way
of being sure that either offers: label tokens, a post-hoc head, the joint head, self-consistency, stated numbers.

    python benchmarks/alongside.py                                  # nano: about an hour on two cores
    python benchmarks/alongside.py most=4 seeds=[0] out=runs/try    # a rehearsal
    python benchmarks/alongside.py base=some/model config=configs/qwen2.5-omni-7b_lora.yaml jobs=1 out=runs/large \\
        'changes=[verdict.label_set=emer8,verdict.kind=dirichlet,verdict.prior_weight=0.8]'

RAVDESS and EmoDB voices: actors 1 to 12 and the EmoDB training speakers teach, validation speakers choose epochs,
actors 15 and 16 give temperatures and thresholds, actors 17 to 20 are tested and choose nothing. A run that was
stopped goes on: every piece (method, seed, condition) is a file. Needs real clips (EMER_TEST_DATA) and emer-weights.
The report, its plot and results.json are kept in benchmarks/alongside/.
"""

import os
import shutil
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from alongside_plan import CONDITIONS, SYSTEMS, Answered, Heads, Losses, Plan, ReadOff, Rows, System, once
from alongside_says import Asked, parts

from emer.config import build, overridden
from emer.data.rows import Part
from emer.emotions import cluster_of
from emer.errors import EmerError
from emer.jsonio import loads
from emer.runs import run_folder
from emer.training.llm.example import Example

if TYPE_CHECKING:
    from alongside_asking import Model

HERE = Path(__file__).parent
KEPT = HERE / "alongside"
TOLD = "all_told"
"""The condition in which the loss of reference explanations is taken: everything is shown."""


def main() -> None:
    """A worker for one system and seed, or the whole run."""
    worker = sys.argv[1] == "--worker" if len(sys.argv) > 1 else False
    changes = sys.argv[4:] if worker else sys.argv[1:]
    try:
        plan = build(Plan, overridden({}, changes), "the command")
        if worker:
            work(plan, "sft" if sys.argv[2] == "sft" else "joint", int(sys.argv[3]))
        else:
            whole(plan, changes)
    except EmerError as error:
        raise SystemExit(f"alongside: {error}") from error
    except subprocess.CalledProcessError as error:
        raise SystemExit(
            f"alongside: stopped, for the reason above; the same command goes on from there ({error})"
        ) from None


def whole(plan: Plan, changes: Sequence[str]) -> None:
    """Teach, train and ask in processes of their own, then tell."""
    from alongside_report import report
    from alongside_results import Pieces
    from alongside_training import frozen_heads, refuse_other_base, teach

    data = Path(os.environ.get("EMER_TEST_DATA", HERE.parent.parent / "shared" / "data"))
    command = " ".join(["python benchmarks/alongside.py", *changes])
    run_folder(plan.folder, plan, command, may_change=("jobs", "batch_size", "out"), empty_may_change=True)
    _ = plan.spec
    refuse_other_base(plan)
    teach(plan, data)
    clips = asked_clips(plan)
    once(plan.folder / "pieces" / "heads.json", Heads, lambda: frozen_heads(clips))
    groups = [(system, seed) for seed in plan.seeds for system in SYSTEMS]
    with ThreadPoolExecutor(plan.jobs) as pool:
        list(pool.map(lambda group: start(group[0], group[1], changes), groups))
    report(Pieces(plan, asked_of(clips)), plan.folder, command)
    if plan.is_whole:
        KEPT.mkdir(exist_ok=True)
        for name in ("report.md", "results.json", "risk.png"):
            shutil.copy(plan.folder / name, KEPT / name)
    print((plan.folder / "summary.md").read_text())


def start(system: System, seed: int, changes: Sequence[str]) -> None:
    """A worker with one thread, so that as many as there are processors do not wait for each other."""
    command = [sys.executable, __file__, "--worker", system, str(seed), *changes]
    subprocess.run(command, check=True, stdout=sys.stderr, env={**os.environ, "OMP_NUM_THREADS": "1"})


def asked_clips(plan: Plan) -> tuple[Example, ...]:
    """The clips of calibration and test actors."""
    from alongside_training import examples

    found = examples(plan.llm("joint", plan.seeds[0]), ("calibration", "test"))
    return (*found["calibration"], *found["test"])


def asked_of(clips: Sequence[Example]) -> Asked:
    """Who they are, and their label: that of people, whichever word of its cluster the composer took for it."""
    gold = (cluster_of(clip.annotation.labels[0]) or "" for clip in clips)
    return Asked(tuple(clip.id for clip in clips), tuple(str(clip.speaker) for clip in clips), tuple(gold))


# ---------------------------------------------------------------- one system, one seed


def work(plan: Plan, system: System, seed: int) -> None:
    """Train it and ask it; pieces that are there are not made again."""
    from alongside_training import train

    took = train(plan, system, seed)
    if took is not None:
        print(f"{system}-seed{seed} training: {took:.0f} s", file=sys.stderr, flush=True)
    ask(plan, system, seed)


def ask(plan: Plan, system: System, seed: int) -> None:
    """All conditions."""
    import torch
    from alongside_asking import Model, answered, requests_of, text_losses

    torch.set_num_threads(1)
    model, clips = Model(plan, system, seed), asked_clips(plan)
    tested = [clip for clip in clips if str(clip.speaker) in parts()[1]]
    once(plan.piece(system, seed, "losses"), Losses, text_losses, model, tested, CONDITIONS[TOLD])
    for name in plan.conditions:
        requests = requests_of(clips, CONDITIONS[name], model.config)
        engine = model.asked_how_sure() if system == "sft" and name in plan.sampled else model.engine
        once(plan.piece(system, seed, name), Answered, answered, engine, clips, requests)
    if system == "sft":
        ask_frozen(plan, model, clips, seed)


def ask_frozen(plan: Plan, model: "Model", clips: Sequence[Example], seed: int) -> None:
    """What the model that learned to write alone tells besides: its logits, a head on its states, more answers."""
    import torch
    from alongside_asking import answered, label_tokens, read_off, requests_of
    from alongside_training import examples

    taught = examples(plan.llm("joint", seed), ("train", "validation"))
    head = once(plan.piece("sft", seed, "posthoc"), Rows, posthoc_head, plan, model, taught, seed)
    rows, tokens = torch.tensor(head.rows), label_tokens(model.backbone, taught["train"])
    for name in plan.conditions:
        requests = requests_of(clips, CONDITIONS[name], model.config)
        said = loads(plan.piece("sft", seed, name).read_bytes(), Answered)
        once(plan.piece("sft", seed, f"{name}-read"), ReadOff, read_off, model, requests, said, tokens, rows)
        for draw in range(1, plan.samples + 1) if name in plan.sampled else ():
            sampler = model.sampler(seed=1000 * seed + draw)
            once(plan.piece("sft", seed, f"{name}-sample{draw}"), Answered, answered, sampler, clips, requests)


def posthoc_head(plan: Plan, model: "Model", taught: Mapping[Part, Sequence[Example]], seed: int) -> Rows:
    """The head on frozen states of the training clips, shown as the joint training shows them."""
    from alongside_asking import states_of
    from alongside_training import posthoc_rows

    began = time.perf_counter()
    states = states_of(model, taught["train"], range(plan.draws))
    made = posthoc_rows(plan, states, states_of(model, taught["validation"], ()), taught, seed)
    return replace(made, seconds=time.perf_counter() - began)


if __name__ == "__main__":
    main()
