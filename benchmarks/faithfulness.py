"""Do the composer's decisions rest on the clues that its explanations cite?

    python benchmarks/faithfulness.py      # two minutes; needs real clips, emer[face] and emer-weights

RAVDESS: the first ten clips by hash of each test actor; belief of the trained voice head, and of the hints alone. The
face clips have no trained head, hence hints. Above 0 the cited clues matter more than as many others of the clip.
"""

import hashlib
import os
from pathlib import Path

from emer import Clip, Explainer
from emer.bench.decision_faithfulness import decision_faithfulness
from emer.data.dataset import open_dataset
from emer.errors import ConfigError

ROOT = Path(__file__).parents[1]
EACH = 10


def main() -> None:
    """Print one table."""
    folder = Path(os.environ.get("EMER_TEST_DATA", ROOT.parent / "shared" / "data"))
    if not (folder / "clips").is_dir():
        raise SystemExit("benchmarks need real clips: set EMER_TEST_DATA to their folder")
    clips, actors = ravdess(folder)
    faces = [Clip(str(path)) for path in sorted((folder / "clips" / "faces").glob("*.m*"))]
    print("| clips | belief of | clues | cited − others | change without cited | without others | clips compared |")
    print("|---|---|---|---:|---:|---:|---:|")
    for chosen in ("cited", "reasons"):
        for name, weights in (("trained heads", "installed"), ("hints", None)):
            row(f"RAVDESS, {len(clips)}", name, weights, chosen, clips, actors)
        row(f"faces, {len(faces)}", "hints", None, chosen, faces, None)
    print(
        "\nA change is the total variation distance of two beliefs (0 to 1); 95 % intervals, from resampled speakers "
        "(RAVDESS: four) or clips. *reasons*: the clues of the closing sentence alone. A clip that cites all of its "
        "clues, or none, cannot be compared."
    )


def ravdess(folder: Path) -> tuple[list[Clip], list[str]]:
    """Clips of the test actors and who speaks, the same everywhere."""
    rows = open_dataset("ravdess", folder).part("test")
    by_hash = sorted(rows, key=lambda row: hashlib.sha256(row.id.encode()).hexdigest())
    taken = [
        row
        for speaker in sorted({str(row.speaker) for row in rows})
        for row in [one for one in by_hash if one.speaker == speaker][:EACH]
    ]
    return [row.clip for row in taken], [str(row.speaker) for row in taken]


def row(
    clips_of: str, name: str, weights: str | None, chosen: str, clips: list[Clip], speakers: list[str] | None
) -> None:
    """One line of the table."""
    start = f"| {clips_of} | {name} | {chosen} |"
    try:
        found = decision_faithfulness(Explainer(weights=weights), clips, chosen=chosen, speakers=speakers)
    except ConfigError as error:
        print(f"{start} {error} | | | 0 |", flush=True)
        return
    told = [f"{found.score:+.3f} {bounds(found.interval)}"]
    told += [f"{found.detail[key]['score']:.3f}" for key in ("cited_change", "uncited_change")]
    print(f"{start} {' | '.join(told)} | {found.n_scored} |", flush=True)


def bounds(interval: tuple[float, float] | None) -> str:
    assert interval is not None
    return f"[{interval[0]:+.3f}, {interval[1]:+.3f}]"


if __name__ == "__main__":
    main()
