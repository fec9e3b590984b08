"""pandas: vectors of a column, and Series.wordllama."""

from __future__ import annotations

from typing import Any

import pandas as pd

from ._model import ModelOrPlace, opened, rows_of


def _texts(series: Any) -> Any:
    """Columns of strings are read where they lie; of objects as a list, so that an error names the place."""
    if not isinstance(series, pd.Series):
        raise TypeError(f"a column is wanted and this is {type(series).__name__}: expected a pandas.Series")
    return series.tolist() if series.dtype == object else series


def embed_column(
    series: pd.Series, model: ModelOrPlace = None, *, dim: int | None = None, norm: bool = False, frame: bool = True
) -> Any:
    """Vectors of a column of texts.

    Args:
        series: of str, string or object. A missing value is an error: fill or drop it.
        model: a model, or its path or name; None: the default model.
        dim: keep the first dim dimensions.
        norm: unit length; a text without tokens has zeros.
        frame: False gives a Series of (dim,) arrays.

    Returns:
        A DataFrame (n, dim) of float32 with the column's index, its columns 0 to dim - 1; not a copy.

    Raises:
        TypeError: something is no str, or missing, with its place.
    """
    rows = rows_of(opened(model, dim), _texts(series), norm)
    if frame:
        return pd.DataFrame(rows, index=series.index, copy=False)
    return pd.Series(list(rows), index=series.index, name=series.name, dtype=object)


@pd.api.extensions.register_series_accessor("wordllama")
class WordLlamaAccessor:
    """What models do, with a column as the texts. model, for each: a model, or its path or name."""

    def __init__(self, series: pd.Series) -> None:
        self._series = series

    def embed(self, model: ModelOrPlace = None, **options: Any) -> Any:
        """embed_column()."""
        return embed_column(self._series, model, **options)

    def similarity(self, query: str, model: ModelOrPlace = None) -> pd.Series:
        """The cosine of each text and the query: float64, with the column's index."""
        scores = opened(model).rank(query, _texts(self._series).tolist(), sort=False)
        return pd.Series([score for _, score in scores], index=self._series.index, name="similarity", dtype=float)

    def deduplicate(self, threshold: float = 0.9, model: ModelOrPlace = None, **options: Any) -> pd.Series:
        """The column without texts that repeat an earlier one. options: those of the model's deduplicate()."""
        texts = _texts(self._series).tolist()
        gone = opened(model).deduplicate(texts, threshold, return_indices=True, **options)
        return self._series.drop(self._series.index[gone]) if self._series.index.is_unique else self._without(gone)

    def _without(self, gone: list[int]) -> pd.Series:
        dropped = set(gone)
        return self._series.iloc[[place for place in range(len(self._series)) if place not in dropped]]

    def cluster(self, k: int, model: ModelOrPlace = None, **options: Any) -> pd.Series:
        """The cluster of each text: int64, with the column's index. options: those of the model's cluster()."""
        labels, _ = opened(model).cluster(_texts(self._series).tolist(), k, **options)
        return pd.Series(labels, index=self._series.index, name="cluster", dtype="int64")
