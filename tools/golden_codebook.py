#!/usr/bin/env python3
"""Writes tests/golden/codebook.txt: what NumPy and scikit-learn find in a made-up codebook.

    pip install scikit-learn==1.9.1 numpy==2.4.6
    python3 tools/golden_codebook.py        (from the root of the repository)

The codebook is that of tests/codebooks.h, 90 rows of 12 numbers that F16 holds. A line is a name and its numbers:
    moments     mean, standard deviation, mean norm, norm of the mean row
    cosine      average cosine of two different rows, by all pairs
    partition   min Z / max Z over the principal directions, the mean row's, and their opposites
    singular    of the centred table
    rank        effective rank, participation ratio
    components  for 50, 90, 95 and 99 % of the variance
    pca         the first 4 components of the rows, mean square 1, each direction's largest number positive
    sif         a / (a + p), a = 1e-4, p by Zipf's law, as Model2Vec has it
"""

from __future__ import annotations

import sys
from importlib.metadata import version
from pathlib import Path

import numpy as np
from sklearn.decomposition import PCA  # type: ignore[import-untyped]

VERSIONS = {"scikit-learn": "1.9.1", "numpy": "2.4.6"}
ROWS, DIM, KEPT = 90, 12, 4


def make_table() -> np.ndarray:
    """codebook_number of tests/codebooks.h."""
    i, j = np.indices((ROWS, DIM))
    base = (i * 37 + j * 91 + i * j * 13 + i * i * 7) % 101 - 50
    return (base * (DIM - j) + 40 * (j + 1)) / 1024.0


def partition(table: np.ndarray, directions: np.ndarray) -> float:
    products = table @ directions.T
    products = np.hstack([products, -products])
    sums = np.exp(products).sum(0)
    return float(sums.min() / sums.max())


def main() -> None:
    for name, wanted in VERSIONS.items():
        if version(name) != wanted:
            sys.exit(f"expected {name} {wanted}, found {version(name)}")
    table = make_table()
    norms = np.linalg.norm(table, axis=1)
    mean = table.mean(0)
    unit = table / norms[:, None]
    cosines = unit @ unit.T
    pca = PCA(svd_solver="full").fit(table)
    values = pca.singular_values_
    variances = values**2
    shares = np.cumsum(variances) / variances.sum()
    part = values / values.sum()
    directions = pca.components_.copy()
    for direction in directions:
        if direction[np.abs(direction).argmax()] < 0:
            direction *= -1
    kept = (table - mean) @ directions[:KEPT].T
    kept /= np.sqrt((kept**2).mean())
    zipf = 1 / (np.arange(ROWS) + 2)
    zipf /= zipf.sum()
    lines = {
        "moments": [table.mean(), table.std(), norms.mean(), np.linalg.norm(mean)],
        "cosine": [(cosines.sum() - ROWS) / (ROWS * (ROWS - 1))],
        "partition": [partition(table, np.vstack([directions, mean / np.linalg.norm(mean)]))],
        "singular": values,
        "rank": [np.exp(-(part * np.log(part)).sum()), variances.sum() ** 2 / (variances**2).sum()],
        "components": [np.searchsorted(shares, share) + 1 for share in (0.5, 0.9, 0.95, 0.99)],
        "pca": kept.ravel(),
        "sif": 1e-4 / (1e-4 + zipf),
    }
    with Path("tests/golden/codebook.txt").open("w", encoding="utf-8") as file:
        for name, numbers in lines.items():
            file.write(f"{name} {len(numbers)} " + " ".join(f"{number:.12g}" for number in numbers) + "\n")


if __name__ == "__main__":
    main()
