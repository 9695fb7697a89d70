"""`emer bench evidence`: train what is missing, score everything, write the report."""

import json
from argparse import Namespace
from collections.abc import Sequence
from dataclasses import asdict, replace
from pathlib import Path

from emer.bench import training
from emer.bench.configuration import BenchConfig, read_bench
from emer.bench.environment import environment
from emer.bench.evidence import Result, as_json, result
from emer.bench.evidence_report import markdown, page
from emer.bench.training import Piece, pieces
from emer.commands.progress import Bar, progress_bar
from emer.files import write_text
from emer.jsonio import dumps
from emer.runs import run_folder
from emer.training.sources import table_named

MAY_CHANGE = ("seeds", "workers", "replicates", "methods", "data", "data_folder", "out")
"""What a folder may be taken up again with: more of the same, never something else under the same name."""
TITLE = "Evidence: methods side by side"


def run(options: Namespace) -> int:
    """Exit code 1 when some pieces failed; what did not fail is reported."""
    config, methods = read_bench(options.config, options.changes)
    command = f"emer bench evidence {options.config} {' '.join(options.changes)}".rstrip()
    folder = run_folder(config.out, config, command, may_change=MAY_CHANGE).path
    for name, one in methods.items():
        run_folder(folder / "methods" / name, replace(one, data="", seeds=(0,)), f"emer train {name}")
    left = sum(not training.done(piece, config) for piece in pieces(config))
    for data in config.data:  # measured once, before many processes ask for it
        for name in (data.name, *data.elsewhere):
            table = table_named(name, config.data_folder)
            run_folder(folder / "data" / name, {"sha256": table.sha256}, f"the rows of {name}")
    with progress_bar(left) as bar:
        failed = training.run(config, methods, lambda piece, reason: _told(bar, piece, reason))
        found = [result(config, data, bar.say) for data in config.data]
    report([one for one in found if one is not None], config, folder, command, failed)
    print(f"{folder / 'report.html'} and report.md, results.json beside it")
    return 1 if failed else 0


def report(
    results: Sequence[Result], config: BenchConfig, folder: Path, command: str, failed: dict[Piece, str]
) -> None:
    """results.json, report.md and report.html."""
    about = f"Made by `{command}`; seeds {', '.join(map(str, config.seeds))}."
    if failed:
        about += f" {len(failed)} pieces failed; failures.jsonl names them."
    sections, extras = [one.section for one in results], [one.extras for one in results]
    write_text(folder / "failures.jsonl", "".join(dumps(asdict(p) | {"reason": r}) + "\n" for p, r in failed.items()))
    write_text(folder / "report.md", f"{about}\n\n{markdown(sections, title=TITLE, extras=extras)}")
    write_text(folder / "report.html", page(sections, title=TITLE, about=about, folder=folder, extras=extras))
    numbers = {
        "command": command,
        "environment": environment(),
        "seeds": config.seeds,
        "data": {one.data.name: as_json(one) | {"sha256": _hash(one, config)} for one in results},
        "failed": [asdict(piece) | {"reason": reason} for piece, reason in failed.items()],
    }
    write_text(folder / "results.json", json.dumps(json.loads(dumps(numbers)), indent=1) + "\n")


def _hash(one: Result, config: BenchConfig) -> str:
    return table_named(one.data.name, config.data_folder).sha256


def _told(bar: Bar, piece: Piece, reason: str | None) -> None:
    bar.next()
    bar.stage(f"{piece.data}, {piece.method}, {piece.fold}, seed {piece.seed}", 1.0)
    if reason is not None:
        bar.say(f"{piece.data}, {piece.method}, {piece.fold}, seed {piece.seed} failed: {reason}")
