from __future__ import annotations

from typing import Any

import numpy as np
import pytest

pytest.importorskip("polars")

import polars as pl
from word_llama.adapters.polars import embed_column


def test_series(wl: Any, texts: list[str]) -> None:
    series = pl.Series("text", texts)
    vectors = embed_column(series, wl)
    assert vectors.name == "text" and vectors.dtype == pl.Array(pl.Float32, 256)
    assert np.array_equal(vectors.to_numpy(), wl.embed(texts))
    cut = embed_column(series[1:3], "l2_supercat_256", dim=64)
    assert cut.dtype == pl.Array(pl.Float32, 64) and np.array_equal(cut.to_numpy(), wl.embed(texts[1:3])[:, :64])
    chunked = pl.concat([series, series], rechunk=False)
    assert chunked.n_chunks() == 2
    assert np.array_equal(embed_column(chunked, wl, norm=True).to_numpy(), wl.embed(texts * 2, norm=True))
    empty = embed_column(series[:0], wl)
    assert empty.len() == 0 and empty.dtype == pl.Array(pl.Float32, 256)


def test_expressions(wl: Any, texts: list[str]) -> None:
    frame = pl.DataFrame({"text": texts, "number": range(len(texts))})
    made = frame.with_columns(embed_column("text", wl).alias("vector"))
    assert made.schema["vector"] == pl.Array(pl.Float32, 256)
    assert np.array_equal(made["vector"].to_numpy(), wl.embed(texts))
    lazy = frame.lazy().filter(pl.col("number") < 3).select(embed_column(pl.col("text").str.to_uppercase(), wl, dim=64))
    assert lazy.collect_schema()["text"] == pl.Array(pl.Float32, 64)
    assert np.array_equal(lazy.collect()["text"].to_numpy(), wl.embed([text.upper() for text in texts[:3]])[:, :64])


def test_errors(wl: Any) -> None:
    with pytest.raises(TypeError, match=r"texts\[1\] is null"):
        embed_column(pl.Series(["a", None]), wl)
    with pytest.raises(TypeError, match="expected strings"):
        embed_column(pl.Series([1, 2]), wl)
    with pytest.raises(TypeError, match="column is int"):
        embed_column(3, wl)  # type: ignore[arg-type]
    with pytest.raises((TypeError, pl.exceptions.ComputeError), match=r"texts\[1\] is null"):
        pl.DataFrame({"text": ["a", None]}).select(embed_column("text", wl))
