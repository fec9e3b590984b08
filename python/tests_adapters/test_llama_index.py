from __future__ import annotations

import asyncio
import json
import pickle
from typing import Any

import numpy as np
import pytest

pytest.importorskip("llama_index.core")

from llama_index.core.embeddings import resolve_embed_model
from llama_index.core.ingestion import IngestionPipeline
from llama_index.core.schema import TextNode
from llama_index.core.storage.kvstore import SimpleKVStore
from llama_index.core.vector_stores import SimpleVectorStore, VectorStoreQuery
from word_llama.adapters.llama_index import WordLlamaEmbedding


def test_vectors(wl: Any, texts: list[str]) -> None:
    embedding = WordLlamaEmbedding(wl)
    assert resolve_embed_model(embedding) is embedding
    rows = wl.embed(texts, norm=True)
    assert np.array_equal(np.array(embedding.get_text_embedding_batch(texts), np.float32), rows)
    assert np.array_equal(np.array(embedding.get_text_embedding(texts[0]), np.float32), rows[0])
    assert embedding.get_query_embedding(texts[0]) == embedding.get_text_embedding(texts[0])
    plain = WordLlamaEmbedding("l2_supercat_256", dim=64, norm=False)
    assert np.array_equal(np.array(plain.get_text_embedding_batch(texts), np.float32), wl.embed(texts)[:, :64])
    one, other = (embedding.get_text_embedding(text) for text in texts[:2])
    assert embedding.similarity(one, other) == pytest.approx(wl.similarity(*texts[:2]), abs=1e-5)


def test_async(wl: Any, texts: list[str]) -> None:
    async def all_of_them(embedding: WordLlamaEmbedding) -> list[Any]:
        batch = await embedding.aget_text_embedding_batch(texts)
        return [batch, await embedding.aget_query_embedding(texts[1]), await embedding.aget_text_embedding(texts[1])]

    batch, query, text = asyncio.run(all_of_them(WordLlamaEmbedding(wl)))
    assert np.array_equal(np.array(batch, np.float32), wl.embed(texts, norm=True))
    assert query == text == batch[1]


def test_pipeline_and_store(wl: Any, texts: list[str]) -> None:
    embedding = WordLlamaEmbedding(wl)
    nodes = IngestionPipeline(transformations=[embedding]).run(nodes=[TextNode(text=text) for text in texts[:4]])
    store = SimpleVectorStore()
    store.add(nodes)
    query = VectorStoreQuery(embedding.get_query_embedding("a kitten naps on the couch"), similarity_top_k=1)
    found = store.query(query)
    assert found.ids == [nodes[0].node_id]
    assert found.similarities[0] == pytest.approx(wl.similarity("a kitten naps on the couch", texts[0]), abs=1e-5)


def test_cache(wl: Any, texts: list[str]) -> None:
    store = SimpleKVStore()
    embedding = WordLlamaEmbedding(wl, embeddings_cache=store)
    first = embedding.get_text_embedding_batch(texts)
    assert embedding.get_text_embedding_batch(texts) == first
    assert len(store.get_all(collection="embeddings")) == len(texts)


def test_what_is_kept(wl: Any, array_model: Any, texts: list[str]) -> None:
    for embedding in (WordLlamaEmbedding(wl, dim=64), WordLlamaEmbedding("l2_supercat_256", norm=False)):
        kept = json.loads(embedding.to_json())
        assert kept["class_name"] == "WordLlamaEmbedding" and kept["embed_batch_size"] == 2048
        assert kept["model_name"] == "l2_supercat_256"
        for again in (WordLlamaEmbedding.from_dict(kept), pickle.loads(pickle.dumps(embedding))):
            assert again.get_text_embedding_batch(texts) == embedding.get_text_embedding_batch(texts)
            assert again.to_dict() == embedding.to_dict()
    assert WordLlamaEmbedding(array_model, norm=False).get_text_embedding("cat") == [1.0] * 4


def test_errors(wl: Any) -> None:
    with pytest.raises(TypeError, match=r"texts\[1\] is int"):
        WordLlamaEmbedding(wl).get_text_embedding_batch(["a", 1])  # type: ignore[list-item]
