"""All methods on all data sets: trains what is missing, and keeps tables and figures below benchmarks/evidence.

python benchmarks/evidence.py     # `emer bench evidence configs/bench/evidence.yaml`, then the summary on stdout

The full report, with every table on the clips where people disagree, disturbed clips and foreign clips, is
benchmarks/evidence/report.md; its numbers lie beside it.
"""

import gzip
import json
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from PIL import Image

HERE = Path(__file__).parent
RUN, KEPT = HERE.parent / "runs" / "bench" / "evidence", HERE / "evidence"
CONFIG = "configs/bench/evidence.yaml"
COLUMNS = (
    ("accuracy", ("accuracy", "sets.sample_f1")),
    ("UAR or micro F1", ("uar", "sets.micro.f1")),
    ("AURC", ("aurc",)),
    ("NLL", ("nll",)),
    ("Brier", ("brier",)),
    ("ECE", ("ece",)),
    ("band", ("ece_band",)),
    ("trusted F1", ("trusted.f1",)),
    ("floor", ("trusted.floor",)),
    ("coverage", ("trusted.coverage",)),
)


def main() -> None:
    """Run, keep, tell."""
    command = [sys.executable, "-m", "emer.cli", "bench", "evidence", CONFIG, f"out={RUN.relative_to(HERE.parent)}"]
    subprocess.run(command, check=True, cwd=HERE.parent, stdout=sys.stderr)
    keep()
    results = json.loads((RUN / "results.json").read_text())
    print("\n".join(told(results)))


def keep() -> None:
    """The report and its pictures, and the numbers, packed."""
    KEPT.mkdir(exist_ok=True)
    shutil.copy(RUN / "report.md", KEPT / "report.md")
    (KEPT / "plots").mkdir(exist_ok=True)
    for picture in sorted((RUN / "plots").glob("*.png")):
        # 64 colours are enough for plots, and a quarter of the size.
        Image.open(picture).convert("RGB").quantize(64).save(KEPT / "plots" / picture.name, optimize=True)
    packed = gzip.GzipFile(KEPT / "results.json.gz", "wb", mtime=0)
    with packed:
        packed.write(json.dumps(rounded(json.loads((RUN / "results.json").read_text()))).encode())


def rounded(value: Any) -> Any:
    """The same values with five digits behind the point, which is more than any of them can be trusted for."""
    if isinstance(value, dict):
        return {key: rounded(one) for key, one in value.items()}
    if isinstance(value, list):
        return [rounded(one) for one in value]
    return round(value, 5) if isinstance(value, float) else value


def told(results: dict[str, Any]) -> Iterator[str]:
    """A short table and the claims of each data set."""
    environment, seeds = results["environment"], results["seeds"]
    yield f"`emer bench evidence {CONFIG}` at commit {str(environment['commit'])[:9]}, torch {environment['torch']};"
    yield f"seeds {', '.join(map(str, seeds))}, means over them. Everything: [report](evidence/report.md), numbers in"
    yield "`evidence/results.json.gz`. For label sets accuracy stands for sample F1. `band`: the ECE that 95 % of"
    yield "perfectly calibrated models would stay under at this n. `floor`: trusted F1 of trusting everything."
    for name, data in results["data"].items():
        table = data["all"]
        who = f", {table['speakers']} speakers" if table["speakers"] else ""
        yield f"\n### {data['title']}\n"
        yield f"n = {table['n']:,}{who}. {data['note']} (`{name}`)\n"
        yield from rows(table["methods"])
        yield ""
        for claim in data["claims"]:
            yield f"* **{'Held' if claim['held'] else 'Missed'}**: {claim['text']}. {claim['figures']}."


def rows(methods: dict[str, list[dict[str, float]]]) -> Iterator[str]:
    """One line a method."""
    yield "| method | " + " | ".join(heading for heading, _ in COLUMNS) + " |"
    yield "|---|" + "---:|" * len(COLUMNS)
    for name, seeds in methods.items():
        yield f"| {name} | " + " | ".join(cell(seeds, names) for _, names in COLUMNS) + " |"


def cell(seeds: list[dict[str, float]], names: tuple[str, ...]) -> str:
    """The mean over seeds of the first figure that is there."""
    for name in names:
        values = [one[name] for one in seeds if name in one]
        if values:
            return f"{sum(values) / len(values):.4f}".replace("0.", ".", 1)
    return "–"


if __name__ == "__main__":
    main()
