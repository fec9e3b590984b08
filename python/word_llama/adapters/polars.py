"""polars: vectors of a column, eager and in expressions."""

from __future__ import annotations

from typing import Any

import polars as pl

from ._model import AnyModel, ModelOrPlace, opened, rows_of


def embed_column(
    column: pl.Series | pl.Expr | str, model: ModelOrPlace = None, *, dim: int | None = None, norm: bool = False
) -> Any:
    """Vectors of a column of texts, which is read where it lies.

        frame.with_columns(embed_column("text", model).alias("vector"))

    Args:
        column: a Series of String; an expression, or the name of a column, for one.
        model: a model, or its path or name; None: the default model.
        dim: keep the first dim dimensions.
        norm: unit length; a text without tokens has zeros.

    Returns:
        A Series of dtype Array(Float32, dim), of the same name; for an expression one that gives such.

    Raises:
        TypeError: the column has a null, with its place, or is not of strings. In an expression polars makes a
            ComputeError of it where it comes to that.
    """
    open_model = opened(model, dim)
    if isinstance(column, pl.Series):
        return _embed(column, open_model, norm)
    expression = pl.col(column) if isinstance(column, str) else column
    if not isinstance(expression, pl.Expr):
        raise TypeError(f"column is {type(column).__name__}, expected a polars Series or expression, or a name")
    return expression.map_batches(
        lambda series: _embed(series, open_model, norm), return_dtype=pl.Array(pl.Float32, open_model.dim)
    )


def _embed(series: pl.Series, model: AnyModel, norm: bool) -> pl.Series:
    rows = rows_of(model, series, norm)
    return pl.Series(series.name, rows, dtype=pl.Array(pl.Float32, model.dim))
