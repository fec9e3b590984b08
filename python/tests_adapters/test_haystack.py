from __future__ import annotations

from typing import Any

import numpy as np
import pytest

pytest.importorskip("haystack")

from haystack import Document, Pipeline
from haystack.components.retrievers.in_memory import InMemoryEmbeddingRetriever
from haystack.document_stores.in_memory import InMemoryDocumentStore
from word_llama.adapters.haystack import WordLlamaDocumentEmbedder, WordLlamaTextEmbedder


def test_vectors(wl: Any, texts: list[str]) -> None:
    rows = wl.embed(texts, norm=True)
    found = WordLlamaTextEmbedder(wl).run(text=texts[0])["embedding"]
    assert type(found) is list and np.array_equal(np.array(found, np.float32), rows[0])
    documents = [Document(content=text) for text in texts]
    embedded = WordLlamaDocumentEmbedder(wl).run(documents=documents)["documents"]
    assert np.array_equal(np.array([document.embedding for document in embedded], np.float32), rows)
    assert documents[0].embedding is None
    assert WordLlamaDocumentEmbedder(wl).run(documents=[])["documents"] == []


def test_what_is_put_around(wl: Any) -> None:
    embedder = WordLlamaDocumentEmbedder(
        wl,
        prefix="<",
        suffix=">",
        norm=False,
        dim=64,
        meta_fields_to_embed=["title", "none"],
        embedding_separator=" | ",
    )
    document = Document(content="a text", meta={"title": "its title"})
    made = embedder.run(documents=[document, Document(meta={"title": "alone"})])["documents"]
    expected = wl.embed(["<its title | a text>", "<alone | >"])[:, :64]
    assert np.array_equal(np.array([one.embedding for one in made], np.float32), expected)
    query = WordLlamaTextEmbedder(wl, prefix="q: ", suffix="?").run(text="why")["embedding"]
    assert np.array_equal(np.array(query, np.float32), wl.embed("q: why?", norm=True))


def test_pipelines(wl: Any, texts: list[str]) -> None:
    store = InMemoryDocumentStore(embedding_similarity_function="cosine")
    writer = WordLlamaDocumentEmbedder(wl)
    store.write_documents(writer.run(documents=[Document(content=text) for text in texts[:4]])["documents"])
    pipeline = Pipeline()
    pipeline.add_component("embedder", WordLlamaTextEmbedder(wl))
    pipeline.add_component("retriever", InMemoryEmbeddingRetriever(store, top_k=1))
    pipeline.connect("embedder.embedding", "retriever.query_embedding")
    for query, place in (("a kitten naps on the couch", 0), ("share prices", 1), ("recipe for a loaf", 2)):
        found = pipeline.run({"embedder": {"text": query}})["retriever"]["documents"]
        assert [document.content for document in found] == [texts[place]]
    again = Pipeline.loads(pipeline.dumps(), allowed_modules=["word_llama.adapters.haystack"])
    component = again.get_component("embedder")
    assert np.array_equal(component.run(text="why")["embedding"], wl.embed("why", norm=True).tolist())


def test_what_is_kept(wl: Any, array_model: Any) -> None:
    for embedder in (
        WordLlamaDocumentEmbedder(
            "l2_supercat_256", 64, False, "p", "s", meta_fields_to_embed=["title"], embedding_separator=" "
        ),
        WordLlamaTextEmbedder(wl, 64, False, "p", "s"),
        WordLlamaTextEmbedder(),
    ):
        kept = embedder.to_dict()
        assert kept["type"].startswith("word_llama.adapters.haystack.")
        again = type(embedder).from_dict(kept)
        assert again.to_dict() == kept
        again.warm_up()
    with pytest.raises(ValueError, match="made of an array"):
        WordLlamaTextEmbedder(array_model).to_dict()


def test_errors(wl: Any) -> None:
    with pytest.raises(TypeError, match="text is list"):
        WordLlamaTextEmbedder(wl).run(text=["a"])
    for wrong in ("a", ["a"]):
        with pytest.raises(TypeError, match="no list of Document"):
            WordLlamaDocumentEmbedder(wl).run(documents=wrong)
