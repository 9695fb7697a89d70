"""What heads cost: a training run on MOSI, and the milliseconds that they add to a clip.

python benchmarks/heads.py        # needs the features of MOSI (EMER_TEST_DATA) and weights/
"""

import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from statistics import median

import numpy as np
from sklearn.linear_model import LogisticRegression
from sklearn.preprocessing import StandardScaler

from emer import media
from emer.clues.cache import Cache
from emer.clues.extract import extract
from emer.evidence.trained import hear
from emer.evidence.weights import find_weights
from emer.training.heads import one_thread, read_config, train
from emer.training.sources import open_data
from emer.types import Clip

ROOT = Path(__file__).parents[1]
METHODS = ("softmax_concat", "softmax_ensemble", "tmc", "ecml", "lddu", "tical_derived", "cmc", "emer")
TARGET_S = 20.0
TARGET_MS = 1.0


def main() -> None:
    """Two tables on stdout."""
    one_thread()
    parts = open_data("mosi").parts
    plain = seconds(lambda: logistic(parts["train"], parts["test"]))
    print(f"One training run on MOSI, one thread, seed 0 (target: at most {TARGET_S:.0f} s):\n")
    print("| method | seconds | against logistic regression (scikit-learn) |\n|---|---:|---:|")
    print(f"| logistic regression | {plain:.2f} | 1 |")
    for name in METHODS:
        took = seconds(partial(train, read_config(name), parts["train"], parts["validation"], 0))
        print(f"| {name} | {took:.1f} | {took / plain:.0f} |")
    whole, heads = cost_of_heads()
    clip, share = "examples/talking_face.mp4", heads / (10 * whole)
    print(f"\nTrained heads and their domain on {clip}: {heads:.2f} ms a clip (target {TARGET_MS:g} ms),")
    print(f"{share:.2f} % of the {whole:.2f} s in which its voice is measured.")


def seconds(work: Callable[[], object]) -> float:
    """How long it takes, once."""
    begin = time.perf_counter()
    work()
    return time.perf_counter() - begin


def logistic(training, test) -> float:  # type: ignore[no-untyped-def]
    """The plainest baseline: all features side by side."""
    both = [np.concatenate([view.values for view in part.views.values()], axis=1) for part in (training, test)]
    scale = StandardScaler().fit(both[0])
    model = LogisticRegression(max_iter=1000).fit(scale.transform(both[0]), training.target.argmax(1))
    return float(model.score(scale.transform(both[1]), test.target.argmax(1)))


def cost_of_heads() -> tuple[float, float]:
    """Seconds to measure the voice of the example, and milliseconds for the heads to speak of it (median of 200)."""
    clip = Clip(str(ROOT / "examples" / "talking_face.mp4"), without=frozenset({"visual", "text"}))
    opened = media.open(clip)
    begin = time.perf_counter()
    features = extract(clip, opened, cache=Cache(None)).features
    whole = time.perf_counter() - begin
    weights = find_weights(ROOT / "weights" / "emer_weights")
    assert weights is not None
    hear(weights, features, None)
    times = [seconds(lambda: hear(weights, features, None)) for _ in range(200)]
    return whole, 1000 * median(times)


if __name__ == "__main__":
    main()
