"""`python -m emer.integrations.lmms_eval RELEASE OUT`: write the task with the rows of a release."""

import argparse
import sys
from collections.abc import Sequence

from emer.errors import EmerError
from emer.integrations.lmms_eval import TASK, prepare


def main(arguments: Sequence[str] | None = None) -> int:
    """0, or 2 after one line about what the user can mend."""
    parser = argparse.ArgumentParser(prog="python -m emer.integrations.lmms_eval", description=__doc__)
    parser.add_argument("release", help="folder of OV-MERD+ as its owners pack it (ovmerdplus-process)")
    parser.add_argument("out", help="folder to write, for lmms-eval's --include_path")
    given = parser.parse_args(arguments)
    try:
        folder = prepare(given.release, given.out)
    except EmerError as error:
        print(error, file=sys.stderr)
        return 2
    print(f"{folder} is written; run lmms-eval with --include_path {given.out} --tasks {TASK}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
