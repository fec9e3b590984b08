"""Held against the package `wordllama` 0.4.0.post1 itself, on the same files, with 5,000 texts.

Not part of the usual tests, as it needs that package: pytest python/tests_reference, in an environment with both.
"""

from __future__ import annotations

import gzip
import inspect
import itertools
import json
import random
import shutil
import warnings
from collections.abc import Callable
from importlib import metadata
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
import word_llama

VERSION = "0.4.0.post1"
wordllama = pytest.importorskip("wordllama", reason="the package `wordllama` is not installed")
if metadata.version("wordllama") != VERSION:
    pytest.skip(f"wordllama is {metadata.version('wordllama')}, expected {VERSION}", allow_module_level=True)
Tokenizer: Any = pytest.importorskip("tokenizers").Tokenizer
algorithms: Any = pytest.importorskip("wordllama.algorithms")

SHARED = Path(__file__).resolve().parents[3] / "shared" / "data"
PACKAGE = Path(wordllama.__file__).parent  # laid out as a cache is: both sides open the very same files from it
WEIGHTS = "l2_supercat_256"
SMALL_BATCH = 8  # the reference pads a batch to its longest text; its results do not depend on that
SHORT = 500  # characters, where the reference chooses the batches
# Of cosines: the reference's are up to 7e-7 from the truth (a text and itself: 1.0000007), as its matrix product sums
# in float32. Scores that differ by less may stand in either order, and on either side of a threshold.
NEAR = 1e-6
OWN_ROUNDING = 6e-8  # of ours from the truth
QUERIES, DOCUMENTS = 50, 200
SEEDS = range(1, 6)

TRAPS = [
    "", " ", "   ", "\t", "\n", "\r\n", "\r", " \n\t\r ", "\u00a0", "\u3000", "\u200b", "\ufeff", "\u2028\u2029\x85",
    "a", " a", "a ", "  a  b   c ", "a\tb", "a\nb", "a\r\nb\r\n", "\n\na", "a\x0b\x0cb", "\x1c\x1d\x1e\x1f",
    "\0", "a\0b", "\0\0\0", "\x01\x02\x1b[31mred\x1b[0m", "\x7f\x80\x9f",
    "x" * 20_000, "ab" * 5_000, "word " * 3_000, "\n" * 500, " " * 1_000, "." * 700, "a " * 2_000, "🙂" * 1_000,
    "🙂", "👩‍👩‍👧‍👦🏽", "🇩🇪🇫🇷", "1️⃣", "☺️", "e\u0301a\u0308\u0323", "\u0301", "a" + "\u0301" * 200, "é", "e\u0301",
    "ﬁ ﬃ Å Ω K", "½ ² ™ ①", "İi̇ıI", "ǅ ß ẞ ς σ", "ＦＵＬＬ　ｗｉｄｔｈ", "Ⅷ", "ｱｲｳ", "가 각 가",
    "中文English混合123", "東京タワー。", "不 不", "שלום עולם", "مرحبا بالعالم", "नमस्ते दुनिया", "สวัสดีชาวโลก",
    "ᠮᠣᠩᠭᠣᠯ", "𐍈𝒳𝟘", "𠀀𠀁",
    "\u202eabc\u202c", "a\u200db", "a\u00adb", "\ue000\uf8ff", "\ufffd", "\uffff\ufffe", "\U0010ffff", "\ud7ff",
    "<s>", "</s>", "<unk>", "<s>a</s>", "a <unk> b", "[PAD]", "[CLS] a [SEP]", "<0x0A>", "<0xFF>", "▁", "▁a▁b", " ▁ ",
    "don't can't I'm", "1,234.56 $9.99 50%", "http://a.example/b?c=d&e=f#g", "user@a.example", "C++ C# .NET",
    "a_b-c/d\\e",
    "{\"a\": [1, 2]}", "<p>text</p>", "&amp; &#39;", "!!!???...", "— – ― -", "“quoted” ‘single’ «guillemets»",
]  # fmt: skip

OPTIONS: list[dict[str, Any]] = [
    {},
    {"target_size": 400, "window_size": 5, "savgol_window": 5},
    {"intermediate_size": 200},
    {"target_size": 97, "intermediate_size": 30, "cleanup_size": 10},
    {"savgol_window": 7, "poly_order": 3},
    {"target_size": 4000, "window_size": 9, "savgol_window": 9, "poly_order": 4, "cleanup_size": 60},
]

Floats = npt.NDArray[np.float32]


def read(name: str, count: int | None = None) -> list[str]:
    path = SHARED / "speed" / f"{name}.jsonl.gz"
    if not path.is_file():
        pytest.skip(f"there is no {name}.jsonl.gz beside the checkout")
    with gzip.open(path, "rt", encoding="utf-8") as file:
        return [json.loads(line)["text"] for line in itertools.islice(file, count)]


@pytest.fixture(scope="session")
def texts() -> list[str]:
    """5,000: news, short messages, sentences in Chinese, and traps among them."""
    messages = [text for text in read("newsgroups") if len(text) < 1500][:1000]
    real = read("ag_news", 2500) + messages + read("zhwiki", 2000)
    random.Random(1).shuffle(real)
    found = real[: 5000 - len(TRAPS)]
    for place, trap in enumerate(TRAPS):
        found.insert(place * 37, trap)
    assert len(found) == 5000
    return found


@pytest.fixture(scope="session")
def long_texts() -> list[str]:
    """Messages, articles, and what has odd ends of lines, or none."""
    messages = [text for text in read("newsgroups", 1500) if 4000 < len(text) < 12_000][:16]
    messages[1::2] = [text.replace("\t", "\n") for text in messages[1::2]]  # tabs are in place of the ends of lines
    news, chinese = read("ag_news", 240), read("zhwiki", 900)
    made = [
        *("\n".join(news[start : start + 60]) for start in range(0, 240, 60)),
        *("\n".join(chinese[start : start + 150]) for start in range(0, 600, 150)),
        " ".join(news[:40]),
        "".join(chinese[600:700]),
        "\r\n".join(news[:30]),
        "\u2028".join(news[:20]) + "\x0b\x0c\x1c\x85" + "\r".join(news[20:30]) + "\n" * 30 + "A. B! C? D",
        "\n".join(text for pair in zip(news[:40], chinese[700:740]) for text in pair),
        "\0".join(news[:5]) + "\n" + "🙂 e\u0301. " * 200,
    ]
    return messages + made


@pytest.fixture(scope="session")
def theirs() -> Any:
    # Its own folder as the cache: the wheel has the tokenizer in tokenizers/, where only the cache is looked for.
    return wordllama.WordLlama.load(cache_dir=PACKAGE, disable_download=True)


@pytest.fixture(scope="session")
def ours() -> word_llama.WordLlamaInference:
    return word_llama.WordLlama.load(cache_dir=PACKAGE, disable_download=True)


@pytest.fixture(scope="session")
def binary_cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The dense weights under the name of the binary ones, which are not part of the package."""
    folder = tmp_path_factory.mktemp("cache")
    shutil.copytree(PACKAGE / "tokenizers", folder / "tokenizers")
    (folder / "weights").mkdir()
    shutil.copy(PACKAGE / "weights" / f"{WEIGHTS}.safetensors", folder / "weights" / f"{WEIGHTS}_binary.safetensors")
    return folder


@pytest.fixture(scope="session")
def bits(binary_cache: Path) -> tuple[word_llama.WordLlamaInference, Any]:
    options: dict[str, Any] = {"cache_dir": binary_cache, "binary": True, "disable_download": True}
    return word_llama.WordLlama.load(**options), wordllama.WordLlama.load(**options)


@pytest.fixture(scope="session")
def rows(theirs: Any, texts: list[str]) -> Floats:
    found: Floats = theirs.embed(texts, batch_size=SMALL_BATCH)
    return found


def say(record: Callable[[str, object], None], **facts: object) -> None:
    """What was found, for pytest -s and for the report of the run."""
    for name, value in facts.items():
        record(name, value)
    print("   ", ", ".join(f"{name} {value}" for name, value in facts.items()))


def units(model: Any, texts: list[str]) -> Floats:
    """The reference's unit vectors; it divides by 0 where a text has no tokens, and that is 0 with us."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)
        found: Floats = model.embed(texts, norm=True, batch_size=SMALL_BATCH)
    return np.nan_to_num(found, nan=0.0)


# ---- vectors and tokens ----------------------------------------------------------------------------------------------


def test_embeddings(
    ours: word_llama.WordLlamaInference, theirs: Any, texts: list[str], rows: Floats, record_property: Any
) -> None:
    """Bit for bit: both add the rows of a text one after the other in float32, and divide."""
    found = ours.embed(texts)
    assert found.dtype == rows.dtype and found.shape == rows.shape and found.flags.c_contiguous
    say(record_property, equal=int((found == rows).all(axis=1).sum()), of=len(texts))
    assert np.array_equal(found.view(np.uint32) & 0x7FFFFFFF, rows.view(np.uint32) & 0x7FFFFFFF)  # but for -0
    assert np.array_equal(found, rows)
    assert np.array_equal(found, ours.embed(texts, threads=1))
    single = np.concatenate([theirs.embed(text) for text in texts[:500]])
    assert np.array_equal(found[:500], single)
    assert np.array_equal(np.concatenate([ours.embed(text) for text in texts[:500]]), single)
    some = texts[:300]
    assert ours.embed(some, return_np=False) == theirs.embed(some, return_np=False, batch_size=SMALL_BATCH)


def test_unit_vectors(ours: word_llama.WordLlamaInference, theirs: Any, texts: list[str], record_property: Any) -> None:
    """Bit for bit, too. A text without tokens: zeros, where the reference divides by 0."""
    found, expected = ours.embed(texts, norm=True), units(theirs, texts)
    say(record_property, equal=int((found == expected).all(axis=1).sum()), of=len(texts))
    assert np.array_equal(found, expected)
    assert not found[texts.index("")].any()


@pytest.mark.parametrize("dim", [64, 128])
def test_fewer_dimensions(dim: int, texts: list[str], rows: Floats) -> None:
    options: dict[str, Any] = {"cache_dir": PACKAGE, "trunc_dim": dim, "disable_download": True}
    ours, theirs = word_llama.WordLlama.load(**options), wordllama.WordLlama.load(**options)
    found = ours.embed(texts)
    assert np.array_equal(found, theirs.embed(texts, batch_size=SMALL_BATCH)) and np.array_equal(found, rows[:, :dim])
    assert np.array_equal(ours.embed(texts[:1000], norm=True), units(theirs, texts[:1000]))


@pytest.mark.parametrize("dim", [None, 64, 128])
def test_bits(dim: int | None, binary_cache: Path, texts: list[str], rows: Floats, record_property: Any) -> None:
    options: dict[str, Any] = {"cache_dir": binary_cache, "binary": True, "trunc_dim": dim, "disable_download": True}
    ours, theirs = word_llama.WordLlama.load(**options), wordllama.WordLlama.load(**options)
    found, expected = ours.embed(texts), theirs.embed(texts, batch_size=SMALL_BATCH)
    assert found.dtype == expected.dtype and found.shape == expected.shape
    differing = np.unpackbits((found ^ expected).view(np.uint8), axis=1).astype(bool)
    doubtful = differing & (np.abs(rows[:, : dim or 256]) < NEAR)
    say(record_property, differing=int(differing.sum()), rounding=int(doubtful.sum()), of=differing.size)
    assert np.array_equal(differing, doubtful) and not differing.any()


def test_tokens(ours: word_llama.WordLlamaInference, theirs: Any, texts: list[str]) -> None:
    members = ("ids", "tokens", "offsets", "attention_mask", "special_tokens_mask", "type_ids")
    for start in range(0, len(texts), SMALL_BATCH):
        batch = texts[start : start + SMALL_BATCH]
        for text, found, expected in zip(batch, ours.tokenize(batch), theirs.tokenize(batch), strict=True):
            for member in members:
                assert getattr(found, member) == getattr(expected, member), (member, text[:80])
            assert len(found) == len(expected)


# ---- similarities ----------------------------------------------------------------------------------------------------


def ordered(found: list[tuple[str, float]], scores: list[float], documents: list[str], near: float) -> int:
    """How many neighbours stand otherwise than the reference's scores say; asserts that those are near ties."""
    by_text: dict[str, float] = dict(zip(documents, scores))
    expected = [by_text[text] for text, _ in found]
    steps = [after - before for before, after in itertools.pairwise(expected)]
    assert max(steps) < near or max(steps) <= 0
    return sum(step > 0 for step in steps)


@pytest.mark.parametrize("kind", ["floats", "bits"])
def test_rank(
    kind: str,
    ours: word_llama.WordLlamaInference,
    theirs: Any,
    bits: tuple[word_llama.WordLlamaInference, Any],
    texts: list[str],
    record_property: Any,
) -> None:
    """Scores of both signs; order, where they do not say the same to the sixth place; and what follows from it."""
    near = NEAR if kind == "floats" else 0.0
    mine, other = (ours, theirs) if kind == "floats" else bits
    chance = random.Random(2)
    unique = list(dict.fromkeys(text for text in texts if len(text) < SHORT))
    swapped, doubtful, worst = 0, 0, 0.0
    for turn in range(QUERIES):
        query, *documents = chance.sample(unique, DOCUMENTS + 1)
        expected = other.rank(query, documents, sort=False, batch_size=SMALL_BATCH)
        scores = [score for _, score in expected]
        found = mine.rank(query, documents, sort=False)
        assert [text for text, _ in found] == documents and all(type(score) is float for _, score in found)
        worst = max(worst, max(abs(a - b) for (_, a), b in zip(found, scores)))
        ranked = mine.rank(query, documents)
        assert sorted(ranked) == sorted(found)
        swapped += ordered(ranked, scores, documents, near)
        if kind == "bits":  # ties are exact, and stay in their order on both sides
            assert ranked == sorted(expected, key=lambda pair: pair[1], reverse=True)
        for k in (1, 3, 10):
            assert mine.topk(query, documents, k) == [text for text, _ in ranked[:k]]
        threshold = (0.05, 0.1, 0.3)[turn % 3]
        kept, wanted = mine.filter(query, documents, threshold), other.filter(query, documents, threshold)
        odd = set(kept) ^ set(wanted)
        doubtful += len(odd)
        assert kept == wanted or all(abs(score - threshold) < near for text, score in expected if text in odd)
    say(record_property, worst=worst, swapped=swapped, filtered_otherwise=doubtful, of=QUERIES * DOCUMENTS)
    assert worst <= near


def test_topk(ours: word_llama.WordLlamaInference, theirs: Any, texts: list[str]) -> None:
    """Of news, whose first scores are far apart."""
    candidates = [text for text in texts[200:320] if text.strip() and len(text) < SHORT]
    for query in texts[100:110]:
        assert ours.topk(query, candidates) == theirs.topk(query, candidates)
        assert ours.topk(query, candidates, k=10) == theirs.topk(query, candidates, k=10)


@pytest.mark.parametrize("kind", ["floats", "bits"])
def test_pairs(
    kind: str,
    ours: word_llama.WordLlamaInference,
    theirs: Any,
    bits: tuple[word_llama.WordLlamaInference, Any],
    texts: list[str],
    record_property: Any,
) -> None:
    """similarity(), key() and vector_similarity(). Of texts without tokens the reference's key() is NaN."""
    mine, other = (ours, theirs) if kind == "floats" else bits
    worst = 0.0
    for a, b in zip(texts[:600:2], texts[1:600:2]):
        found, expected = mine.similarity(a, b), other.similarity(a, b)
        assert type(found) is type(expected) is float
        worst = max(worst, abs(found - expected))
    filled = [text for text in texts[600:900] if theirs.embed(text).any()]
    for query in filled[:20]:
        for norm in (True, False) if kind == "floats" else (False,):
            key, expected_key = mine.key(query, norm=norm), other.key(query, norm=norm)
            worst = max(worst, max(abs(key(text) - expected_key(text)) for text in filled[20:60]))
    many = mine.embed(filled)
    for left, right in ((many[0], many[1]), (many[0], many), (many, many[3]), (many[:50], many)):
        matrix, wanted = mine.vector_similarity(left, right), other.vector_similarity(left, right)
        assert matrix.shape == wanted.shape and matrix.dtype == wanted.dtype
        worst = max(worst, float(np.abs(matrix - wanted).max()))
    say(record_property, worst=worst)
    assert worst <= (NEAR if kind == "floats" else 0)
    if kind == "floats":
        exact = many.astype(np.float64)
        exact /= np.linalg.norm(exact, axis=1, keepdims=True)
        assert np.abs(mine.vector_similarity(many, many) - exact @ exact.T).max() <= OWN_ROUNDING


# ---- sets of texts ---------------------------------------------------------------------------------------------------


@pytest.fixture(scope="session")
def repeating(texts: list[str]) -> list[str]:
    """1,200 texts, a third of which are others with a few words left out, added, or written otherwise."""
    chance = random.Random(3)
    found = [text for text in texts if len(text) < SHORT][:800]
    for text in chance.choices(found, k=400):
        words = text.split(" ")
        change = chance.randrange(4)
        if change == 0:
            words = [word for word in words if chance.random() > 0.15]
        elif change == 1:
            words.insert(chance.randrange(len(words) + 1), "however")
        elif change == 2:
            words = [word.upper() if chance.random() < 0.1 else word for word in words]
        found.append(" ".join(words))
    chance.shuffle(found)
    return found


@pytest.fixture(scope="session")
def repeating_scores(theirs: Any, repeating: list[str]) -> Floats:
    vectors = units(theirs, repeating)
    found: Floats = np.triu(algorithms.vector_similarity(vectors, vectors, False), 1)
    return found


@pytest.mark.parametrize("threshold", [0.5, 0.6, 0.7, 0.8, 0.9, 0.95, 0.99])
@pytest.mark.parametrize("kind", ["floats", "bits"])
def test_duplicates(
    kind: str,
    threshold: float,
    ours: word_llama.WordLlamaInference,
    theirs: Any,
    bits: tuple[word_llama.WordLlamaInference, Any],
    repeating: list[str],
    repeating_scores: Floats,
    record_property: Any,
) -> None:
    """With all texts in one batch; in smaller ones the reference's answer depends on their size."""
    mine, other = (ours, theirs) if kind == "floats" else bits
    size = len(repeating)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)
        expected = other.deduplicate(repeating, threshold=threshold, return_indices=True, batch_size=size)
    found = mine.deduplicate(repeating, threshold=threshold, return_indices=True)
    assert all(type(place) is int for place in found) and found == sorted(found)
    doubtful: set[int] = set()
    if kind == "floats":
        near = np.abs(repeating_scores - np.float32(threshold)) < NEAR
        doubtful = set(np.argwhere(near)[:, 1].tolist())
    odd = set(found) ^ set(expected)
    say(record_property, gone=len(found), differing=len(odd), near_the_threshold=len(doubtful), of=size)
    assert odd <= doubtful
    if not odd:
        gone = set(found)
        stay = [text for place, text in enumerate(repeating) if place not in gone]
        assert mine.deduplicate(repeating, threshold=threshold) == stay


@pytest.mark.parametrize(("count", "k"), [(400, 5), (1200, 8), (1200, 20)])
def test_clusters(count: int, k: int, ours: word_llama.WordLlamaInference, theirs: Any, record_property: Any) -> None:
    """Starts are drawn by chance: the same quality, in the median of seeds. 0 crashes the reference."""
    news = read("ag_news", count)
    found = [ours.cluster(news, k, n_init=3, max_iterations=50, random_state=seed) for seed in SEEDS]
    expected = [theirs.cluster(news, k, n_init=3, max_iterations=50, random_state=seed) for seed in SEEDS]
    for (labels, inertia), (their_labels, their_inertia) in zip(found, expected):
        assert len(labels) == len(their_labels) == count and set(labels) == set(their_labels) == set(range(k))
        assert type(labels[0]) is type(their_labels[0]) and isinstance(inertia, float)
        vectors = ours.embed(news, norm=True).astype(np.float64)
        means = np.stack([vectors[np.array(labels) == label].mean(axis=0) for label in range(k)])
        assert inertia == pytest.approx(float(((vectors - means[labels]) ** 2).sum()), rel=1e-4)
    ratio = median(inertia for _, inertia in found) / median(inertia for _, inertia in expected)
    say(record_property, ratio=round(ratio, 5))
    assert ratio == pytest.approx(1, abs=0.02)


# ---- splitting -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("options", OPTIONS, ids=str)
def test_split(
    options: dict[str, Any],
    ours: word_llama.WordLlamaInference,
    theirs: Any,
    long_texts: list[str],
    record_property: Any,
) -> None:
    assert len(long_texts) >= 29
    chunks, worst = 0, 0.0
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)
        for text in long_texts:
            found = ours.split(text, **options)
            assert found == theirs.split(text, **options)
            chunks += len(found)
            mine = ours.split(text, return_minima=True, **options)
            other = theirs.split(text, return_minima=True, **options)
            assert [part.dtype for part in mine] == [part.dtype for part in other]
            assert [part.shape for part in mine] == [part.shape for part in other]
            assert np.array_equal(mine[0], other[0])
            apart = [np.abs(a - np.nan_to_num(b, nan=0)).max(initial=0) for a, b in zip(mine[1:], other[1:])]
            worst = max(worst, *map(float, apart))
    say(record_property, texts=len(long_texts), chunks=chunks, worst=worst)
    assert worst <= NEAR  # bit for bit where this was written; the reference's BLAS depends on the processor


# ---- tables of one's own ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", ["float32", "float16", "float64", "int32", "fewer rows", "columns apart"])
def test_own_table(kind: str, texts: list[str]) -> None:
    """WordLlamaInference(array, Tokenizer), with a tokenizer that has limits and padding, which both put aside."""
    path = str(PACKAGE / "tokenizers" / "l2_supercat_tokenizer_config.json")
    tokenizer, other = Tokenizer.from_file(path), Tokenizer.from_file(path)
    for one in (tokenizer, other):
        one.enable_truncation(4)
        one.enable_padding(pad_id=7, pad_token="x", length=9)
    table: Any = np.random.default_rng(4).standard_normal((tokenizer.get_vocab_size(), 128))
    if kind in ("float32", "float16", "int32"):
        table = (table * 100 if kind == "int32" else table).astype(kind)
    elif kind == "fewer rows":
        table = table[:900].astype(np.float32)
    elif kind == "columns apart":
        table = table.astype(np.float32)[:, ::2]
    some = texts[:400]
    for binary in (False, True):
        ours = word_llama.WordLlamaInference(table, tokenizer, binary)
        theirs = wordllama.inference.WordLlamaInference(table, other, binary)
        assert np.array_equal(ours.embed(some), theirs.embed(some, batch_size=SMALL_BATCH))
        assert [one.ids for one in ours.tokenize(some[:9])] == [one.ids for one in theirs.tokenize(some[:9])]


TOKENIZERS = ["all-MiniLM-L6-v2", "gpt2", "qwen2.5", "t5-small", "albert-base-v2"]


@pytest.mark.parametrize("name", TOKENIZERS)
def test_other_tokenizers(name: str, texts: list[str]) -> None:
    """But for one thing: of what Unigram does not know, the reference tells the text as the token, ours "<unk>"."""
    path = SHARED / "tokenizers" / f"{name}.json.gz"
    if not path.is_file():
        pytest.skip(f"there is no {path.name} beside the checkout")
    tokenizer = Tokenizer.from_str(gzip.decompress(path.read_bytes()).decode())
    unknown = json.loads(tokenizer.to_str())["model"].get("unk_id")
    table = np.random.default_rng(5).standard_normal((tokenizer.get_vocab_size(), 64)).astype(np.float32)
    ours = word_llama.WordLlamaInference(table, tokenizer)
    theirs = wordllama.inference.WordLlamaInference(table, tokenizer)
    some = texts[:400]
    assert np.array_equal(ours.embed(some), theirs.embed(some, batch_size=SMALL_BATCH))
    batches = [some[start : start + SMALL_BATCH] for start in range(0, len(some), SMALL_BATCH)]
    for batch in batches:
        for found, expected in zip(ours.tokenize(batch), theirs.tokenize(batch)):
            assert (found.ids, found.offsets) == (expected.ids, expected.offsets)
            assert found.attention_mask == expected.attention_mask
            known = [number != unknown for number in found.ids]
            assert list(itertools.compress(found.tokens, known)) == list(itertools.compress(expected.tokens, known))


# ---- what is wrong ---------------------------------------------------------------------------------------------------

SAME_ERRORS: list[tuple[str, dict[str, Any]]] = [
    ("dim", {"dim": 100}),
    ("trunc_dim above dim", {"dim": 64, "trunc_dim": 128}),
    ("trunc_dim", {"trunc_dim": 100}),
    ("not there", {"dim": 512}),
    ("no binary one there", {"binary": True}),
    ("another model", {"config": "l3_supercat"}),
]


@pytest.mark.parametrize(("name", "options"), SAME_ERRORS, ids=[name for name, _ in SAME_ERRORS])
def test_load_errors(name: str, options: dict[str, Any]) -> None:
    with pytest.raises((ValueError, FileNotFoundError)) as expected:
        wordllama.WordLlama.load(cache_dir=PACKAGE, disable_download=True, **options)
    with pytest.raises(expected.type):
        word_llama.WordLlama.load(cache_dir=PACKAGE, disable_download=True, **options)


def test_errors(
    ours: word_llama.WordLlamaInference, theirs: Any, bits: tuple[word_llama.WordLlamaInference, Any]
) -> None:
    """Of the same type where the reference has one of its own; where it asserts, ours is a ValueError or TypeError."""
    wrongs: list[Any] = [3, None, b"a", [3], [None]]
    for wrong in wrongs:
        for model in (ours, theirs):
            with pytest.raises(TypeError):
                model.embed(wrong)
    for model in bits:
        for method, arguments in (("cluster", (["a", "b"], 2)), ("split", ("text",))):
            with pytest.raises(ValueError, match="only implemented for dense embeddings"):
                getattr(model, method)(*arguments)
    custom: Any = ("nobody/nothing", [64], [], "nothing.json")
    for package, uri in ((wordllama, wordllama.config.ModelURI), (word_llama, word_llama.ModelURI)):
        with pytest.raises(FileNotFoundError):
            package.WordLlama.load(uri(*custom), dim=64, cache_dir=PACKAGE)
        with pytest.raises(FileNotFoundError):
            package.WordLlama.load_m2v("potion_base_8m", cache_dir=PACKAGE, disable_download=True)
    for target in (10, 96):
        with pytest.raises(AssertionError):
            theirs.split("a text", target_size=target)
        with pytest.raises(ValueError, match="target_size"):
            ours.split("a text", target_size=target)
    with pytest.raises(AttributeError):  # the only load error of another type
        wordllama.WordLlama.load("nothing")
    with pytest.raises(ValueError, match="there is no model"):
        word_llama.WordLlama.load("nothing")


FAILURES: list[tuple[str, Callable[[Any], Any], Any]] = [  # of the reference, and what is ours
    ("as many as there are", lambda model: model.topk("a", ["a", "b"], k=2), ["a", "b"]),
    ("one candidate", lambda model: model.filter("a", ["a"]), ["a"]),
    ("one document", lambda model: len(model.rank("a", ["a"])), 1),
    ("a tuple", lambda model: model.embed(("a", "b")).shape, (2, 256)),
    ("seed 0", lambda model: len(model.cluster(["a", "b", "c"], 2, random_state=0)[0]), 3),
    ("seed of NumPy's", lambda model: len(model.cluster(["a", "b", "c"], 2, random_state=np.int64(3))[0]), 3),
    ("nothing to split", lambda model: model.split(""), []),
    ("rows of tokens", lambda model: [rows.shape for rows in model.embed("I went", pool_embeddings=False)], [(2, 256)]),
    ("lone surrogate", lambda model: model.embed("a\ud800").shape, (1, 256)),
]


@pytest.mark.parametrize(("name", "call", "expected"), FAILURES, ids=[name for name, *_ in FAILURES])
def test_failures(
    name: str, call: Callable[[Any], Any], expected: Any, ours: word_llama.WordLlamaInference, theirs: Any
) -> None:
    with pytest.raises((AssertionError, AttributeError, TypeError, ValueError)):
        call(theirs)
    assert call(ours) == expected


def test_names(ours: word_llama.WordLlamaInference, theirs: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """Arguments and defaults; ours has more, by name only."""
    methods = [name for name in dir(theirs) if not name.startswith("_") and callable(getattr(theirs, name))]
    pairs = [(getattr(theirs, name), getattr(ours, name)) for name in methods if name != "avg_pool"]
    their_loader, our_loader = wordllama.WordLlama, word_llama.WordLlama
    pairs += [(their_loader.load, our_loader.load), (their_loader.load_m2v, our_loader.load_m2v)]
    pairs.append((type(theirs), type(ours)))
    assert len(pairs) == 14
    for their_call, our_call in pairs:
        expected, found = (list(inspect.signature(call).parameters.values()) for call in (their_call, our_call))
        before, after = found[: len(expected)], found[len(expected) :]
        assert [(one.name, one.default) for one in before] == [(one.name, one.default) for one in expected], our_call
        assert all(one.kind is inspect.Parameter.KEYWORD_ONLY for one in after)
    assert word_llama.WordLlama.list_configs() == wordllama.WordLlama.list_configs()
    for arguments in (("l2_supercat", 256), ("l3_supercat", 64, True)):
        assert word_llama.WordLlama.get_filename(*arguments) == wordllama.WordLlama.get_filename(*arguments)
    for name in ("WORDLLAMA_CACHE", "XDG_CACHE_HOME"):
        monkeypatch.delenv(name, raising=False)
    assert word_llama.WordLlama.DEFAULT_CACHE_DIR == wordllama.WordLlama.DEFAULT_CACHE_DIR
