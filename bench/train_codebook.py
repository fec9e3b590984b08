#!/usr/bin/env python3
"""A codebook of the shape of Llama 3's, 128,256 x 4,096 in F16, out of one of all-MiniLM-L6-v2's, 30,522 x 384.

    train_codebook.py SMALL_FOLDER LLAMA_TOKENIZER.json.gz FOLDER

A token has the row of the small codebook's token of the same letters, or else one drawn at random; rows are multiplied
by a random matrix, and noise of a tenth of their length is added. Writes FOLDER/codebook.safetensors and the tokenizer.
"""

from __future__ import annotations

import gzip
import json
import sys
from pathlib import Path

import numpy as np
from safetensors.numpy import load_file, save_file

ROWS, INPUTS, NOISE, PART = 128256, 4096, 0.1, 4096


def main() -> None:
    small, tokenizer, folder = (Path(argument) for argument in sys.argv[1:])
    random = np.random.default_rng(8)
    table = load_file(small / "codebook.safetensors")["embedding.weight"].astype(np.float32)
    known = json.loads((small / "tokenizer.json").read_text())["model"]["vocab"]
    text = gzip.decompress(tokenizer.read_bytes())
    rows = random.integers(0, len(table), ROWS)
    for token, number in json.loads(text)["model"]["vocab"].items():
        rows[number] = known.get(token.lstrip("Ġ").lower(), rows[number])
    wide = random.standard_normal((table.shape[1], INPUTS), np.float32) / INPUTS**0.5
    spread = NOISE * np.sqrt(np.mean((table @ wide) ** 2))
    codebook = np.empty((ROWS, INPUTS), np.float16)
    for first in range(0, ROWS, PART):
        part = table[rows[first : first + PART]] @ wide
        codebook[first : first + PART] = part + spread * random.standard_normal(part.shape, np.float32)
    folder.mkdir(parents=True, exist_ok=True)
    save_file({"embedding.weight": codebook}, folder / "codebook.safetensors")
    (folder / "tokenizer.json").write_bytes(text)


if __name__ == "__main__":
    main()
