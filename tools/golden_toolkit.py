#!/usr/bin/env python3
"""Writes tests/golden/toolkit.txt by asking the package wordllama for similarities and duplicates of made-up rows.

    pip install wordllama==0.4.0.post1
    python3 tools/golden_toolkit.py        (from the root of the repository)

The rows are those of tests/vectors.h. A line is a kind, the element, the numbers that make the rows, and the answer:
    similarity  ELEMENT COUNT DIM SEED  the matrix of all rows with all rows, row by row
    duplicates  ELEMENT COUNT DIM SEED THRESHOLD  the indices of the duplicates
Of duplicates only such sets are kept that have no pair within 1e-6 of the threshold.
"""

from __future__ import annotations

import sys
from importlib.metadata import version
from pathlib import Path

import numpy as np
from wordllama.algorithms import (  # type: ignore[import-untyped]
    binarize_and_packbits,
    deduplicate_embeddings,
    vector_similarity,
)

VERSION = "0.4.0.post1"
NOISE = np.array([0, 0.125, 0.25, 0.5], dtype=np.float32)


class Numbers:
    """vectors_number of tests/vectors.h."""

    def __init__(self, seed: int) -> None:
        self.state = seed

    def next(self) -> np.float32:
        self.state = (self.state * 1664525 + 1013904223) & 0xFFFFFFFF
        return np.float32(np.float32(self.state >> 8) / np.float32(8388608.0) - np.float32(1))


def make_rows(count: int, dim: int, seed: int) -> np.ndarray:
    numbers = Numbers(seed)
    rows = np.zeros((count, dim), dtype=np.float32)
    for i in range(count):
        group = i // 4
        source = i
        if i % 4:
            half = np.float32((numbers.next() + np.float32(1)) * np.float32(0.5))
            source = 4 * (int(half * np.float32(group + 1)) % (group + 1))
        noise = NOISE[int((numbers.next() + np.float32(1)) * np.float32(2))]
        for j in range(dim):
            number = numbers.next()
            if i % 37 == 36:
                continue
            rows[i, j] = number if source == i else rows[source, j] + noise * number
    return rows


def main() -> None:
    if version("wordllama") != VERSION:
        sys.exit(f"the oracle is wordllama {VERSION}")
    lines = [f"# wordllama {VERSION}, by tools/golden_toolkit.py"]
    for count, dim, seed in ((9, 64, 1), (40, 128, 2), (12, 256, 3)):
        rows = make_rows(count, dim, seed)
        for element, values in (("F32", rows), ("BITS", binarize_and_packbits(rows))):
            matrix = vector_similarity(values, values, binary=element == "BITS")
            answer = " ".join(f"{value:.9g}" for value in matrix.ravel())
            lines.append(f"similarity {element} {count} {dim} {seed} {answer}")
    for count, dim, seed in ((30, 64, 4), (400, 128, 5), (1000, 64, 6)):
        rows = make_rows(count, dim, seed)
        units = rows / np.maximum(np.linalg.norm(rows, axis=1, keepdims=True), np.float32(1e-30))
        for element, values in (("F32", units), ("BITS", binarize_and_packbits(rows))):
            scores = vector_similarity(values, values, binary=element == "BITS")
            for threshold in (0.7, 0.8, 0.9, 0.95, 0.99):
                if np.abs(scores - threshold).min() < 1e-6:
                    continue
                found = sorted(int(index) for index in deduplicate_embeddings(values, threshold, count))
                answer = " ".join(str(index) for index in found)
                lines.append(f"duplicates {element} {count} {dim} {seed} {threshold} {answer}")
    Path("tests/golden/toolkit.txt").write_text("\n".join(lines) + "\n", encoding="ascii")


if __name__ == "__main__":
    main()
