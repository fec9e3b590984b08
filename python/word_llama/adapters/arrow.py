"""Apache Arrow: columns of texts to columns of vectors. Neither texts nor vectors are copied."""

from __future__ import annotations

from typing import Any

import pyarrow as pa

from ._model import ModelOrPlace, opened


def embed_array(
    model: ModelOrPlace, array: Any, *, dim: int | None = None, norm: bool = False, threads: int | None = None
) -> Any:
    """Vectors of the strings of an array, which is read where it lies.

        table.append_column("vector", embed_array(model, table["text"]))

    Args:
        model: a model, or its path or name; None: the default model.
        array: a pyarrow.Array or ChunkedArray of string, large_string or string_view; a slice, too.
        dim: keep the first dim dimensions.
        norm: unit length; a text without tokens has zeros.
        threads: None for all that the process may use.

    Returns:
        A FixedSizeListArray of dim float32 over the result's own memory; for a ChunkedArray one with chunks of the
        same lengths.

    Raises:
        TypeError: the array has a null, with its place; or is of another type (a dictionary: cast it first).
    """
    if not isinstance(array, (pa.Array, pa.ChunkedArray)):
        raise TypeError(f"array is {type(array).__name__}, expected a pyarrow.Array or ChunkedArray")
    open_model = opened(model, dim)
    rows = open_model.embed(array, norm=norm, threads=threads)
    vectors = pa.FixedSizeListArray.from_arrays(pa.array(rows.reshape(-1)), open_model.dim)
    if isinstance(array, pa.Array):
        return vectors
    chunks, begin = [], 0
    for chunk in array.chunks:
        chunks.append(vectors.slice(begin, len(chunk)))
        begin += len(chunk)
    return pa.chunked_array(chunks, vectors.type)
