"""What importing costs: a process of its own in which heavy packages are blocked."""

import subprocess
import sys

BLOCK = """
import sys
class Block:
    def find_spec(self, name, path=None, target=None):
        if name.split(".")[0] in {"torch", "transformers", "evaluate", "mediapipe", "scipy", "rich"}:
            raise ImportError(f"{name} was imported")
sys.meta_path.insert(0, Block())
"""


def python(code: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([sys.executable, "-c", BLOCK + code], capture_output=True, text=True, check=False)


def test_import_emer_loads_nothing_heavy() -> None:
    done = python("import emer; print(emer.__version__); emer.Clip('x')")
    assert done.returncode == 0, done.stderr


def test_help_loads_nothing_heavy() -> None:
    done = python("from emer.cli import main; main(['--help'])")
    assert done.returncode == 0, done.stderr
    assert "explain" in done.stdout


def test_the_block_blocks() -> None:
    assert python("import torch").returncode == 1
