"""The package wordllama in `make bench-embed`; its own loader would download the tokenizer."""

from __future__ import annotations

from pathlib import Path

from peer import Encode, run
from safetensors.numpy import load_file
from tokenizers import Tokenizer
from wordllama.inference import WordLlamaInference  # type: ignore[import-untyped]


def open_model(folder: Path) -> Encode:
    table = load_file(folder / "model.safetensors")["embedding.weight"]
    model = WordLlamaInference(table, Tokenizer.from_file(str(folder / "tokenizer.json")))
    return lambda texts: model.embed(texts, batch_size=64)


if __name__ == "__main__":
    run(open_model)
