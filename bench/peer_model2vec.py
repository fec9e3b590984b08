"""The package model2vec in `make bench-embed`, on its own models and on those of WordLlama."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from model2vec import StaticModel
from peer import Encode, run
from safetensors.numpy import load_file
from tokenizers import Tokenizer


def open_model(folder: Path) -> Encode:
    if (folder / "config.json").exists():
        model = StaticModel.from_pretrained(folder)
    else:  # WordLlama's: F32 as that package computes, and no limit of tokens
        table = load_file(folder / "model.safetensors")["embedding.weight"].astype(np.float32)
        tokenizer = Tokenizer.from_file(str(folder / "tokenizer.json"))
        model = StaticModel(table, tokenizer, normalize=False, max_length=None)
    return lambda texts: model.encode(texts, use_multiprocessing=False)


if __name__ == "__main__":
    run(open_model)
