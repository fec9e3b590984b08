#!/usr/bin/env python3
"""Training as the reference does it, torch and sentence-transformers: every token is projected, in F32, then pooled.

    train_peer.py make FOLDER [--rows N] [--inputs D] [--dim D] [--records N] [--sides N] [--tokens N] [--batches N]
    train_peer.py run FOLDER [--steps N] [--threads N]

`make` draws what both sides train with: FOLDER/codebook.safetensors (F16) and FOLDER/batches.safetensors: the ids of
some batches, each different text equally long and each token equally likely, which is the hardest for the caches; and
what the parameters begin with. bench_train_step takes the same folder. `run` prints a line a step: seconds, processor
seconds, the loss; and in the end the peak of the memory.
"""

from __future__ import annotations

import argparse
import resource
import time
from pathlib import Path

import numpy as np
from safetensors.numpy import load_file, save_file

DIMS = (1024, 512, 256, 128, 64)


def make(arguments: argparse.Namespace) -> None:
    random = np.random.default_rng(8)
    rows, inputs, dim = arguments.rows, arguments.inputs, arguments.dim
    arguments.folder.mkdir(parents=True, exist_ok=True)
    # A few thousand different rows, each multiplied by numbers of its own: drawing all takes minutes.
    some = random.standard_normal((min(rows, 2048), inputs), dtype=np.float32) / 32
    codebook = np.empty((rows, inputs), np.float16)
    for first in range(0, rows, len(some)):
        part = codebook[first : first + len(some)]
        part[:] = some[: len(part)] * random.uniform(0.5, 1.5, (1, inputs)).astype(np.float32)
    save_file({"embedding.weight": codebook}, arguments.folder / "codebook.safetensors")
    texts = arguments.records * arguments.sides
    bound = inputs**-0.5
    start = {
        "ids": random.integers(0, rows, (arguments.batches, texts, arguments.tokens), dtype=np.uint32),
        "projection.weight": random.uniform(-bound, bound, (dim, inputs)).astype(np.float32),
        "projection.bias": random.uniform(-bound, bound, (1, dim)).astype(np.float32),
        "token_weights": np.where(random.random((rows, 1)) < 0.01, 0.1, 1).astype(np.float32),
    }
    save_file(start, arguments.folder / "batches.safetensors", {"records": str(arguments.records)})


def run(arguments: argparse.Namespace) -> None:
    import torch
    from sentence_transformers import SentenceTransformer
    from sentence_transformers.sentence_transformer.losses import MatryoshkaLoss, MultipleNegativesRankingLoss
    from torch import nn

    class Projector(nn.Module):
        """x_t = W (gelu(w_t) E_t) + b for each token, then the mean over those of a text."""

        def __init__(self, codebook: torch.Tensor, start: dict[str, np.ndarray]) -> None:
            super().__init__()
            dim, inputs = start["projection.weight"].shape
            self.embedding = nn.Embedding.from_pretrained(codebook, freeze=True)
            self.projection = nn.Linear(inputs, dim)
            self.weights = nn.Parameter(torch.from_numpy(start["token_weights"][:, 0]))
            with torch.no_grad():
                self.projection.weight.copy_(torch.from_numpy(start["projection.weight"]))
                self.projection.bias.copy_(torch.from_numpy(start["projection.bias"][0]))

        def forward(self, features: dict[str, torch.Tensor]) -> dict[str, torch.Tensor]:
            ids, mask = features["input_ids"], features["attention_mask"].unsqueeze(-1)
            weights = nn.functional.gelu(self.weights[ids]).unsqueeze(-1)
            tokens = self.projection(self.embedding(ids) * weights)
            features["sentence_embedding"] = (tokens * mask).sum(1) / mask.sum(1)
            return features

    torch.set_num_threads(arguments.threads)
    start = load_file(arguments.folder / "batches.safetensors")
    codebook = load_file(arguments.folder / "codebook.safetensors")["embedding.weight"]
    projector = Projector(torch.from_numpy(codebook).float(), start)
    del codebook
    model = SentenceTransformer(modules=[projector], device="cpu")
    model.train()
    dims = [dim for dim in DIMS if dim <= projector.projection.out_features]
    loss = MatryoshkaLoss(model, MultipleNegativesRankingLoss(model), dims)
    learned = [parameter for parameter in projector.parameters() if parameter.requires_grad]
    optimizer = torch.optim.AdamW(learned, lr=3e-4, weight_decay=0)
    batches = torch.from_numpy(start["ids"].astype(np.int64))
    records, texts, tokens = arguments.records, batches.shape[1], batches.shape[2]
    for step in range(arguments.steps):
        begun, processor = time.perf_counter(), time.process_time()
        ids = batches[step % len(batches)].reshape(texts // records, records, tokens)
        features = [{"input_ids": side, "attention_mask": torch.ones_like(side)} for side in ids]
        optimizer.zero_grad()
        value = loss(features, None)
        value.backward()
        nn.utils.clip_grad_norm_(learned, 1.0)
        optimizer.step()
        taken, used = time.perf_counter() - begun, time.process_time() - processor
        print(f"{taken:.4f}\t{used:.4f}\t{value.item():.6f}", flush=True)
    print(f"peak\t{resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024:.0f}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("verb", choices=("make", "run"))
    parser.add_argument("folder", type=Path)
    for name, value in {
        "rows": 32000,
        "inputs": 4096,
        "dim": 1024,
        "records": 256,
        "sides": 3,
        "tokens": 40,
        "batches": 4,
        "steps": 4,
        "threads": 2,
    }.items():
        parser.add_argument(f"--{name}", type=int, default=value)
    arguments = parser.parse_args()
    (make if arguments.verb == "make" else run)(arguments)


if __name__ == "__main__":
    main()
