from __future__ import annotations

from typing import Any

import numpy as np
import pytest

pytest.importorskip("semhash")

from semhash import SemHash
from word_llama.adapters.semhash import Encoder

COPIES = [
    "It is raining heavily in London today.",
    "It is raining heavily in London today!",
    "The recipe needs two eggs and flour.",
    "My bicycle has a flat tire.",
    "My bicycle has a flat tire",
]


def test_vectors(wl: Any, texts: list[str]) -> None:
    encoder = Encoder(wl)
    assert np.array_equal(encoder.encode(texts, batch_size=8, max_length=None), wl.embed(texts))
    assert np.array_equal(encoder.encode(texts[0], norm=True), wl.embed(texts[0], norm=True))
    assert np.array_equal(Encoder("l2_supercat_256", 64).encode(tuple(texts)), wl.embed(texts)[:, :64])
    assert encoder.encode([]).shape == (0, 256)
    with pytest.raises(TypeError, match=r"texts\[0\] is int"):
        encoder.encode([1])  # type: ignore[list-item]


def test_deduplicate(wl: Any) -> None:
    result = SemHash.from_records(COPIES, model=Encoder(wl)).self_deduplicate(threshold=0.9)
    assert sorted(result.selected) == sorted(wl.deduplicate(COPIES, 0.9))
    assert len(result.selected) == 3 and len(result.filtered) == 2
    for item in result.filtered:
        assert item.score == pytest.approx(wl.similarity(item.record, item.duplicate_of), abs=1e-3)


def test_columns(wl: Any) -> None:
    records = [{"title": text, "number": str(place // 2)} for place, text in enumerate(COPIES)]
    hasher = SemHash.from_records(records, columns=["title"], model=Encoder(wl))
    assert len(hasher.self_deduplicate(threshold=0.9).selected) == 3
    new = hasher.deduplicate([{"title": "The recipe needs two eggs, and flour.", "number": "9"}], threshold=0.9)
    assert not new.selected
