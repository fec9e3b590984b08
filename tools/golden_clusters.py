#!/usr/bin/env python3
"""Writes tests/golden/clusters.txt: NumPy's legacy random numbers and scikit-learn's mini-batch k-means.

    pip install scikit-learn==1.9.1 numpy==2.4.6
    python3 tools/golden_clusters.py        (from the root of the repository)

Lines:
    random SEED  then 3 of random_sample(), 3 of randint(0, 1000), permutation(7)
    labels ROWS DIM CLUSTERS GROUPS SEED LABELS   MiniBatchKMeans(CLUSTERS, n_init=3, batch_size=1024) on make_rows();
                                                  a label is a character from '0' on
"""

from __future__ import annotations

from importlib.metadata import version
from pathlib import Path

import numpy as np
from sklearn.cluster import MiniBatchKMeans  # type: ignore[import-untyped]

VERSIONS = {"scikit-learn": "1.9.1", "numpy": "2.4.6"}
CASES = [(4000, 12, 8, 8, 0), (4000, 12, 12, 5, 1), (2500, 6, 20, 20, 1), (700, 8, 5, 5, 2), (3500, 4, 60, 3, 0)]


def make_rows(rows: int, dim: int, groups: int) -> np.ndarray:
    """As in tests/test_clusters.c: numbers that F32 holds, around points that grow apart; most rows in the first."""
    i, j = np.arange(rows, dtype=np.int64)[:, None], np.arange(dim, dtype=np.int64)[None, :]
    noise = (i * 37 + j * 91 + i * j * 13 + i * i * 7) % 101 - 50
    group = (i * i) % (groups * groups) // groups
    middle = (group * 29 + j * 17 + group * j * 5) % 31
    return ((noise + 8 * middle) / 64).astype(np.float32)


def main() -> None:
    for name, wanted in VERSIONS.items():
        assert version(name) == wanted, f"{name} {version(name)}, expected {wanted}"
    lines = []
    for seed in (0, 1, 4294967295):
        random = np.random.RandomState(seed)
        units = [repr(float(x)) for x in random.random_sample(3)]
        rest = [str(x) for x in [*random.randint(0, 1000, 3), *random.permutation(7)]]
        lines.append(" ".join(["random", str(seed), *units, *rest]))
    for rows, dim, clusters, groups, seed in CASES:
        model = MiniBatchKMeans(clusters, n_init=3, batch_size=1024, random_state=seed)
        labels = model.fit_predict(make_rows(rows, dim, groups))
        text = "".join(chr(ord("0") + label) for label in labels)
        lines.append(f"labels {rows} {dim} {clusters} {groups} {seed} {text}")
    Path("tests/golden/clusters.txt").write_text("\n".join(lines) + "\n", encoding="utf8")


if __name__ == "__main__":
    main()
