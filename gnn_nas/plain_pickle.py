"""Reading foreign pickles of plain values: nothing that one names is imported or run."""

from __future__ import annotations

import pickle
import struct
from collections.abc import Callable
from typing import Any, BinaryIO

# Numbers of numpy, by kind and bytes, as struct reads them.
_NUMBERS = {"f2": "e", "f4": "f", "f8": "d", "b1": "?"} | {
    f"{kind}{size}": letter if kind == "i" else letter.upper()
    for size, letter in ((1, "b"), (2, "h"), (4, "i"), (8, "q"))
    for kind in "iu"
}


def load(stream: BinaryIO) -> Any:
    """Read the next pickle of a stream: containers, texts and numbers.

    Numbers of numpy become Python's, and an ``OrderedDict`` a dict.

    Raises:
        pickle.UnpicklingError: it names anything else, of which nothing is run.
        Exception: it is damaged; such bytes can raise anything.
    """
    return _Unpickler(stream).load()


class _Unpickler(pickle.Unpickler):
    def find_class(self, module: str, name: str) -> Callable[..., Any]:
        if (module, name) == ("numpy", "dtype"):
            return _Type
        if (module, name) == ("collections", "OrderedDict"):
            return dict
        # How protocols before 3 write bytes, and sets.
        if (module, name) == ("_codecs", "encode"):
            return _bytes
        if (module, name) in (("__builtin__", "set"), ("builtins", "set")):
            return set
        # Of numpy before and since version 2.
        if module in ("numpy.core.multiarray", "numpy._core.multiarray") and name == "scalar":
            return _scalar
        raise pickle.UnpicklingError(f"it has more than plain values: {module}.{name}")

    def persistent_load(self, pid: object) -> Any:
        raise pickle.UnpicklingError("it has more than plain values: what it does not hold itself")


def _bytes(text: object, encoding: object) -> bytes:
    if not isinstance(text, str) or encoding != "latin1":
        raise pickle.UnpicklingError(f"it has more than plain values: bytes as {encoding!r:.80}")
    return text.encode("latin1")


class _Type:
    """Stands for a dtype of numpy: a kind, its bytes and their order."""

    def __init__(self, code: object, *_: object) -> None:
        if code not in _NUMBERS:
            raise pickle.UnpicklingError(f"it has more than plain values: dtype {code!r:.80}")
        self.code, self.order = str(code), "<"

    def __setstate__(self, state: tuple[Any, ...]) -> None:
        self.order = ">" if state[1] == ">" else "<"


def _scalar(kind: object, content: object) -> int | float | bool:
    if not isinstance(kind, _Type) or not isinstance(content, bytes):
        raise pickle.UnpicklingError("it has more than plain values: a scalar of something else")
    (value,) = struct.unpack(kind.order + _NUMBERS[kind.code], content)
    return value
