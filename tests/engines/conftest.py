"""The made-up clue sets of tests/grounding serve the engines' tests as well."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1] / "grounding"))
