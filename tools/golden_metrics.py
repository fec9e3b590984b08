#!/usr/bin/env python3
"""Writes tests/golden/metrics.txt: what SciPy and scikit-learn say of random numbers.

    pip install numpy scipy==1.17.1 scikit-learn==1.9.1
    python3 tools/golden_metrics.py

from the root of the repository. The numbers are those of the generator below, which tests/test_metrics.c has too, drawn
anew for each line from its state at the end of the line before; a line holds what they were drawn with and the metric.
"""

import importlib.metadata
from pathlib import Path

import numpy as np
from scipy.stats import spearmanr
from sklearn.metrics import average_precision_score, ndcg_score, v_measure_score

COUNTS = [(5, 3), (20, 4), (20, 1000), (100, 2), (100, 17), (333, 1 << 20), (1000, 10), (5000, 800)]
CLUSTERS = [(10, 2, 2), (30, 3, 5), (100, 20, 20), (100, 7, 1), (100, 1, 4), (2000, 12, 9), (5000, 40, 60)]
SEARCHES = [(5, 3, 3), (12, 4, 3), (12, 12, 2), (40, 5, 3), (40, 1000, 4), (300, 20, 4), (300, 1 << 20, 5)]

state = 1


def draw(count: int, levels: int) -> np.ndarray:
    """Whole numbers below levels."""
    global state
    out = np.empty(count, np.int64)
    for i in range(count):
        state = (state * 1664525 + 1013904223) % 2**32
        out[i] = (state >> 8) % levels
    return out


def lines() -> list[str]:
    out = ["# spearman COUNT LEVELS: a and b below LEVELS, b + a / 2"]
    for count, levels in COUNTS:
        a, b = draw(count, levels), draw(count, levels)
        out.append(f"spearman {count} {levels} {float(spearmanr(a, b + a / 2)[0])!r}")
    out.append("# precision COUNT LEVELS: scores below LEVELS, labels below 3, of which 0 is relevant; the first is 0")
    for count, levels in COUNTS:
        scores, labels = draw(count, levels), draw(count, 3)
        labels[0] = 0
        out.append(f"precision {count} {levels} {float(average_precision_score(labels == 0, scores))!r}")
    out.append("# v COUNT CLASSES CLUSTERS: labels below CLASSES, found is (a number below CLUSTERS + label) % CLUSTERS")
    out.append("# for every third item, else label % CLUSTERS")
    for count, classes, clusters in CLUSTERS:
        labels, noise = draw(count, classes), draw(count, clusters)
        found = (labels + np.where(np.arange(count) % 3 == 0, noise, 0)) % clusters
        out.append(f"v {count} {classes} {clusters} {float(v_measure_score(labels, found))!r}")
    out.append("# ndcg DOCUMENTS LEVELS GRADES: scores below LEVELS, grades below GRADES, of which the last one is 1")
    for count, levels, most in SEARCHES:
        for _ in range(3):
            scores, grades = draw(count, levels), draw(count, most)
            grades[-1] = 1
            value = float(ndcg_score([grades], [scores], k=10, ignore_ties=False))
            out.append(f"ndcg {count} {levels} {most} {value!r}")
    return out


def main() -> None:
    versions = ", ".join(f"{name} {importlib.metadata.version(name)}" for name in ["numpy", "scipy", "scikit-learn"])
    head = f"# By tools/golden_metrics.py: {versions}"
    Path("tests/golden/metrics.txt").write_text("\n".join([head, *lines()]) + "\n", encoding="utf8")


if __name__ == "__main__":
    main()
