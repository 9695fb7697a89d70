"""`emer bench run` end to end on real clips: the composer on RAVDESS' test actors, with trained heads and without.

    python benchmarks/ravdess_composer.py      # a minute; needs real clips (EMER_TEST_DATA) and emer-weights

The report without the pages of the worst clips, which hold recordings, is kept in `benchmarks/ravdess_composer/`.
"""

import json
import shutil
import subprocess
import sys
from pathlib import Path

from emer.bench.report import report

HERE = Path(__file__).parent
KEPT = HERE / "ravdess_composer"
COMMAND = ["bench", "run", "configs/bench/ravdess_composer.yaml"]


def main() -> None:
    """Run, report, keep, and print the scores."""
    out = HERE.parent / "runs" / "bench" / "ravdess_composer"
    subprocess.run([sys.executable, "-m", "emer.cli", *COMMAND], check=True, cwd=HERE.parent, stdout=sys.stderr)
    report(out, most_worst=0)
    for name in ("report.md", "results.json"):
        KEPT.mkdir(exist_ok=True)
        shutil.copy(out / name, KEPT / name)
    shutil.copytree(out / "plots", KEPT / "plots", dirs_exist_ok=True)
    systems = json.loads((KEPT / "results.json").read_text())["data"]["ravdess"]["systems"]
    print("| system | UAR | 95 % | WAR | floor |\n|---|---:|---:|---:|---:|")
    for name, system in systems.items():
        found = system["scores"]["war_uar"]
        low, high = found["interval"]
        floor = max(found["floors"].values())
        print(
            f"| {name} | {found['score']:.3f} | [{low:.3f}, {high:.3f}] | {found['detail']['war']:.3f} | {floor:.3f} |"
        )
    print(f"\n{found['n_scored']} clips of four actors, who are resampled. [The whole report]({KEPT.name}/report.md).")


if __name__ == "__main__":
    main()
