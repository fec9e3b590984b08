#!/usr/bin/env python3
"""Writes the golden data of the model tests by asking the packages that they are held against.

    pip install wordllama==0.4.0.post1 model2vec==0.10.0 tokenizers==0.23.3
    python3 tools/golden_models.py FOLDER_OF_L2_SUPERCAT_256 FOLDER_OF_SHARED_DATA     (a few minutes)

from the root of the repository. It writes
    tests/golden/models/NAME/...         tiny models with random tables, one for each combination of types
    tests/golden/models/expected.jsonl   their vectors for a few texts, floats as 8 hexadecimal digits
    tests/golden/model_norms.txt         lengths of vectors as NumPy computes them
    tests/golden/model_digests.txt       digests of the vectors of real models for real texts

A vector that the packages give in F16 or F64 is stored as F32. Where wordllama divides by the zero length of a text
without tokens and gives NaN, the zero vector is stored: that is this library's rule.
"""

import argparse
import gzip
import json
import logging
import struct
from pathlib import Path
from typing import Any

import numpy as np
from model2vec import StaticModel
from safetensors.numpy import load_file
from tokenizers import AddedToken, Tokenizer, models, normalizers, pre_tokenizers
from wordllama.inference import WordLlamaInference

GOLDEN = Path("tests/golden")
FOLDER = GOLDEN / "models"
PREFIX = 500  # texts that a run under sanitizers uses

PIECES = [
    *("[PAD]", "[UNK]", "[CLS]", "[SEP]", "i", "we", "went", "walk", "##ed", "##ing", "##s", "to", "the", "car"),
    *("shop", "pawn", "##shop", "a", "b", "##c", "1", "##2", ".", ",", "!", "cafe", "\u4e2d", "\u6587", "\u00df", "of"),
]
TEXTS = [
    "",
    "I went to the car",
    "the pawn shop, the PAWNSHOPS!",
    "walking walked walks",
    "unknown wording only",
    " \t\n ",
    "the caf\u00e9 of \u4e2d\u6587 \u00df",
    "car\0car",
    "\0",
    "the",
    "[CLS] we walk [SEP] zzz",
    "we went, " * 90 + "unknown " * 20 + "i walked to the shop. " * 120,
    "the " * 511 + "car shop pawn",
]


# ---- writing models


def tensor_bytes(array: np.ndarray, dtype: str) -> bytes:
    kinds = {"F64": "<f8", "F32": "<f4", "F16": "<f2", "I8": "<i1", "I32": "<i4", "I64": "<i8"}
    if dtype == "BF16":
        return (array.astype("<f4").view("<u4") >> 16).astype("<u2").tobytes()
    return array.astype(kinds[dtype]).tobytes()


def write_safetensors(path: Path, tensors: dict[str, tuple[str, np.ndarray]]) -> None:
    header: dict[str, Any] = {}
    data = b""
    for name, (dtype, array) in tensors.items():
        raw = tensor_bytes(array, dtype)
        header[name] = {"dtype": dtype, "shape": list(array.shape), "data_offsets": [len(data), len(data) + len(raw)]}
        data += raw
    text = json.dumps(header, separators=(",", ":")).encode()
    text += b" " * (-len(text) % 8)
    path.write_bytes(struct.pack("<Q", len(text)) + text + data)


def tiny_tokenizer() -> Tokenizer:
    vocabulary = {piece: i for i, piece in enumerate(PIECES)}
    tokenizer = Tokenizer(models.WordPiece(vocabulary, unk_token="[UNK]", max_input_chars_per_word=20))
    tokenizer.normalizer = normalizers.BertNormalizer()
    tokenizer.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    tokenizer.add_special_tokens([AddedToken(piece, special=True) for piece in PIECES[:4]])
    return tokenizer


def table(rng: np.random.Generator, rows: int, dim: int, dtype: str) -> np.ndarray:
    if dtype == "I8":
        return rng.integers(-127, 128, (rows, dim))
    values = rng.standard_normal((rows, dim))
    if dtype == "BF16":  # exactly what is stored
        return (values.astype("<f4").view("<u4") & 0xFFFF0000).view("<f4")
    return values


WORDLLAMA = [("f16", 16, 0), ("f32", 13, 0), ("bf16", 20, 0), ("f64", 9, 0), ("i8", 11, 0), ("f32-short", 8, 3)]

# name, table, rows (0: one a piece), dim, weights, mapping, config, layout
MODEL2VEC: list[tuple[str, str, int, int, str, str, dict[str, Any], str]] = [
    ("f32", "F32", 0, 12, "", "", {"normalize": True}, "model2vec"),
    ("f16", "F16", 0, 17, "", "", {"normalize": False, "max_length": 6}, "model2vec"),
    ("f16-unit", "F16", 0, 10, "", "", {"normalize": True, "max_length": None}, "model2vec"),
    ("i8", "I8", 0, 19, "", "", {"normalize": True, "max_length": None}, "model2vec"),
    ("f64", "F64", 0, 9, "", "", {}, "model2vec"),
    ("f32-weights-f64", "F32", 0, 14, "F64", "", {"normalize": True}, "model2vec"),
    ("f32-weights-f32", "F32", 0, 20, "F32", "", {"normalize": False}, "model2vec"),
    ("f16-weights-f64-mapping-i64", "F16", 12, 16, "F64", "I64", {"normalize": False}, "model2vec"),
    ("f16-weights-f32-mapping-i32", "F16", 12, 11, "F32", "I32", {"normalize": True}, "model2vec"),
    ("i8-weights-f32-mapping-i32", "I8", 15, 18, "F32", "I32", {"normalize": True}, "model2vec"),
    ("i8-weights-f64", "I8", 0, 8, "F64", "", {"max_length": 40}, "model2vec"),
    ("f32-mapping-i64", "F32", 14, 10, "", "I64", {"normalize": True}, "model2vec"),
    ("sentence-transformers", "F32", 0, 15, "", "", {"normalize": True}, "flat"),
    ("nested", "F16", 0, 12, "", "", {"max_length": 9}, "nested"),
]


def make_models(rng: np.random.Generator, tokenizer: Tokenizer) -> None:
    text = tokenizer.to_str(pretty=False)
    for name, dim, missing in WORDLLAMA:
        folder = FOLDER / f"wordllama-{name}"
        folder.mkdir(parents=True, exist_ok=True)
        dtype = name.split("-")[0].upper()
        values = table(rng, len(PIECES) - missing, dim, dtype)
        write_safetensors(folder / "model.safetensors", {"embedding.weight": (dtype, values)})
        (folder / "tokenizer.json").write_text(text, encoding="utf-8")
    for name, dtype, rows, dim, weights, mapping, config, layout in MODEL2VEC:
        folder = FOLDER / f"model2vec-{name}"
        inner = folder / "0_StaticEmbedding" if layout == "nested" else folder
        inner.mkdir(parents=True, exist_ok=True)
        key = "embeddings" if layout == "model2vec" else "embedding.weight"
        values = table(rng, rows or len(PIECES), dim, dtype)
        tensors = {key: (dtype, values)}
        if weights:
            tensors["weights"] = (weights, rng.random(len(PIECES)) * 2)
        if mapping:
            tensors["mapping"] = (mapping, rng.integers(0, rows, len(PIECES)))
        if dtype == "F16" and weights == "F64":  # so close to a tie that rounding to F32 on the way to F16 shows
            the = PIECES.index("the")
            values[tensors["mapping"][1][the]] = np.resize([1, -1, 1 + 2**-10, -1 - 2**-10, 2**-20, -(2**-15)], dim)
            tensors["weights"][1][the] = 1 + 2**-11 + 2**-40
        write_safetensors(inner / "model.safetensors", tensors)
        (inner / "tokenizer.json").write_text(text, encoding="utf-8")
        file = "config.json" if layout == "model2vec" else "config_sentence_transformers.json"
        (folder / file).write_text(json.dumps(config) + "\n", encoding="utf-8")


# ---- asking the packages


def wordllama_table(path: Path) -> np.ndarray:
    raw = path.read_bytes()
    size = struct.unpack("<Q", raw[:8])[0]
    entry = json.loads(raw[8 : 8 + size])["embedding.weight"]
    if entry["dtype"] != "BF16":  # which NumPy does not have
        return load_file(path)["embedding.weight"]
    wide = np.frombuffer(raw[8 + size :], "<u2").astype("<u4") << 16
    return wide.view("<f4").reshape(entry["shape"])


def bits(vectors: np.ndarray) -> list[str]:
    return ["".join(f"{x:08x}" for x in row) for row in np.asarray(vectors, "<f4").view("<u4").tolist()]


def write_expected() -> None:
    lines: list[dict[str, Any]] = [{"texts": TEXTS}]
    for name, _, _ in WORDLLAMA:
        folder = FOLDER / f"wordllama-{name}"
        tokenizer = Tokenizer.from_file(str(folder / "tokenizer.json"))
        model = WordLlamaInference(wordllama_table(folder / "model.safetensors"), tokenizer)
        with np.errstate(invalid="ignore"):
            unit = np.nan_to_num(model.embed(TEXTS, norm=True))
        raw = model.embed(TEXTS)
        lines.append({"model": folder.name, "normalize": False, "raw": bits(raw), "unit": bits(unit)})
    for name, *_ in MODEL2VEC:
        folder = FOLDER / f"model2vec-{name}"
        model2vec = StaticModel.from_pretrained(folder)
        raw, unit = (model2vec.encode(TEXTS, normalize=on) for on in (False, True))
        default = bool(model2vec.normalize)
        lines.append({"model": folder.name, "normalize": default, "raw": bits(raw), "unit": bits(unit)})
    text = "".join(json.dumps(line, separators=(",", ":")) + "\n" for line in lines)
    (FOLDER / "expected.jsonl").write_text(text, encoding="utf-8")


def write_norms() -> None:
    """Vectors from a generator that the test repeats: x = x * 1664525 + 1013904223 mod 2^32; its upper 24 bits."""
    state = 1
    lines = [f"# np.linalg.norm(x, axis=1), NumPy {np.__version__}: dimension, float bits of three rows"]
    for dim in range(1, 301):
        values = []
        for _ in range(3 * dim):
            state = (state * 1664525 + 1013904223) % 2**32
            values.append((state >> 8) / 2**23 - 1)
        rows = np.array(values, "<f4").reshape(3, dim)
        norms = np.linalg.norm(rows, axis=1).astype("<f4").view("<u4")
        lines.append(" ".join([str(dim), *(f"{x:08x}" for x in norms.tolist())]))
    (GOLDEN / "model_norms.txt").write_text("\n".join(lines) + "\n", encoding="ascii")


def digest_rows(vectors: np.ndarray) -> np.ndarray:
    """64-bit FNV-1a over the bytes of each row."""
    data = np.ascontiguousarray(vectors).view(np.uint8).reshape(len(vectors), -1)
    digests = np.full(len(data), 0xCBF29CE484222325, np.uint64)
    for column in range(data.shape[1]):
        digests = (digests ^ data[:, column]) * np.uint64(0x100000001B3)
    return digests


def digest(row_digests: np.ndarray) -> str:
    """The same over the rows' digests."""
    value = 0xCBF29CE484222325
    for byte in row_digests.astype("<u8").tobytes():
        value = (value ^ byte) * 0x100000001B3 % 2**64
    return f"{value:016x}"


def read_texts(data: Path, name: str) -> list[str]:
    with gzip.open(data / f"speed/{name}.jsonl.gz", "rt", encoding="utf-8") as file:
        return [json.loads(line)["text"] for line in file]


def write_digests(wordllama: Path, data: Path) -> None:
    lines = [
        "# wordllama 0.4.0.post1, model2vec 0.10.0, tokenizers 0.23.3: model, mode, texts, how many of them, digest",
        "# The digest is FNV-1a over the FNV-1a of each row's bytes.",
    ]

    def add(model: str, mode: str, name: str, vectors: np.ndarray) -> None:
        rows = digest_rows(vectors)
        for count in (PREFIX, len(rows)):
            lines.append(f"{model} {mode} {name} {count} {digest(rows[:count])}")
        print(lines[-1], flush=True)

    values = load_file(wordllama / "model.safetensors")["embedding.weight"]
    paths = [data / "models/model2vec-fixtures" / f"test-model-{kind}" for kind in
             ("float32", "float16", "int8", "sentence-transformers", "vocab-quantized")]  # fmt: skip
    paths.append(data / "models/potion-base-4M-int8")
    for name, batch in (("ag_news", 64), ("newsgroups", 4), ("zhwiki", 64)):
        texts = read_texts(data, name)
        if name != "zhwiki":
            dense, binary = (
                WordLlamaInference(values, Tokenizer.from_file(str(wordllama / "tokenizer.json")), binary=packed)
                for packed in (False, True)
            )
            add(wordllama.name, "dense", name, dense.embed(texts, batch_size=batch))
            with np.errstate(invalid="ignore"):
                unit = np.nan_to_num(dense.embed(texts, norm=True, batch_size=batch))
            add(wordllama.name, "norm", name, unit)
            add(wordllama.name, "binary", name, binary.embed(texts, batch_size=batch))
        for path in paths:
            if name != "zhwiki" or path.name.startswith("potion"):
                vectors = StaticModel.from_pretrained(path).encode(texts)
                add(path.name, "dense", name, vectors.astype("<f4"))
    (GOLDEN / "model_digests.txt").write_text("\n".join(lines) + "\n", encoding="ascii")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("wordllama", type=Path, nargs="?", help="folder of l2_supercat_256; none: no digests")
    parser.add_argument("data", type=Path, nargs="?", help="folder of shared data")
    arguments = parser.parse_args()
    logging.disable(logging.WARNING)
    make_models(np.random.default_rng(20240601), tiny_tokenizer())
    write_expected()
    write_norms()
    if arguments.wordllama and arguments.data:
        write_digests(arguments.wordllama, arguments.data)


if __name__ == "__main__":
    main()
