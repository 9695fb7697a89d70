"""Eight scores for Hugging Face `evaluate`, loaded from this package's own files, offline.

    import evaluate
    from emer.integrations.evaluate import path

    trusted = evaluate.load(path("trusted"))
    trusted.compute(predictions=[0, 1], references=[0, 0], confidence=[0.9, 0.4], threshold=0.5)

Each is a shell: the arithmetic, its sources and its checks are in `emer.metrics`, and for wheel_f1, hit_rate, sentiment
and ovmerd12 in `emer.score`. `evaluate` loads transformers, which
fails beside a torchvision that does not fit its torch (a CUDA build on a machine without one): there,
`import emer.torchvision_ops` before it.
"""

from pathlib import Path

from emer.errors import ConfigError

NAMES = ("aurc", "calibration_error", "hit_rate", "multilabel", "ovmerd12", "sentiment", "trusted", "wheel_f1")


def path(name: str) -> str:
    """The folder to give to `evaluate.load`.

    >>> Path(path("aurc")).name
    'aurc'
    """
    if name not in NAMES:
        raise ConfigError(f"there is no metric {name!r} for evaluate; choose one of {', '.join(NAMES)}")
    return str(Path(__file__).parent / name)
