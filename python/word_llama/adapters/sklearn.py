"""scikit-learn: a transformer from texts to vectors, for pipelines and searches."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
from sklearn.base import BaseEstimator, ClassNamePrefixFeaturesOutMixin, TransformerMixin

from ._model import AnyModel, ModelOrPlace, opened, rows_of


class WordLlamaVectorizer(ClassNamePrefixFeaturesOutMixin, TransformerMixin, BaseEstimator):  # type: ignore[misc]
    """Texts to vectors; nothing is learnt.

        make_pipeline(WordLlamaVectorizer(), LogisticRegression()).fit(texts, labels)

    Args:
        model: a path or name of a model, or one that is open; None: the default model. Opened by fit(), or by each
            transform() where that was not called.
        dim: keep the first dim dimensions.
        norm: unit length; a text without tokens has zeros.
        binarize: 1 for what is above 0, else 0.
        threads: None for all that the process may use.

    Attributes:
        model_: the open model.
    """

    def __init__(
        self,
        model: ModelOrPlace = None,
        *,
        dim: int | None = None,
        norm: bool = False,
        binarize: bool = False,
        threads: int | None = None,
    ) -> None:
        self.model = model
        self.dim = dim
        self.norm = norm
        self.binarize = binarize
        self.threads = threads

    def fit(self, X: Any, y: Any = None) -> WordLlamaVectorizer:  # noqa: N803 - names of scikit-learn
        """Opens the model; X and y are not looked at, but for X to be texts. The errors are those of load()."""
        _check(X)
        self.model_: AnyModel = opened(self.model, self.dim)
        return self

    def transform(self, X: Any) -> npt.NDArray[Any]:  # noqa: N803
        """Vectors of texts.

        Args:
            X: an iterable of str: a list, an array of one dimension, a column.

        Returns:
            (n, dim) float32; uint8 with binarize.

        Raises:
            ValueError: X is one str, or a table.
            TypeError: something in X is no str, with its place.
        """
        _check(X)
        model = self.model_ if hasattr(self, "model_") else opened(self.model, self.dim)
        rows = rows_of(model, X, self.norm, self.threads)
        return (rows > 0).astype(np.uint8) if self.binarize else rows

    @property
    def _n_features_out(self) -> int:
        return (self.model_ if hasattr(self, "model_") else opened(self.model, self.dim)).dim

    def __sklearn_is_fitted__(self) -> bool:
        return True

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.input_tags.string = True
        tags.input_tags.one_d_array = True
        tags.input_tags.two_d_array = False
        tags.requires_fit = False
        tags.transformer_tags.preserves_dtype = []
        return tags


def _check(texts: Any) -> None:
    if isinstance(texts, str):
        raise ValueError("X is one str, expected an iterable of str")
    if getattr(texts, "ndim", 1) != 1:
        raise ValueError(f"X has {texts.ndim} dimensions, expected texts in one: of a table, choose a column")
