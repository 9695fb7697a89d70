"""Speed and memory of open-vocabulary scores, and emer's own tables beside the released ones.

    python benchmarks/score.py speed        # two minutes; writes benchmarks/results/score.json
    python benchmarks/score.py tables       # seconds; writes benchmarks/results/score_tables.json

Speed: clips with up to eight gold and eight predicted labels, drawn with a seed from the forms of the 2025 tables, five
wheels at ring 1. The baseline scores the same clips with dictionaries and sets in plain Python, as defined.
It is not the released scorer, whose 0.9 s for 10,000 clips and 3 to 7 s of start-up the limits were set by. Scoring and
resampling are told in seconds of processor time, commands also in those of the clock, which a busy machine lengthens.

Tables: the released answers of four systems under three tables. Nothing in emer's tables was fitted to them.
"""

import json
import os
import platform
import random
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path

import emer
from emer.emotions.parsing import published
from emer.emotions.wheel_files import load_wheels
from emer.emotions.wheels import WheelTables
from emer.metrics.bootstrap import interval_of_means
from emer.metrics.open_vocabulary import words_of
from emer.metrics.wheel_scores import WheelScores, wheel_scores

ROOT = Path(__file__).parents[1]
RESULTS = ROOT / "benchmarks" / "results"
CLIPS = 10_000
MANY = 1_000_000
VOCABULARY = 3000
"""Different words in all answers: the released runs have 900 to 2,000."""
LIMITS = {"scoring": 0.1, "interval": 2.0, "command": 0.5, "many_s": 15.0, "many_gb": 1.5}
CONSTANT = ("angry", "sad", "happy")

Labels = list[list[str]]


def main() -> None:
    """One of the two measurements."""
    told = sys.argv[1] if len(sys.argv) > 1 else ""
    if told not in ("speed", "tables"):
        raise SystemExit("say `speed` or `tables`")
    folder = Path(os.environ.get("EMER_TEST_DATA", ROOT.parent / "shared" / "data"))
    if not (folder / "wheels").is_dir():
        raise SystemExit(
            "this benchmark needs the released tables: set EMER_TEST_DATA to the folder that holds wheels/"
        )
    measured, shown, name = (*speed(folder), "score") if told == "speed" else (*tables(folder), "score_tables")
    result = {
        "command": f"python benchmarks/score.py {told}",
        "emer": emer.__version__,
        "machine": f"{platform.machine()}, {len(os.sched_getaffinity(0))} cores, Python {platform.python_version()}",
        **measured,
    }
    RESULTS.mkdir(exist_ok=True)
    (RESULTS / f"{name}.json").write_text(json.dumps(result, indent=2) + "\n")
    print(shown)


# ---------------------------------------------------------------- speed


def speed(folder: Path) -> tuple[dict[str, object], str]:
    """The figures, and the table that shows them."""
    released = folder / "wheels" / "2025"
    gold, predicted = clips(load_wheels(released), CLIPS)
    fresh = [load_wheels(released) for _ in range(3)]  # none has been asked for a word yet
    scoring = min(cpu_of(lambda tables=tables: scored(gold, predicted, tables)) for tables in fresh)
    plain = min(cpu_of(lambda tables=tables: by_sets(gold, predicted, tables)) for tables in fresh)
    columns = scored(gold, predicted, fresh[0]).columns
    interval = min(cpu_of(lambda: interval_of_means(columns, WheelScores.f1_of_means)) for _ in range(3))
    found = {
        "scoring_cpu_s": scoring,
        "baseline_cpu_s": plain,
        "interval_cpu_s": interval,
        "interval_baseline_cpu_s": 1000 * plain,
        **commands(released),
    }
    rows = [
        row("10,000 clips × 5 wheels, scoring alone", scoring, plain, LIMITS["scoring"]),
        row("1,000 resamples of 10,000 clips", interval, 1000 * plain, LIMITS["interval"]),
        row("`emer score`, 10,000 clips, cold process", found["command_wall_s"], None, LIMITS["command"]),
        row("the same, processor time", found["command_cpu_s"], None, LIMITS["command"]),
        row("the same, tables never compiled before", found["first_command_wall_s"], None, None),
        row("`emer score`, a million clips", found["many_wall_s"], None, LIMITS["many_s"]),
        row("the same, processor time", found["many_cpu_s"], None, LIMITS["many_s"]),
    ]
    memory = verdict(found["many_gb"], LIMITS["many_gb"])
    head = ["| | seconds | dictionaries and sets | ratio | limit | |", "|---|---:|---:|---:|---:|---|"]
    last = f"A million clips take {found['many_gb']:.2f} GB at most; the limit of {LIMITS['many_gb']} GB is {memory}."
    return dict(found), "\n".join([*head, *rows, "", last])


def clips(tables: WheelTables, count: int) -> tuple[Labels, Labels]:
    """Gold and predicted labels; the same for the same tables and count."""
    rng = random.Random(0)
    words = rng.sample(sorted(tables.forms), VOCABULARY)
    gold, predicted = ([rng.choices(words, k=rng.randint(0, 8)) for _ in range(count)] for _ in range(2))
    return gold, predicted


def scored(gold: Labels, predicted: Labels, tables: WheelTables) -> WheelScores:
    words, (truth, said) = words_of(gold, predicted)
    return wheel_scores(truth, said, words, tables)


def by_sets(gold: Labels, predicted: Labels, tables: WheelTables) -> list[tuple[float, float]]:
    """Precision and recall of each wheel, as the definition reads."""
    return [_one_wheel(gold, predicted, tables, wheel.rings[0]) for wheel in tables.wheels]


def _one_wheel(gold: Labels, predicted: Labels, tables: WheelTables, ring: object) -> tuple[float, float]:
    def cluster(word: str) -> str:
        roots = {root for form in tables.forms.get(word, ()) for root in tables.synonyms.get(form, ())}
        return next((ring[root] for root in sorted(roots) if root in ring), "")  # type: ignore[index,operator]

    precision, recall = [], []
    for truth, said in zip(gold, predicted, strict=True):
        g = {cluster(word) for word in truth} - {""}
        p = {cluster(word) for word in said} - {""}
        if g:
            precision.append(len(g & p) / len(p) if p else 0.0)
            recall.append(len(g & p) / len(g))
    return sum(precision) / len(precision), sum(recall) / len(recall)


def cpu_of(act: Callable[[], object]) -> float:
    """Seconds of processor time."""
    start = time.process_time()
    act()
    return time.process_time() - start


def commands(released: Path) -> dict[str, float]:
    """The whole command in processes of their own."""
    tables = load_wheels(released)
    with tempfile.TemporaryDirectory() as place:
        few = files(Path(place), tables, CLIPS)
        cold = {**os.environ, "EMER_CACHE": str(Path(place) / "cache"), "OMP_NUM_THREADS": "1"}
        first_wall, _, _ = run(few, released, cold)
        again = [run(few, released, cold) for _ in range(5)]
        many_wall, many_cpu, many_gb = run(files(Path(place), tables, MANY), released, cold)
    return {
        "first_command_wall_s": first_wall,
        "command_wall_s": min(wall for wall, _, _ in again),
        "command_cpu_s": min(cpu for _, cpu, _ in again),
        "many_wall_s": many_wall,
        "many_cpu_s": many_cpu,
        "many_gb": many_gb,
    }


def files(place: Path, tables: WheelTables, count: int) -> tuple[Path, Path]:
    """Predictions and gold as csv."""
    gold, predicted = clips(tables, count)
    paths = place / f"predicted{count}.csv", place / f"gold{count}.csv"
    for path, column, labels in zip(paths, ("openset", "label"), (predicted, gold), strict=True):
        with path.open("w", encoding="utf-8") as file:
            file.write(f"name,{column}\n")
            file.writelines(f'clip{i},"[{", ".join(some)}]"\n' for i, some in enumerate(labels))
    return paths


def run(paths: tuple[Path, Path], released: Path, environment: dict[str, str]) -> tuple[float, float, float]:
    """Wall seconds, processor seconds and peak gigabytes of one `emer score`."""
    command = [str(Path(sys.executable).with_name("emer")), "score", *map(str, paths), "--metric", "wheel_f1"]
    start = time.perf_counter()
    null = os.open(os.devnull, os.O_WRONLY)
    child = os.posix_spawn(
        command[0],
        [*command, "--wheels", str(released), "--json"],
        environment,
        file_actions=[(os.POSIX_SPAWN_DUP2, null, 1)],
    )
    _, status, used = os.wait4(child, 0)
    os.close(null)
    if status:
        raise SystemExit(f"{' '.join(command)} ended with status {status}")
    return time.perf_counter() - start, used.ru_utime + used.ru_stime, used.ru_maxrss / 1e6


def row(what: str, seconds: float, baseline: float | None, limit: float | None) -> str:
    theirs = " | " if baseline is None else f"{baseline:.3g} | {baseline / seconds:.0f}"
    kept = " | " if limit is None else f"{limit:g} | {verdict(seconds, limit)}"
    return f"| {what} | {seconds:.3f} | {theirs} | {kept} |"


def verdict(found: float, limit: float) -> str:
    return "kept" if found <= limit else "missed"


# ---------------------------------------------------------------- tables side by side


RUNS = {
    "OV-MERD+ ep50": ("ovmerdplus.gold", "ovmerdplus.ep50.pred"),
    "OV-MERD+ ep35": ("ovmerdplus.gold", "ovmerdplus.ep35.pred"),
    "OV-MERD Chat-UniVi": ("ovmerd.gold", "ovmerd.Chat-UniVi.nosubtitle-addsub.pred"),
    "OV-MERD Qwen-Audio": ("ovmerd.gold", "ovmerd.Qwen-Audio.nosubtitle-addsub.pred"),
}


def tables(folder: Path) -> tuple[dict[str, object], str]:
    """F, its floor and unknown words of each run under each table."""
    known = [load_wheels(), *(load_wheels(folder / "wheels" / year) for year in ("2025", "2026"))]
    rows = [judged(folder / "parity", name, of) for name in RUNS for of in known]
    lines = ["| answers | tables | F | always [angry, sad, happy] | between | words unknown: said, gold |"]
    lines.append("|---|---|---:|---:|---:|---:|")
    for r in rows:
        gap = 100 * (r["f1"] - r["floor"])
        lines.append(
            f"| {r['answers']} | {r['tables']} | {100 * r['f1']:.2f} | {100 * r['floor']:.2f} | {gap:.2f} "
            f"| {100 * r['unknown']:.1f} %, {100 * r['unknown_gold']:.1f} % |"
        )
    return {"rows": rows}, "\n".join(lines)


def judged(folder: Path, name: str, of: WheelTables) -> dict[str, object]:
    gold, predicted = columns(folder, *RUNS[name])
    return {
        "answers": name,
        "tables": of.name,
        "f1": scored(gold, predicted, of).f1,
        "floor": scored(gold, [list(CONSTANT)] * len(gold), of).f1,
        "unknown": strangers(predicted, of),
        "unknown_gold": strangers(gold, of),
    }


def columns(folder: Path, gold: str, predicted: str) -> tuple[Labels, Labels]:
    import csv

    def column(file: str) -> dict[str, list[str]]:
        with (folder / f"{file}.csv").open(newline="", encoding="utf-8") as lines:
            return {name: published(cell) for name, cell in list(csv.reader(lines))[1:]}

    truth, said = column(gold), column(predicted)
    return list(truth.values()), [said[name] for name in truth]


def strangers(column: Sequence[Sequence[str]], of: WheelTables) -> float:
    """Share of words that stand on no wheel."""
    words = [word for labels in column for word in labels]
    return sum(not of.knows(word) for word in words) / len(words)


if __name__ == "__main__":
    main()
