#!/usr/bin/env python3
"""Holds the toolkit against the package wordllama 0.4.0.post1 and k-means against scikit-learn, on real texts.

    make parity-toolkit

    python3 tools/parity_toolkit.py [--model FOLDER] [--library FILE] [--data FOLDER] [--only rank,dedup,split,cluster]

The library is called through ctypes, the packages are those of bench/toolkit.txt. Prints a line for each comparison and
ends with status 1 where one fails.
"""

from __future__ import annotations

import argparse
import ctypes as c
import gzip
import json
import logging
import sys
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np
from safetensors.numpy import load_file
from sklearn.cluster import KMeans  # type: ignore[import-untyped]
from tokenizers import Tokenizer
from wordllama.inference import WordLlamaInference  # type: ignore[import-untyped]

NONE = c.c_size_t(-1).value
MARGIN = 1e-6  # of a pair from the threshold, within which either answer is right
failures = 0


# ---- the library


class Text(c.Structure):
    _fields_ = [("data", c.c_char_p), ("size", c.c_size_t)]


class Vectors(c.Structure):
    _fields_ = [("data", c.c_void_p), ("count", c.c_size_t), ("dim", c.c_size_t), ("element", c.c_int)]


class Match(c.Structure):
    _fields_ = [("index", c.c_size_t), ("score", c.c_float)]


class RankOptions(c.Structure):
    _fields_ = [
        ("size", c.c_size_t),
        ("dim", c.c_uint32),
        ("binary", c.c_bool),
        ("measure", c.c_int),
        ("keep_order", c.c_bool),
        ("top", c.c_size_t),
        ("above", c.c_bool),
        ("threshold", c.c_double),
    ]


class DeduplicateOptions(c.Structure):
    _fields_ = [
        ("size", c.c_size_t),
        ("measure", c.c_int),
        ("has_threshold", c.c_bool),
        ("threshold", c.c_double),
        ("greedy", c.c_bool),
        ("held", c.c_size_t),
        ("progress", c.c_void_p),
        ("user", c.c_void_p),
    ]


class ClusterOptions(c.Structure):
    _fields_ = [
        ("size", c.c_size_t),
        ("clusters", c.c_uint32),
        ("starts", c.c_uint32),
        ("most_iterations", c.c_uint32),
        ("has_tolerance", c.c_bool),
        ("tolerance", c.c_double),
        ("seed", c.c_uint64),
        ("spherical", c.c_bool),
        ("batch", c.c_uint32),
        ("progress", c.c_void_p),
        ("user", c.c_void_p),
    ]


class Clustering(c.Structure):
    _fields_ = [("inertia", c.c_double), ("iterations", c.c_uint32), ("converged", c.c_bool)]


class SplitOptions(c.Structure):
    _fields_ = [
        ("size", c.c_size_t),
        ("spans", c.c_bool),
        ("tokens", c.c_bool),
        ("target_size", c.c_uint32),
        ("intermediate_size", c.c_uint32),
        ("cleanup_size", c.c_uint32),
        ("window", c.c_uint32),
        ("smoothing_window", c.c_uint32),
        ("polynomial_order", c.c_uint32),
    ]


class Chunk(c.Structure):
    _fields_ = [("begin", c.c_size_t), ("end", c.c_size_t), ("text", Text)]


class Library:
    """The few calls that are compared."""

    def __init__(self, path: Path, model: Path) -> None:
        self.calls: Any = c.CDLL(str(path))
        for name in ("wl_model_open", "wl_context_create", "wl_split"):
            getattr(self.calls, name).restype = c.c_void_p
        self.calls.wl_chunks_count.restype = c.c_size_t
        self.calls.wl_chunks_at.restype = Chunk
        self.model = c.c_void_p(self.calls.wl_model_open(str(model).encode(), None, None))
        self.context = c.c_void_p(self.calls.wl_context_create(None, None))
        if not self.model or not self.context:
            sys.exit(f"parity: cannot open {model}")

    @staticmethod
    def check(status: int) -> None:
        if status:
            sys.exit(f"parity: the library failed with status {status}")

    @staticmethod
    def vectors(rows: np.ndarray) -> Vectors:
        if rows.dtype == np.uint64:  # bits
            return Vectors(rows.ctypes.data, rows.shape[0], 64 * rows.shape[1], 4)
        return Vectors(rows.ctypes.data, rows.shape[0], rows.shape[1], 0)

    def rank(self, query: str, texts: list[str], **options: Any) -> list[tuple[int, float]]:
        encoded = [text.encode() for text in texts]
        many = (Text * len(encoded))(*(Text(text, len(text)) for text in encoded))
        chosen = RankOptions(c.sizeof(RankOptions), **options)
        out = (Match * len(encoded))()
        kept = c.c_size_t()
        one = query.encode()
        arguments = (self.model, self.context, Text(one, len(one)), many, c.c_size_t(len(encoded)))
        self.check(self.calls.wl_rank(*arguments, c.byref(chosen), out, c.byref(kept), None))
        return [(match.index, match.score) for match in out[: kept.value]]

    def duplicates(self, rows: np.ndarray, threshold: float) -> list[int]:
        options = DeduplicateOptions(c.sizeof(DeduplicateOptions), has_threshold=True, threshold=threshold)
        out = (Match * len(rows))()
        vectors = self.vectors(rows)
        self.check(self.calls.wl_deduplicate(c.byref(vectors), c.byref(options), self.context, out, None, None))
        return [index for index, match in enumerate(out) if match.index != NONE]

    def inertia(self, rows: np.ndarray, clusters: int, starts: int, seed: int) -> float:
        options = ClusterOptions(c.sizeof(ClusterOptions), clusters=clusters, starts=starts, seed=seed)
        labels = np.zeros(len(rows), dtype=np.uint32)
        result = Clustering()
        vectors = self.vectors(rows)
        arguments = (c.byref(vectors), c.byref(options), self.context, c.c_void_p(labels.ctypes.data), None)
        self.check(self.calls.wl_cluster(*arguments, c.byref(result), None))
        return result.inertia

    def split(self, text: str, **options: Any) -> list[str]:
        chosen = SplitOptions(c.sizeof(SplitOptions), **options)
        encoded = text.encode()
        chunks = c.c_void_p(
            self.calls.wl_split(self.model, self.context, Text(encoded, len(encoded)), c.byref(chosen), None)
        )
        if not chunks:
            sys.exit("parity: wl_split failed")
        found = [self.calls.wl_chunks_at(chunks, c.c_size_t(i)) for i in range(self.calls.wl_chunks_count(chunks))]
        # A chunk may hold a NUL, so its size counts.
        texts = [c.string_at(c.cast(self.pointer(chunk), c.c_void_p), chunk.text.size).decode() for chunk in found]
        self.calls.wl_chunks_free(chunks)
        return texts

    @staticmethod
    def pointer(chunk: Chunk) -> int:
        return c.c_void_p.from_buffer(chunk.text, Text.data.offset).value or 0


# ---- texts


def members(path: Path, field: str, limit: int) -> list[str]:
    texts = []
    with gzip.open(path, "rt", encoding="utf-8") as lines:
        for line in lines:
            texts.append(json.loads(line)[field])
            if len(texts) == limit:
                break
    return texts


def long_texts(data: Path, root: Path) -> dict[str, str]:
    news = members(data / "speed" / "newsgroups.jsonl.gz", "text", 60)
    chinese = members(data / "speed" / "zhwiki.jsonl.gz", "text", 900)
    articles = members(data / "train" / "enwiki.jsonl.gz", "positive", 150)
    code = "".join(path.read_text(encoding="utf-8") for path in sorted((root / "src" / "algo").glob("*.c")))
    markdown = "".join(path.read_text(encoding="utf-8") for path in sorted((root / "docs").glob("*.md")))
    return {
        "articles": "\n\n".join(articles),
        "articles, one line": " ".join(articles).replace("\n", " "),
        "messages": "\n".join(news[:30]),
        "messages, CRLF": "\r\n".join(news[30:]).replace("\n", "\r\n"),
        "code": code,
        "Markdown": markdown,
        "Chinese": "\n".join(chinese),
        "Chinese, one line": "".join(chinese[:300]),
        "mixed": "\n".join(text for pair in zip(news, chinese, articles, strict=False) for text in pair),
        "odd line ends": "\u2028".join(articles[:40]) + "\x0b\x0c\x1c\x85" + "\r".join(news[:5]) + "\n" * 30 + "A. B! C? D",
    }


# ---- comparisons


def report(ok: bool, line: str) -> None:
    global failures
    failures += not ok
    print(("ok      " if ok else "failed  ") + line, flush=True)


def compare_rank(library: Library, oracle: WordLlamaInference, texts: list[str]) -> None:
    for query in ("neural networks for speech", "a history of the Roman empire", texts[17], "xyzzy"):
        ours = library.rank(query, texts, keep_order=True)
        theirs = [score for _, score in oracle.rank(query, texts, sort=False)]
        worst = max(abs(score - theirs[index]) for index, score in ours)
        order = [index for index, _ in library.rank(query, texts)]
        # Neighbours whose scores differ by less than the packages' own rounding may stand either way.
        swapped = sum(theirs[a] < theirs[b] - MARGIN for a, b in zip(order, order[1:], strict=False))
        kept = {index for index, _ in library.rank(query, texts, above=True, threshold=0.3)}
        near = {index for index, score in enumerate(theirs) if abs(score - 0.3) < MARGIN}
        wrong = (kept ^ {index for index, score in enumerate(theirs) if score > 0.3}) - near
        top = [index for index, _ in library.rank(query, texts, top=10)]
        line = f"rank: {len(texts)} texts, scores within {worst:.1e}, {swapped} out of order, filter differs in {len(wrong)}"
        report(worst < 1e-5 and not swapped and not wrong and top == order[:10], line)


def compare_duplicates(library: Library, oracle: WordLlamaInference, texts: list[str]) -> None:
    from wordllama.algorithms import deduplicate_embeddings, vector_similarity  # type: ignore[import-untyped]

    for binary in (False, True):
        oracle.binary = binary
        rows = oracle.embed(texts, norm=not binary)
        rows[np.isnan(rows)] = 0
        scores = vector_similarity(rows, rows, binary)
        for threshold in (0.6, 0.7, 0.8, 0.9, 0.95):
            near = np.abs(scores - np.float32(threshold)) < MARGIN
            doubtful = set(np.argwhere(np.triu(near, 1))[:, 1].tolist()) if not binary else set()
            theirs = {int(index) for index in deduplicate_embeddings(rows, threshold, len(rows))}
            ours = set(library.duplicates(rows, threshold))
            wrong = (ours ^ theirs) - doubtful
            kind = "bits" if binary else "floats"
            line = f"duplicates: {len(texts)} titles, {kind}, threshold {threshold}: {len(ours)}, {len(wrong)} differ"
            report(not wrong, f"{line}, {len(doubtful)} within 1e-6 of the threshold")
    oracle.binary = False


def compare_split(library: Library, oracle: WordLlamaInference, texts: dict[str, str]) -> None:
    for name, text in texts.items():
        for options in ({}, {"target_size": 400, "window_size": 5, "savgol_window": 5}, {"intermediate_size": 200}):
            theirs = oracle.split(text, **options)
            renamed = {"window_size": "window", "savgol_window": "smoothing_window"}
            ours = library.split(text, **{renamed.get(key, key): value for key, value in options.items()})
            line = f"split: {name}, {len(text)} characters, {options or 'defaults'}: {len(ours)} chunks"
            report(ours == theirs, line + ("" if ours == theirs else f", expected {len(theirs)}"))


def compare_clusters(library: Library, sets: dict[str, tuple[np.ndarray, int]]) -> None:
    for name, (rows, clusters) in sets.items():
        for starts in (1, 5):
            seeds = range(10)
            ours = [library.inertia(rows, clusters, starts, seed) for seed in seeds]
            theirs = [
                KMeans(clusters, n_init=starts, random_state=seed).fit(rows.astype(np.float64)).inertia_ for seed in seeds
            ]
            ratio = median(ours) / median(theirs)
            line = f"k-means: {name}, {rows.shape[0]} x {rows.shape[1]}, k {clusters}, n_init {starts}"
            report(ratio <= 1.005, f"{line}: {ratio:.4f} of scikit-learn's inertia (medians of {len(seeds)} seeds)")


def main() -> None:
    root = Path(__file__).resolve().parent.parent
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", type=Path, default=root / "build/cache/models/l2_supercat_256")
    parser.add_argument("--library", type=Path, default=root / "build/release/libwordllama.so")
    parser.add_argument("--data", type=Path, default=root / "../shared/data")
    parser.add_argument("--only", default="rank,dedup,split,cluster")
    options = parser.parse_args()
    wanted = options.only.split(",")
    if not options.data.exists():
        print(f"skipped: no {options.data}")
        return
    logging.disable(logging.INFO)
    library = Library(options.library, options.model)
    table = load_file(options.model / "model.safetensors")["embedding.weight"]
    oracle = WordLlamaInference(table, Tokenizer.from_file(str(options.model / "tokenizer.json")))
    # Titles of an encyclopedia repeat more often.
    titles = [
        title for name in ("arxiv", "enwiki") for title in members(options.data / "train" / f"{name}.jsonl.gz", "anchor", 2500)
    ]
    if "rank" in wanted:
        compare_rank(library, oracle, titles)
    if "dedup" in wanted:
        compare_duplicates(library, oracle, titles)
    if "split" in wanted:
        compare_split(library, oracle, long_texts(options.data, root))
    if "cluster" in wanted:
        news = members(options.data / "speed" / "ag_news.jsonl.gz", "text", 4000)
        wiki = members(options.data / "train" / "enwiki.jsonl.gz", "positive", 3000)
        generator = np.random.default_rng(1)
        corners = generator.normal(size=(12, 16))[generator.integers(12, size=3000)]
        sets = {
            "titles": (oracle.embed(titles, norm=True), 50),
            "news": (oracle.embed(news, norm=True), 8),
            "encyclopedia paragraphs, not normalized": (oracle.embed(wiki), 20),
            "12 normal clouds": ((corners + generator.normal(size=corners.shape)).astype(np.float32), 12),
        }
        compare_clusters(library, sets)
    print(f"{failures} failed")
    sys.exit(failures > 0)


if __name__ == "__main__":
    main()
