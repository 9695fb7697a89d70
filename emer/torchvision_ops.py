"""Lets torchvision's Python transforms work where its compiled operators cannot be loaded.

Package indices offer torchvision as a CUDA build. Beside a CPU build of torch its operator library does not load, and
`import torchvision` then fails because it describes an operator that nobody declared. Video processors need only the
transforms, which are Python. So the two operators are declared, without an implementation: calling one still fails.

Import this module before torchvision, hence before transformers' processors; importing it twice does nothing.
"""

from importlib.util import find_spec
from typing import Any

OPERATORS = {
    "nms": "nms(Tensor dets, Tensor scores, float iou_threshold) -> Tensor",
    "qnms": "qnms(Tensor dets, Tensor scores, float iou_threshold) -> Tensor",
}
"""The operators that torchvision describes while it is imported, by schema."""

_declared: list[object] = []
"""Keeps the declarations alive: a library that is collected takes its operators along."""


def declare() -> tuple[str, ...]:
    """Declare the missing operators; the names of those declared now. Nothing happens without torchvision.

    A build whose library does load brings them itself, and declaring them before it would make that fail.
    """
    if find_spec("torchvision") is None or _compiled_load():
        return ()
    import torch

    missing = tuple(name for name in OPERATORS if not hasattr(torch.ops.torchvision, name))
    if missing:
        library: Any = torch.library.Library("torchvision", "FRAGMENT")  # type: ignore[no-untyped-call]
        for name in missing:
            library.define(OPERATORS[name])
        _declared.append(library)
    return missing


def _compiled_load() -> bool:
    """Whether torchvision's own library of operators loads beside this torch."""
    from pathlib import Path

    import torch

    folder = Path(str(find_spec("torchvision").origin)).parent  # type: ignore[union-attr]
    libraries = [*folder.glob("_C*.so"), *folder.glob("_C*.pyd")]
    try:
        for library in libraries:
            torch.ops.load_library(library)  # type: ignore[no-untyped-call]
    except OSError:  # it links against a CUDA runtime, or against another torch
        return False
    return bool(libraries)


declare()
