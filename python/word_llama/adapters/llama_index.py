"""LlamaIndex: a BaseEmbedding for its indices and pipelines."""

from __future__ import annotations

import asyncio
from typing import Any

from llama_index.core.base.embeddings.base import BaseEmbedding
from llama_index.core.bridge.pydantic import Field, PrivateAttr

from ._model import AnyModel, ModelOrPlace, name_of, opened, place_of, row_of, rows_of


class WordLlamaEmbedding(BaseEmbedding):  # type: ignore[misc]
    """Vectors for LlamaIndex.

        Settings.embed_model = WordLlamaEmbedding("l2_supercat_256")

    Args:
        model: a model, or its path or name; None: the default model. What to_dict() and pickle keep is the place.
        dim: keep the first dim dimensions.
        norm: unit length; a text without tokens has zeros.
        options: fields of BaseEmbedding. embed_batch_size is 2048, the most there is: a call takes that many texts.

    Raises:
        TypeError, ValueError, FileNotFoundError, WordLlamaError: as load().
    """

    place: Any = Field(default=None, description="Where the model is.")
    dim: int | None = Field(default=None, description="How many dimensions are kept.")
    norm: bool = Field(default=True, description="Whether vectors have unit length.")
    _model: Any = PrivateAttr(default=None)

    def __init__(self, model: ModelOrPlace = None, dim: int | None = None, norm: bool = True, **options: Any) -> None:
        given = options.pop("place", None) if model is None else model
        options.setdefault("model_name", name_of(given))
        options.setdefault("embed_batch_size", 2048)
        place = None if isinstance(given, AnyModel) and given.path is None else place_of(given)
        super().__init__(place=place, dim=dim, norm=norm, **options)
        self._model = opened(given, dim)

    @classmethod
    def class_name(cls) -> str:
        return "WordLlamaEmbedding"

    def _get_text_embedding(self, text: str) -> list[float]:
        return row_of(self._model, text, self.norm).tolist()  # type: ignore[no-any-return]

    def _get_text_embeddings(self, texts: list[str]) -> list[list[float]]:
        return rows_of(self._model, texts, self.norm).tolist()  # type: ignore[no-any-return]

    def _get_query_embedding(self, query: str) -> list[float]:
        return self._get_text_embedding(query)

    async def _aget_query_embedding(self, query: str) -> list[float]:
        return self._get_text_embedding(query)

    async def _aget_text_embedding(self, text: str) -> list[float]:
        return self._get_text_embedding(text)

    async def _aget_text_embeddings(self, texts: list[str]) -> list[list[float]]:
        return await asyncio.to_thread(self._get_text_embeddings, texts)
