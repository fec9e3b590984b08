#!/usr/bin/env python3
"""Writes tests/golden/gguf: GGUF files of every kind that is read, and what must come out of them.

    pip install gguf==0.19.0 tokenizers==0.23.3 sentencepiece==0.2.3
    python3 tools/golden_gguf.py                     (from the root of the repository)
    python3 tools/golden_gguf.py --all FOLDER        a folder of many blocks for each type, for tests/test_extract_models.c
    python3 tools/golden_gguf.py --parity PROGRAM    real tokenizers through wordllama-train against the originals

types.gguf holds a tensor of random blocks for each type, types.f32 what the package gguf makes of them, in the file's
order. NAME.gguf holds a tokenizer, as llama.cpp's converter writes it; expected.jsonl has texts with the ids that the
tokenizer.json behind it (by tokenizers) or the SentencePiece model behind it (by sentencepiece) gives. split-* is one
model in three files. fuzz/corpus/gguf gets files for the fuzz target to begin with.

With --all a folder holds model.gguf, whose table is token_embd.weight, expected.f32 and expected.json, as those of
tools/golden_checkpoints.py do.
"""

import argparse
import base64
import gzip
import importlib.metadata
import io
import json
import pathlib
import re
import subprocess
import sys
import tempfile
from collections.abc import Iterable, Sequence
from typing import Any

import gguf
import numpy as np
import sentencepiece
from gguf import GGMLQuantizationType as Type
from gguf import GGUFWriter, TokenType
from tokenizers import Tokenizer

VERSIONS = {"gguf": "0.19.0", "tokenizers": "0.23.3", "sentencepiece": "0.2.3"}
GOLDEN = pathlib.Path("tests/golden/gguf")
SEEDS = pathlib.Path("fuzz/corpus/gguf")
SMALL = pathlib.Path("fuzz/tokenizers")
SHARED = pathlib.Path("../shared/data/tokenizers")

# ---- block types: where the binary16 scales are in a block ----

SCALES = {
    Type.Q4_0: [0], Type.Q4_1: [0, 2], Type.Q5_0: [0], Type.Q5_1: [0, 2], Type.Q8_0: [0], Type.Q2_K: [80, 82],
    Type.Q3_K: [108], Type.Q4_K: [0, 2], Type.Q5_K: [0, 2], Type.Q6_K: [208], Type.IQ4_NL: [0], Type.IQ4_XS: [0],
    Type.TQ1_0: [52], Type.TQ2_0: [64], Type.MXFP4: [], Type.NVFP4: [],
}
PLAIN = {Type.F32: "<f4", Type.F16: "<f2", Type.F64: "<f8", Type.BF16: ""}
# 0, subnormal, 1, the largest, infinity, quiet and signalling NaN, each with both signs; and an ordinary one.
ODD = [0x0000, 0x0001, 0x03FF, 0x3C00, 0x7BFF, 0x7C00, 0x7E01, 0x7D55]
ODD = [bits | sign for bits in ODD for sign in (0, 0x8000)] + [0x2E66]


def random_blocks(kind: Type, count: int, chance: np.random.Generator, odd: bool) -> np.ndarray:
    """Random bytes, with ordinary scales, or with odd ones in every place and order."""
    blocks = chance.integers(0, 256, (count, gguf.GGML_QUANT_SIZES[kind][1]), dtype=np.uint8)
    for number, place in enumerate(SCALES[kind]):
        scales = chance.normal(0, 0.02, count).astype(np.float16).view(np.uint16)
        for i in range(count if odd else 0):
            scales[i] = ODD[(i if number == 0 else i * 5 + 3) % len(ODD)]
        blocks[:, place : place + 2] = scales.astype("<u2").view(np.uint8).reshape(count, 2)
    if kind == Type.MXFP4 and not odd:
        blocks[:, 0] = chance.integers(115, 125, count)  # the exponent
    return blocks


def decoded(kind: Type, blocks: np.ndarray) -> np.ndarray:
    with np.errstate(all="ignore"):
        return gguf.quants.dequantize(blocks, kind).reshape(-1).astype("<f4")


def write_types() -> None:
    chance = np.random.default_rng(20260926)
    writer = GGUFWriter(GOLDEN / "types.gguf", "llama")
    expected = io.BytesIO()
    for kind in SCALES:
        blocks = random_blocks(kind, 17 if gguf.GGML_QUANT_SIZES[kind][0] < 256 else 9, chance, True)
        writer.add_tensor(f"{kind.name}.weight", blocks, raw_dtype=kind)
        expected.write(decoded(kind, blocks).tobytes())
    close(writer)
    (GOLDEN / "types.f32").write_bytes(expected.getvalue())


def write_all(folder: pathlib.Path) -> None:
    chance = np.random.default_rng(1)
    rows, dim = 3000, 256
    for kind in [*PLAIN, *SCALES]:
        case = folder / kind.name
        case.mkdir(parents=True)
        writer = GGUFWriter(case / "model.gguf", "llama")
        if kind in SCALES:
            blocks = random_blocks(kind, rows * dim // gguf.GGML_QUANT_SIZES[kind][0], chance, False).reshape(rows, -1)
            expected = decoded(kind, blocks)
        elif kind == Type.BF16:
            blocks = gguf.quants.quantize(chance.normal(0, 0.02, (rows, dim)).astype("<f4"), kind)
            expected = decoded(kind, blocks)
        else:
            blocks = chance.normal(0, 0.02, (rows, dim)).astype(PLAIN[kind])
            expected = blocks.astype("<f4")
        writer.add_tensor("token_embd.weight", blocks, raw_dtype=kind)
        close(writer)
        (case / "expected.f32").write_bytes(expected.tobytes())
        facts = {"tensor": "token_embd.weight", "rows": rows, "dim": dim, "scale": None}
        (case / "expected.json").write_text(json.dumps(facts))


def write_split() -> None:
    """Three parts, a tensor each."""
    writer = GGUFWriter(GOLDEN / "split.gguf", "llama", split_max_tensors=1)
    for number, name in enumerate(("output_norm.weight", "token_embd.weight", "output.weight")):
        values = np.arange(number, number + 12, dtype="<f4")
        writer.add_tensor(name, values if number == 0 else values.reshape(3, 4))
    close(writer)


def close(writer: GGUFWriter) -> None:
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()


# ---- tokenizers, as llama.cpp's converter writes them ----


def add_pieces(writer: GGUFWriter, model: str, pieces: Sequence[str], kinds: Sequence[TokenType]) -> None:
    writer.add_tokenizer_model(model)
    writer.add_token_list(pieces)
    writer.add_token_types([int(kind) for kind in kinds])


def special_kinds(document: dict[str, Any], count: int) -> list[TokenType]:
    """The converter takes what looks special for special."""
    kinds = [TokenType.NORMAL] * count
    for token in document["added_tokens"]:
        special = token["special"] or re.fullmatch(r"<\|.*\|>", token["content"])
        kinds[token["id"]] = TokenType.CONTROL if special else TokenType.USER_DEFINED
    return kinds


def pieces_by_id(document: dict[str, Any]) -> list[str]:
    ids = dict(document["model"]["vocab"])
    ids |= {token["content"]: token["id"] for token in document["added_tokens"]}
    pieces = [f"[PAD{i}]" for i in range(max(ids.values()) + 1)]
    for piece, i in ids.items():
        pieces[i] = piece
    return pieces


def add_specials(writer: GGUFWriter, document: dict[str, Any], ends: str = "eos") -> None:
    """Which tokens the template puts around a text: what the package's SpecialVocab finds there."""
    steps = document["post_processor"] or {}
    for step in steps.get("processors", [steps]):
        if step.get("type") == "RobertaProcessing":
            writer.add_bos_token_id(step["cls"][1])
            writer.add_eos_token_id(step["sep"][1])
            writer.add_sep_token_id(step["sep"][1])
            writer.add_add_bos_token(True)
            writer.add_add_eos_token(True)
            writer.add_add_sep_token(True)
        elif step.get("type") == "TemplateProcessing":
            names = [part.get("SpecialToken", {}).get("id") for part in step["single"]]
            ids = {name: step["special_tokens"][name]["ids"][0] for name in names if name}
            if names[0]:
                writer.add_bos_token_id(ids[names[0]])
            if names[-1] and ends == "eos":
                writer.add_eos_token_id(ids[names[-1]])
            elif names[-1]:
                writer.add_sep_token_id(ids[names[-1]])
            if ends == "eos":
                writer.add_add_bos_token(names[0] is not None)
                writer.add_add_eos_token(names[-1] is not None)
    for token in document["added_tokens"]:
        if token["content"] in ("<mask>", "[MASK]"):
            writer.add_mask_token_id(token["id"])


def write_byte_level(writer: GGUFWriter, document: dict[str, Any], pre: str) -> None:
    pieces = pieces_by_id(document)
    add_pieces(writer, "gpt2", pieces, special_kinds(document, len(pieces)))
    writer.add_tokenizer_pre(pre)
    merges = document["model"]["merges"]
    writer.add_token_merges([merge if isinstance(merge, str) else " ".join(merge) for merge in merges])
    add_specials(writer, document)


def write_bert(writer: GGUFWriter, document: dict[str, Any]) -> None:
    pieces = pieces_by_id(document)
    kinds = special_kinds(document, len(pieces))
    for i, piece in enumerate(pieces):
        if kinds[i] != TokenType.CONTROL:
            pieces[i] = piece[2:] if piece.startswith("##") else "\u2581" + piece
    add_pieces(writer, "bert", pieces, kinds)
    add_specials(writer, document, "sep")
    writer.add_unk_token_id(document["model"]["vocab"][document["model"]["unk_token"]])


def charsmap_of(part: Any) -> bytes | None:
    if not isinstance(part, dict):
        return None
    if part["type"] == "Precompiled":
        return base64.b64decode(part["precompiled_charsmap"])
    return next(filter(None, map(charsmap_of, part.get("normalizers", []))), None)


def write_unigram(writer: GGUFWriter, document: dict[str, Any]) -> None:
    vocabulary = document["model"]["vocab"]
    kinds = special_kinds(document, len(vocabulary))
    kinds[document["model"]["unk_id"]] = TokenType.UNKNOWN
    add_pieces(writer, "t5", [piece for piece, _ in vocabulary], kinds)
    writer.add_token_scores([score for _, score in vocabulary])
    writer.add_unk_token_id(document["model"]["unk_id"])
    add_specials(writer, document)
    writer.add_add_space_prefix(True)
    writer.add_remove_extra_whitespaces("WhitespaceSplit" in json.dumps(document["pre_tokenizer"]))
    charsmap = charsmap_of(document["normalizer"])
    if charsmap:
        writer.add_precompiled_charsmap(charsmap)


def write_llama(writer: GGUFWriter, document: dict[str, Any]) -> None:
    """The scores are not in a tokenizer.json. In the models' own files the score of the i-th piece behind the bytes is
    -i, and runs of spaces, which were added later, have -1e9."""
    pieces = pieces_by_id(document)
    kinds = special_kinds(document, len(pieces))
    kinds[0] = TokenType.UNKNOWN
    kinds[3:259] = [TokenType.BYTE] * 256
    scores = [0.0] * 259 + [259.0 - i for i in range(259, len(pieces))]
    for i, piece in enumerate(pieces):
        if len(piece) > 1 and set(piece) == {"\u2581"}:
            scores[i] = -1e9
        if i >= 259 and kinds[i] != TokenType.NORMAL:
            scores[i] = -1000.0
    add_pieces(writer, "llama", pieces, kinds)
    writer.add_token_scores(scores)
    add_specials(writer, document)


def write_processor(writer: GGUFWriter, model: str, processor: Any, prefix: bool) -> None:
    """A SentencePiece model: its pieces, in the spelling of the converter."""
    pieces, kinds, scores = [], [], []
    checks = {
        TokenType.UNKNOWN: processor.IsUnknown,
        TokenType.CONTROL: processor.IsControl,
        TokenType.UNUSED: processor.IsUnused,
        TokenType.BYTE: processor.IsByte,
    }
    for i in range(processor.GetPieceSize()):
        kind = next((kind for kind, check in checks.items() if check(i)), TokenType.NORMAL)
        piece = processor.IdToPiece(i)
        if kind == TokenType.NORMAL and piece in DEFINED:
            kind, piece = TokenType.USER_DEFINED, piece.replace("\u2581", " ")
        pieces.append(piece)
        kinds.append(kind)
        scores.append(processor.GetScore(i))
    add_pieces(writer, model, pieces, kinds)
    writer.add_token_scores(scores)
    writer.add_bos_token_id(processor.bos_id())
    writer.add_eos_token_id(processor.eos_id())
    writer.add_unk_token_id(processor.unk_id())
    writer.add_add_space_prefix(prefix)


# ---- small tokenizers ----

TEXTS = [
    "", " ", "  ", "The cat sat on the mat.", "I'm sure they'll say it's WE'VE", "Hello,   world!\n\n\tNew  line  ",
    "na\u00efve caf\u00e9 \u00c9COLE", "price: 1234567.89 \u20ac, 50%", "\u4f60\u597d\uff0c\u4e16\u754c", "\U0001f600!",
    "def f(x):\n    return x // 2", "a<s>b</s> <unk>", "<|endoftext|>x <mask> y", "the [MASK] of [CLS] it", "\u2581a",
    "   three", "x\u00a0y", "\ufb01ne \uff21\uff22", "The of and to in that for with as was on",
]
DEFINED = ["\u2581\u2581", "\u2581\u2581\u2581", "\n\n", "<b>"]
BYTE_LEVEL = {"gpt2": "gpt-2", "roberta-base": "roberta-bpe", "llama3": "llama-bpe", "qwen2.5": "qwen2"}


def trained(kind: str, **options: Any) -> Any:
    """A SentencePiece model of a text that is kept here."""
    with open("tests/golden/split_texts.jsonl", encoding="utf-8") as file:
        texts = [json.loads(line)["text"] for line in file if '"text"' in line]
    out = io.BytesIO()
    sentencepiece.SentencePieceTrainer.Train(
        sentence_iterator=(line for text in texts for line in text.split("\n")), model_writer=out, model_type=kind,
        max_sentence_length=20000, character_coverage=0.98, num_threads=1, minloglevel=2, **options,
    )
    return sentencepiece.SentencePieceProcessor(model_proto=out.getvalue()), out.getvalue()


def document_line(name: str, document: dict[str, Any]) -> Iterable[dict[str, Any]]:
    tokenizer = Tokenizer.from_str(json.dumps(document))
    for text in TEXTS:
        plain = tokenizer.encode(text, add_special_tokens=False).ids
        yield {"file": name, "text": text, "ids": plain, "special": tokenizer.encode(text).ids}


def processor_line(name: str, processor: Any, begin: bool, end: bool) -> Iterable[dict[str, Any]]:
    for text in TEXTS:
        if re.search("<s>|</s>|<unk>|\u2581", text):
            continue  # sentencepiece reads no control tokens in a text
        ids = processor.EncodeAsIds(text)
        special = [processor.bos_id()] * begin + ids + [processor.eos_id()] * end
        yield {"file": name, "text": text, "ids": ids, "special": special}


def charsmap_in(proto: bytes) -> bytes:
    """ModelProto.normalizer_spec (3) .precompiled_charsmap (2), of protocol buffers."""

    def fields(data: bytes) -> Iterable[tuple[int, bytes]]:
        at = 0

        def number() -> int:
            nonlocal at
            value = shift = 0
            while True:
                byte = data[at]
                at += 1
                value |= (byte & 127) << shift
                shift += 7
                if byte < 128:
                    return value

        while at < len(data):
            tag = number()
            if tag & 7 == 2:
                size = number()
                yield tag >> 3, data[at : at + size]
                at += size
            elif tag & 7 == 5:
                at += 4
            else:
                number()

    spec = next(value for tag, value in fields(proto) if tag == 3)
    return next(value for tag, value in fields(spec) if tag == 2)


def write_small() -> None:
    lines: list[dict[str, Any]] = []
    for name, pre in BYTE_LEVEL.items():
        document = json.loads((SMALL / f"{name}.json").read_text(encoding="utf-8"))
        writer = GGUFWriter(GOLDEN / f"{name}.gguf", "llama")
        write_byte_level(writer, document, pre)
        close(writer)
        lines += document_line(name, document)
    for name, write in (("bert-base-uncased", write_bert), ("xlm-roberta-base", write_unigram)):
        document = json.loads((SMALL / f"{name}.json").read_text(encoding="utf-8"))
        writer = GGUFWriter(GOLDEN / f"{name}.gguf", "bert")
        write(writer, document)
        close(writer)
        lines += document_line(name, document)
    options = {"byte_fallback": True, "normalization_rule_name": "identity", "remove_extra_whitespaces": False}
    for name, prefix, more in (
        ("llama", True, {"vocab_size": 460}),
        ("gemma", False, {"vocab_size": 440, "user_defined_symbols": DEFINED}),
    ):
        processor, _ = trained("bpe", add_dummy_prefix=prefix, **options, **more)
        writer = GGUFWriter(GOLDEN / f"{name}.gguf", name)
        write_processor(writer, "llama", processor, prefix)
        close(writer)
        lines += processor_line(name, processor, True, False)
    rules = GOLDEN / "rules.tsv"
    rules.write_text("".join(f"{a}\t{b}\n" for a, b in (("FB01", "66 69"), ("A0", "20"), ("9", "20"), ("A", "20"))))
    processor, proto = trained("unigram", vocab_size=200, normalization_rule_tsv=str(rules))
    rules.unlink()
    writer = GGUFWriter(GOLDEN / "t5.gguf", "t5")
    write_processor(writer, "t5", processor, True)
    writer.add_remove_extra_whitespaces(True)
    writer.add_precompiled_charsmap(charsmap_in(proto))
    close(writer)
    write_seeds(charsmap_in(proto))
    lines += processor_line("t5", processor, False, True)
    with open(GOLDEN / "expected.jsonl", "w", encoding="utf-8") as out:
        out.writelines(json.dumps(line, ensure_ascii=False, separators=(",", ":")) + "\n" for line in lines)


# ---- where the fuzz target begins ----


def write_seeds(charsmap: bytes) -> None:
    SEEDS.mkdir(parents=True, exist_ok=True)
    writer = GGUFWriter(SEEDS / "types", "llama")
    chance = np.random.default_rng(2)
    for kind in SCALES:
        writer.add_tensor(kind.name, random_blocks(kind, 1, chance, False), raw_dtype=kind)
    close(writer)
    kinds = [TokenType.UNKNOWN, TokenType.CONTROL, TokenType.CONTROL, TokenType.USER_DEFINED, *[TokenType.NORMAL] * 7]
    for model, pre in (("gpt2", "llama-bpe"), ("gpt2", "deepseek-v3"), ("llama", ""), ("t5", ""), ("bert", "")):
        pieces = ["<unk>", "<s>", "</s>", "  ", *"ab", "\u2581", "ab", "\u2581a", "\u2581ab", "\u0120"]
        writer = GGUFWriter(SEEDS / (pre or model), model)
        add_pieces(writer, model, pieces, kinds)
        writer.add_bos_token_id(1)
        writer.add_sep_token_id(2)
        writer.add_unk_token_id(0)
        writer.add_add_eos_token(True)
        if model == "gpt2":
            writer.add_tokenizer_pre(pre)
            writer.add_token_merges(["a b"])
        else:
            writer.add_token_scores([-float(i) for i in range(len(pieces))])
        if model == "t5":
            writer.add_remove_extra_whitespaces(True)
            writer.add_precompiled_charsmap(charsmap)
        if model == "llama":
            writer.add_add_space_prefix(False)
        close(writer)
    writer = GGUFWriter(SEEDS / "verbatim", "llama")
    writer.add_string("tokenizer.huggingface.json", '{"model":{"type":"WordLevel","vocab":{"a":0},"unk_token":"a"}}')
    close(writer)


# ---- real tokenizers ----

REAL: dict[str, Any] = {
    "gpt2": lambda writer, document: write_byte_level(writer, document, "gpt-2"),
    "roberta-base": lambda writer, document: write_byte_level(writer, document, "roberta-bpe"),
    "llama3": lambda writer, document: write_byte_level(writer, document, "llama-bpe"),
    "qwen2.5": lambda writer, document: write_byte_level(writer, document, "qwen2"),
    "l2_supercat": write_llama,
    "phi-3": write_llama,
    "mistral-v1": write_llama,
    "t5-small": write_unigram,
    "xlm-roberta-base": write_unigram,
    "bert-base-uncased": write_bert,
    "bert-base-multilingual-cased": write_bert,
    "all-MiniLM-L6-v2": write_bert,
}


def rows_of(path: pathlib.Path, key: str, most: int) -> list[str]:
    with gzip.open(path, "rt", encoding="utf-8") as file:
        return [json.loads(line)[key] for line, _ in zip(file, range(most), strict=False)]


def check_parity(program: str) -> bool:
    """Each tokenizer into a GGUF, that through the program into a tokenizer.json, and its ids against the original's."""
    texts = sorted(set(rows_of(SHARED / "vectors.jsonl.gz", "text", 1 << 20)))
    for name, most in (("ag_news", 2000), ("newsgroups", 1000), ("zhwiki", 3000)):
        texts += rows_of(SHARED.parent / "speed" / f"{name}.jsonl.gz", "text", most)
    good = True
    for name, write in REAL.items():
        document = json.loads(gzip.decompress((SHARED / f"{name}.json.gz").read_bytes()))
        document["truncation"] = document["padding"] = None
        if isinstance(document["model"]["vocab"], list):  # a GGUF has scores as F32
            document["model"]["vocab"] = [[piece, float(np.float32(score))] for piece, score in document["model"]["vocab"]]
        original = Tokenizer.from_str(json.dumps(document))
        with tempfile.TemporaryDirectory() as folder:
            writer = GGUFWriter(f"{folder}/model.gguf", "llama")
            write(writer, document)
            writer.add_tensor("token_embd.weight", np.zeros((original.get_vocab_size(), 32), np.float16))
            close(writer)
            command = [program, "extract", f"{folder}/model.gguf", f"{folder}/out.safetensors"]
            subprocess.run(command, check=True, capture_output=True)
            ours = Tokenizer.from_file(f"{folder}/tokenizer.json")
        wrong = 0
        for special in (False, True):
            expected = original.encode_batch(texts, add_special_tokens=special)
            found = ours.encode_batch(texts, add_special_tokens=special)
            wrong += sum(a.ids != b.ids for a, b in zip(expected, found, strict=True))
        print(f"{name}: {len(texts)} texts, {wrong} differ", flush=True)
        good = good and not wrong
    return good


def main() -> int:
    parser = argparse.ArgumentParser()
    parser.add_argument("--all", metavar="FOLDER", type=pathlib.Path)
    parser.add_argument("--parity", metavar="PROGRAM")
    arguments = parser.parse_args()
    for package, version in VERSIONS.items():
        assert importlib.metadata.version(package) == version, f"the oracle is {package} {version}"
    if arguments.parity:
        return 0 if check_parity(arguments.parity) else 1
    if arguments.all:
        write_all(arguments.all)
        return 0
    GOLDEN.mkdir(parents=True, exist_ok=True)
    write_types()
    write_split()
    write_small()
    return 0


if __name__ == "__main__":
    sys.exit(main())
