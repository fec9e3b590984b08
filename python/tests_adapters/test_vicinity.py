from __future__ import annotations

from typing import Any

import pytest

pytest.importorskip("vicinity")

from vicinity import Backend, Metric, Vicinity
from word_llama.adapters.semhash import Encoder


def test_query(wl: Any, texts: list[str]) -> None:
    encoder = Encoder(wl)
    index = Vicinity.from_vectors_and_items(
        vectors=encoder.encode(texts[:4]), items=texts[:4], backend_type=Backend.BASIC, metric=Metric.COSINE
    )
    queries = ["a kitten naps on the couch", "share prices", "recipe for a loaf"]
    for place, found in enumerate(index.query(encoder.encode(queries), k=1)):
        item, distance = found[0]
        assert item == texts[place]
        assert distance == pytest.approx(1 - wl.similarity(queries[place], item), abs=1e-4)
