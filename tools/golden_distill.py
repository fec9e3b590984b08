#!/usr/bin/env python3
"""Writes tests/golden/distill.txt and tests/golden/distill_targets.txt: losses over pairs, targets and triplets with
their gradients, and target vectors that several teachers make together.

    pip install torch==2.15.0 sentence-transformers==6.2.0 numpy==2.4.6
    python3 tools/golden_distill.py        (from the root of the repository)

The losses over scored pairs are those of sentence-transformers, with MatryoshkaLoss around them; the others are
written down here from their definitions. All in double precision, of vectors that single precision holds.

distill.txt, for each case, a line of words and then lines of numbers:
    KIND COUNT DIM TARGET_DIM SCALE DIMS     DIMS dims and their weights, the vectors (one line for each input),
                                             scores or targets (none for triplets), the loss, a gradient for each input
distill_targets.txt:
    npy ROWS COLUMNS BYTES                   the file as hexadecimal digits, its numbers
    targets TEACHERS ROWS DIM WHITENING CENTRE WIDTH    for each teacher a line with its weight and its columns, and
                                             one with its numbers; then the targets
"""

from __future__ import annotations

from collections.abc import Callable
from importlib.metadata import version
from io import BytesIO
from pathlib import Path

import numpy as np
import torch
from sentence_transformers.sentence_transformer import losses

VERSIONS = {"torch": "2.15.0", "sentence-transformers": "6.2.0", "numpy": "2.4.6"}
Loss = Callable[[list[torch.Tensor], torch.Tensor], torch.Tensor]
lines: list[str] = []
random = np.random.default_rng(8)


def line(numbers: object, form: str = "%.9g") -> None:
    lines.append(" ".join(form % number for number in np.ravel(np.asarray(numbers))))


def normal(rows: int, columns: int) -> np.ndarray:
    return random.normal(size=(rows, columns)).astype(np.float32)


class Given(torch.nn.Module):
    """A model whose text vectors, of at most so many dims, are given."""

    def __init__(self, dim: int) -> None:
        super().__init__()
        self.dim = dim

    def forward(self, features: dict[str, torch.Tensor]) -> dict[str, torch.Tensor]:
        return {"sentence_embedding": features["vectors"]}

    def get_embedding_dimension(self) -> int:
        return self.dim


# ---- losses ----------------------------------------------------------------------------------------------------------


def of_library(make: Callable[[Given], torch.nn.Module], dims: list[int], weights: list[float]) -> Loss:
    model = Given(max(dims))
    loss = losses.MatryoshkaLoss(model, make(model), dims, weights)  # type: ignore[arg-type]
    return lambda inputs, scores: loss([{"vectors": rows} for rows in inputs], scores)


def of_definition(one: Callable[[list[torch.Tensor], torch.Tensor, int], torch.Tensor], dims: list[int],
                  weights: list[float]) -> Loss:  # fmt: skip
    return lambda inputs, targets: torch.stack(
        [weight * one([rows[:, :dim] for rows in inputs], targets, dim) for dim, weight in zip(dims, weights)]
    ).sum()


def unit(rows: torch.Tensor) -> torch.Tensor:
    return torch.nn.functional.normalize(rows, dim=1)


def cosine(inputs: list[torch.Tensor], targets: torch.Tensor, dim: int) -> torch.Tensor:
    most = min(dim, targets.shape[1])
    return (1 - (unit(inputs[0][:, :most]) * unit(targets[:, :most])).sum(1)).mean()


def squared(inputs: list[torch.Tensor], targets: torch.Tensor, dim: int) -> torch.Tensor:
    most = min(dim, targets.shape[1])
    return ((inputs[0][:, :most] - targets[:, :most]) ** 2).mean()


def similarities(inputs: list[torch.Tensor], targets: torch.Tensor, dim: int) -> torch.Tensor:
    h, g = unit(inputs[0]) @ unit(inputs[0]).T, unit(targets) @ unit(targets).T
    return ((h - g) ** 2)[~torch.eye(len(h), dtype=torch.bool)].mean()


def distributions(temperature: float) -> Callable[[list[torch.Tensor], torch.Tensor, int], torch.Tensor]:
    def loss(inputs: list[torch.Tensor], targets: torch.Tensor, dim: int) -> torch.Tensor:
        others = ~torch.eye(len(targets), dtype=torch.bool)
        h, g = ((unit(rows) @ unit(rows).T / temperature)[others].reshape(len(rows), -1).log_softmax(1)
                for rows in (inputs[0], targets))  # fmt: skip
        return torch.nn.functional.kl_div(h, g, reduction="batchmean", log_target=True)

    return loss


def triplets(temperature: float) -> Callable[[list[torch.Tensor], torch.Tensor, int], torch.Tensor]:
    def loss(inputs: list[torch.Tensor], targets: torch.Tensor, dim: int) -> torch.Tensor:
        anchor, positive, negative = (unit(rows) for rows in inputs)
        return torch.nn.functional.softplus(((anchor * (negative - positive)).sum(1)) / temperature).mean()

    return loss


def case(name: str, loss: Loss, inputs: list[np.ndarray], targets: np.ndarray, scale: float, dims: list[int],
         weights: list[float]) -> None:  # fmt: skip
    vectors = [torch.tensor(rows, dtype=torch.float64, requires_grad=True) for rows in inputs]
    value = loss(vectors, torch.tensor(targets, dtype=torch.float64))
    value.backward()
    columns = targets.shape[1] if targets.ndim == 2 else 1 if targets.size else 0
    lines.append(f"{name} {inputs[0].shape[0]} {inputs[0].shape[1]} {columns} {scale:g} {len(dims)}")
    line([number for pair in zip(dims, weights) for number in pair], "%g")
    for rows in inputs:
        line(rows)
    if columns:
        line(targets)
    line(value.item(), "%.15g")
    for rows in vectors:
        assert rows.grad is not None
        line(rows.grad, "%.7g")


def near(rows: np.ndarray, noise: float) -> np.ndarray:
    return (rows + noise * normal(*rows.shape)).astype(np.float32)


def scored() -> None:
    for count, dim, scale, dims, weights in [
        (17, 12, 20.0, [12], [1.0]),
        (17, 12, 20.0, [12, 7, 4], [1.0, 0.5, 2.0]),
        (60, 5, 50.0, [5, 2], [1.0, 1.0]),
        (2, 9, 20.0, [9], [0.25]),
    ]:
        kinds: dict[str, Callable[[Given], torch.nn.Module]] = {
            "cosent": lambda model, scale=scale: losses.CoSENTLoss(model, scale=scale),  # type: ignore[misc]
            "angle": lambda model, scale=scale: losses.AnglELoss(model, scale=scale),  # type: ignore[misc]
            "score": lambda model: losses.CosineSimilarityLoss(model),  # type: ignore[arg-type]
        }
        for name, make in kinds.items():
            a = normal(count, dim)
            levels = np.array([0, 1]) if count == 2 else random.integers(6, size=count)
            scores = (levels / 5).astype(np.float32)
            b = near(a, 1.5)
            case(name, of_library(make, dims, weights), [a, b], scores, scale, dims, weights)


def distilled() -> None:
    for count, dim, target_dim, temperature, dims, weights in [
        (14, 10, 10, 0.05, [10], [1.0]),
        (14, 10, 16, 0.125, [10, 6, 3], [0.5, 1.0, 2.0]),
        (3, 8, 5, 1.0, [8, 6, 2], [1.0, 1.0, 1.0]),
        (40, 6, 6, 0.0625, [6, 4], [1.0, 1.0]),
    ]:
        # Vectors as they are when training has come some way: near their targets.
        targets = normal(count, target_dim)
        vectors = near(2 * np.pad(targets, ((0, 0), (0, max(0, dim - target_dim))))[:, :dim], 0.7)
        for name, one in {"target_cosine": cosine, "target_squared": squared, "target_similarities": similarities,
                          "target_distributions": distributions(temperature)}.items():  # fmt: skip
            case(name, of_definition(one, dims, weights), [vectors], targets, temperature, dims, weights)
        inputs = [vectors, near(vectors, 1), near(vectors, 1.5)]
        loss = of_definition(triplets(temperature), dims, weights)
        case("triplet", loss, inputs, np.empty(0), temperature, dims, weights)


# ---- targets ---------------------------------------------------------------------------------------------------------


def arrays() -> None:
    for format_version in [(1, 0), (2, 0), (3, 0)]:
        for kind in ["<f4", "<f2"]:
            array, file = random.normal(size=(3, 2)).astype(kind), BytesIO()
            np.lib.format.write_array(file, array, version=format_version)
            lines.append(f"npy 3 2 {len(file.getvalue())}")
            lines.append(file.getvalue().hex())
            line(array.astype(np.float32))


def together(teachers: list[np.ndarray], weights: list[float], dim: int, whitening: float, centre: bool) -> np.ndarray:
    def unit_rows(rows: np.ndarray) -> np.ndarray:
        lengths = np.linalg.norm(rows, axis=1, keepdims=True)
        return rows / np.where(lengths > 0, lengths, 1)

    rows = np.hstack([np.sqrt(w) * unit_rows(t.astype(np.float64)) for t, w in zip(teachers, weights)])
    says = rows.any(axis=1)
    if centre:
        rows[says] -= rows[says].mean(axis=0)
    if dim:
        values, vectors = np.linalg.eigh(rows[says].T @ rows[says] / says.sum())
        order = np.argsort(-values)[:dim]
        vectors = vectors[:, order]
        vectors *= np.sign(vectors[np.abs(vectors).argmax(axis=0), np.arange(dim)])
        rows = rows @ vectors * values[order] ** -whitening
    return unit_rows(rows)


def target_cases() -> None:
    for rows, columns, weights, dim, whitening, centre in [
        (50, [5, 4], [1.0, 0.4], 6, 0.3, True),
        (50, [5, 4, 1], [0.5, 0.4, 2.0], 10, 0.5, True),
        (30, [6], [1.0], 3, 0.0, False),
        (20, [4, 3], [1.0, 0.25], 0, 0.0, True),
        (20, [4, 3], [1.0, 0.25], 0, 0.0, False),
    ]:
        teachers = [(normal(rows, n) * np.arange(1, n + 1) + 1).astype(np.float32) for n in columns]
        teachers[-1][rows // 2] = 0
        for teacher in teachers:
            teacher[rows // 3] = 0
        lines.append(f"targets {len(columns)} {rows} {dim} {whitening:g} {int(centre)} {sum(columns)}")
        for teacher, weight in zip(teachers, weights):
            lines.append(f"{weight:g} {teacher.shape[1]}")
            line(teacher)
        line(together(teachers, weights, dim, whitening, centre))


def write(name: str) -> None:
    Path("tests/golden", name).write_text("\n".join(lines) + "\n")
    lines.clear()


def main() -> None:
    for package, expected in VERSIONS.items():
        if version(package).partition("+")[0] != expected:
            raise SystemExit(f"{package} {version(package)} is there, expected {expected}")
    scored()
    distilled()
    write("distill.txt")
    arrays()
    target_cases()
    write("distill_targets.txt")


if __name__ == "__main__":
    main()
