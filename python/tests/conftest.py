"""What the tests share: the default model, and the data beside the checkout where that is there."""

from __future__ import annotations

import gzip
import itertools
import json
import os
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
SHARED = ROOT.parent / "shared" / "data"
os.environ.setdefault("WORDLLAMA_CACHE", str(ROOT / "build" / "cache"))

import word_llama  # noqa: E402  after the cache is named


@pytest.fixture(scope="session")
def default_model() -> word_llama.Model:
    try:
        return word_llama.load()
    except (OSError, ImportError) as error:
        pytest.skip(f"the default model cannot be had: {error}")


@pytest.fixture(scope="session")
def model(default_model: word_llama.Model) -> word_llama.Model:
    return default_model


@pytest.fixture(scope="session")
def wl(default_model: word_llama.Model) -> word_llama.WordLlamaInference:
    return word_llama.WordLlama.load()


def texts_of(name: str, count: int) -> list[str] | None:
    """The texts of a file beside the checkout; None where it is not there."""
    path = SHARED / "speed" / f"{name}.jsonl.gz"
    if not path.is_file():
        return None
    with gzip.open(path, "rt", encoding="utf-8") as file:
        return [json.loads(line)["text"] for line in itertools.islice(file, count)]


@pytest.fixture(scope="session")
def titles() -> list[str]:
    """5,000 texts: real news and messages where they are beside the checkout, else made ones."""
    news, messages, chinese = texts_of("ag_news", 4000), texts_of("newsgroups", 400), texts_of("zhwiki", 600)
    if news and messages and chinese:
        return news + messages + chinese
    words = "the cat sat on a mat naïve café 東京 Москва 🙂 1,024 don't C++ e.g. well-known".split()
    return [" ".join(words[(i * j) % len(words)] for j in range(1, 2 + i % 40)) for i in range(5000)]
