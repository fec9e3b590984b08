#!/usr/bin/env python3
"""Writes tests/golden/logistic.txt by asking scikit-learn for logistic regressions and stratified folds.

    pip install scikit-learn==1.9.1
    python3 tools/golden_logistic.py        (from the root of the repository)

Each begins with a line of words, and lines of numbers follow:
    problem CLASSES ITEMS DIM C    rows, labels, weights (one row for two classes), intercepts, probabilities
    folds FOLDS CLASSES ITEMS      labels, and the fold of each item
"""

from __future__ import annotations

from importlib.metadata import version
from pathlib import Path

import numpy as np
from sklearn.linear_model import LogisticRegression  # type: ignore[import-untyped]
from sklearn.model_selection import StratifiedKFold  # type: ignore[import-untyped]

VERSION = "1.9.1"
lines: list[str] = []


def line(numbers: np.ndarray, form: str) -> None:
    lines.append(" ".join(form % number for number in np.ravel(numbers)))


def problem(random: np.random.Generator, classes: int, count: int, dim: int, strength: float) -> None:
    """Items around the centres of their classes, with some noise in the labels."""
    labels = np.concatenate([np.arange(classes), random.integers(classes, size=count - classes)])
    centres = random.normal(size=(classes, dim))
    rows = (centres[labels] + 1.2 * random.normal(size=(count, dim))).astype(np.float32)
    noisy = random.random(count) < 0.1
    noisy[:classes] = False
    labels[noisy] = random.integers(classes, size=noisy.sum())
    model = LogisticRegression(C=strength, tol=1e-10, max_iter=10000).fit(rows.astype(np.float64), labels)
    lines.append(f"problem {classes} {count} {dim} {strength}")
    line(rows, "%.9g")
    line(labels, "%d")
    line(model.coef_, "%.7g")
    line(model.intercept_, "%.7g")
    line(model.predict_proba(rows.astype(np.float64)), "%.7g")


def fold(random: np.random.Generator, folds: int, classes: int, count: int) -> None:
    """Classes of very different sizes, none of them first by rule."""
    while True:
        labels = np.minimum(random.geometric(0.4, size=count) - 1, classes - 1)
        labels = random.permutation(classes)[labels]
        sizes = np.bincount(labels, minlength=classes)
        if folds <= sizes.max():
            break
    where = np.zeros(count, int)
    for number, (_, test) in enumerate(StratifiedKFold(folds).split(np.zeros((count, 1)), labels)):
        where[test] = number
    lines.append(f"folds {folds} {classes} {count}")
    line(labels, "%d")
    line(where, "%d")


def main() -> None:
    if version("scikit-learn") != VERSION:
        raise SystemExit(f"scikit-learn {version('scikit-learn')} is there, expected {VERSION}")
    random = np.random.default_rng(7)
    for classes, count, dim, strength in [
        (2, 60, 8, 10),
        (2, 61, 5, 0.1),
        (3, 60, 8, 10),
        (7, 63, 8, 1),
        (7, 80, 8, 100),
    ]:
        problem(random, classes, count, dim, strength)
    for folds, classes, count in [(2, 2, 17), (3, 4, 40), (5, 3, 57), (5, 9, 64), (10, 6, 71)]:
        fold(random, folds, classes, count)
    Path("tests/golden/logistic.txt").write_text("\n".join(lines) + "\n")


if __name__ == "__main__":
    main()
