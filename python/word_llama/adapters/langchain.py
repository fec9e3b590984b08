"""LangChain: an Embeddings for vector stores and retrievers."""

from __future__ import annotations

import asyncio

from langchain_core.embeddings import Embeddings

from ._model import ModelOrPlace, opened, row_of, rows_of


class WordLlamaEmbeddings(Embeddings):  # type: ignore[misc]
    """Vectors for LangChain.

        store = InMemoryVectorStore(WordLlamaEmbeddings("l2_supercat_256"))

    Args:
        model: a model, or its path or name; None: the default model.
        dim: keep the first dim dimensions.
        norm: unit length, which stores that compare by inner product want; a text without tokens has zeros.

    Raises:
        TypeError, ValueError, FileNotFoundError, WordLlamaError: as load().
    """

    def __init__(self, model: ModelOrPlace = None, dim: int | None = None, norm: bool = True) -> None:
        self.model = opened(model, dim)
        self.norm = norm

    def embed_documents(self, texts: list[str]) -> list[list[float]]:
        """(n, dim) as lists of float. TypeError names the place of what is no str."""
        return rows_of(self.model, texts, self.norm).tolist()  # type: ignore[no-any-return]

    def embed_query(self, text: str) -> list[float]:
        """(dim,) as a list of float: the same vector that a document has."""
        return row_of(self.model, text, self.norm).tolist()  # type: ignore[no-any-return]

    async def aembed_documents(self, texts: list[str]) -> list[list[float]]:
        """embed_documents() in a thread of its own."""
        return await asyncio.to_thread(self.embed_documents, texts)

    async def aembed_query(self, text: str) -> list[float]:
        """embed_query() where it is called: a thread takes longer."""
        return self.embed_query(text)
