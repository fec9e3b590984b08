"""The first WordLlama's README, word for word, with a model of its size that the project's own training made."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import word_llama
from conftest import SHARED

SIDES = [
    ("a red car drives on the road", "a vehicle is on the street"),
    ("two dogs play in the park", "pets run on the grass outside"),
    ("she cooks dinner in the kitchen", "a woman prepares a meal"),
    ("the stock market fell today", "shares lost value on Monday"),
    ("a child reads a book", "a kid looks at a story"),
    ("the plane landed at the airport", "an aircraft arrived"),
]


def pairs(path: Path) -> str:
    """Real pairs where they are beside the checkout, else a few made ones."""
    real = SHARED / "train" / "snli-triplets.jsonl.gz"
    if real.is_file():
        return str(real)
    made = [{"anchor": f"{a} {i}", "positive": f"{b} {i}"} for i in range(60) for a, b in SIDES]
    path.write_text("".join(json.dumps(record) + "\n" for record in made), encoding="utf-8")
    return str(path)


@pytest.fixture(scope="module")
def folder(default_model: word_llama.Model, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with weights/wordllama_64_binary.safetensors, trained for its bits."""
    pytest.importorskip("word_llama._train")
    root = tmp_path_factory.mktemp("seed")
    word_llama.train(
        codebook=default_model.path,
        data=[pairs(root / "pairs.jsonl")],
        output=root / "weights",
        name="wordllama",
        dim=64,
        matryoshka=[64],
        binarizer="ste",
        bias=False,
        learning_rate=0.01,
        batch_size=128,
        steps=60,
    )
    return root


def test_quick_start(folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.chdir(folder)
    from word_llama import load

    # Load pre-trained embeddings
    wl = load("weights/wordllama_64_binary.safetensors")  # binary trained, truncated to 64-dims

    # Embed text
    embeddings = wl.embed(["the quick brown fox jumps over the lazy dog", "and all that jazz"])
    print(embeddings)
    assert embeddings.shape == (2, 64) and embeddings.dtype == np.float32 and np.isfinite(embeddings).all()


def test_demonstration(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(folder)
    from word_llama import Config, load

    # Load Word Llama with configuration
    wl = load("weights/wordllama_64_binary.safetensors", Config.wordllama_64)

    # Embed texts
    a: Any
    b: Any
    a = wl.embed("I went to the car")
    b = wl.embed("I went to the sedan")
    c = wl.embed("I went to the park")

    # Calculate cosine similarity
    near, far = wl.cosine_similarity(a, b), wl.cosine_similarity(a, c)
    assert a.shape == (64,) and far < near < 1

    # Embed texts with binarization
    a = wl.embed("I went to the car", binarize=True)
    assert a.shape == (8,) and a.dtype == np.uint8
    b = wl.embed("I went to the sedan", binarize=True)

    # Calculate Hamming similarity
    similarity = wl.hamming_similarity(a, b)
    assert similarity == 1 - np.unpackbits(a ^ b).sum() / 64 and similarity > 0.5


def test_extraction(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The call of the README, with what it would fetch in place of the hub."""
    import word_llama.extract as module

    asked: list[tuple[Any, ...]] = []
    monkeypatch.setattr(module, "extract", lambda *arguments, **options: asked.append(arguments))
    from word_llama import Config
    from word_llama.extract import extract_hf

    # Extract embeddings for the specified configuration
    extract_hf(Config.llama3_8B, "path/to/save/llama3_8B_embeddings.safetensors")
    assert asked == [("llama3_8B", "path/to/save/llama3_8B_embeddings.safetensors")]


def test_function_and_module() -> None:
    assert callable(word_llama.extract) and callable(word_llama.train)
    from word_llama.extract import extract, extract_hf

    assert callable(extract) and callable(extract_hf)
    with pytest.raises(FileNotFoundError):
        word_llama.extract("/nowhere/at/all", "out.safetensors")
