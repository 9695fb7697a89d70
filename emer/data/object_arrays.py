"""Labels that are released as .npz archives of Python objects, read without running what a pickle may ask for.

`numpy.savez(labels=a_dictionary)` writes a pickle, and reading a pickle may call any function of any package. Here no
function is called but those of this file: they take the few shapes that numpy writes (arrays of objects or of plain
numbers and texts, their types, single numbers) as data. Everything else in the pickle is refused, and named.
"""

import pickle
import tokenize
import zipfile
import zlib
from pathlib import Path
from typing import Any

import numpy as np

from emer.errors import ConfigError

PLAIN = "biufUS"
"""Kinds of numpy types that hold numbers and texts and nothing else."""
DAMAGE = (
    *(ValueError, TypeError, KeyError, IndexError, AttributeError, OverflowError, SyntaxError, tokenize.TokenError),
    *(OSError, EOFError, MemoryError, RecursionError, NotImplementedError, zipfile.BadZipFile, zlib.error),
)
"""All that a damaged archive was seen to raise."""


def read_objects(path: Path) -> dict[str, Any]:
    """What each member of the archive holds, as plain Python values: dictionaries, lists, texts, numbers.

    Raises ConfigError when the archive is damaged, or holds anything that would have to be run.
    """
    try:
        with zipfile.ZipFile(path) as archive:
            names = [name for name in archive.namelist() if name.endswith(".npy")]
            return {name.removesuffix(".npy"): _member(archive, name) for name in names}
    except pickle.UnpicklingError as error:
        raise ConfigError(f"{path} is not read: {error}; fetch it from its owners again") from error
    except DAMAGE as error:
        told = " ".join(str(error).split()) or type(error).__name__
        raise ConfigError(f"{path} is no .npz archive of labels ({told}); fetch it again") from error


def _member(archive: zipfile.ZipFile, name: str) -> Any:
    with archive.open(name) as file:
        version = np.lib.format.read_magic(file)
        read_header = {(1, 0): np.lib.format.read_array_header_1_0, (2, 0): np.lib.format.read_array_header_2_0}
        shape, by_columns, dtype = read_header[version](file)
        if dtype.hasobject:
            return _plain(_Reading(file, encoding="latin1").load())
        return np.frombuffer(file.read(), dtype).reshape(shape, order="F" if by_columns else "C").tolist()


class _Reading(pickle.Unpickler):
    """An unpickler whose only classes and functions are the stand-ins below."""

    def find_class(self, module: str, name: str) -> Any:
        home = module.replace("numpy._core", "numpy.core")
        stand_ins = {
            "numpy.core.multiarray _reconstruct": _Array,
            "numpy.core.multiarray scalar": _Scalar,
            "numpy ndarray": _Array,
            "numpy dtype": _Type,
        }
        if f"{home} {name}" not in stand_ins:
            raise pickle.UnpicklingError(f"it asks to run {module}.{name}, which no label needs")
        return stand_ins[f"{home} {name}"]


class _Type:
    """A numpy type, as its pickle describes it: a code such as `f8`, then the byte order."""

    def __init__(self, code: str, *_: object) -> None:
        self.code = code

    def __setstate__(self, state: tuple[Any, ...]) -> None:
        order = state[1] if state[1] in ("<", ">") else ""
        self.code = order + self.code.lstrip("<>|=")

    def read(self, data: bytes) -> np.ndarray:
        kind = np.dtype(self.code)
        if kind.kind not in PLAIN:
            raise pickle.UnpicklingError(f"it holds an array of type {self.code}, which is neither numbers nor texts")
        return np.frombuffer(data, kind)


class _Array:
    """An array, as its pickle describes it: shape, type, whether columns come first, and the values."""

    def __init__(self, *_: object) -> None:
        self.values: Any = None

    def __setstate__(self, state: tuple[Any, ...]) -> None:
        shape, kind, by_columns, data = state[-4:]
        if isinstance(data, list):
            if len(shape) > 1:
                raise pickle.UnpicklingError(f"it holds objects in {len(shape)} dimensions, which no labels have")
            self.values = data if shape else data[0]
        else:
            self.values = kind.read(data).reshape(shape, order="F" if by_columns else "C").tolist()


class _Scalar:
    """A single number or text of numpy: its type and its bytes. A class like the others, since a pickle may set
    attributes of what it is given, and those of a function would stay."""

    def __new__(cls, kind: _Type, data: bytes) -> Any:
        return kind.read(data)[0].item()

    def __setstate__(self, state: object) -> None:
        raise pickle.UnpicklingError("it changes a number after it was read, which no label needs")


def _plain(value: Any) -> Any:
    """The values without the stand-ins."""
    if isinstance(value, _Array):
        return _plain(value.values)
    if isinstance(value, dict):
        return {_plain(key): _plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(item) for item in value]
    return value
