#!/usr/bin/env python3
"""Loads what `wordllama train` saves with sentence-transformers 6.2 and Model2Vec 0.10, and compares the vectors.

    make parity-saved

    PYTHON tools/parity_saved.py BINARY TOKENIZERS

BINARY is the command wordllama, TOKENIZERS a folder of tokenizer.json files, packed with gzip: a WordPiece, a BPE and a
Unigram of them get a random codebook and a short training, saved as F16 and as I8. The packages are those that PYTHON
has, one of them at least. Each is held against the command with the policy that is that package's: sentence-transformers
keeps unknown tokens, as WordLlama does, Model2Vec drops them. Ends with status 1 where a cosine is below 0.9999.
"""

from __future__ import annotations

import gzip
import importlib.util
import json
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
from safetensors.numpy import save_file
from tokenizers import Tokenizer

NAMES = ("bert-base-uncased", "llama3", "t5-small")
LEAST = 0.9999
DIM = 64
TEXTS = [
    "I went to the car",
    "A man is playing a guitar",
    "Größe, 12.5 km and naïve café",
    "\u6f22\u5b57 and \U0001f680 \U0001f9d9 are rare here",
    "word " * 700,
]
PAIRS = [("a car", "an automobile"), ("a boat", "a ship"), ("the train", "a railway"), ("an apple", "a pear")] * 4


def prepare(folder: Path, tokenizer: Path) -> None:
    """A codebook, with the tokenizer beside it, and pairs of texts."""
    text = gzip.decompress(tokenizer.read_bytes())
    (folder / "tokenizer.json").write_bytes(text)
    rows = Tokenizer.from_str(text.decode()).get_vocab_size()
    table = np.random.default_rng(0).normal(size=(rows, DIM)).astype(np.float16)
    save_file({"embedding.weight": table}, folder / "codebook.safetensors")
    lines = (json.dumps({"anchor": a, "positive": f"{b} {i}"}) + "\n" for i, (a, b) in enumerate(PAIRS))
    (folder / "pairs.jsonl").write_text("".join(lines))


def train(binary: str, folder: Path, save_as: str) -> Path:
    output = folder / save_as
    files: list[str | Path] = [
        "--codebook",
        folder / "codebook.safetensors",
        "--data",
        folder / "pairs.jsonl",
        "--output",
        output,
    ]
    steps = ["--steps", "20", "--batch-size", "4", "--learning-rate", "0.01", "--save-as", save_as]
    subprocess.run([binary, "train", *files, *steps], check=True, capture_output=True)
    return output


def embed(binary: str, model: Path, policy: str) -> np.ndarray:
    source = "\n".join(TEXTS) + "\n"
    command: list[str | Path] = [binary, "embed", "--model", model, "--policy", policy]
    out = subprocess.run(command, input=source.encode(), check=True, capture_output=True).stdout
    return np.array([line.split() for line in out.decode().splitlines()], dtype=np.float64)


def by_sentence_transformers(folder: Path) -> np.ndarray:
    from sentence_transformers import SentenceTransformer

    return np.asarray(SentenceTransformer(str(folder), device="cpu").encode(TEXTS))


def by_model2vec(folder: Path) -> np.ndarray:
    from model2vec import StaticModel

    return np.asarray(StaticModel.from_pretrained(str(folder)).encode(TEXTS))


def least_cosine(a: np.ndarray, b: np.ndarray) -> float:
    a, b = a.astype(np.float64), b.astype(np.float64)
    lengths = np.linalg.norm(a, axis=1) * np.linalg.norm(b, axis=1)
    return float(((a * b).sum(axis=1) / lengths).min())


READERS: dict[str, tuple[str, Callable[[Path], np.ndarray]]] = {
    "sentence_transformers": ("wordllama", by_sentence_transformers),
    "model2vec": ("model2vec", by_model2vec),
}


def main() -> int:
    if len(sys.argv) != 3:
        print(f"usage: {sys.argv[0]} BINARY TOKENIZERS", file=sys.stderr)
        return 2
    binary, tokenizers = sys.argv[1], Path(sys.argv[2])
    present = [name for name in READERS if importlib.util.find_spec(name)]
    if not present:
        print("neither sentence_transformers nor model2vec is there", file=sys.stderr)
        return 2
    failures = 0
    for name in NAMES:
        with tempfile.TemporaryDirectory() as place:
            folder = Path(place)
            prepare(folder, tokenizers / f"{name}.json.gz")
            for save_as in ("f16", "i8"):
                output = train(binary, folder, save_as)
                # The file of its own, and the folder: the same numbers.
                own = embed(binary, output / f"model_{DIM}.safetensors", "auto")
                for reader in present:
                    policy, load = READERS[reader]
                    theirs = load(output / "model")
                    least = least_cosine(theirs, embed(binary, output / "model", policy))
                    if policy == "wordllama":
                        least = min(least, least_cosine(theirs, own))
                    failures += not least > LEAST
                    print(f"{reader:22} {name:18} {save_as:4} least cosine {least:.7f}")
    return failures > 0


if __name__ == "__main__":
    sys.exit(main())
