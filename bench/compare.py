"""Runs the programs of `make bench-embed` in turn and prints them side by side; called by run.sh, standard library only.

Every program runs alone, pinned to one core, with one thread asked for. Peers take turns, since the machine is noisy:
a figure is the median of the rounds of all turns, and a turn's first round is not counted. Seconds are those of the
processor: on a busy machine the clock on the wall favours whoever is done before being interrupted. The column wall/cpu
says how busy it was.

Files are read in small pieces here: a child's peak of memory counts from its parent's, so that is the least
that can be measured.
"""

from __future__ import annotations

import argparse
import array
import gzip
import json
import os
import shutil
import subprocess
import sys
import time
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from statistics import median

HERE = Path(__file__).resolve().parent
DEFAULT = HERE.parent / "models"  # what comes with wordllama
ONE_THREAD = {
    "TOKENIZERS_PARALLELISM": "false",
    "RAYON_NUM_THREADS": "1",
    "OMP_NUM_THREADS": "1",
    "OPENBLAS_NUM_THREADS": "1",
    "HF_HUB_OFFLINE": "1",
}
TURNS = {"ag_news": 5, "newsgroups": 5, "zhwiki": 3}
ROUNDS = {"ag_news": 3, "newsgroups": 1, "zhwiki": 1}  # a turn
# Long texts cost the package wordllama minutes and gigabytes, as it pads 64 of them to the longest: the first few do.
FEWER_TEXTS = {("wordllama 0.4.0.post1", "newsgroups"): 256, ("wordllama 0.4.0.post1", "zhwiki"): 4000}
STREAM_LINES = 1_000_000
ALL_CORES = os.sched_getaffinity(0)


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
    seconds: list[float] = field(default_factory=list)  # of the processor
    waits: list[float] = field(default_factory=list)  # wall over processor seconds
    peaks: list[int] = field(default_factory=list)
    opened: list[float] = field(default_factory=list)
    texts: int = 0
    bytes: int = 0


def execute(command: list[str]) -> Run:
    start = time.perf_counter()
    process = subprocess.Popen(
        command,
        env=os.environ | ONE_THREAD,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
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


def difference(ours: Path, theirs: Path) -> float:
    """The largest between two files of raw floats, over the length of the second."""
    largest = 0.0
    with ours.open("rb") as a, theirs.open("rb") as b:
        while block := b.read(1 << 16):
            pairs = zip(array.array("f", a.read(len(block))), array.array("f", block), strict=True)
            largest = max(largest, *(abs(x - y) for x, y in pairs))
    return largest


def fewer(texts: Path, limit: int | None) -> Path:
    if limit is None:
        return texts
    head = texts.with_suffix(f".{limit}.jsonl")
    with texts.open("rb") as source, head.open("wb") as target:
        target.writelines(islice(source, limit))
    return head


def compare(model: Path, texts: Path, found: list[Tool], work: Path) -> None:
    corpus = texts.stem
    turns, rounds = TURNS[corpus], ROUNDS[corpus]
    ours, theirs = work / "ours.f32", work / "theirs.f32"
    differences: dict[str, float] = {}
    for turn in range(turns):
        for tool in found:
            checked = turn == 0 and bool(tool.vectors)
            values = {
                "model": model,
                "texts": fewer(texts, FEWER_TEXTS.get((tool.name, corpus))),
                "rounds": rounds,
                "vectors": ours if tool is found[0] else theirs,
            }
            run = execute([part.format(**values) for part in tool.command + (tool.vectors if checked else [])])
            for line in run.output.splitlines():
                wall, seconds, count, size, _, opened = line.split("\t")
                tool.seconds.append(float(seconds))
                tool.waits.append(float(wall) / float(seconds))
                tool.opened.append(float(opened))
                tool.texts, tool.bytes = int(count), int(size)
            if not checked:  # writing the vectors takes memory of its own
                tool.peaks.append(run.peak)
            elif tool is not found[0]:
                differences[tool.name] = difference(ours, theirs)
    ours.unlink()
    theirs.unlink(missing_ok=True)

    us = found[0]
    name = "the default" if model == DEFAULT else model.name
    print(f"\n{name}, {corpus}: {us.texts} texts, {us.bytes / 1e6:.2f} MB, 1 core, warm, {turns * rounds} rounds")
    heads = ("texts/s", "MB/s", "ours/it", "spread", "wall/cpu", "open ms", "peak MB", "differs")
    print(f"{'':24}" + "".join(f"{head:>10}" for head in heads))
    for tool in found:
        middle = median(tool.seconds)
        spread = (max(tool.seconds) - min(tool.seconds)) / middle
        # By bytes, not texts: a tool that gets fewer texts need not get texts of the same length.
        ratio = us.bytes / median(us.seconds) * middle / tool.bytes
        differs = differences.get(tool.name)
        print(
            f"{tool.name:24}{tool.texts / middle:10.0f}{tool.bytes / middle / 1e6:10.2f}{ratio:10.2f}{spread:10.0%}"
            f"{median(tool.waits):10.2f}{1e3 * median(tool.opened):10.1f}{median(tool.peaks) / 1e6:10.1f}"
            + ("" if differs is None else f"{differs:10.1e}")
            + (f"  (first {tool.texts} texts)" if tool.texts < us.texts else ""),
            flush=True,
        )


def two_threads(model: Path, texts: Path, build: Path) -> None:
    """Seconds of the clock: what two threads make of two cores, next to one thread of the same minute."""
    program = [str(build / "bench" / "bench_embed"), "--model", str(model), "--rounds", "5", "--threads"]
    pinned = os.sched_getaffinity(0)
    os.sched_setaffinity(0, ALL_CORES)
    if len(ALL_CORES) < 2:
        print("two threads: skipped, one core only")
        return
    speeds: dict[str, list[float]] = {"1": [], "2": []}
    for _ in range(3):
        for threads, found in speeds.items():
            for line in execute([*program, threads, str(texts)]).output.splitlines():
                wall, _, _, size, *_ = line.split("\t")
                found.append(int(size) / float(wall) / 1e6)
    os.sched_setaffinity(0, pinned)
    one, two = (median(speeds[threads]) for threads in ("1", "2"))
    best = max(speeds["2"]) / max(speeds["1"])
    print(f"two threads: {two:.1f} MB/s by the clock, {two / one:.2f} times one thread ({best:.2f} at their best)")


def command_line(model: Path, texts: Path, build: Path, work: Path) -> None:
    """What only the command shows: a fresh process, and memory that does not grow."""
    program = str(build / "wordllama")
    pair = ["I went to the car", "I went to the park"]
    similarity = [program, "similarity", "--model", str(model), *pair]
    runs = [execute(similarity) for _ in range(21)][1:]
    milliseconds = 1e3 * median(run.seconds for run in runs)
    print(f"\nwordllama similarity A B, fresh process: {milliseconds:.1f} ms (median of 20)")

    lines, output = work / "lines.txt", work / "rows.npy"
    with texts.open(encoding="utf-8") as source, lines.open("w", encoding="utf-8") as target:
        count = sum(1 for line in source if target.write(json.loads(line)["text"].replace("\n", " ") + "\n"))
    embed = [program, "embed", "--model", str(model), "--threads", "1", "--format", "npy", "--output", str(output)]
    try:
        for repeats in (1, -(-STREAM_LINES // count)):
            run = execute(embed + ["--input", str(lines)] * repeats)
            print(f"wordllama embed, {repeats * count} lines: {run.seconds:.2f} s, peak {run.peak / 1e6:.1f} MB")
    finally:
        lines.unlink()
        output.unlink(missing_ok=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    for name in ("model", "data", "work", "build"):
        parser.add_argument(f"--{name}", type=Path, required=True)
    options = parser.parse_args()
    os.sched_setaffinity(0, {max(os.sched_getaffinity(0))})  # inherited by every child
    data, work, build = options.data, options.work, options.build
    potion = data / "models" / "potion-base-4M-int8"
    for corpus in TURNS:
        texts = work / f"{corpus}.jsonl"
        with gzip.open(data / "speed" / f"{corpus}.jsonl.gz") as source, texts.open("wb") as target:
            shutil.copyfileobj(source, target)
        compare(options.model, texts, tools(build, work, wordllama=True), work)
        two_threads(options.model, texts, build)
        compare(DEFAULT, texts, tools(build, work, wordllama=False), work)
        if potion.exists():
            compare(potion, texts, tools(build, work, wordllama=False), work)
    command_line(options.model, work / "ag_news.jsonl", build, work)


if __name__ == "__main__":
    main()
