"""The parts of `make bench-python`; see python.sh. Usage: python.py BUILD WORK DATA [PART...]

Every program is a process of its own, pinned to one core, asked for one thread. Competitors take turns, and the best of
TURNS counts, in seconds of the processor where nothing else is said: on a busy machine the clock on the wall favours
whoever is done before being interrupted. The children are this file, too: python.py child TASK ARGUMENT...
"""

from __future__ import annotations

import ctypes
import gzip
import json
import os
import re
import resource
import shutil
import subprocess
import sys
import time
from collections.abc import Callable
from itertools import islice
from pathlib import Path
from statistics import median
from typing import Any

HERE = Path(__file__).resolve().parent
MODEL = "build/cache/models/l2_supercat_256"
DIM, TURNS, STARTS = 256, 3, 10
SHORT_TEXT = "I went to the car"
STRINGS, SENTENCES = 1_000_000, 50_000
ONE_THREAD = {"TOKENIZERS_PARALLELISM": "false", "HF_HUB_OFFLINE": "1"} | {
    f"{library}_NUM_THREADS": "1" for library in ("RAYON", "OMP", "OPENBLAS")
}
SENTENCE_END = re.compile(r"[\n\t]+|(?<=[.!?])\s+")
MB = 1e6


# ---- children: they print one JSON value -----------------------------------------------------------------------------


def open_ours() -> Any:
    from word_llama import WordLlama

    return WordLlama.load(disable_download=True)


def open_wordllama() -> Any:
    import wordllama

    # Its own folder as the cache: the wheel has the tokenizer where only the cache is looked for.
    return wordllama.WordLlama.load(cache_dir=Path(wordllama.__file__).parent, disable_download=True)


def embedder(peer: str) -> Callable[[list[str]], Any]:
    if peer == "model2vec":
        from peer_model2vec import open_model

        return open_model(Path(MODEL))
    if peer == "wordllama":
        return open_wordllama().embed  # type: ignore[no-any-return]
    model = open_ours()
    return lambda texts: model.embed(texts, threads=1)


def read_texts(path: str) -> list[str]:
    with open(path, encoding="utf-8") as file:
        return [json.loads(line)["text"] for line in file]


def child_embed(peer: str, path: str, rounds: str) -> float:
    """Processor seconds of the fastest round, after one that is not counted."""
    texts, embed = read_texts(path), embedder(peer)
    found = []
    for _ in range(int(rounds) + 1):
        before = time.process_time()
        rows = embed(texts)  # held, so that the time is not that of giving it back
        found.append(time.process_time() - before)
        del rows
    return min(found[1:] or found)


class Text(ctypes.Structure):
    _fields_ = [("data", ctypes.c_char_p), ("size", ctypes.c_size_t)]


class ContextOptions(ctypes.Structure):
    _fields_ = [("size", ctypes.c_size_t), ("threads", ctypes.c_uint32), ("cache_megabyte", ctypes.c_uint32)]


def microseconds(call: Callable[..., Any], *arguments: Any) -> float:
    """Of one call, at best of 15 times 20,000; the loop is not counted."""

    def timed(body: Callable[..., Any] | None) -> float:
        turns = range(20_000)
        before = time.perf_counter()
        if body:
            for _ in turns:
                body(*arguments)
        else:
            for _ in turns:
                pass
        return (time.perf_counter() - before) / len(turns)

    return 1e6 * (min(timed(call) for _ in range(15)) - min(timed(None) for _ in range(15)))


def child_call(library: str) -> dict[str, float]:
    """wl_embed is called through ctypes, and so is a function that does nothing with the same arguments: what they
    differ by is the library's part."""
    import word_llama
    from word_llama import _core

    calls = ctypes.CDLL(str(Path(library).resolve()))
    for name in ("wl_model_open", "wl_context_create"):
        getattr(calls, name).restype = ctypes.c_void_p
    options = ContextOptions(ctypes.sizeof(ContextOptions), 1, 0)
    encoded = SHORT_TEXT.encode()
    out = (ctypes.c_float * DIM)()
    given = [
        ctypes.c_void_p(calls.wl_model_open(MODEL.encode(), None, None)),
        ctypes.c_void_p(calls.wl_context_create(ctypes.byref(options), None)),
        ctypes.pointer(Text(encoded, len(encoded))),
        ctypes.c_size_t(1),
        None,
        ctypes.pointer(out),
        ctypes.c_size_t(ctypes.sizeof(out)),
        None,
    ]
    if calls.wl_embed(*given):
        raise SystemExit("bench: wl_embed failed")
    inference, model, core = open_ours(), word_llama.load(), _core.Model(MODEL)
    if list(out) != model.embed(SHORT_TEXT, return_np=False):
        raise SystemExit("bench: the vectors of C and Python differ")
    return {
        "through ctypes": microseconds(calls.wl_embed, *given),
        "nothing": microseconds(calls.wl_version, *given),
        "WordLlamaInference.embed": microseconds(inference.embed, SHORT_TEXT),
        "Model.embed": microseconds(model.embed, SHORT_TEXT),
        "_core.Model.embed_one": microseconds(core.embed_one, SHORT_TEXT, 2, False, 0),
    }


def child_call_wordllama() -> float:
    embed = open_wordllama().embed
    before = time.process_time()
    for _ in range(2000):
        embed(SHORT_TEXT)
    return 1e6 * (time.process_time() - before) / 2000


def resident() -> int:
    with open("/proc/self/statm") as file:
        return int(file.read().split()[1]) * resource.getpagesize()


def peak() -> int:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024


def child_list(kind: str) -> dict[str, float]:
    """Growth counts from when list, model and NumPy are there, so that it is of the call alone."""
    import numpy

    words = ["quick", "brown", "fox", "lazy", "dog"] if kind == "ascii" else ["größer", "東京", "naïve", "Москва", "é"]
    texts = [f"{words[i % 5]} {words[i // 5 % 5]} {i}" for i in range(STRINGS)]
    model = open_ours()
    model.embed(texts[:1000], threads=1)
    before = resident()
    start, worked = time.perf_counter(), time.process_time()
    rows = model.embed(texts, threads=1)
    seconds, worked = time.perf_counter() - start, time.process_time() - worked
    if rows.shape != (STRINGS, DIM) or rows.dtype != numpy.float32:
        raise SystemExit("bench: not the rows that were asked for")
    output = rows.nbytes
    grown = peak() - before - output
    del rows
    kept = resident() - before
    return {"wall": seconds, "cpu": worked, "grown": grown, "kept": kept, "texts": sum(map(sys.getsizeof, texts))}


def child_memory(peer: str, path: str) -> dict[str, float]:
    """Peak beyond interpreter, NumPy and texts."""
    import numpy

    texts = read_texts(path)
    base = resident()
    above = peak() - base  # what reading took for a moment, and gave back
    worked = time.process_time()
    rows = embedder(peer)(texts)
    worked = time.process_time() - worked
    if len(rows) != len(texts) or rows.dtype != numpy.float32:
        raise SystemExit("bench: not the rows that were asked for")
    return {"grown": peak() - base, "above": above, "output": rows.nbytes, "cpu": worked, "texts": len(texts)}


CHILDREN: dict[str, Callable[..., Any]] = {
    name.removeprefix("child_"): call for name, call in list(globals().items()) if name.startswith("child_")
}


# ---- running them ----------------------------------------------------------------------------------------------------


class Bench:
    def __init__(self, build: Path, work: Path, data: Path) -> None:
        self.build, self.work, self.data = build, work, data
        self.environment = os.environ | ONE_THREAD | {"WORDLLAMA_CACHE": str(HERE.parent / "build/cache")}
        self.peers = [name for name in ("wordllama", "model2vec") if self._is_there(name)]

    def _is_there(self, name: str) -> bool:
        command = [sys.executable, "-c", f"import {name}"]
        return subprocess.run(command, check=False, capture_output=True, env=self.environment).returncode == 0

    def output(self, command: list[object]) -> str:
        words = [str(word) for word in command]
        result = subprocess.run(words, check=False, env=self.environment, capture_output=True, text=True)
        if result.returncode:
            sys.exit(f"bench: {' '.join(words)}\n{result.stderr}")
        return result.stdout

    def child(self, task: str, *arguments: object) -> Any:
        return json.loads(self.output([sys.executable, HERE / "python.py", "child", task, *arguments]))

    def corpus(self, name: str) -> Path:
        """Its texts, unpacked."""
        path = self.work / f"{name}.jsonl"
        if not path.exists():
            with gzip.open(self.data / "speed" / f"{name}.jsonl.gz", "rb") as source, path.open("wb") as target:
                shutil.copyfileobj(source, target)
        return path

    def sentences(self) -> Path:
        """The messages, cut at the ends of lines (tabs are in place of some) and sentences."""
        path = self.work / f"sentences-{SENTENCES}.jsonl"
        if not path.exists():
            with self.corpus("newsgroups").open(encoding="utf-8") as source, path.open("w", encoding="utf-8") as target:
                parts = (part.strip() for line in source for part in SENTENCE_END.split(json.loads(line)["text"]))
                for part in islice(filter(None, parts), SENTENCES):
                    target.write(json.dumps({"text": part}) + "\n")
        return path


def title(text: str) -> None:
    print(f"\n{text}", flush=True)


def row(name: str, figure: str, goal: str = "", met: bool | None = None) -> None:
    verdict = {True: "met", False: "NOT met", None: ""}[met]
    print(f"  {name:58}{figure:>16}  {goal:>22}  {verdict}".rstrip(), flush=True)


# ---- parts -----------------------------------------------------------------------------------------------------------


def part_embed(bench: Bench) -> None:
    path = bench.corpus("ag_news")
    in_c = [bench.build / "bench" / "bench_embed", "--model", MODEL, "--rounds", 20, "--threads", 1, path]
    seconds: dict[str, list[float]] = {name: [] for name in ("C", "ours", *bench.peers)}
    size = 0
    for _ in range(TURNS):
        lines = [line.split("\t") for line in bench.output(in_c).splitlines()]
        size, count = int(lines[0][3]), int(lines[0][2])
        seconds["C"].append(min(float(line[1]) for line in lines))
        for name in ("ours", *bench.peers):
            rounds = {"ours": 20, "model2vec": 3, "wordllama": 1}[name]
            seconds[name].append(bench.child("embed", name, path, rounds))
    best = {name: min(found) for name, found in seconds.items()}
    title(f"embed: ag_news, {count} texts, {size / MB:.2f} MB, best of {TURNS}")
    for name, value in best.items():
        row(name, f"{size / value / MB:.2f} MB/s")
    cost = best["ours"] / best["C"] - 1
    row("ours takes longer than C", f"{cost:.1%}", "15 %", cost <= 0.15)
    for name in bench.peers:
        ratio = best[name] / best["ours"]
        goal = ("at least 50 x", ratio >= 50) if name == "wordllama" else ("", None)
        row(f"ours against {name}", f"{ratio:.1f} x", *goal)


def part_call(bench: Bench) -> None:
    library = bench.build / "libwordllama.so"
    runs = [bench.child("call", library) for _ in range(TURNS)]
    best = {name: min(run[name] for run in runs) for name in runs[0]}
    in_c = best["through ctypes"] - best["nothing"]
    title(f"call: one short text ({SHORT_TEXT!r}), best of {TURNS}")
    row("wl_embed in C", f"{in_c:.2f} us")
    row("_core.Model.embed_one", f"{best['_core.Model.embed_one']:.2f} us")
    for name in ("Model.embed", "WordLlamaInference.embed"):
        row(name, f"{best[name]:.2f} us")
        more = best[name] - in_c
        row(f"{name} beyond C", f"{more:.2f} us", "3 us", more <= 3)
    if "wordllama" in bench.peers:
        row("wordllama's embed", f"{min(bench.child('call_wordllama') for _ in range(TURNS)):.0f} us")


def part_list(bench: Bench) -> None:
    title(f"list: {STRINGS:,} short strings, best of {TURNS}")
    for kind in ("ascii", "other"):
        runs = [bench.child("list", kind) for _ in range(TURNS)]
        best = {name: min(run[name] for run in runs) for name in runs[0]}
        row(f"{kind}: texts/s (processor)", f"{STRINGS / best['cpu']:,.0f}")
        row(f"{kind}: texts/s (clock)", f"{STRINGS / best['wall']:,.0f}")
        row(f"{kind}: the strings and their list", f"{(best['texts'] + 8 * STRINGS) / MB:.1f} MB")
        copy = 8 * STRINGS  # of the list alone; its strings are more
        figure = f"{best['grown'] / MB:.1f} MB"
        row(f"{kind}: peak beyond that and the output", figure, "no copy (below 8 MB)", best["grown"] < copy)
        row(f"{kind}: still held when the output is gone", f"{best['kept'] / MB:.1f} MB")


def part_start(bench: Bench) -> None:
    """By the clock: it is what one waits for."""
    bare = bench.work / "bare" / "bin" / "python"
    ours = "from word_llama import WordLlama\nWordLlama.load().embed('a text'"
    commands: dict[str, list[object]] = {
        "python -c pass": [bare, "-c", "pass"],
        "ours, without NumPy": [bare, "-c", f"{ours}, return_np=False)"],
        "ours, lists, NumPy installed": [sys.executable, "-c", f"{ours}, return_np=False)"],
        "ours, NumPy arrays": [sys.executable, "-c", f"{ours})"],
        "import numpy alone": [sys.executable, "-c", "import numpy"],
    }
    theirs = {
        "wordllama": "import pathlib, wordllama\n"
        "wordllama.WordLlama.load(cache_dir=pathlib.Path(wordllama.__file__).parent).embed('a text')",
        "model2vec": f"import sys\nsys.path.insert(0, {str(HERE)!r})\nfrom pathlib import Path\n"
        f"from peer_model2vec import open_model\nopen_model(Path({MODEL!r}))(['a text'])",
    }
    commands |= {name: [sys.executable, "-c", theirs[name]] for name in bench.peers}
    if subprocess.run([bare, "-c", "import numpy"], check=False, capture_output=True).returncode == 0:
        sys.exit(f"bench: {bare} has NumPy")
    waits: dict[str, list[float]] = {name: [] for name in commands}
    for turn in range(STARTS + 1):
        for name, command in commands.items():
            start = time.perf_counter()
            bench.output(command)
            if turn:  # files are read from memory
                waits[name].append(1e3 * (time.perf_counter() - start))
    title(f"start: import, load and the first text in a fresh process, by the clock, {STARTS} turns")
    print(f"  {'':58}{'median':>16}{'least':>12}")
    for name, found in waits.items():
        print(f"  {name:58}{median(found):>13.1f} ms{min(found):>9.1f} ms")
    mine = median(waits["ours, without NumPy"])
    row("ours, without NumPy", f"{mine:.1f} ms", "60 ms", mine <= 60)
    row("the same, beyond python -c pass", f"{mine - median(waits['python -c pass']):.1f} ms")
    for name in bench.peers:
        row(f"{name} takes", f"{median(waits[name]) / mine:.1f} x ours")


def part_sentences(bench: Bench) -> None:
    files = [MODEL + "/model.safetensors", MODEL + "/tokenizer.json"]
    model = sum(os.path.getsize(file) for file in files)
    cases = [("ours", "sentences", bench.sentences()), ("ours", "messages, whole", bench.corpus("newsgroups"))]
    if "wordllama" in bench.peers:
        cases.append(("wordllama", "sentences", bench.sentences()))
    title(f"sentences: newsgroups, peak beyond interpreter, NumPy and texts; the model's files are {model / MB:.1f} MB")
    for peer, name, path in cases:
        runs = [bench.child("memory", peer, path) for _ in range(TURNS if peer == "ours" else 1)]
        grown = max(run["grown"] for run in runs)
        more = grown - runs[0]["output"] - model
        row(f"{peer}, {name} ({runs[0]['texts']:,})", f"{grown / MB:.1f} MB")
        row("  its output", f"{runs[0]['output'] / MB:.1f} MB")
        goal = ("50 MB", more <= 50 * MB) if peer == "ours" else ()
        row("  peak beyond model and output", f"{more / MB:.1f} MB", *goal)
        row("  processor", f"{min(run['cpu'] for run in runs):.2f} s")
        above = max(run["above"] for run in runs)
        if above > 8 * MB:
            row("  (reading the texts took, for a moment before)", f"{above / MB:.1f} MB")


PARTS = {"embed": part_embed, "call": part_call, "list": part_list, "start": part_start, "sentences": part_sentences}


def main() -> None:
    if sys.argv[1] == "child":
        print(json.dumps(CHILDREN[sys.argv[2]](*sys.argv[3:])))
        return
    wanted = sys.argv[4:] or list(PARTS)
    if unknown := set(wanted) - set(PARTS):
        sys.exit(f"bench: there is no part {', '.join(unknown)}, but {', '.join(PARTS)}")
    os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})  # inherited by every child
    bench = Bench(*(Path(argument) for argument in sys.argv[1:4]))
    for part in wanted:
        PARTS[part](bench)


if __name__ == "__main__":
    main()
