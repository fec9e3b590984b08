"""SemHash and Vicinity: an encoder, which both take as a model."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np
import numpy.typing as npt

from ._model import ModelOrPlace, opened, row_of, rows_of


class Encoder:
    """What SemHash calls a model.

        kept = SemHash.from_records(texts, model=Encoder()).self_deduplicate().selected
        Vicinity.from_vectors_and_items(Encoder().encode(texts), texts)

    Args:
        model: a model, or its path or name; None: the default model.
        dim: keep the first dim dimensions.

    Raises:
        TypeError, ValueError, FileNotFoundError, WordLlamaError: as load().
    """

    def __init__(self, model: ModelOrPlace = None, dim: int | None = None) -> None:
        self.model = opened(model, dim)

    def encode(
        self, inputs: str | Iterable[str], *, norm: bool = False, show_progress_bar: bool = False, **kwargs: Any
    ) -> npt.NDArray[np.float32]:
        """Vectors of texts.

        Args:
            inputs: texts, or one.
            norm: unit length.
            show_progress_bar: a bar on the terminal.
            kwargs: taken, and of no effect: batch_size and what else other encoders know.

        Returns:
            (n, dim) float32; (dim,) for a str.

        Raises:
            TypeError: what is embedded is no str.
        """
        if isinstance(inputs, str):
            return row_of(self.model, inputs, norm)
        if show_progress_bar:
            return self.model.embed(inputs, norm=norm, progress=True)
        return rows_of(self.model, inputs, norm)
