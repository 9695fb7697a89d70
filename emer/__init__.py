"""emer explains emotion in video clips.

    from emer import Explainer, Clip
    explanation = Explainer().explain("clip.mp4")

Importing emer loads neither torch nor any model; names are resolved when they are first used.
"""

from typing import TYPE_CHECKING, Any

from emer.version import __version__

if TYPE_CHECKING:
    from emer.explain import Explainer
    from emer.types import Clip, Explanation

__all__ = ["Clip", "Explainer", "Explanation", "__version__"]

_HOMES = {"Explainer": "emer.explain", "Clip": "emer.types", "Explanation": "emer.types"}


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module 'emer' has no attribute {name!r}")
    from importlib import import_module

    return getattr(import_module(_HOMES[name]), name)
