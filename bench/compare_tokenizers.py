"""Runs our tokenizer and its peers in turn and prints one Markdown table; called by tokenizers.sh.

    compare_tokenizers.py --work build/bench --build build/release --data ../shared/data [--quick] [--tokenizers A,B]
                  [--corpora X,Y] [--threads 1,2] [--turns N]
    compare_tokenizers.py --peer NAME TOKENIZER.json TEXTS.jsonl THREADS ROUNDS SECONDS        (one peer: prints its rounds)

Every tool runs in a process of its own on as many cores as it has threads; tools take turns, since the machine is
noisy. Texts are in memory. The first round of a process is the cold one (the tokenizer is open, one word was encoded),
the others are warm; a figure is the median. One thread counts the processor's seconds, which other work on the
machine disturbs the least; more threads count the clock's. Peers are called in the way that is fastest for them and
without special tokens. What a peer answers is compared with the ids of `tokenizers` first: where they differ, its
figure says so.
"""

from __future__ import annotations

import argparse
import gzip
import json
import os
import subprocess
import sys
import sysconfig
import time
from collections import defaultdict
from collections.abc import Callable, Sequence
from pathlib import Path
from statistics import median
from typing import Any

TOKENIZERS = (
    *("l2_supercat", "phi-3", "mistral-v1", "gpt2", "roberta-base", "cl100k_base", "llama3", "qwen2.5"),
    *("bert-base-uncased", "bert-base-multilingual-cased", "all-MiniLM-L6-v2"),
    *("t5-small", "camembert", "xlm-roberta-base", "deberta-v3", "albert-base-v2"),
)
CORPORA = ("ag_news", "newsgroups", "zhwiki", "code")
PEERS = ("tokenizers", "gigatoken", "tiktoken", "tokie")
CODE_BYTES = 4_000_000
CHECKED = 400  # texts of each corpus whose ids are compared
TURNS = 2
ROUNDS = 12  # of a turn, at most
SECONDS = 1.0  # after which a turn ends, when it has a warm round

Texts = list[str]
Encode = Callable[[Texts], Any]
Ids = Callable[[Texts], list[list[int]]]


# ---- peers: each gives what is timed, and what gives lists of ids


def peer_tokenizers(path: Path, threads: int) -> tuple[Encode, Ids]:
    from tokenizers import Tokenizer

    tokenizer = Tokenizer.from_file(str(path))
    tokenizer.no_padding()
    tokenizer.no_truncation()

    def encode(texts: Texts) -> Any:
        return tokenizer.encode_batch_fast(texts, add_special_tokens=False)

    return encode, lambda texts: [encoding.ids for encoding in encode(texts)]


def peer_gigatoken(path: Path, threads: int) -> tuple[Encode, Ids]:
    import gigatoken

    tokenizer = gigatoken.Tokenizer(str(path))

    def encode(texts: Texts) -> Any:
        return tokenizer.encode_batch(texts, parallel=threads > 1)

    return encode, lambda texts: tokenizer.encode_batch_list(texts, parallel=False)


GPT2 = r"""'(?:[sdmt]|ll|ve|re)| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+"""


def byte_of_character() -> dict[str, int]:
    """The byte alphabet: printable bytes stand for themselves, the others for 256 and on."""
    printable = [*range(0x21, 0x7F), *range(0xA1, 0xAD), *range(0xAE, 0x100)]
    others = [byte for byte in range(256) if byte not in printable]
    return {chr(byte): byte for byte in printable} | {chr(256 + i): byte for i, byte in enumerate(others)}


def peer_tiktoken(path: Path, threads: int) -> tuple[Encode, Ids]:
    import tiktoken

    document = json.loads(path.read_text(encoding="utf-8"))
    vocabulary = document["model"]["vocab"]
    alphabet = byte_of_character()
    if not isinstance(vocabulary, dict) or any(character not in vocabulary for character in alphabet):
        raise ValueError("no byte-level BPE")
    added = {token["content"]: token["id"] for token in document["added_tokens"]}
    ranks = {bytes(map(alphabet.__getitem__, piece)): i for piece, i in vocabulary.items() if piece not in added}
    merged = [vocabulary["".join(merge if isinstance(merge, list) else merge.split(" "))]
              for merge in document["model"]["merges"]]  # fmt: skip
    if merged != sorted(merged):
        raise ValueError("its ids are not in the order of its merges")
    steps = document["pre_tokenizer"].get("pretokenizers", [document["pre_tokenizer"]])
    patterns = [step["pattern"]["Regex"] for step in steps if step["type"] == "Split"]
    encoding = tiktoken.Encoding(
        name=path.stem, pat_str=patterns[0] if patterns else GPT2, mergeable_ranks=ranks, special_tokens=added
    )

    def encode(texts: Texts) -> list[list[int]]:
        if threads > 1:
            return encoding.encode_ordinary_batch(texts, num_threads=threads)
        return [encoding.encode_ordinary(text) for text in texts]

    return encode, encode


def peer_tokie(path: Path, threads: int) -> tuple[Encode, Ids]:
    import tokie

    tokenizer = tokie.Tokenizer.from_json(str(path))
    tokenizer.no_padding()
    tokenizer.no_truncation()

    def ids(texts: Texts) -> list[list[int]]:
        return [encoding.ids for encoding in tokenizer.encode_batch(texts, add_special_tokens=False)]

    return lambda texts: tokenizer.encode_batch_flat(texts, add_special_tokens=False), ids


OPEN = {
    "tokenizers": peer_tokenizers,
    "gigatoken": peer_gigatoken,
    "tiktoken": peer_tiktoken,
    "tokie": peer_tokie,
}


def peer(name: str, tokenizer: Path, file: Path, threads: int, rounds: int, limit: float) -> None:
    """Prints one line a round as bench_tokenize does, then the number of texts whose ids are wrong."""
    texts = [json.loads(line)["text"] for line in file.read_text(encoding="utf-8").split("\n") if line]
    size = sum(len(text.encode()) for text in texts)
    try:
        encode, ids = OPEN[name](tokenizer, threads)
    except Exception as problem:  # whatever a peer raises: it cannot load this one
        sys.exit(f"{type(problem).__name__}: {str(problem).splitlines()[0][:200] if str(problem) else ''}")
    encode(["Hello"])  # what a peer imports and makes at its first call is no part of the cold round
    begun = time.perf_counter()
    for turn in range(rounds):
        start, before = time.perf_counter(), time.process_time()
        answer = encode(texts)
        worked = time.process_time() - before
        taken = time.perf_counter() - start
        del answer
        print(f"{taken:.6f}\t{worked:.6f}\t{len(texts)}\t{size}\t0", flush=True)
        if turn and time.perf_counter() - begun > limit:
            break
    sample = texts[:CHECKED]
    theirs = [list(row) for row in ids(sample)]
    right = theirs if name == "tokenizers" else peer_tokenizers(tokenizer, 1)[1](sample)
    print("wrong", sum(a != b for a, b in zip(theirs, right, strict=True)))


# ---- the driver


def prepare(data: Path, work: Path, corpora: Sequence[str], quick: bool) -> dict[str, Path]:
    files = {}
    for corpus in corpora:
        if corpus == "code":
            texts, size = [], 0
            for path in sorted(Path(sysconfig.get_path("stdlib")).glob("**/*.py")):
                if "site-packages" in path.parts or size > CODE_BYTES:
                    continue
                try:
                    texts.append(path.read_bytes().decode("utf-8"))
                except UnicodeDecodeError:  # files that test just that
                    continue
                size += len(texts[-1])
        else:
            with gzip.open(data / "speed" / f"{corpus}.jsonl.gz", "rt", encoding="utf-8") as lines:
                texts = [json.loads(line)["text"] for line in lines]
        files[corpus] = work / f"tokenizers-{corpus}.jsonl"
        with files[corpus].open("w", encoding="utf-8") as out:
            out.writelines(json.dumps({"text": text}) + "\n" for text in (texts[::10] if quick else texts))
    return files


class Cell:
    """What one tool did with one tokenizer and corpus: MB/s of each round."""

    def __init__(self) -> None:
        self.cold: list[float] = []
        self.warm: list[float] = []
        self.wrong = 0
        self.problem = ""


def run_tool(command: list[str], threads: int, cell: Cell, every_cold: bool) -> None:
    cores = sorted(os.sched_getaffinity(0))[-threads:]
    environment = os.environ | {
        "TOKENIZERS_PARALLELISM": "true" if threads > 1 else "false",
        "RAYON_NUM_THREADS": str(threads),
        "OMP_NUM_THREADS": "1",
        "HF_HUB_OFFLINE": "1",
    }
    command = ["taskset", "-c", ",".join(map(str, cores)), *command]
    run = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    if run.returncode:
        lines = run.stderr.strip().splitlines()
        cell.problem = lines[-1] if lines else f"exit status {run.returncode}"
        return
    first = True
    for line in run.stdout.splitlines():
        if line.startswith("wrong"):
            cell.wrong = int(line.split()[1])
            continue
        wall, processor, _, size, _ = map(float, line.split("\t"))
        rate = size / 1e6 / (processor if threads == 1 else wall)
        (cell.cold if first or every_cold else cell.warm).append(rate)
        first = False


def figure(rates: list[float], ours: list[float], cell: Cell) -> str:
    if not rates:
        return "| – | "
    middle = median(rates)
    mark = f" ({cell.wrong} of {CHECKED} wrong ids)" if cell.wrong else ""
    return f"| {middle:.1f}{mark} | {median(ours) / middle:.1f}" if ours else f"| {middle:.1f}{mark} | "


def row(name: str, corpus: str, threads: int, state: str, cells: dict[str, Cell], peers: Sequence[str]) -> str:
    def rates(tool: str) -> list[float]:
        return cells[tool].cold if state == "cold" else cells[tool].warm

    ours = rates("ours")
    own = f"**{median(ours):.1f}** (least {min(ours):.1f})" if ours else "–"
    return f"| {name} | {corpus} | {threads} | {state} | {own} " + " ".join(
        figure(rates(tool), ours, cells[tool]) for tool in peers
    ) + " |"  # fmt: skip


def drive(options: argparse.Namespace) -> None:
    data, work, build = options.data, options.work, options.build
    names = options.tokenizers.split(",") if options.tokenizers else TOKENIZERS
    corpora = options.corpora.split(",") if options.corpora else CORPORA
    files = prepare(data, work, corpora, options.quick)
    turns = 1 if options.quick else options.turns
    peers = []
    for tool in PEERS:
        probe = subprocess.run([sys.executable, "-c", f"import {tool}"], capture_output=True, check=False)
        if probe.returncode:
            print(f"bench: {tool} cannot be imported, left out", file=sys.stderr)
        else:
            peers.append(tool)
    heads = [f"{tool} | ours/it" for tool in peers]
    print("| " + " | ".join(["tokenizer", "corpus", "threads", "state", "ours, MB/s", *heads]) + " |")
    print("|" + "---|" * (5 + 2 * len(peers)), flush=True)
    said: set[tuple[str, str]] = set()
    for name in names:
        tokenizer = work / f"{name}.json"
        tokenizer.write_bytes(gzip.decompress((data / "tokenizers" / f"{name}.json.gz").read_bytes()))
        for threads in map(int, options.threads.split(",")):
            for corpus, file in files.items():
                cells: dict[str, Cell] = defaultdict(Cell)
                for _ in range(turns):
                    program = [str(build / "bench" / "bench_tokenize"), "--threads", str(threads)]
                    program += ["--seconds", str(SECONDS), "--rounds"]
                    paths = [str(tokenizer), str(file)]
                    if not cells["ours"].problem:
                        run_tool([*program, str(ROUNDS), *paths], threads, cells["ours"], False)
                        run_tool([*program, "3", "--cold", *paths], threads, cells["ours"], True)
                    for tool in peers:
                        if (tool, name) in said:
                            continue
                        child = [sys.executable, __file__, "--peer", tool, *paths]
                        child += [str(threads), str(ROUNDS), str(SECONDS)]
                        run_tool(child, threads, cells[tool], False)
                        if cells[tool].problem:
                            said.add((tool, name))
                            print(f"bench: {tool} left out for {name}: {cells[tool].problem}", file=sys.stderr)
                if cells["ours"].problem and ("ours", name) not in said:
                    said.add(("ours", name))
                    print(f"bench: {cells['ours'].problem}", file=sys.stderr)
                for state in ("warm", "cold"):
                    print(row(name, corpus, threads, state, cells, peers), flush=True)


def main() -> None:
    if sys.argv[1:2] == ["--peer"]:
        name, tokenizer, file, threads, rounds, limit = sys.argv[2:]
        peer(name, Path(tokenizer), Path(file), int(threads), int(rounds), float(limit))
        return
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    for name in ("data", "work", "build"):
        parser.add_argument(f"--{name}", type=Path, required=True)
    parser.add_argument("--tokenizers", default="")
    parser.add_argument("--corpora", default="")
    parser.add_argument("--threads", default="1,2")
    parser.add_argument("--turns", type=int, default=TURNS)
    parser.add_argument("--quick", action="store_true", help="one text in ten, one turn")
    drive(parser.parse_args())


if __name__ == "__main__":
    main()
