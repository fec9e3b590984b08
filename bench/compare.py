"""Runs the programs of `make bench` in turn and prints them side by side; called by run.sh, standard library only.

Every program runs alone, pinned to one core, with one thread asked for. Peers take turns, since the machine is noisy:
a figure is the median of the rounds of all turns, and a turn's first round is not counted.
"""

from __future__ import annotations

import argparse
import array
import gzip
import json
import os
import subprocess
import sys
import time
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median

HERE = Path(__file__).resolve().parent
ONE_THREAD = {
    "TOKENIZERS_PARALLELISM": "false",
    "RAYON_NUM_THREADS": "1",
    "OMP_NUM_THREADS": "1",
    "OPENBLAS_NUM_THREADS": "1",
    "HF_HUB_OFFLINE": "1",
}
TURNS = {"ag_news": 5, "newsgroups": 3}
ROUNDS = 2  # a turn
STREAM_LINES = 1_000_000


@dataclass
class Run:
    seconds: float
    peak: int  # bytes of resident memory
    output: str


@dataclass
class Tool:
    name: str
    command: list[str]  # {model}, {texts}, {rounds} are filled in
    vectors: list[str]  # added to it so that the vectors are written to {vectors}
    seconds: list[float] = field(default_factory=list)
    peaks: list[int] = field(default_factory=list)
    opened: list[float] = field(default_factory=list)
    texts: int = 0
    bytes: int = 0


def execute(command: list[str], *, pinned: bool = True) -> Run:
    core = {max(os.sched_getaffinity(0))}
    start = time.perf_counter()
    process = subprocess.Popen(
        command,
        env=os.environ | ONE_THREAD,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        preexec_fn=(lambda: os.sched_setaffinity(0, core)) if pinned else None,
    )
    assert process.stdout and process.stderr
    output = process.stdout.read()  # the last lines on stderr are few: they fit the pipe
    errors = process.stderr.read()
    _, status, usage = os.wait4(process.pid, 0)
    seconds = time.perf_counter() - start
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        sys.exit(f"bench: {' '.join(command)}\n{errors.decode(errors='replace')}")
    return Run(seconds, usage.ru_maxrss * 1024, output.decode())


def tools(build: Path, work: Path, *, wordllama: bool) -> list[Tool]:
    """Ours, then the peers that run.sh could make."""
    ours = [str(build / "bench" / "bench_embed"), "--model", "{model}", "--rounds", "{rounds}", "{texts}"]
    found = [
        Tool("wordllama in C", ours, ["--vectors", "{vectors}"]),
        Tool("  cold word cache", [*ours, "--cold"], []),
        Tool("  its tokenizer alone", [*ours, "--tokenize"], []),
        Tool("  its pooling alone", [*ours, "--pool"], []),
    ]
    arguments = ["{model}", "{texts}", "{rounds}"]
    rust = work / "target" / "release" / "bench_model2vec"
    if rust.exists():
        found.append(Tool("model2vec-rs 0.4.0", [str(rust), *arguments], ["{vectors}"]))
    python = str(work / "venv" / "bin" / "python")
    peers = {"model2vec 0.10.0": "model2vec"} | ({"wordllama 0.4.0.post1": "wordllama"} if wordllama else {})
    for name, package in peers.items():
        probe = subprocess.run([python, "-c", f"import {package}"], capture_output=True, check=False)
        if probe.returncode == 0:
            found.append(Tool(name, [python, str(HERE / f"peer_{package}.py"), *arguments], ["{vectors}"]))
    return found


def floats(path: Path) -> array.array[float]:
    values = array.array("f")
    values.frombytes(path.read_bytes())
    path.unlink()
    return values


def compare(title: str, model: Path, texts: Path, turns: int, found: list[Tool], work: Path) -> None:
    ours: array.array[float] = array.array("f")
    differences: dict[str, float] = {}
    for turn in range(turns):
        for tool in found:
            vectors = work / "vectors.f32"
            command = tool.command + (tool.vectors if turn == 0 else [])
            values = {"model": model, "texts": texts, "rounds": ROUNDS, "vectors": vectors}
            run = execute([part.format(**values) for part in command])
            for line in run.output.splitlines():
                seconds, count, size, _, opened = line.split("\t")
                tool.seconds.append(float(seconds))
                tool.opened.append(float(opened))
                tool.texts, tool.bytes = int(count), int(size)
            if turn == 0 and tool.vectors:  # not a figure: writing the vectors takes memory of its own
                rows = floats(vectors)
                ours = ours or rows
                differences[tool.name] = max(abs(a - b) for a, b in zip(ours, rows, strict=True))
            else:
                tool.peaks.append(run.peak)
    print(f"\n{title}: {found[0].texts} texts, {found[0].bytes / 1e6:.2f} MB, 1 core, warm, {turns * ROUNDS} rounds")
    print(f"{'':24}{'texts/s':>10}{'MB/s':>9}{'ours/it':>9}{'spread':>8}{'open ms':>9}{'peak MB':>9}{'differs':>10}")
    for tool in found:
        middle = median(tool.seconds)
        spread = (max(tool.seconds) - min(tool.seconds)) / middle
        difference = differences.get(tool.name)
        print(
            f"{tool.name:24}{tool.texts / middle:10.0f}{tool.bytes / middle / 1e6:9.2f}"
            f"{middle / median(found[0].seconds):9.2f}{spread:8.0%}{1e3 * median(tool.opened):9.1f}"
            f"{median(tool.peaks) / 1e6:9.1f}" + ("" if difference is None else f"{difference:10.1e}")
        )


def command_line(model: Path, texts: Path, build: Path, work: Path) -> None:
    """What only the command shows: a fresh process, and memory that does not grow."""
    program = str(build / "wordllama")
    pair = ["I went to the car", "I went to the park"]
    similarity = [program, "similarity", "--model", str(model), *pair]
    runs = [execute(similarity) for _ in range(21)][1:]
    print(f"\nwordllama similarity A B, fresh process: {1e3 * median(run.seconds for run in runs):.1f} ms (median of 20)")

    lines, output = work / "lines.txt", work / "rows.npy"
    content = [json.loads(line)["text"].replace("\n", " ") for line in texts.read_text("utf-8").splitlines()]
    lines.write_text("\n".join(content) + "\n", "utf-8")
    embed = [program, "embed", "--model", str(model), "--threads", "1", "--format", "npy", "--output", str(output)]
    try:
        for count in (len(content), STREAM_LINES):
            repeats = -(-count // len(content))
            run = execute(embed + ["--input", str(lines)] * repeats)
            rows = repeats * len(content)
            print(f"wordllama embed, {rows} lines: {run.seconds:.2f} s, peak {run.peak / 1e6:.1f} MB")
    finally:
        lines.unlink()
        output.unlink(missing_ok=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    for name in ("model", "data", "work", "build"):
        parser.add_argument(f"--{name}", type=Path, required=True)
    options = parser.parse_args()
    data, work, build = options.data, options.work, options.build
    for corpus, turns in TURNS.items():
        texts = work / f"{corpus}.jsonl"
        with gzip.open(data / "speed" / f"{corpus}.jsonl.gz") as source:
            texts.write_bytes(source.read())
        compare(f"{options.model.name}, {corpus}", options.model, texts, turns,
                tools(build, work, wordllama=True), work)
        potion = data / "models" / "potion-base-4M-int8"
        if potion.exists():
            compare(f"{potion.name}, {corpus}", potion, texts, turns, tools(build, work, wordllama=False), work)
    command_line(options.model, work / "ag_news.jsonl", build, work)


if __name__ == "__main__":
    main()
