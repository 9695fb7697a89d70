"""Fill the generated parts of README.md: the help texts and the example.

python docs/readme.py      # or: make readme
"""

import os
import re
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[1]
COMMANDS = ("explain", "train", "calibrate", "export", "score", "bench", "bench run")
HELPS = (["--help"], *([*command.split(), "--help"] for command in COMMANDS))
SCORE = ("score", "examples/answers.csv", "examples/truth.csv", "--metric", "wheel_f1")


def main() -> None:
    """Rewrite README.md in place."""
    readme = ROOT / "README.md"
    text = readme.read_text()
    helps = [f"```console\n$ emer {' '.join(a)}\n{said(*a)}\n```" for a in HELPS]
    text = filled(text, "help", "\n\n".join(helps))
    text = filled(text, "example", f"```text\n{shortened(said('explain', 'examples/talking_face.mp4'))}\n```")
    text = filled(text, "score", f"```text\n{said(*SCORE)}\n```")
    readme.write_text(text)


def said(*arguments: str) -> str:
    """What emer prints, at 80 columns."""
    command = [sys.executable, "-m", "emer.cli", *arguments]
    env = os.environ | {"COLUMNS": "80"}
    done = subprocess.run(command, capture_output=True, text=True, check=True, cwd=ROOT, env=env)
    return "\n".join(line.rstrip() for line in done.stdout.strip().splitlines())


def shortened(text: str, clues: int = 6) -> str:
    """The text with the first lines of its clue list alone."""
    lines = text.splitlines()
    first, after = lines.index("Clues") + 1, lines.index("Over the clip")
    return "\n".join([*lines[: first + clues], "  …", "", *lines[after:]])


def filled(text: str, name: str, content: str) -> str:
    """The text with new content between the markers of `name`."""
    pattern = re.compile(rf"(<!-- {name} -->\n).*?(<!-- /{name} -->)", re.S)
    assert pattern.search(text), f"README.md has no <!-- {name} --> markers"
    return pattern.sub(lambda match: f"{match[1]}{content}\n{match[2]}", text)


if __name__ == "__main__":
    main()
