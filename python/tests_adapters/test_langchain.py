from __future__ import annotations

import asyncio
from typing import Any

import numpy as np
import pytest

pytest.importorskip("langchain_core")

from langchain_core.documents import Document
from langchain_core.embeddings import Embeddings
from langchain_core.vectorstores import InMemoryVectorStore
from word_llama.adapters.langchain import WordLlamaEmbeddings


def test_vectors(wl: Any, texts: list[str]) -> None:
    embeddings = WordLlamaEmbeddings(wl)
    assert isinstance(embeddings, Embeddings)
    documents = embeddings.embed_documents(texts)
    assert type(documents[0][0]) is float
    assert np.array_equal(np.array(documents, np.float32), wl.embed(texts, norm=True))
    assert embeddings.embed_query(texts[0]) == documents[0]
    assert embeddings.embed_documents([]) == []
    plain = WordLlamaEmbeddings("l2_supercat_256", dim=64, norm=False)
    assert np.array_equal(np.array(plain.embed_documents(texts), np.float32), wl.embed(texts)[:, :64])


def test_async(wl: Any, texts: list[str]) -> None:
    async def both(embeddings: WordLlamaEmbeddings) -> tuple[Any, Any]:
        return await embeddings.aembed_documents(texts), await embeddings.aembed_query(texts[1])

    documents, query = asyncio.run(both(WordLlamaEmbeddings(wl)))
    assert np.array_equal(np.array(documents, np.float32), wl.embed(texts, norm=True))
    assert query == documents[1]


def test_store_and_retriever(wl: Any, texts: list[str]) -> None:
    store = InMemoryVectorStore(WordLlamaEmbeddings(wl))
    store.add_documents([Document(page_content=text) for text in texts[:4]])
    best, score = store.similarity_search_with_score("a kitten naps on the couch", k=1)[0]
    assert best.page_content == texts[0]
    assert score == pytest.approx(wl.similarity("a kitten naps on the couch", texts[0]), abs=1e-5)
    retriever = store.as_retriever(search_kwargs={"k": 1})
    assert retriever.invoke("recipe for a loaf")[0].page_content == texts[2]
    assert asyncio.run(retriever.ainvoke("share prices"))[0].page_content == texts[1]


def test_errors(wl: Any) -> None:
    with pytest.raises(TypeError, match=r"texts\[1\] is NoneType"):
        WordLlamaEmbeddings(wl).embed_documents(["a", None])  # type: ignore[list-item]
    with pytest.raises(TypeError, match="text is list"):
        WordLlamaEmbeddings(wl).embed_query(["a"])  # type: ignore[arg-type]
