from __future__ import annotations

from typing import Any

import numpy as np
import pytest

pytest.importorskip("pyarrow")

import pyarrow as pa
from word_llama.adapters.arrow import embed_array


def matrix(vectors: Any) -> Any:
    return np.array(vectors.flatten() if isinstance(vectors, pa.Array) else vectors.combine_chunks().flatten()).reshape(
        len(vectors), -1
    )


@pytest.mark.parametrize("kind", [pa.string(), pa.large_string(), pa.string_view()])
def test_arrays(wl: Any, texts: list[str], kind: Any) -> None:
    array = pa.array(texts, kind)
    vectors = embed_array(wl, array)
    vectors.validate(full=True)
    assert vectors.type == pa.list_(pa.float32(), 256) and len(vectors) == len(texts)
    assert np.array_equal(matrix(vectors), wl.embed(texts))
    assert np.array_equal(matrix(embed_array("l2_supercat_256", array[1:3], dim=64)), wl.embed(texts[1:3])[:, :64])
    assert np.array_equal(matrix(embed_array(wl, array, norm=True, threads=1)), wl.embed(texts, norm=True))
    assert embed_array(wl, array[:0]).type == vectors.type


def test_no_copy(wl: Any, texts: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    made: list[Any] = []
    embed = type(wl).embed

    def kept(*arguments: Any, **options: Any) -> Any:
        made.append(embed(*arguments, **options))
        return made[-1]

    monkeypatch.setattr(type(wl), "embed", kept)
    vectors = embed_array(wl, pa.array(texts))
    assert vectors.values.buffers()[1].address == made[0].ctypes.data


def test_chunks(wl: Any, texts: list[str]) -> None:
    chunked = pa.chunked_array([texts[:2], [], texts[2:], texts])
    vectors = embed_array(wl, chunked)
    vectors.validate(full=True)
    assert [len(chunk) for chunk in vectors.chunks] == [2, 0, 3, 5]
    assert np.array_equal(matrix(vectors), wl.embed(texts + texts))
    table = pa.table({"text": chunked})
    assert table.append_column("vector", embed_array(wl, table["text"]))["vector"].type == vectors.type
    none = embed_array(wl, pa.chunked_array([], pa.string()))
    assert len(none) == 0 and none.type == vectors.type


def test_errors(wl: Any) -> None:
    with pytest.raises(TypeError, match=r"texts\[1\] is null"):
        embed_array(wl, pa.array(["a", None]))
    with pytest.raises(TypeError, match=r"texts\[2\] is null"):
        embed_array(wl, pa.chunked_array([["a", "b"], [None]]))
    with pytest.raises(TypeError, match="expected strings"):
        embed_array(wl, pa.array([1, 2]))
    with pytest.raises(TypeError, match="with a dictionary"):
        embed_array(wl, pa.array(["a", "a"]).dictionary_encode())
    with pytest.raises(TypeError, match="array is list"):
        embed_array(wl, ["a"])
