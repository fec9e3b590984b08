#!/usr/bin/env python3
"""Writes tests/golden/train.txt: what the reference's recipe does with a small codebook, step by step, by torch and the
loss classes of sentence-transformers.

    pip install torch==2.15 sentence-transformers==6.2 transformers==5.24.0
    python3 tools/golden_train.py        (from the root of the repository)

The model projects every token, x_t = W (gelu(w_t) E_t) + b, and takes the mean over a text's tokens, padded and masked;
behind it the sign, where that is trained, with a straight-through estimator. The loss is MatryoshkaLoss of
MultipleNegativesRankingLoss. Batches take turns: triplets, pairs. The rows E_t are numbers that F16 holds.

Each item begins with a line NAME COUNT, and a line of COUNT numbers follows. Items of one case stand together, under a
line "case NAME": "given" is what all begin with and the batches; the others hold loss and slopes of the first batch, in
F64, and the losses of ten steps, in F32 as the reference trains.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable
from importlib.metadata import version
from pathlib import Path

import torch
import transformers
from golden_contrast import reste, ste
from sentence_transformers.sentence_transformer import losses
from torch import Tensor, nn

VERSIONS = {"torch": "2.15", "sentence-transformers": "6.2", "transformers": "5.24"}
ROWS, INPUTS, DIM = 60, 32, 16
DIMS = [16, 8, 4]
RECORDS = [12, 9]  # of a batch of triplets, of pairs
STEPS, WARM_UP, RATE, CLIP = 10, 3, 1e-2, 1.0

Batch = list[list[list[int]]]  # sides of records' token ids

lines: list[str] = []
generator = torch.Generator().manual_seed(88)


def case(name: str) -> None:
    lines.append(f"case {name}")


def item(name: str, numbers: Tensor | list[float] | list[int], form: str = "%.9g") -> None:
    flat = numbers.detach().flatten().tolist() if isinstance(numbers, Tensor) else numbers
    lines.append(f"{name} {len(flat)}")
    lines.append(" ".join(form % number for number in flat))


def random(*shape: int) -> Tensor:
    """Normal numbers that F32 holds."""
    return torch.randn(*shape, generator=generator).double()


def make_batch(number: int) -> Batch:
    """Texts of a record have tokens in common, as anchors and positives do; frequent and rare ones; 1 to 8."""
    sides: Batch = [[] for _ in range(3 - number % 2)]
    for _ in range(RECORDS[number % 2]):
        shared = (torch.rand(2, generator=generator) ** 2 * ROWS).long().tolist()
        for side in sides:
            length = int(torch.randint(0, 7, (1,), generator=generator))
            own = (torch.rand(length, generator=generator) ** 2 * ROWS).long().tolist()
            side.append(shared + own if side is not sides[-1] or number % 2 else own[:1] + shared[:1])
    return sides


class Reference(nn.Module):
    def __init__(self, given: dict[str, Tensor], dtype: torch.dtype, sign: Callable[[Tensor], Tensor] | None) -> None:
        super().__init__()
        self.table = given["table"].to(dtype)
        self.weight = nn.Parameter(given["projection.weight"].to(dtype))
        self.bias = nn.Parameter(given["projection.bias"].to(dtype))
        self.token_weights = nn.Parameter(given["token_weights"].to(dtype))
        self.sign = sign

    def get_embedding_dimension(self) -> int:
        return DIM

    def forward(self, features: dict[str, Tensor]) -> dict[str, Tensor]:
        ids, mask = features["ids"], features["mask"].to(self.table.dtype).unsqueeze(-1)
        weighted = self.table[ids] * nn.functional.gelu(self.token_weights[ids]).unsqueeze(-1)
        tokens = weighted @ self.weight.T + self.bias
        vectors = (tokens * mask).sum(1) / mask.sum(1)
        if self.sign:
            stand_in = self.sign(vectors)
            vectors = vectors.sign().detach() + (stand_in - stand_in.detach())
        return {"sentence_embedding": vectors}


def features(side: list[list[int]]) -> dict[str, Tensor]:
    longest = max(len(text) for text in side)
    ids = [text + [0] * (longest - len(text)) for text in side]
    mask = [[1] * len(text) + [0] * (longest - len(text)) for text in side]
    return {"ids": torch.tensor(ids), "mask": torch.tensor(mask)}


def loss_of(model: Reference, batch: Batch, scale: float | Tensor) -> Tensor:
    ranking = losses.MultipleNegativesRankingLoss(model, scale=scale)
    nested = losses.MatryoshkaLoss(model, ranking, DIMS)
    value: Tensor = nested([features(side) for side in batch], torch.empty(0))
    return value


def first_slopes(model: Reference, batch: Batch, log_scale: Tensor | None) -> None:
    loss = loss_of(model, batch, log_scale.exp() if log_scale is not None else 20.0)
    loss.backward()
    item("loss", [loss.item()], "%.12g")
    item("projection.weight", model.weight.grad)
    item("projection.bias", model.bias.grad)
    item("token_weights", model.token_weights.grad)
    if log_scale is not None:
        item("scale.0", log_scale.grad.reshape(1))


def steps(model: Reference, batches: list[Batch], log_scale: Tensor | None) -> None:
    learned = [*model.parameters()] + ([log_scale] if log_scale is not None else [])
    optimizer = torch.optim.AdamW(learned, lr=RATE, betas=(0.9, 0.999), eps=1e-8, weight_decay=0)
    schedule = transformers.get_linear_schedule_with_warmup(optimizer, WARM_UP, STEPS)
    values: list[float] = []
    norms: list[float] = []
    for batch in batches:
        optimizer.zero_grad()
        loss = loss_of(model, batch, log_scale.exp() if log_scale is not None else 20.0)
        loss.backward()
        norms.append(nn.utils.clip_grad_norm_(learned, CLIP).item())
        optimizer.step()
        schedule.step()
        values.append(loss.item())
    item("losses", values)
    item("norms", norms)


def main() -> None:
    for package, wanted in VERSIONS.items():
        if not version(package).startswith(wanted + "."):
            raise SystemExit(f"{package} {version(package)} is there, expected {wanted}")
    warnings.simplefilter("ignore")
    given = {
        "table": random(ROWS, INPUTS).half().double(),
        "projection.weight": random(DIM, INPUTS).float().double() * 0.25,
        "projection.bias": random(DIM).float().double() * 0.125,
        "token_weights": random(ROWS).float().double() * 0.25 + 1,
    }
    given["token_weights"][::7] = torch.tensor(0.1)  # the stop words
    batches = [make_batch(number) for number in range(STEPS)]
    case("given")
    for name, numbers in given.items():
        item(name, numbers)
    for number, batch in enumerate(batches):
        texts = [text for side in batch for text in side]
        item(f"ids.{number}", [token for text in texts for token in text])
        item(f"lengths.{number}", [len(text) for text in texts])
    signs = {"none": None, "ste": ste, "tanh": torch.tanh, "reste": reste, "stochastic": ste}
    for name, sign in signs.items():
        case(name)
        first_slopes(Reference(given, torch.float64, sign), batches[0], None)
        steps(Reference(given, torch.float32, sign), batches, None)
    case("pairs")
    first_slopes(Reference(given, torch.float64, None), batches[1], None)
    case("learned")
    start = torch.tensor(20.0).log()
    first_slopes(Reference(given, torch.float64, None), batches[0], start.double().requires_grad_())
    steps(Reference(given, torch.float32, None), batches, start.clone().requires_grad_())
    Path("tests/golden/train.txt").write_text("\n".join(lines) + "\n")


if __name__ == "__main__":
    main()
