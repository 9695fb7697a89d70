"""Tasks for lmms-eval: open-vocabulary emotions of OV-MERD+, scored as `emer score` does.

    python -m emer.integrations.lmms_eval ovmerdplus-process tasks        # the release, and a folder to write
    lmms-eval --model qwen2_5_omni --include_path tasks --tasks ovmerd_plus --batch_size 1

The first command writes the rows of the release beside a copy of the task: clips and labels are of their owners, so
they are not in this package. `EMER_WHEELS` names the emotion tables to score with; without it emer's own are taken,
and numbers are not those of published rows.
"""

import json
import shutil
from pathlib import Path

from emer.data.dataset import open_dataset
from emer.data.rows import refuse, some
from emer.errors import OutputError
from emer.files import write_text

TASK = "ovmerd_plus"
ROWS = f"{TASK}.jsonl"


def path() -> str:
    """The folder of the task as it ships, without rows.

    >>> Path(path()).name
    'ovmerd_plus'
    """
    return str(Path(__file__).parent / TASK)


def prepare(release: str | Path, out: str | Path) -> Path:
    """Write the task with the rows of a release into `out`, for `--include_path`; the folder of the task in it.

    Raises ConfigError when the release cannot be read or clips are missing, OutputError when `out` cannot be written.
    """
    data = open_dataset(TASK, release)
    refuse(
        [f"{len(data.missing)} of {len(data.rows)} clips are missing ({some(where for _, where in data.missing)})"]
        if data.missing
        else [],
        f"{release} is not complete",
    )
    folder = Path(out) / TASK
    rows = [
        {
            "name": row.id,
            "video": str(Path(row.clip.path).resolve()),
            "subtitle": row.clip.said or "",
            "openset": list(row.annotation.labels),
        }
        for row in data.rows
    ]
    lines = "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows)
    task = (Path(path()) / f"{TASK}.yaml").read_text(encoding="utf-8")
    try:
        folder.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(Path(path()) / "utils.py", folder / "utils.py")
    except OSError as error:
        raise OutputError(f"{folder} cannot be written: {error.strerror}; choose another folder") from error
    write_text(folder / ROWS, lines)
    # Older versions of lmms-eval look for the rows from where they are started, not from the task: name them in full.
    write_text(
        folder / f"{TASK}.yaml", task.replace(f"test: {ROWS}", f"test: {json.dumps(str(folder.resolve() / ROWS))}")
    )
    return folder
