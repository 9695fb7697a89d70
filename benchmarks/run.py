"""Run the benchmarks and write what they printed to benchmarks/README.md.

python benchmarks/run.py                  # or: make bench; about ten minutes on a quiet machine, needs real clips
python benchmarks/run.py explain.py       # only the sections of these scripts; the others stay as they are
python benchmarks/run.py evidence.py      # an hour or more, hence only when it is named; so are the trainings of
                                          # language models, alongside.py and llm_training.py
"""

import re
import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).parent
PAGE = HERE / "README.md"

HEADER = """# Benchmarks

Written by `python benchmarks/run.py` (`make bench`): each section is what the command in it printed, with a plain
baseline in the same run. Figures are of one machine with two cores and no GPU; ratios travel better than seconds.
"""

SECTIONS = {
    "The whole path": ["explain.py"],
    "Prosody: speed": ["prosody.py", "speed"],
    "Prosody: agreement with Praat": ["prosody.py", "parity"],
    "Metrics on a million predictions": ["metrics.py"],
    "Scores: speed": ["score.py", "speed"],
    "Scores: emer's tables beside the released": ["score.py", "tables"],
    "A benchmark run: RAVDESS, the composer": ["ravdess_composer.py"],
    "Decision faithfulness": ["faithfulness.py"],
    "Heads: training and speaking": ["heads.py"],
    "Evidence: methods side by side": ["evidence.py"],
    "Does training alongside pay?": ["alongside.py"],
    "Language models: what the verdict costs in training": ["llm_training.py"],
    "Language models: a 7B shape on one GPU": ["gpu_llm.py"],
}
NAMED_ONLY = ("evidence.py", "alongside.py", "llm_training.py")


def main() -> None:
    """Run the sections one after the other, so that none disturbs another."""
    wanted = sys.argv[1:]
    kept, scripts = standing(), [script for script, *_ in SECTIONS.values()]
    for title, (script, *arguments) in SECTIONS.items():
        if script in (wanted or set(scripts) - set(NAMED_ONLY)):
            kept[title] = ran(script, arguments)
    PAGE.write_text(HEADER + "".join(f"\n## {title}\n\n{kept[title]}\n" for title in SECTIONS if title in kept))


def standing() -> dict[str, str]:
    """The sections of the page as it is."""
    if not PAGE.exists():
        return {}
    parts = re.split(r"^## (.+)$", PAGE.read_text(), flags=re.M)[1:]
    return {title: text.strip() for title, text in zip(parts[::2], parts[1::2], strict=True)}


def ran(script: str, arguments: list[str]) -> str:
    """The command and what it printed."""
    print(f"running {script} {' '.join(arguments)}", file=sys.stderr)
    command = [sys.executable, str(HERE / script), *arguments]
    done = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True)
    return f"`python benchmarks/{' '.join([script, *arguments])}`\n\n{done.stdout.strip()}"


if __name__ == "__main__":
    main()
