"""What a transformer says of texts: unit vectors, for `wordllama targets`.

Usage: teacher.py MODEL TEXTS OUT.npy [--precision float32|bfloat16] [--max-tokens N] [--prefix STRING]

MODEL is a folder as sentence-transformers has it (config.json, model.safetensors, tokenizer.json, 1_Pooling/), TEXTS a
file with a text a line, as `wordllama prepare --texts` writes it. OUT gets a row for each line, F16. The pooling is
what the folder asks for: mean, the first token or the last.

Texts are worked on in the order of their lengths, so that a batch has no padding to speak of. What is done stays in
OUT.part and OUT.part.done: after an interruption the same command goes on.
"""

import argparse
import json
import os
import time
from pathlib import Path

import numpy
import torch
from transformers import AutoModel, AutoTokenizer

BATCH_TOKENS = 8192
SAVE_SECONDS = 30


def pooling(folder: Path) -> str:
    file = folder / "1_Pooling" / "config.json"
    wanted = json.loads(file.read_text()) if file.exists() else {"pooling_mode_mean_tokens": True}
    for name in ("mean_tokens", "cls_token", "lasttoken"):
        if wanted.get(f"pooling_mode_{name}"):
            return name
    raise SystemExit(f"teacher: {file}: none of mean_tokens, cls_token, lasttoken is set")


def pool(states: torch.Tensor, mask: torch.Tensor, how: str) -> torch.Tensor:
    if how == "cls_token":
        return states[:, 0]
    if how == "lasttoken":
        return states[torch.arange(len(states)), mask.sum(1) - 1]
    return (states * mask[..., None]).sum(1) / mask.sum(1, keepdim=True)


def batches(lengths: numpy.ndarray) -> list[numpy.ndarray]:
    """Indices of texts, the long ones first: what needs the most memory shows at once."""
    order, found, begin = numpy.argsort(-lengths, kind="stable"), [], 0
    while begin < len(order):
        count = max(1, BATCH_TOKENS // int(lengths[order[begin]]))
        found.append(order[begin : begin + count])
        begin += count
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("model", type=Path)
    parser.add_argument("texts", type=Path)
    parser.add_argument("out", type=Path)
    parser.add_argument("--precision", choices=("float32", "bfloat16"), default="float32")
    parser.add_argument("--max-tokens", type=int, default=128)
    parser.add_argument("--prefix", default="", help="what the model wants in front of a text, such as 'query: '")
    given = parser.parse_args()
    if not (given.model / "config.json").exists():
        raise SystemExit(f"teacher: {given.model}: there is no config.json: not the folder of a model")

    how = pooling(given.model)
    tokenizer = AutoTokenizer.from_pretrained(given.model)
    model = AutoModel.from_pretrained(given.model).eval()
    dtype = getattr(torch, given.precision)
    texts = [given.prefix + line for line in given.texts.read_text(encoding="utf-8").split("\n")[:-1]]
    if not texts:
        raise SystemExit(f"teacher: {given.texts}: no texts")
    print(f"{len(texts)} texts, {given.precision}, {how}", flush=True)
    ids = tokenizer(texts, truncation=True, max_length=given.max_tokens, return_attention_mask=False)["input_ids"]
    lengths = numpy.array([len(tokens) for tokens in ids])
    work = batches(lengths)

    part, state = Path(f"{given.out}.part"), Path(f"{given.out}.part.done")
    shape = [len(texts), model.config.hidden_size]
    done = 0
    if state.exists() and part.exists():
        known = json.loads(state.read_text())
        done = known["batches"] if known["shape"] == shape and known["tokens"] == int(lengths.sum()) else 0
    rows = numpy.lib.format.open_memmap(part, "r+" if done else "w+", dtype=numpy.float16, shape=tuple(shape))

    def save(count: int) -> None:
        rows.flush()
        state.with_suffix(".new").write_text(
            json.dumps({"batches": count, "shape": shape, "tokens": int(lengths.sum())})
        )
        os.replace(state.with_suffix(".new"), state)

    begin = saved = time.monotonic()
    total, before = int(lengths.sum()), sum(int(lengths[batch].sum()) for batch in work[:done])
    seen = before
    with torch.inference_mode(), torch.autocast("cpu", dtype=dtype, enabled=dtype != torch.float32):
        for number, batch in enumerate(work[done:], done + 1):
            width = int(lengths[batch].max())
            tokens = torch.zeros((len(batch), width), dtype=torch.long)
            mask = torch.zeros((len(batch), width), dtype=torch.long)
            for row, text in enumerate(batch):
                tokens[row, : lengths[text]] = torch.tensor(ids[text])
                mask[row, : lengths[text]] = 1
            states = model(input_ids=tokens, attention_mask=mask).last_hidden_state
            vectors = torch.nn.functional.normalize(pool(states.float(), mask, how), dim=1)
            rows[batch] = vectors.numpy().astype(numpy.float16)
            seen += int(lengths[batch].sum())
            if time.monotonic() - saved > SAVE_SECONDS or number == len(work):
                save(number)
                saved = time.monotonic()
                rate = (seen - before) / (saved - begin)
                print(
                    f"{seen} of {total} tokens, {rate:.0f} a second, {(total - seen) / rate / 60:.1f} minutes left",
                    flush=True,
                )
    os.replace(part, given.out)
    state.unlink()


if __name__ == "__main__":
    main()
