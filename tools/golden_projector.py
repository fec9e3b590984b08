#!/usr/bin/env python3
"""Writes tests/golden/projector.txt and optimizer.txt by asking torch, and for schedules transformers.

    pip install torch==2.15 transformers==5.24.0
    python3 tools/golden_projector.py        (from the root of the repository)

Each item begins with a line NAME COUNT, and a line of COUNT numbers follows. Items of one case stand together, under a
line "case NAME".

projector.txt: the reference projects every token, x_t = W (gelu(w_t) E_t) + b, and takes the mean over a text's tokens;
the loss is the sum of the vectors times fixed numbers. The rows E_t are multiples of 1/64 below 2: exact in F32, F16
and BF16. Computed in F64.

optimizer.txt: slopes are curvature * (value - target), in F32.
"""

from __future__ import annotations

from collections.abc import Callable
from importlib.metadata import version
from pathlib import Path

import torch
import transformers

VERSIONS = {"torch": "2.15", "transformers": "5.24"}
ROWS, INPUTS, HIDDEN, DIM = 50, 24, 20, 12
LENGTHS = [5, 1, 0, 9, 3, 16, 2, 7, 0, 40, 4]
STEPS = 10

lines: list[str] = []
generator = torch.Generator().manual_seed(8)


def case(name: str) -> None:
    lines.append(f"case {name}")


def item(name: str, numbers: torch.Tensor | list[float] | list[int], form: str = "%.9g") -> None:
    flat = numbers.detach().flatten().tolist() if isinstance(numbers, torch.Tensor) else numbers
    lines.append(f"{name} {len(flat)}")
    lines.append(" ".join(form % number for number in flat))


def random(*shape: int) -> torch.Tensor:
    """Normal numbers that F32 holds."""
    return torch.randn(*shape, generator=generator).double()


def texts() -> list[torch.Tensor]:
    """Frequent and rare tokens: some many times in a text, some never."""
    return [(torch.rand(length, generator=generator) ** 2 * ROWS).long() for length in LENGTHS]


def learn(name: str, parameters: dict[str, torch.Tensor], token: Callable[[torch.Tensor], torch.Tensor]) -> None:
    """Vectors and slopes of a model whose tokens are projected one by one."""
    bags = texts()
    factors = random(len(bags), DIM)
    vectors = [token(ids).mean(0) if len(ids) else torch.zeros(DIM).double() for ids in bags]
    loss = (torch.stack(vectors) * factors).sum()
    for parameter in parameters.values():
        parameter.grad = None
    loss.backward()
    case(name)
    item("lengths", LENGTHS, "%d")
    item("ids", torch.cat(bags), "%d")
    item("factors", factors)
    item("vectors", torch.stack(vectors))
    for key, parameter in parameters.items():
        assert parameter.grad is not None
        item(key, parameter)
        item(key + ".slopes", parameter.grad)


def projectors() -> None:
    table = torch.randint(-127, 128, (ROWS, INPUTS), generator=generator).double() / 64
    case("table")
    item("table", table)
    gelu, relu = torch.nn.functional.gelu, torch.nn.functional.relu
    w = random(ROWS, 1).requires_grad_()
    weight, bias = random(DIM, INPUTS).requires_grad_(), random(DIM).requires_grad_()
    linear = {"projection.weight": weight, "projection.bias": bias, "token_weights": w}
    learn("linear", linear, lambda ids: gelu(w[ids]) * table[ids] @ weight.T + bias)
    learn("linear_plain", {"projection.weight": weight}, lambda ids: table[ids] @ weight.T)
    first, first_bias = random(HIDDEN, INPUTS).requires_grad_(), random(HIDDEN).requires_grad_()
    second, second_bias = random(DIM, HIDDEN).requires_grad_(), random(DIM).requires_grad_()
    mlp = {
        "hidden.weight": first,
        "hidden.bias": first_bias,
        "projection.weight": second,
        "projection.bias": second_bias,
        "token_weights": w,
    }
    learn(
        "mlp",
        mlp,
        lambda ids: relu(gelu(w[ids]) * table[ids] @ first.T + first_bias) @ second.T + second_bias,
    )
    learned = table[:, :DIM].clone().requires_grad_()
    learn("table_learned", {"table": learned}, lambda ids: learned[ids])


# ---- the optimizer ----


def slopes(value: torch.Tensor, target: torch.Tensor, curvature: torch.Tensor) -> torch.Tensor:
    return curvature * (value.detach() - target)


def adamw(name: str, decay: float, clip: float, average: float, scheduled: bool) -> None:
    """Two parameters, so that the norm is of both."""
    values = [random(7, 5).float().requires_grad_(), random(11).float().requires_grad_()]
    targets = [random(*value.shape).float() for value in values]
    curvatures = [random(*value.shape).float().abs() for value in values]
    optimizer = torch.optim.AdamW(values, lr=0.05, betas=(0.9, 0.99), eps=1e-8, weight_decay=decay, foreach=False)
    schedule = transformers.get_linear_schedule_with_warmup(optimizer, 3, STEPS) if scheduled else None
    module = torch.nn.Module()
    for number, value in enumerate(values):
        module.register_parameter(f"p{number}", torch.nn.Parameter(value.detach().clone()))
    averages = torch.optim.swa_utils.AveragedModel(
        module, multi_avg_fn=torch.optim.swa_utils.get_ema_multi_avg_fn(average)
    )
    case(name)
    item("options", [decay, clip, average, float(scheduled)])
    for number in range(2):
        item(f"start{number}", values[number])
        item(f"target{number}", targets[number])
        item(f"curvature{number}", curvatures[number])
    norms = []
    for _ in range(STEPS):
        for value, target, curvature in zip(values, targets, curvatures):
            value.grad = slopes(value, target, curvature)
        norms.append(float(torch.nn.utils.clip_grad_norm_(values, clip if clip else float("inf"))))
        optimizer.step()
        if schedule:
            schedule.step()
        with torch.no_grad():
            for number, value in enumerate(values):
                getattr(module, f"p{number}").copy_(value)
        averages.update_parameters(module)
    item("norms", norms)
    for number, value in enumerate(values):
        item(f"end{number}", value)
        item(f"average{number}", getattr(averages.module, f"p{number}"))


def sparse() -> None:
    """Some rows of a table in each step, others never."""
    rows, columns = 20, 6
    value = random(rows, columns).float().requires_grad_()
    target, curvature = random(rows, columns).float(), random(rows, columns).float().abs()
    optimizer = torch.optim.SparseAdam([value], lr=0.05, betas=(0.9, 0.99), eps=1e-8)
    case("sparse")
    item("start0", value)
    item("target0", target)
    item("curvature0", curvature)
    touched = [torch.randperm(rows - 3, generator=generator)[: 2 + step].sort().values for step in range(STEPS)]
    item("counts", [len(some) for some in touched], "%d")
    item("touched", torch.cat(touched), "%d")
    for some in touched:
        some_slopes = slopes(value, target, curvature)[some]
        value.grad = torch.sparse_coo_tensor(some[None], some_slopes, value.shape, is_coalesced=True)
        optimizer.step()
    item("end0", value)


def schedules() -> None:
    case("schedules")
    for warm_up, steps in [(0, 7), (3, 11), (256, 1000)]:
        for name, make in [
            ("linear", transformers.get_linear_schedule_with_warmup),
            ("cosine", transformers.get_cosine_schedule_with_warmup),
        ]:
            optimizer = torch.optim.AdamW([torch.zeros(1, requires_grad=True)], lr=0.3)
            schedule = make(optimizer, warm_up, steps)
            rates = [step * steps // 40 for step in range(41)] if steps > 40 else list(range(steps + 1))
            factor = schedule.lr_lambdas[0]
            item(f"{name}_{warm_up}_{steps}.steps", rates, "%d")
            item(f"{name}_{warm_up}_{steps}.rates", [0.3 * factor(step) for step in rates], "%.15g")
    warm = transformers.get_constant_schedule_with_warmup(
        torch.optim.AdamW([torch.zeros(1, requires_grad=True)], lr=0.3), 3
    ).lr_lambdas[0]
    item("constant_3_11.steps", list(range(12)), "%d")
    item("constant_3_11.rates", [0.3 * warm(step) for step in range(12)], "%.15g")


def write(name: str) -> None:
    Path("tests/golden", name).write_text("\n".join(lines) + "\n")
    lines.clear()


def main() -> None:
    for package, wanted in VERSIONS.items():
        if not version(package).startswith(wanted):
            raise SystemExit(f"{package} {version(package)} is there, expected {wanted}")
    projectors()
    write("projector.txt")
    adamw("plain", 0, 0, 0.9, False)
    adamw("all", 0.1, 0.5, 0.8, True)
    sparse()
    schedules()
    write("optimizer.txt")


if __name__ == "__main__":
    main()
