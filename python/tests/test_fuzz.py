"""Anything at all as arguments: a result or one of Python's exceptions, never a crash. Under AddressSanitizer too
(tools/test_python.sh)."""

from __future__ import annotations

from typing import Any

import pytest
from word_llama import Model, WordLlamaError, WordLlamaInference

hypothesis = pytest.importorskip("hypothesis")
from hypothesis import given, settings  # noqa: E402
from hypothesis import strategies as st  # noqa: E402

np = pytest.importorskip("numpy")

settings.register_profile("calm", deadline=None, derandomize=True, max_examples=150, database=None)
settings.load_profile("calm")

EXPECTED = (TypeError, ValueError, OverflowError, BufferError, WordLlamaError, UnicodeError)
any_text = st.text(st.characters(codec=None, categories=None), max_size=60)
anything = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | any_text | st.binary(max_size=20),
    lambda inner: st.lists(inner, max_size=4) | st.tuples(inner, inner) | st.dictionaries(any_text, inner, max_size=3),
    max_leaves=6,
)
numbers = st.integers(-(2**70), 2**70) | st.integers(-2, 300) | st.floats() | st.none()


def attempt(call: Any, *arguments: Any, **options: Any) -> Any:
    try:
        return call(*arguments, **options)
    except EXPECTED:
        return None


@given(texts=st.lists(any_text, max_size=8))
def test_any_text(model: Model, texts: list[str]) -> None:
    rows = model.embed(texts)
    assert rows.shape == (len(texts), 256) and np.isfinite(rows).all()
    for row, text in zip(rows, texts):
        assert np.array_equal(row, model.embed(text))
    model.tokenize(texts)
    assert len(model.rank("a", texts)) == len(texts)
    for text in texts:
        chunks = model.split(text, target_size=30, intermediate_size=20, cleanup_size=5)
        assert all(isinstance(chunk, str) for chunk in chunks)


@given(value=anything, other=anything)
def test_any_argument(model: Model, value: Any, other: Any) -> None:
    call: Any
    for call in (model.embed, model.tokenize, model.split, model.key, model.deduplicate):
        attempt(call, value)
    for call in (
        model.similarity,
        model.rank,
        model.topk,
        model.filter,
        model.explain,
        model.vector_similarity,
        model.cosine_similarity,
        model.hamming_similarity,
    ):
        attempt(call, value, other)


@given(a=numbers, b=numbers, c=numbers)
def test_any_number(wl: WordLlamaInference, a: Any, b: Any, c: Any) -> None:
    texts = ["a cat", "a dog", "the car"]
    attempt(wl.embed, texts, threads=a)
    attempt(wl.topk, "a", texts, k=a)
    attempt(
        wl.cluster,
        texts,
        a if not isinstance(a, int) or a < 100 else 2,
        max_iterations=5,
        n_init=2,
        tolerance=b,
        random_state=c,
    )
    attempt(wl.deduplicate, texts, threshold=a)
    attempt(wl.filter, "a", texts, threshold=b)
    attempt(wl.split, "One. Two. Three.", target_size=a, intermediate_size=b, cleanup_size=c)
    attempt(wl.split, "One.\nTwo.\nThree.\n" * 9, window_size=a, savgol_window=b, poly_order=c)


@given(
    shape=st.lists(st.integers(0, 5), max_size=4),
    dtype=st.sampled_from(["f4", "f8", "f2", "u1", "u8", "i4", "i8", "c8", "U3", "O", ">f4", "?"]),
    order=st.sampled_from("CF"),
)
def test_any_array(wl: WordLlamaInference, shape: list[int], dtype: str, order: Any) -> None:
    array = np.ones(shape, "f4").astype(dtype, order=order)
    for call in (wl.vector_similarity,):
        attempt(call, array, array)
        attempt(call, array, np.ones((2, 5), "f4"))
        attempt(call, memoryview(b"abcdefgh"), array)


@given(text=any_text)
def test_any_path(text: str) -> None:
    from word_llama import load

    try:
        load(f"/nonexistent/{text}.safetensors")
    except (*EXPECTED, OSError):
        pass
