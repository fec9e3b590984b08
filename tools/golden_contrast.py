#!/usr/bin/env python3
"""Writes tests/golden/contrast.txt and tests/golden/contrast_binarizers.txt: losses and slopes from the loss classes
of sentence-transformers, in F64, and what straight-through estimators do, from torch's own derivatives.

    pip install torch==2.15 sentence-transformers==6.2
    python3 tools/golden_contrast.py        (from the root of the repository)

contrast.txt holds cases, of which each is:
    case SEED COUNT NEGATIVES DIM SYMMETRIC SCALE LEVELS
    dims and weights of the nest, the loss, its slope by scale, slopes of anchors, of candidates (positives first)
The vectors are not stored: their numbers follow from the seed, see number().
contrast_binarizers.txt: NAME, number of values, and lines of value, output, slope for a slope of 1 behind.
"""

from __future__ import annotations

import warnings
from importlib.metadata import version
from pathlib import Path

import torch
from sentence_transformers.sentence_transformer import losses
from torch import Tensor, nn

VERSIONS = {"torch": "2.15", "sentence-transformers": "6.2"}
MASK = 0xFFFFFFFF


def number(seed: int, place: int) -> float:
    """A number in [-1, 1) of 24 bits."""
    bits = (place * 2654435761 + seed * 40503 + 12345) & MASK
    bits = ((bits ^ bits >> 15) * 2246822519) & MASK
    bits = ((bits ^ bits >> 13) * 3266489917) & MASK
    return ((bits ^ bits >> 16) >> 8) / 2**23 - 1


def matrix(seed: int, begin: int, rows: int, columns: int) -> Tensor:
    numbers = [number(seed, begin + i) for i in range(rows * columns)]
    return torch.tensor(numbers, dtype=torch.float64).reshape(rows, columns).requires_grad_()


class Given(nn.Module):
    """A model whose vectors are given."""

    def __init__(self, dim: int) -> None:
        super().__init__()
        self.dim = dim

    def get_embedding_dimension(self) -> int:
        return self.dim

    def forward(self, features: dict[str, Tensor]) -> dict[str, Tensor]:
        return {"sentence_embedding": features["vectors"]}


def line(numbers: Tensor) -> str:
    return " ".join(f"{value:.9g}" for value in numbers.flatten().tolist())


def case(seed: int, count: int, negatives: int, dim: int, symmetric: bool, scale: float, nest: dict[int, float]) -> str:
    columns = [matrix(seed, i * count * dim, count, dim) for i in range(2 + negatives)]
    factor = torch.tensor(scale, dtype=torch.float64, requires_grad=True)
    kind = losses.MultipleNegativesSymmetricRankingLoss if symmetric else losses.MultipleNegativesRankingLoss
    model = Given(dim)
    loss: nn.Module = kind(model, scale=factor)
    if list(nest) != [dim] or nest[dim] != 1:
        loss = losses.MatryoshkaLoss(model, loss, list(nest), list(nest.values()))
    value = loss([{"vectors": column} for column in columns], torch.empty(0))
    value.backward()
    return "\n".join(
        [
            f"case {seed} {count} {negatives} {dim} {int(symmetric)} {scale} {len(nest)}",
            " ".join(f"{level} {weight}" for level, weight in nest.items()),
            f"{value.item():.12g} {factor.grad.item():.12g}",
            line(columns[0].grad),
            line(torch.cat([column.grad for column in columns[1:]])),
        ]
    )


# ---- straight-through estimators: the slope is that of another function ----


def ste(x: Tensor) -> Tensor:
    return torch.where(x.abs() <= 1, x, x.sign())


def reste(x: Tensor, order: float = 1, bound: float = 1.5, interval: float = 0.1) -> Tensor:
    power = x.sign() * x.abs() ** (1 / order)
    straight = x * interval ** (1 / order) / interval
    return torch.where(x.abs() > bound, bound ** (1 / order), torch.where(x.abs() <= interval, straight, power))


def binarizers() -> str:
    special = [0.0, 0.05, 0.1, 0.100000009, 0.5, 1.0, 1.0000001, 1.25, 1.5, 1.50000012, 2.0, 5.0, 30.0, 1e-30]
    values = special + [-value for value in special] + [2.2 * number(1, i) for i in range(100)]
    x = torch.tensor(values, dtype=torch.float32).double()
    blocks = []
    for name, stand_in in (("ste", ste), ("tanh", torch.tanh), ("reste", reste), ("stochastic", ste)):
        leaf = x.clone().requires_grad_()
        stand_in(leaf).sum().backward()
        rows = [f"{a:.9g} {b:g} {c:.9g}" for a, b, c in zip(x.tolist(), x.sign().tolist(), leaf.grad.tolist())]
        blocks.append("\n".join([f"{name} {len(rows)}", *rows]))
    return "\n".join(blocks) + "\n"


def main() -> None:
    for package, wanted in VERSIONS.items():
        if not version(package).startswith(wanted + "."):
            raise SystemExit(f"{package} {version(package)} is there, expected {wanted}")
    warnings.simplefilter("ignore")
    cases = [
        case(1, 1, 0, 4, False, 20, {4: 1}),
        case(2, 5, 0, 8, False, 20, {8: 1}),
        case(3, 7, 2, 16, False, 20, {16: 1}),
        case(4, 6, 1, 24, False, 20, {24: 1, 16: 0.5, 8: 0.25, 3: 2}),
        case(5, 9, 0, 16, True, 20, {16: 1}),
        case(6, 8, 3, 20, True, 7.5, {20: 0.7, 12: 1, 5: 0.3}),
        case(7, 33, 1, 32, False, 20, {32: 1, 16: 1, 8: 1}),
        case(8, 12, 1, 2, False, 50, {2: 1}),
    ]
    Path("tests/golden/contrast.txt").write_text("\n".join(cases) + "\n")
    Path("tests/golden/contrast_binarizers.txt").write_text(binarizers())


if __name__ == "__main__":
    main()
