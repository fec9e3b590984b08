"""Runs the jobs of `make bench-toolkit` and prints one Markdown table; called by toolkit.sh, standard library only.

    compare_toolkit.py --model DIR --data ../shared/data --work DIR --build build/release --python PYTHON
                       [--jobs A,B] [--tools A,B] [--threads N] [--turns N]

Every tool runs in a process of its own on as many cores as it has threads; tools take turns, since the machine is
noisy, and a tool whose turn took long has one. Inputs are in memory, models open, indexes filled: none of that is
timed. Seconds are the clock's. Of ours, "first" is the first round of a fresh process, its word cache empty, and "warm"
are the later ones; each is the median. A goal in seconds is for the first round. A goal in times is for the median of
all rounds on either side. A peer's seconds are the better of its two medians.

A turn waits for the machine to be quiet, for a while, and one that other work disturbed is repeated. Where that does
not help, the row says "disturbed" instead of a verdict: its figures are worth little.

What the tools found is compared, outside the time: duplicates with those of all pairs, matches and scores with the
peer's, chunks byte for byte, clusters by their inertia.
"""

from __future__ import annotations

import argparse
import gzip
import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from statistics import median

HERE = Path(__file__).resolve().parent
TITLES = ("arxiv", "enwiki", "paperlists")
QUERY = "training word embeddings with little memory"
ROWS, QUERIES, POINTS = 200_000, 1_000, 100_000
DIM, TOP = 256, 10
SPLIT_BYTES = 1_000_000
SLOW = 10.0  # seconds of a turn after which a tool has no other
NEAR = 1e-6  # scores this near count as equal
DISTURBED = 0.15  # cores of other work that spoil a turn: OpenMP in the peers bears them worst
TRIES = 3  # of a turn that is disturbed
PATIENCE = 120.0  # seconds that a whole run waits for the machine to be quiet
ALIKE = 1.01  # times the inertia of the peer: as good a clustering, since every seed gives another


@dataclass
class Tool:
    name: str
    command: list[str]
    firsts: list[float] = field(default_factory=list)
    laters: list[float] = field(default_factory=list)
    peaks: list[float] = field(default_factory=list)  # MB
    number: float = 0.0
    results: Path = Path()
    longest: float = 0.0  # turn
    others: float = 0.0  # cores that other work took, at most

    @property
    def first(self) -> float:
        return median(self.firsts)

    @property
    def warm(self) -> float:
        return median(self.laters or self.firsts)

    @property
    def all(self) -> float:
        return median(self.firsts + self.laters)

    @property
    def best(self) -> float:
        return min(self.first, self.warm)


@dataclass(frozen=True)
class Job:
    name: str
    title: str
    verb: str
    peers: tuple[str, ...]
    check: Callable[[Bench, list[Tool]], tuple[bool, str]]
    arguments: str  # {files} are filled in
    goal: float  # seconds, or times as fast
    times: bool = False
    megabytes: float = 0.0  # at most; 0: no goal
    turns: int = 3
    rounds: int = 5


@dataclass
class Bench:
    options: argparse.Namespace
    files: dict[str, Path]
    patience: float = PATIENCE  # what is left of it

    @property
    def threads(self) -> int:
        return int(self.options.threads)

    def ours(self, *arguments: str) -> list[str]:
        return [str(self.options.build / "bench" / "bench_toolkit"), *arguments, "--threads", str(self.threads)]

    def peer(self, *arguments: str) -> list[str]:
        python = str(self.options.python)
        return [python, str(HERE / "peer_toolkit.py"), *arguments, "--threads", str(self.threads)]

    def execute(self, command: list[str]) -> tuple[list[list[float]], float]:
        """The numbers of each round, and the peak of memory in MB."""
        cores = ",".join(map(str, sorted(os.sched_getaffinity(0))[-self.threads :]))
        environment = os.environ | {"TOKENIZERS_PARALLELISM": "true" if self.threads > 1 else "false"}
        environment |= {"HF_HUB_OFFLINE": "1", "LOKY_MAX_CPU_COUNT": str(self.threads)}
        for library in ("RAYON", "OMP", "OPENBLAS", "MKL"):
            environment[f"{library}_NUM_THREADS"] = str(self.threads)
        errors = self.options.work / "errors.txt"
        with errors.open("wb") as stderr:
            process = subprocess.Popen(
                ["taskset", "-c", cores, *command], env=environment, stdout=subprocess.PIPE, stderr=stderr
            )
            assert process.stdout
            lines = process.stdout.read().decode().splitlines()
            _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
        if process.returncode:
            sys.exit(f"bench: {' '.join(command)}\n{errors.read_text(errors='replace')}")
        return [[float(number) for number in line.split("\t")[:2]] for line in lines], usage.ru_maxrss * 1024 / 1e6


# ---- inputs


def members(path: Path, name: str) -> Iterator[str]:
    with gzip.open(path, "rt", encoding="utf-8") as lines:
        for line in lines:
            text = json.loads(line).get(name)
            if text:
                yield text.replace("\n", " ")


def titles(data: Path, fields: Sequence[str]) -> Iterator[str]:
    for name in fields:
        for corpus in TITLES:
            path = data / "train" / f"{corpus}.jsonl.gz"
            if path.exists():
                yield from members(path, name)
            else:
                print(f"bench: no {path}, left out", file=sys.stderr)


def write_lines(path: Path, texts: Iterator[str], count: int) -> None:
    with path.open("w", encoding="utf-8") as out:
        written = sum(1 for text in islice(texts, count) if out.write(text + "\n"))
    if written < count:
        path.unlink()
        sys.exit(f"bench: {count} texts are needed and the data has {written}")


def distinct(texts: Iterator[str]) -> Iterator[str]:
    seen: set[int] = set()  # of hashes: a child's peak of memory counts from its parent's
    for text in texts:
        key = hash(text)
        if key not in seen:
            seen.add(key)
            yield text


def message_text(data: Path) -> str:
    parts, size = [], 0
    for text in members(data / "speed" / "newsgroups.jsonl.gz", "text"):
        size += len(text.encode()) + 1
        if size > SPLIT_BYTES:
            break
        parts.append(text)
    return "\n".join(parts)


def prepare(bench: Bench) -> None:
    """Makes the files that are not there yet. In a process of its own, since it takes memory."""
    data, files = bench.options.data, bench.files
    if not files["titles"].exists():
        write_lines(files["titles"], titles(data, ["anchor"]), 100_000)
    if not files["text"].exists():
        files["text"].write_bytes(message_text(data).encode())
    if not files["texts"].exists():  # all different, so that few rows are equal; titles first, then abstracts
        write_lines(files["texts"], distinct(titles(data, ["anchor", "positive"])), QUERIES + ROWS)
    for verb, size in (("vectors", 4 * DIM), ("bits", DIM // 8)):
        rows, queries = files[f"{verb}_rows"], files[f"{verb}_queries"]
        if rows.exists() and queries.exists():
            continue
        texts = ["--texts", str(files["texts"]), "--count", str(QUERIES + ROWS), "--rounds", "1"]
        bench.execute(bench.ours(verb, "--model", str(bench.options.model), *texts, "--results", str(rows)))
        with rows.open("rb+") as whole:  # the last texts, some of them abstracts, become rows; the first ask
            queries.write_bytes(whole.read(QUERIES * size))
            rest = whole.read()
            whole.seek(0)
            whole.write(rest)
            whole.truncate()


# ---- checks: whether ours is right, and what to say


def counts(numbers: dict[str, float]) -> str:
    return ", ".join(f"{name} {number:.0f}" for name, number in numbers.items())


def check_dedup(bench: Bench, tools: list[Tool]) -> tuple[bool, str]:
    """Against all pairs. Pairs within 1e-6 of the threshold may go either way."""
    command = tools[0].command
    count = command[command.index("--count") + 1]
    pairs = bench.options.work / f"pairs-{count}.txt"
    if not pairs.exists():
        arguments = ["--model", str(bench.options.model), "--texts", str(bench.files["titles"]), "--count", count]
        bench.execute(bench.peer("numpy", "dedup", *arguments, "--results", str(pairs)))
    sure: dict[int, int] = {}
    doubtful, uncertain = set(), set()  # rows that may stay; rows whose first pair is in doubt
    for line in pairs.read_text().splitlines():
        row, first, doubts = map(int, line.split("\t"))
        if first >= 0:
            sure[row] = first
        else:
            doubtful.add(row)
        if doubts:
            uncertain.add(row)
    said, right = [], True
    for tool in tools:
        if not tool.results.exists():
            said.append(f"{tool.name} found {tool.number:.0f}")
            continue
        found = [line.split("\t") for line in tool.results.read_text().splitlines()]
        rows = {int(parts[0]) for parts in found}
        missing, extra = len(sure.keys() - rows), len(rows - sure.keys() - doubtful)
        said.append(f"{tool.name} found {len(rows)} ({missing} missing, {extra} too many)")
        if tool.name == "ours":
            others = sum(sure.get(int(row), int(first)) != int(first) and int(row) not in uncertain
                         for row, first, _ in found)  # fmt: skip
            right = not (missing or extra or others)
            said[-1] += f", {others} with another first row" if others else ""
    return right, f"all pairs {len(sure)}, in doubt {len(doubtful)}; " + "; ".join(said)


def read_matches(path: Path) -> list[tuple[int, float]]:
    return [(int(index), float(score)) for index, score in (line.split("\t") for line in path.open())]


def check_matches(bench: Bench, tools: list[Tool]) -> tuple[bool, str]:
    """The same scores, and the same rows for each query but for those that are as near as the last one."""
    by_name = {tool.name: tool for tool in tools}
    if "ours" not in by_name or len(tools) < 2:
        return True, ""
    other = next(tool for tool in tools if tool.name != "ours")
    ours, theirs = read_matches(by_name["ours"].results), read_matches(other.results)
    if len(ours) != len(theirs):
        return False, f"ours gave {len(ours)} matches, {other.name} {len(theirs)}"
    size = TOP if "--asked" in other.command else len(ours)
    wrong, swapped, largest = 0, 0, 0.0
    for start in range(0, len(ours), size):
        a, b = ours[start : start + size], theirs[start : start + size]
        mine, its = dict(a), dict(b)
        alone = [(mine | its)[row] for row in mine.keys() ^ its.keys()]
        last = min(a[-1][1], b[-1][1])
        apart = max(abs(x[1] - y[1]) for x, y in zip(a, b, strict=True))
        apart = max([apart, *(abs(mine[row] - its[row]) for row in mine.keys() & its.keys())])
        largest = max(largest, apart)
        bad = apart > NEAR or any(score > last + NEAR for score in alone)
        wrong += bad
        swapped += bool(alone) and not bad
    return not wrong, f"{wrong} of {len(ours) // size} differ, {swapped} by ties alone, scores by {largest:.0e}"


def check_split(bench: Bench, tools: list[Tool]) -> tuple[bool, str]:
    chunks = {tool.name: tool.results.read_bytes() for tool in tools}
    said = counts({tool.name: tool.number for tool in tools})
    if "ours" not in chunks:
        return True, f"chunks: {said}"
    same = all(other == chunks["ours"] for other in chunks.values())
    return same, f"chunks: {said}; {'the same bytes' if same else 'not the same bytes'}"


def steps_to(bench: Bench, rows: list[str], inertia: float) -> str:
    """How many steps, and seconds, ours needs to be as good as a peer was after all of them."""
    for steps in range(5, 26):
        arguments = (*rows, "--rounds", "3", "--iterations", str(steps))
        lines, _ = bench.execute(bench.ours("cluster", *arguments))
        if lines[0][1] <= inertia:
            return f"ours is as good as faiss after {steps} steps, {median(line[0] for line in lines):.3f} s"
    return "ours is never as good as faiss"


def check_cluster(bench: Bench, tools: list[Tool]) -> tuple[bool, str]:
    rows = ["--rows", str(bench.files["vectors_rows"]), "--count", str(POINTS)]
    inertia = {}
    for tool in tools:
        lines, _ = bench.execute(bench.peer("numpy", "cluster", *rows, "--results", str(tool.results)))
        inertia[tool.name] = lines[0][1]
    said = f"inertia: {counts(inertia)}"
    if "ours" not in inertia:
        return True, said
    own = next(tool.number for tool in tools if tool.name == "ours")
    told = abs(own / inertia["ours"] - 1) < 1e-4
    right = told and inertia["ours"] <= ALIKE * inertia.get("faiss", inertia["ours"])
    if "faiss" in inertia and inertia["ours"] < inertia["faiss"]:
        said += f"; {steps_to(bench, rows, inertia['faiss'])}"
    return right, said + ("" if told else f"; ours says {own:.0f}")


# ---- the jobs

TEXTS = "--model {model} --texts {titles} --count "
SEARCH = "--rows {vectors_rows} --count 200000 --queries {vectors_queries} --asked "
BITS = "--rows {bits_rows} --count 200000 --queries {bits_queries} --asked 1000"
POINTS_OF = "--rows {vectors_rows} --count 100000"

JOBS = (
    Job("dedup-10k", "drop repeats, 10,000 titles", "dedup", ("wordllama", "whole", "semhash"), check_dedup,
        TEXTS + "10000", 0.10),
    Job("dedup-100k", "drop repeats, 100,000 titles", "dedup", ("wordllama", "semhash"), check_dedup,
        TEXTS + "100000", 3.0, megabytes=250, rounds=2),
    Job("rank", "rank 10,000 titles", "rank", ("wordllama",), check_matches, TEXTS + "10000 --query {query}", 0.02,
        turns=5),
    Job("split", "split 1 MB", "split", ("wordllama",), check_split, "--model {model} --texts {text}", 0.04,
        turns=5),
    Job("top-k", "10 best of 200,000, 1,000 queries", "top-k", ("faiss",), check_matches, SEARCH + "1000", 3.0, True),
    Job("one", "10 best of 200,000, 1 query", "top-k", ("faiss",), check_matches, SEARCH + "1", 1.7, True, rounds=20),
    Job("hamming", "10 best of 200,000 by bits, 1,000 queries", "hamming", ("faiss",), check_matches, BITS, 3.0, True),
    Job("cluster", "k-means, 100,000 rows, 256 clusters, 25 steps", "cluster", ("faiss", "sklearn"), check_cluster,
        POINTS_OF, 3.0, True, turns=2, rounds=1),
)  # fmt: skip


def work_done() -> tuple[float, float, float]:
    """Seconds: of the clock, of all cores at work, of our children at work."""
    ticks = [int(number) for number in Path("/proc/stat").read_text().splitlines()[0].split()[1:]]
    busy = (sum(ticks[:8]) - ticks[3] - ticks[4]) / os.sysconf("SC_CLK_TCK")
    times = os.times()
    return times.elapsed, busy, times.children_user + times.children_system


def other_work(before: tuple[float, float, float]) -> float:
    """Cores that programs other than ours took since then."""
    elapsed, busy, own = (after - start for after, start in zip(work_done(), before, strict=True))
    return max(0.0, busy - own) / elapsed


def wait_for_quiet(bench: Bench) -> None:
    while bench.patience > 0:
        before = work_done()
        time.sleep(0.5)
        if other_work(before) <= DISTURBED:
            return
        bench.patience -= 0.5


def run_undisturbed(bench: Bench, command: list[str]) -> tuple[list[list[float]], float, float]:
    """As execute, and the cores that other work took meanwhile: the quietest of a few tries."""
    tries = []
    for _ in range(TRIES):
        wait_for_quiet(bench)
        before = work_done()
        rounds, peak = bench.execute(command)
        tries.append((other_work(before), rounds, peak))
        if tries[-1][0] <= DISTURBED or work_done()[0] - before[0] > SLOW:
            break
    others, rounds, peak = min(tries, key=lambda found: found[0])
    return rounds, peak, others


def run_job(bench: Bench, job: Job) -> list[Tool]:
    values = {name: str(path) for name, path in bench.files.items()} | {"model": str(bench.options.model)}
    arguments = [part.format(**values, query=QUERY) for part in job.arguments.split()]
    chosen = bench.options.tools.split(",") if bench.options.tools else ["ours", *job.peers]
    tools = []
    for name in ("ours", *job.peers):
        if name in chosen:
            command = bench.ours(job.verb) if name == "ours" else bench.peer(name, job.verb)
            tools.append(Tool(name, [*command, *arguments, "--rounds", str(job.rounds), "--seconds", "5"]))
    for turn in range(bench.options.turns or job.turns):
        for tool in tools:
            if tool.longest > SLOW:
                continue
            tool.results = bench.options.work / f"{job.name}-{tool.name}.out"
            results = ["--results", str(tool.results)] if turn == 0 else []
            rounds, peak, others = run_undisturbed(bench, tool.command + results)
            seconds = [round_[0] for round_ in rounds]
            tool.firsts.append(seconds[0])
            tool.laters.extend(seconds[1:])
            tool.peaks.append(peak)
            tool.number = rounds[0][1]
            tool.longest = max(tool.longest, sum(seconds))
            tool.others = max(tool.others, others)
    return tools


def other_programs(tools: list[Tool]) -> str:
    shares = [f"{tool.name} by {tool.others:.1f} cores" for tool in tools if tool.others > DISTURBED]
    return "disturbed by other work: " + ", ".join(shares) if shares else ""


def table_row(job: Job, tools: list[Tool], right: bool) -> str:
    ours = [tool for tool in tools if tool.name == "ours"]
    peers = [tool for tool in tools if tool.name != "ours"]
    cells = [job.title, "; ".join(f"{tool.name} {tool.best:.4g} s, {median(tool.peaks):.0f} MB" for tool in peers)]
    goal = f"{job.goal:g} times" if job.times else f"{job.goal:g} s"
    goal += f", {job.megabytes:g} MB" if job.megabytes else ""
    if not ours:
        return f"| {' | '.join([*cells, '–', '–', goal, '–', '–', '–'])} |"
    own = ours[0]
    taken = own.all if job.times else own.first
    # The peer of a goal in times is the first; of a goal in seconds, the fastest.
    times = (peers[0].all if job.times else min(tool.best for tool in peers)) / taken if peers else 0.0
    small = not job.megabytes or median(own.peaks) <= job.megabytes
    reached = right and small and (times >= job.goal if job.times else taken <= job.goal)
    disturbed = bool(other_programs(tools))
    ratio = f"({times:.1f})" if disturbed else f"{times:.1f}"
    cells += [f"{own.first:.4g} s", f"{own.warm:.4g} s", goal, ratio if peers else "–"]
    verdict = "disturbed" if disturbed and right else "yes" if reached else "no"
    cells += [f"{median(own.peaks):.0f} MB", verdict + ("" if right else ", wrong")]
    return f"| {' | '.join(cells)} |"


def machine(bench: Bench) -> None:
    """What this machine can do, to set the figures against: the median of the rounds and the best one."""
    said = []
    for threads in sorted({1, bench.threads}):
        for verb, unit in (("read", "GB/s"), ("multiply", "GFLOP/s")):
            rounds, _ = bench.execute([*bench.ours(verb), "--threads", str(threads), "--rounds", "9"])
            numbers = [number for _, number in rounds]
            said.append(f"{median(numbers):.1f} {unit} (best {max(numbers):.1f})")
        print(f"machine, {threads} thread{'s' * (threads > 1)}: summing 512 MB of floats {said[-2]}; "
              f"multiply-add of floats in registers {said[-1]}", flush=True)  # fmt: skip


def limits(tools: list[Tool]) -> str:
    """A search in the units of the machine's limits: every row is read once for all queries, at least."""
    asked = int(tools[0].command[tools[0].command.index("--asked") + 1])
    if asked == 1:
        return "; ".join(f"{tool.name} {4e-9 * ROWS * DIM / tool.all:.1f} GB/s" for tool in tools)
    return "; ".join(f"{tool.name} {2e-9 * ROWS * DIM * asked / tool.all:.0f} GFLOP/s" for tool in tools)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    for name in ("model", "data", "work", "build", "python"):
        parser.add_argument(f"--{name}", type=Path, required=True)
    parser.add_argument("--jobs", default=",".join(job.name for job in JOBS))
    parser.add_argument("--tools", default="", help="ours and the names of peers; all if left out")
    parser.add_argument("--threads", type=int, default=min(2, len(os.sched_getaffinity(0))))
    parser.add_argument("--turns", type=int, default=0, help="of every job; 0: each its own number")
    parser.add_argument("--prepare", action="store_true", help="make the inputs, no more")
    options = parser.parse_args()
    options.work.mkdir(parents=True, exist_ok=True)
    names = ("titles", "text", "texts", "vectors_rows", "vectors_queries", "bits_rows", "bits_queries")
    bench = Bench(options, {name: options.work / f"{name}.in" for name in names})
    if options.prepare:
        prepare(bench)
        return
    subprocess.run([sys.executable, *sys.argv, "--prepare"], check=True)

    machine(bench)
    print(f"\nthreads: {options.threads}; ours: first round of a fresh process, then warm; memory is the process's peak")
    heads = ("job", "peers", "ours, first", "ours, warm", "goal", "times as fast", "our memory", "reached")
    print(f"\n| {' | '.join(heads)} |\n|{'---|' * len(heads)}", flush=True)
    notes = []
    for job in (job for name in options.jobs.split(",") for job in JOBS if job.name == name):
        tools = run_job(bench, job)
        right, note = job.check(bench, tools)
        print(table_row(job, tools, right), flush=True)
        parts = [note, limits(tools) if job.verb == "top-k" else "", other_programs(tools)]
        notes.append(f"{job.name}: " + "; ".join(part for part in parts if part))
    print("\n" + "\n".join(notes))
    machine(bench)


if __name__ == "__main__":
    main()
