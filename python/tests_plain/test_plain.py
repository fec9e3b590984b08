"""The package alone, in an environment without NumPy: results are memoryviews and lists."""

from __future__ import annotations

import importlib.util
import os
import subprocess
import sys
from array import array
from pathlib import Path

import pytest

os.environ.setdefault("WORDLLAMA_CACHE", str(Path(__file__).resolve().parents[2] / "build" / "cache"))

from word_llama import Config, Model, WordLlama, load  # noqa: E402

if importlib.util.find_spec("numpy"):
    pytest.skip("NumPy is installed here", allow_module_level=True)


@pytest.fixture(scope="module")
def model() -> Model:
    try:
        return load()
    except (OSError, ImportError) as error:
        pytest.skip(f"the default model cannot be had: {error}")


def test_vectors(model: Model) -> None:
    one, rows = model.embed("a cat"), model.embed(["a cat", "a dog"])
    assert isinstance(one, memoryview) and one.shape == (256,) and one.format == "f"
    assert rows.shape == (2, 256) and rows.tolist()[0] == one.tolist() and model.embed([]) == []
    assert model.embed(["a cat"], return_np=False) == [one.tolist()]
    bits = model.embed("a cat", binarize=True)
    assert bits.shape == (32,) and bits[0] == sum(128 >> i for i in range(8) if one[i] > 0)


def test_similarities(model: Model) -> None:
    a, b = model.embed("a cat"), model.embed("a dog")
    cosine = model.cosine_similarity(a, b)
    assert cosine == pytest.approx(model.similarity("a cat", "a dog"), abs=1e-6)
    assert model.cosine_similarity(a.tolist(), b.tolist()) == cosine == model.cosine_similarity(array("f", a), b)
    rows = model.embed(["a cat", "a dog", "x"])
    matrix = model.cosine_similarity(rows, rows)
    assert matrix.shape == (3, 3) and matrix[0, 1] == cosine
    assert model.cosine_similarity(rows.tolist(), a).tolist()[1] == cosine
    assert model.hamming_similarity(bytes(8), b"\xff" * 4 + bytes(4)) == 0.5
    with pytest.raises(ValueError, match="different lengths"):
        model.cosine_similarity([[1.0], [1.0, 2.0]], rows)
    with pytest.raises(ValueError, match="cannot be compared"):
        model.cosine_similarity(a, a[:3])


def test_toolkit(model: Model) -> None:
    wl = WordLlama.load()
    texts = ["a cat", "a dog", "the car", "a truck"]
    assert wl.embed("a cat").shape == (1, 256) and wl.topk("a cat", texts, 1) == ["a cat"]
    assert len(wl.cluster(texts, 2, random_state=0)[0]) == 4 and wl.deduplicate([*texts, "a cat"]) == texts
    places, values, everything = wl.split("One line.\nAnother line here.\n" * 40, target_size=200, return_minima=True)
    assert len(places) == len(values) <= len(everything) and wl.tokenize("a cat")[0].ids
    assert wl.embed("a cat", pool_embeddings=False)[0].shape == (2, 256) and Config.llama3_8B.model.dim == 4096


def test_only_itself() -> None:
    """What import and a first vector load: nothing that is large."""
    code = "import sys, word_llama; word_llama.load().embed('a', return_np=False); print(*sys.modules)"
    loaded = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.split()
    assert not {"typing", "dataclasses", "inspect", "asyncio", "json", "logging", "word_llama._train"} & set(loaded)
