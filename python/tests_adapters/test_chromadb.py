from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

pytest.importorskip("chromadb")

import chromadb
from chromadb.config import Settings
from chromadb.utils.embedding_functions import known_embedding_functions
from word_llama.adapters.chromadb import WordLlamaEmbeddingFunction

SETTINGS = Settings(anonymized_telemetry=False)


def test_vectors(wl: Any, texts: list[str]) -> None:
    function = WordLlamaEmbeddingFunction(wl)
    found = function(texts)
    assert len(found) == len(texts) and found[0].dtype == np.float32
    assert np.array_equal(np.stack(found), wl.embed(texts, norm=True))
    assert np.array_equal(np.stack(function.embed_query(texts)), np.stack(found))
    plain = WordLlamaEmbeddingFunction("l2_supercat_256", dim=64, norm=False)
    assert np.array_equal(np.stack(plain(texts)), wl.embed(texts)[:, :64])


def test_config(wl: Any, array_model: Any, texts: list[str]) -> None:
    assert known_embedding_functions["wordllama"] is WordLlamaEmbeddingFunction
    for function in (WordLlamaEmbeddingFunction(wl, 64), WordLlamaEmbeddingFunction(norm=False)):
        assert not function.is_legacy()
        again = WordLlamaEmbeddingFunction.build_from_config(function.get_config())
        assert again.get_config() == function.get_config()
        assert np.array_equal(np.stack(again(texts)), np.stack(function(texts)))
    kept = function.get_config()
    function.validate_config_update(kept, dict(kept))
    with pytest.raises(ValueError, match="dim of a collection"):
        function.validate_config_update(kept, {**kept, "dim": 64})
    with pytest.raises(ValueError, match="made of an array"):
        WordLlamaEmbeddingFunction(array_model).get_config()


def test_collection(wl: Any, texts: list[str]) -> None:
    client = chromadb.EphemeralClient(SETTINGS)
    collection = client.create_collection("in_memory", embedding_function=WordLlamaEmbeddingFunction(wl))
    collection.add(ids=[str(place) for place in range(4)], documents=texts[:4])
    queries = ["a kitten naps on the couch", "share prices", "recipe for a loaf"]
    found = collection.query(query_texts=queries, n_results=1)
    assert found["ids"] == [["0"], ["1"], ["2"]]
    for query, distances, documents in zip(queries, found["distances"], found["documents"]):
        assert distances[0] == pytest.approx(1 - wl.similarity(query, documents[0]), abs=1e-5)
    kept = collection.get(include=["embeddings"])["embeddings"]
    assert np.allclose(kept, wl.embed(texts[:4], norm=True), atol=1e-6)
    client.delete_collection("in_memory")


def test_collection_of_a_folder(wl: Any, texts: list[str], tmp_path: Path) -> None:
    client = chromadb.PersistentClient(tmp_path, SETTINGS)
    function = WordLlamaEmbeddingFunction(wl, dim=64)
    client.create_collection("kept", embedding_function=function).add(ids=["a", "b"], documents=texts[:2])
    again = client.get_collection("kept")
    assert again.query(query_texts=["share prices"], n_results=1)["ids"] == [["b"]]


def test_errors(wl: Any) -> None:
    with pytest.raises(TypeError, match=r"texts\[1\] is int"):
        WordLlamaEmbeddingFunction(wl)(["a", 1])  # type: ignore[list-item]
