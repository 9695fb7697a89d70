"""Run every benchmark and write what it printed to benchmarks/README.md.

python benchmarks/run.py       # or: make bench; about fifteen minutes, needs real clips (EMER_TEST_DATA)
"""

import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).parent

HEADER = """# Benchmarks

Written by `python benchmarks/run.py` (`make bench`): each section is what the command in it printed, with a plain
baseline in the same run. Figures are of one machine with two cores and no GPU; ratios travel better than seconds.
"""

SECTIONS = {
    "The whole path": ["explain.py"],
    "Prosody: speed": ["prosody.py", "speed"],
    "Prosody: agreement with Praat": ["prosody.py", "parity"],
    "Metrics on a million predictions": ["metrics.py"],
}


def main() -> None:
    """Run the sections one after the other, so that none disturbs another."""
    text = HEADER
    for title, (script, *arguments) in SECTIONS.items():
        print(f"running {script} {' '.join(arguments)}", file=sys.stderr)
        command = [sys.executable, str(HERE / script), *arguments]
        done = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True)
        text += f"\n## {title}\n\n`python benchmarks/{' '.join([script, *arguments])}`\n\n{done.stdout.strip()}\n"
    (HERE / "README.md").write_text(text)


if __name__ == "__main__":
    main()
