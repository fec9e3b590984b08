from __future__ import annotations

from typing import Any

import numpy as np
import pytest

pytest.importorskip("pandas")

import pandas as pd
from word_llama import load
from word_llama.adapters.pandas import embed_column


@pytest.mark.parametrize("dtype", ["str", "object", "string"])
def test_frame(wl: Any, texts: list[str], dtype: str) -> None:
    series = pd.Series(texts, index=[f"row {place}" for place in range(len(texts))], dtype=dtype, name="text")
    frame = embed_column(series, wl)
    assert frame.index.equals(series.index) and frame.columns.tolist() == list(range(256))
    assert frame.dtypes.unique().tolist() == [np.dtype("float32")]
    assert np.array_equal(frame.to_numpy(), wl.embed(texts))
    assert np.array_equal(embed_column(series[1:3], wl).to_numpy(), wl.embed(texts[1:3]))
    cut = embed_column(series, "l2_supercat_256", dim=64, norm=True)
    assert np.array_equal(cut.to_numpy(), load(wl.path, dim=64).embed(texts, norm=True))
    assert embed_column(series[:0], wl).shape == (0, 256)


def test_series_of_vectors(wl: Any, texts: list[str]) -> None:
    series = pd.Series(texts, name="text")
    vectors = embed_column(series, wl, frame=False)
    assert vectors.name == "text" and vectors.index.equals(series.index)
    assert np.array_equal(np.stack(vectors.to_list()), wl.embed(texts))


def test_arrow_strings(wl: Any, texts: list[str]) -> None:
    pytest.importorskip("pyarrow")
    series = pd.Series(texts * 3, dtype="string[pyarrow]")
    assert np.array_equal(embed_column(series, wl).to_numpy(), wl.embed(texts * 3))


def test_accessor(wl: Any, texts: list[str]) -> None:
    series = pd.Series([*texts[:4], texts[0] + "!"], index=list("abcde"))
    assert np.array_equal(series.wordllama.embed(wl).to_numpy(), wl.embed(series.tolist()))
    scores = series.wordllama.similarity("a kitten naps on the couch", wl)
    assert scores.idxmax() in "ae" and scores["b"] == pytest.approx(
        wl.similarity("a kitten naps on the couch", series["b"])
    )
    assert series.wordllama.deduplicate(0.9, wl).index.tolist() == list("abcd")
    doubled = pd.Series(series.tolist(), index=[0, 0, 1, 1, 1])
    assert doubled.wordllama.deduplicate(0.9, wl).tolist() == series.tolist()[:4]
    clusters = series.wordllama.cluster(2, wl, random_state=0)
    assert clusters.index.equals(series.index) and clusters["a"] == clusters["e"]


def test_errors(wl: Any) -> None:
    for series in (
        pd.Series(["a", None]),
        pd.Series(["a", None], dtype=object),
        pd.Series(["a", pd.NA], dtype="string"),
    ):
        with pytest.raises(TypeError, match=r"texts\[1\] is"):
            embed_column(series, wl)
    with pytest.raises(TypeError, match=r"texts\[1\] is int"):
        embed_column(pd.Series(["a", 3], dtype=object), wl)
    with pytest.raises(TypeError, match="this is DataFrame"):
        embed_column(pd.DataFrame({"a": ["b"]}), wl)
    with pytest.raises(TypeError):
        embed_column(pd.Series([1, 2]), wl)
