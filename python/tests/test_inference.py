"""WordLlama.load() and what it gives: the words of the package `wordllama`, and where that crashed or surprised."""

from __future__ import annotations

import gc
import pickle
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from word_llama import ModelURI, WordLlama, WordLlamaInference, load

QUERY = "I went to the car"
CANDIDATES = ["I went to the park", "I went to the shop", "I went to the truck", "I went to the vehicle"]


def test_readme(wl: WordLlamaInference) -> None:
    """The examples of the package's README, with what it prints."""
    key = wl.key("Machine learning methods")
    candidates = [
        "Foundations of neural science",
        "Introduction to neural networks",
        "Cooking delicious pasta at home",
        "Introduction to philosophy: logic",
    ]
    ranked = [(text, round(key(text), 4)) for text in sorted(candidates, key=key, reverse=True)]
    assert ranked == [
        ("Introduction to neural networks", 0.3414),
        ("Foundations of neural science", 0.2115),
        ("Introduction to philosophy: logic", 0.1067),
        ("Cooking delicious pasta at home", 0.0045),
    ]
    assert max(candidates, key=key) == "Introduction to neural networks"
    texts = ["The quick brown fox jumps over the lazy dog", "And all that jazz"]
    assert WordLlama.load(trunc_dim=64).embed(texts).shape == (2, 64)
    assert wl.deduplicate(CANDIDATES, return_indices=False, threshold=0.5) == CANDIDATES[:3]
    assert wl.filter(QUERY, CANDIDATES, threshold=0.3) == ["I went to the vehicle"]
    assert wl.topk(QUERY, CANDIDATES, k=2) == ["I went to the vehicle", "I went to the truck"]
    assert [text for text, _ in wl.rank(QUERY, CANDIDATES, sort=True, batch_size=64)] == CANDIDATES[::-1]
    assert list(map(len, wl.split("Your very long text goes here... " * 100, target_size=1536))) == [1055, 1055, 1187]
    labels, inertia = wl.cluster(CANDIDATES, k=3, max_iterations=100, tolerance=1e-4, n_init=3)
    assert sorted(set(labels)) == [0, 1, 2] and inertia == pytest.approx(0.4150, abs=0.02)
    assert WordLlama.list_configs()["wordllama"] == ["l2_supercat", "l3_supercat"]
    assert "potion_base_8m" in WordLlama.list_configs()["model2vec"]


def test_embed(wl: WordLlamaInference) -> None:
    assert wl.embed("a").shape == (1, 256) and wl.embed(["a", "b"]).shape == (2, 256) and wl.embed([]).shape == (0, 256)
    assert wl.embed(["a"], return_np=False) == wl.embed("a").tolist()
    assert np.array_equal(wl.embed("a cat")[0], load("l2_supercat_256").embed("a cat"))
    unit = wl.embed(["", "a cat"], norm=True)
    assert not unit[0].any() and np.linalg.norm(unit[1]) == pytest.approx(1)  # and no NaN
    tokens = wl.embed(["a cat sat", ""], pool_embeddings=False)
    assert [rows.shape for rows in tokens] == [(3, 256), (0, 256)]
    assert np.allclose(tokens[0].mean(axis=0), wl.embed("a cat sat")[0], atol=1e-6)
    assert wl.embed("a", pool_embeddings=False)[0].shape == (1, 256)
    long = "word " * 100000
    assert np.allclose(wl.embed([long, "a"])[1], wl.embed("a")[0])  # no padding to the longest


def test_binary(wl: WordLlamaInference, tmp_path: Path) -> None:
    assert wl.path
    binary = WordLlamaInference.open(wl.path, binary=True)
    bits = binary.embed(["a cat", "a dog"])
    assert bits.dtype == np.uint64 and bits.shape == (2, 4)
    floats = wl.embed(["a cat", "a dog"])
    assert np.array_equal(bits, np.packbits(floats > 0, axis=1).view(np.uint64))
    signs = np.where(floats > 0, 1, -1)
    assert binary.similarity("a cat", "a dog") == pytest.approx(float(signs[0] @ signs[1]) / 256)
    assert binary.vector_similarity(bits[0], bits)[0].tolist() == pytest.approx([1, float(signs[0] @ signs[1]) / 256])
    assert [text for text, _ in binary.rank("a cat", ["a dog", "a cat"])] == ["a cat", "a dog"]
    assert binary.deduplicate(["a cat", "a dog", "a cat"]) == ["a cat", "a dog"]
    assert binary.key("a cat")("a cat") == 1
    for method, arguments in (("cluster", (["a", "b"], 2)), ("split", ("text",))):
        with pytest.raises(ValueError, match=f"'{method}' is only implemented for dense embeddings"):
            getattr(binary, method)(*arguments)
    with pytest.raises(ValueError, match="64"):
        WordLlamaInference.open(wl.path, binary=True, dim=100)
    assert np.array_equal(pickle.loads(pickle.dumps(binary)).embed("a"), binary.embed("a"))


def test_where_the_package_crashed(wl: WordLlamaInference) -> None:
    assert wl.topk(QUERY, CANDIDATES, k=4) == CANDIDATES[::-1] and len(wl.topk(QUERY, CANDIDATES, k=9)) == 4
    assert wl.filter(QUERY, [QUERY]) == [QUERY] and wl.filter(QUERY, []) == []
    assert wl.rank(QUERY, [QUERY]) == [(QUERY, pytest.approx(1))] and wl.rank(QUERY, []) == []
    assert wl.split("") == [] and wl.split("   \n ") == [] and wl.split("short") == ["short"]
    for state in (0, np.int64(0), 7, np.int32(7), np.random.RandomState(1), np.random.default_rng(1), None):
        labels, _ = wl.cluster(CANDIDATES, k=2, random_state=state)
        assert len(labels) == 4 and all(type(label) is int for label in labels)
    assert wl.cluster(CANDIDATES, 2, random_state=0) == wl.cluster(CANDIDATES, 2, random_state=np.int64(0))
    assert wl.similarity("", "a") == 0 and wl.deduplicate(["", ""]) == ["", ""] and wl.deduplicate([]) == []


def test_split(wl: WordLlamaInference) -> None:
    text = "\n".join(f"Line {i} is about {'cats and dogs' if i // 10 % 2 else 'stocks and bonds'}." for i in range(60))
    chunks = wl.split(text, target_size=300)
    assert max(map(len, chunks)) <= 300 and "".join("".join(chunks).split()) == "".join(text.split())
    places, values, all_of_them = wl.split(text, target_size=300, return_minima=True)
    assert places.dtype == np.int32 and values.dtype == np.float32 and all_of_them.dtype == np.float32
    assert np.array_equal(all_of_them[places], values)
    assert len(wl.split(text, target_size=97, intermediate_size=30, cleanup_size=10, tokens=True)) >= 1
    split: Any = wl.split
    for wrong in ({"target_size": 10}, {"window_size": 2}, {"poly_order": 5}, {"target_size": -1}, {"window_size": 0}):
        with pytest.raises(ValueError, match="."):
            split(text, **wrong)
    with pytest.raises(TypeError, match="text is list"):
        wl.split(["a"])  # type: ignore[arg-type]


def test_arguments(wl: WordLlamaInference) -> None:
    for wrong in (0, -1):
        with pytest.raises(ValueError, match="k is"):
            wl.topk(QUERY, CANDIDATES, k=wrong)
        with pytest.raises(ValueError, match="k is"):
            wl.cluster(CANDIDATES, k=wrong)
    with pytest.raises(ValueError, match="there are 4 texts"):
        wl.cluster(CANDIDATES, k=5)
    with pytest.raises(TypeError, match="query is list"):
        wl.rank([QUERY], CANDIDATES)  # type: ignore[arg-type]
    with pytest.raises(TypeError, match=r"texts\[1\] is int"):
        wl.rank(QUERY, ["a", 3])  # type: ignore[list-item]
    with pytest.raises(TypeError, match="iterable of str"):
        wl.deduplicate("text")
    with pytest.raises(ValueError, match="NaN|threshold"):
        wl.deduplicate(CANDIDATES, threshold=float("nan"))
    with pytest.raises(TypeError, match="expected str"):
        wl.similarity("a", None)  # type: ignore[arg-type]
    with pytest.raises(TypeError, match="text is int"):
        wl.key("a")(3)  # type: ignore[arg-type]
    with pytest.raises(TypeError, match="text is bytes"):
        wl.key(b"a")  # type: ignore[arg-type]


def test_duplicates(wl: WordLlamaInference, titles: list[str]) -> None:
    texts = titles[:300] + titles[:50]
    gone = wl.deduplicate(texts, threshold=0.999, return_indices=True)
    assert set(range(300, 350)) - {300 + i for i, text in enumerate(titles[:50]) if not text.strip()} <= set(gone)
    stay = wl.deduplicate(iter(texts), threshold=0.999)
    assert stay == [text for i, text in enumerate(texts) if i not in set(gone)]
    told: list[int] = []
    wl.deduplicate(titles, progress=lambda done, total: told.append(done))
    assert told


def test_loading(wl: WordLlamaInference, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(ValueError, match="did you mean 'l2_supercat'"):
        WordLlama.load("l2_supercats")
    with pytest.raises(ValueError, match="must be one of"):
        WordLlama.load(dim=100)
    with pytest.raises(ValueError, match="Cannot truncate"):
        WordLlama.load(dim=64, trunc_dim=128)
    with pytest.raises(FileNotFoundError, match="downloads are disabled"):
        WordLlama.load(dim=64, cache_dir=tmp_path, disable_download=True)
    # A cache that the older package made.
    assert wl.path
    folder = Path(wl.path)
    for kind, name, file in (
        ("weights", "l2_supercat_64.safetensors", "model.safetensors"),
        ("tokenizers", "l2_supercat_tokenizer_config.json", "tokenizer.json"),
    ):
        (tmp_path / kind).mkdir()
        shutil.copy(folder / file, tmp_path / kind / name)
    old = WordLlama.load(dim=64, cache_dir=str(tmp_path), disable_download=True)
    assert np.array_equal(old.embed("a"), wl.embed("a"))
    uri = ModelURI("nobody/nothing", [64], [], "l2_supercat_tokenizer_config.json")
    with pytest.raises(FileNotFoundError, match="custom_64"):
        WordLlama.load(uri, dim=64, cache_dir=tmp_path)
    shutil.copy(folder / "model.safetensors", tmp_path / "weights" / "custom_64.safetensors")
    assert np.array_equal(WordLlama.load(uri, dim=64, cache_dir=tmp_path).embed("a"), wl.embed("a"))
    with pytest.raises(ValueError, match="no model"):
        WordLlama.load_m2v("potion")
    assert WordLlama.load("l2_supercat_256").dim == load("l2_supercat").dim == 256
    with pytest.raises(ValueError, match=r"load\(\) opens it"):
        WordLlama.load(wl.path)
    with pytest.raises(ValueError, match="must be one of"):
        load("l2_supercat_265")
    with pytest.raises(ValueError, match="config alone"):
        load(config="llama3_8B")


def test_immutable(wl: WordLlamaInference) -> None:
    for name in ("dim", "binary", "path", "info"):
        with pytest.raises(AttributeError):
            setattr(wl, name, 5)


def test_interrupted(wl: WordLlamaInference) -> None:
    """What takes long is heard between its parts."""
    texts = ["a cat sat on the mat"] * 200000
    for call in (wl.rank, wl.topk, wl.filter):
        told: list[int] = []
        call("a cat", texts, progress=lambda done, total: told.append(done))
        assert told[-1] == 200000 and len(told) > 2
        with pytest.raises(KeyboardInterrupt):
            call("a cat", texts, progress=lambda done, total: False)
    ranked = wl.rank("the dog", [f"text {i % 977}" for i in range(150000)])
    assert ranked == sorted(ranked, key=lambda pair: -pair[1]) and len(ranked) == 150000
    rows = np.ones((9000, 16), np.float32)
    assert (wl.vector_similarity(rows, rows[:2000]) == 1).all()


def test_own_table(wl: WordLlamaInference) -> None:
    """WordLlamaInference(array, tokenizer)."""
    assert wl.path
    tokenizer = Path(wl.path) / "tokenizer.json"
    rows = wl.info["rows"]
    table = np.random.default_rng(3).standard_normal((rows, 128)).astype(np.float32)
    for given in (tokenizer, tokenizer.read_text(encoding="utf-8")):
        own = WordLlamaInference(table, given)
        ids = own.tokenize("a cat sat")[0].ids
        assert np.allclose(own.embed("a cat sat")[0], table[ids].mean(axis=0), atol=1e-6)
    assert WordLlamaInference(table, tokenizer, binary=True).embed("a").shape == (1, 2)
    with pytest.raises(TypeError, match="pickled"):
        pickle.dumps(own)
    with pytest.raises(ValueError, match="dimensions"):
        WordLlamaInference(table[0], tokenizer)
    half = WordLlamaInference(table.astype(np.float16), tokenizer)
    assert np.allclose(half.embed("a cat")[0], own.embed("a cat")[0], atol=1e-2)


def test_table(wl: WordLlamaInference) -> None:
    table = wl.embedding
    assert table.shape == (32000, 256) and table.dtype == np.float32
    ids = wl.tokenize("a cat sat")[0].ids
    assert np.allclose(table[ids].mean(axis=0), wl.embed("a cat sat")[0], atol=1e-6)
    assert np.array_equal(WordLlama.load(trunc_dim=64).embedding, table[:, :64])
    own = WordLlamaInference((table * 10).astype(np.uint8), Path(wl.path or "") / "tokenizer.json")
    assert np.array_equal(own.embedding, (table * 10).astype(np.uint8))


def test_tokenize(wl: WordLlamaInference) -> None:
    one, other = wl.tokenize(["Hello naïve world", "Hi"])
    assert len(one) == len(other) == len(one.ids) and one.attention_mask == [1] * len(one)
    assert other.ids[-1] == 0 and other.tokens[-1] == "[PAD]" and sum(other.attention_mask) == 1
    assert one.tokens[0] == "▁Hello" and one.offsets[0] == (0, 5)
    assert wl.tokenize("Hi")[0].ids == other.ids[:1] and wl.tokenize([]) == []


def test_explain(wl: WordLlamaInference) -> None:
    parts, cosine = wl.explain("a cat sat", "the dog")
    assert sum(share for _, share in parts) == pytest.approx(cosine, abs=1e-4)
    assert cosine == pytest.approx(wl.similarity("a cat sat", "the dog"), abs=1e-6)


def test_key_outlives_model(wl: WordLlamaInference) -> None:
    key = WordLlama.load().key("a cat")
    gc.collect()
    assert key("a cat") == pytest.approx(1)
