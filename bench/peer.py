"""What the Python peers of `make bench-embed` share.

A peer is called as  PEER MODEL TEXTS.jsonl ROUNDS [VECTORS]  and prints one line a round: seconds, processor seconds,
texts, bytes, tokens (0 where the peer does not tell) and seconds to open the model, separated by tabs. One round that
is not printed goes first; VECTORS receives its rows as raw floats.
"""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np

Encode = Callable[[list[str]], np.ndarray]


def run(open_model: Callable[[Path], Encode]) -> None:
    folder, file, rounds, *vectors = sys.argv[1:]
    lines = Path(file).read_text(encoding="utf-8").split("\n")
    texts = [json.loads(line)["text"] for line in lines if line]
    size = sum(len(text.encode()) for text in texts)
    start = time.perf_counter()
    encode = open_model(Path(folder))
    opened = time.perf_counter() - start
    rows = encode(texts)
    if vectors:
        rows.astype("<f4").tofile(vectors[0])
    del rows
    for _ in range(int(rounds)):
        start, before = time.perf_counter(), time.process_time()
        rows = encode(texts)
        worked = time.process_time() - before
        seconds = time.perf_counter() - start
        del rows
        print(f"{seconds:.6f}\t{worked:.6f}\t{len(texts)}\t{size}\t0\t{opened:.6f}")
