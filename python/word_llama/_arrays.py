"""Results as NumPy arrays where NumPy is installed, else as memoryviews: without a copy in both."""

from __future__ import annotations

TYPE_CHECKING = False  # typing is not imported to run: opening a model takes as long as that
if TYPE_CHECKING:
    from typing import Any

_numpy: Any = None
_missing = False


def numpy() -> Any:
    """The module numpy, imported when it is first wanted; None where it is not installed."""
    global _numpy, _missing
    if _numpy is None and not _missing:
        try:
            import numpy as module

            _numpy = module
        except ImportError:
            _missing = True
    return _numpy


def shaped(data: bytearray, shape: tuple[int, ...], letter: str) -> Any:
    """An array over data, which it keeps. letter: of the struct module. Without NumPy a memoryview, and an empty list
    for no rows, which a memoryview cannot be."""
    module = _numpy or numpy()
    if module is not None:
        return module.ndarray(shape, letter, data)
    if 0 in shape:
        return []
    view = memoryview(data)
    return view if letter == "B" and len(shape) == 1 else view.cast(letter, shape)  # type: ignore[call-overload]


def nested(data: bytearray, shape: tuple[int, ...], letter: str) -> Any:
    """The numbers as (nested) lists."""
    return memoryview(data).cast(letter, shape).tolist() if 0 not in shape else []  # type: ignore[call-overload]


def dimensions(vectors: Any) -> int:
    """1 for a vector, 2 for rows."""
    number = getattr(vectors, "ndim", None)
    if number is None:
        return 2 if len(vectors) and hasattr(vectors[0], "__len__") else 1
    return int(number)


def contiguous(vectors: Any) -> Any:
    """Vectors as the extension takes them: a contiguous buffer of floats, or of bytes or 64-bit integers for bits."""
    try:
        view = memoryview(vectors)
    except TypeError:  # lists, and arrays of objects
        view = None
    if view is not None and view.c_contiguous and view.format.lstrip("<=@") in ("f", "d", "e", "B", "Q", "L"):
        return vectors
    module = numpy()
    if module is not None:
        made = module.asarray(vectors)
        if made.dtype.kind not in "fiub":
            raise TypeError(f"vectors are of dtype {made.dtype}, expected numbers")
        as_it_is = made.dtype.str[1:] in ("f2", "f4", "f8", "u1", "u8")
        return module.ascontiguousarray(made, made.dtype.newbyteorder("=") if as_it_is else module.float32)
    from array import array

    if dimensions(vectors) == 1:
        return array("f", vectors)
    rows = [array("f", row) for row in vectors]
    if len({len(row) for row in rows}) != 1:
        raise ValueError("vectors have different lengths")
    flat = array("f", [number for row in rows for number in row])
    return memoryview(flat).cast("B").cast("f", (len(rows), len(rows[0])))
