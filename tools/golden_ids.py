#!/usr/bin/env python3
"""Writes the golden data of tests/test_text.c and tests/test_text_golden.c by asking the oracle.

    pip install tokenizers==0.23.3
    python3 tools/golden_ids.py        (from the root of the repository; a few minutes)

tests/golden/ids_pieces.json          what the random texts are made of (see random_texts)
tests/golden/tokenizers/*.json        tiny tokenizers of every supported part
tests/golden/tokenizers/expected.jsonl  their ids and offsets for texts chosen to hurt
tests/golden/ids.txt                  digests for real tokenizers and texts of ../shared/data; kept as it is where that
                                      folder is absent
"""

import gzip
import json
import pathlib
import sys
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

import tokenizers
from tokenizers import Tokenizer

VERSION = "0.23.3"
COMMAND = "python3 tools/golden_ids.py"
GOLDEN = pathlib.Path("tests/golden")
SHARED = pathlib.Path("../shared/data")
# Texts that are also encoded with special tokens and offsets, and all that a sanitized build or the general way does.
HEAD = {"ag_news": 1000, "newsgroups": 200, "zhwiki": 2000, "eval": 1000, "random": 3000}
RANDOM = 20000
SEED = 20261123
MASK = (1 << 64) - 1

REAL = {
    **{
        name: f"tokenizers/{name}.json.gz"
        for name in (
            *("l2_supercat", "phi-3", "mistral-v1"),
            *("bert-base-uncased", "bert-base-multilingual-cased", "all-MiniLM-L6-v2"),
            *("gpt2", "roberta-base", "cl100k_base", "llama3", "qwen2.5"),
            *("t5-small", "camembert", "xlm-roberta-base", "deberta-v3", "albert-base-v2"),
        )
    },
    "potion-base-4M-int8": "models/potion-base-4M-int8/tokenizer.json",
    "vocab-quantized": "models/model2vec-fixtures/test-model-vocab-quantized/tokenizer.json",
}
FILES = ("ag_news", "newsgroups", "zhwiki")
# The texts of ../shared/data/eval, in this order, as tests/test_text_golden.c reads them: each line's string members
# of these names, in the order in which they stand there.
EVAL = (
    *("classification/amazon-counterfactual-en-test", "classification/amazon-counterfactual-en-train"),
    *("classification/banking77-test", "classification/banking77-train"),
    *("classification/emotion-test", "classification/emotion-train"),
    *("clustering/biomedical", "clustering/stackoverflow", "pair/twitter-url"),
    *("retrieval/scifact/corpus", "retrieval/scifact/queries"),
    *("sts/sts12", "sts/sts14", "sts/sts16", "sts/stsb-dev", "sts/stsb-test", "sts/stsb-train"),
    *("triplet/snli-test", "wordsim/simlex999", "wordsim/ws353"),
)
FIELDS = ("text", "text1", "text2", "title", "anchor", "positive", "negative")

PIECES = [
    *("hello", "The", "the", "cat", "dogs", "running", "unbelievable", "Machine", "learning", "ing", "don't", "café"),
    *("\ufb01", "Straße", "naïve", "\ufb00x", "\u212b", "\u2163", "\u0130", "\u017f", "Σς", "ΑΣ", "\u01c5", "\u1e9e"),
    *("\u2581", "\u2581\u2581a", "a\u2581", "\u2581 ", " \u2581", "##", "##ing", "<0x41>", "<0xE2>", "<", "[", "#"),
    *(" ", " ", " ", "  ", "   ", "\t", "\n", "\r\n", "\x00", "\x01", "\x1f", "\x7f", "\x85", "\u00a0", "\u00ad"),
    *("\u2028", "\u3000", "\ufffd", "\u200b", "\u200d", "\u200e", "\ufeff", "\u180e", "\ue000", "\U000e0041", "\u0378"),
    *("\U0001f468\u200d\U0001f469\u200d\U0001f467", "\U0001f44b\U0001f3fd", "\U0001f1e9\U0001f1ea", "☃\ufe0f"),
    *("한국어", "\u1112\u1161\u11ab", "각", "\u1100\u1161", "漢字", "\U00020000", "龍", "\uf900", "\u3400", "ひらがな"),
    *("ก็", "น้ำ", "العربية", "مُحَمَّد", "עִבְרִית", "हिन्दी", "\U0001d15e", "\U00010400", "\U0001e900", "\U0010ffff"),
    *("!", "...", "123", "$5", "+", "~", "`", "^", "=", "¡", "。", "、", "“x”", "—", "'s", "a.b", "https://a.org/?b=c"),
    *("e\u0301", "a\u0323\u0302", "\u1ed9", "\u0f71\u0f72", "x" * 101, "é" * 99, "0" * 17, "abcdefghijklmno"),
    *("'ll", "'RE", "'\u017f", "\u2019s", "'D", "I'm", "WE'VE", "$1,234.56", "3.14e-10", "\u0663\u0664", "\u2460", "\u00bd"),
    *("    return x;\n", "\t\tif (a != b) {\n", "def f(self):\n", "/* ", " */", "->", "!=", "::", "\n\n\n", "\n  \n", " \n"),
    *("camelCaseWord", "HTTPServer", "snake_case_name", "x86_64", "ABC", "aBC", "\u01c5a", "\u00aa", "\u02b0", "\u2075"),
]
TOKENS = [
    *("<s>", "</s>", "<unk>", "<pad>", "<mask>", "[CLS]", "[SEP]", "[MASK]", "[PAD]", "[UNK]", "<s>NOTUSED", "[cls]"),
    *("<|endoftext|>", "<|end|>", "<|user|>", "<|assistant|>", "<|system|>", "<|placeholder1|>", "<|fim_prefix|>"),
    *("<|fim_middle|>", "<|endofprompt|>", "<|begin_of_text|>", "<|end_of_text|>", "<|start_header_id|>", "<|eot_id|>"),
    *("<|reserved_special_token_0|>", "<|reserved_special_token_10|>", "<|im_start|>", "<|im_end|>", "<tool_call>"),
    *("<extra_id_0>", "<extra_id_1>", "<extra_id_10>", "<extra_id_99>", "<extra_id_", "<|", "|>", "<|im_", "[MAS", "</s"),
]
# Where kind 16 and 18 take their characters from: first and last of each range.
RANGES = [
    *((0x00, 0x1F), (0x20, 0x7E), (0x30, 0x39), (0x41, 0x5A), (0x61, 0x7A), (0x7F, 0xA0), (0xA0, 0xFF), (0x100, 0x24F)),
    *((0x250, 0x2FF), (0x300, 0x36F), (0x370, 0x3FF), (0x400, 0x52F), (0x531, 0x58A), (0x591, 0x5F4), (0x600, 0x6FF)),
    *((0x700, 0x74F), (0x8A0, 0x8FF), (0x900, 0x97F), (0x980, 0x9FF), (0xB80, 0xBFF), (0xC00, 0xD7F), (0xE00, 0xE5B)),
    *((0xE80, 0xEDF), (0xF00, 0xFBC), (0x1000, 0x109F), (0x10A0, 0x10FF), (0x1100, 0x11FF), (0x1200, 0x137F)),
    *((0x1780, 0x17F9), (0x1800, 0x18AA), (0x1AB0, 0x1AFF), (0x1C80, 0x1CBF), (0x1DC0, 0x1DFF), (0x1E00, 0x1EFF)),
    *((0x1F00, 0x1FFF), (0x2000, 0x206F), (0x2070, 0x20CF), (0x20D0, 0x20F0), (0x2100, 0x218F), (0x2190, 0x23FF)),
    *((0x2460, 0x24FF), (0x2500, 0x27BF), (0x2E80, 0x2FDF), (0x3000, 0x303F), (0x3040, 0x30FF), (0x3100, 0x32FF)),
    *((0x3300, 0x33FF), (0x4E00, 0x9FFF), (0x4E00, 0x4FFF), (0xA000, 0xA4CF), (0xA640, 0xA7FF), (0xA960, 0xA97C)),
    *((0xAC00, 0xD7A3), (0xAC00, 0xADFF), (0xD7B0, 0xD7FB), (0xE000, 0xE0FF), (0xF900, 0xFAFF), (0xFB00, 0xFDFF)),
    *((0xFE00, 0xFE4F), (0xFE50, 0xFEFF), (0xFF00, 0xFFEF), (0xFFF0, 0xFFFF), (0x10000, 0x1013F), (0x10400, 0x1044F)),
    *((0x10A00, 0x10A60), (0x11000, 0x1107F), (0x11100, 0x1114F), (0x13000, 0x1345F), (0x16FE0, 0x16FFF)),
    *((0x1D100, 0x1D24F), (0x1D400, 0x1D7FF), (0x1E900, 0x1E95F), (0x1EE00, 0x1EEF1), (0x1F100, 0x1F2FF)),
    *((0x1F1E6, 0x1F1FF), (0x1F300, 0x1F6FF), (0x1F3FB, 0x1F3FF), (0x1F900, 0x1FAFF), (0x1FBF0, 0x1FBF9)),
    *((0x20000, 0x2A6DF), (0x2F800, 0x2FA1D), (0x30000, 0x3134F), (0xE0000, 0xE01EF), (0x10FF00, 0x10FFFF)),
]
# What kind 17 joins by U+200D or by nothing: emoji, their modifiers, what Brahmic scripts join.
JOINED = [
    *("\U0001f468", "\U0001f469", "\U0001f467", "\u2764\ufe0f", "\U0001f3f3\ufe0f", "\U0001f308", "\U0001f3fb", "\U0001f3ff"),
    *("\U0001f1e9", "\U0001f1ea", "1\ufe0f\u20e3", "\U0001f3f4\U000e0067\U000e0062\U000e007f", "\u0915\u094d", "\u0937"),
    *("\u0644\u0627", "\u0dc1\u0dca", "a", "\u1112\u1161\u11ab"),
]
LINES = ["\n", "\r", "\r\n", "\t", " ", "\u0085", "\u2028", "\v", "\f"]
MARKS = "".join(
    map(
        chr,
        (
            *(0x5B0, 0x5B4, 0x5BC, 0xE38, 0xE48, 0xF71, 0xF72, 0xF73, 0xF75, 0x1D165, 0x1D16D, 0x302E, 0x344, 0x340),
            *(0x3099, 0x93C, 0x334, 0x301, 0x323, 0x327, 0x345, 0x308, 0xE9, 0x1ED9, 0x212B, 0x1D1BC, 0x20D0),
        ),
    )
)

NASTY = [
    "",
    " ",
    "   ",
    "\t\r\n",
    "\x00",
    "a\x00b \x01\x1f\x7f\x85\u00ad\u200b\ufeff\ufffd c",
    "hello world",
    " hello",
    "hello ",
    "  the  cats   hello\n\nworld ",
    "Hello, World! HELLO.",
    "the cat's hello...world",
    "thecathelloworld",
    "unhello theing cating",
    "\u2581hello \u2581 \u2581\u2581the\u2581cat",
    "##ing the ##cat #",
    "<0x41><0xE2> <0x0A>",
    "naïve café NAÏVE CAFÉ",
    "cafe\u0301 a\u0323\u0302 \u1ed9 e\u0302\u0323",
    "x\u0f73\u0f71\u0f74 \U0001d165\u0301\U0001d15e a\u0344\u0340\u0345",
    "한국어 \u1112\u1161\u11ab 각",
    "漢字と\U00020000\uf900 cat龍cat",
    "\U0001f468\u200d\U0001f469\u200d\U0001f467 \U0001f44b\U0001f3fd\U0001f1e9\U0001f1ea",
    "ก็น้ำ مُحَمَّد עִבְרִית हिन्दी",
    "\u0130I\u017fß\u1e9eΣς ΑΣ \u01c5 \u212b \ufb01",
    "\u00a0the\u3000cat\u2028hello\u2003world",
    "hello<s>world</s><unk> <s> the",
    "[CLS]hello[SEP][MASK] the[UNK] [cls]",
    "the<L>cat  <L>  hello  <R>  cat<R>the <B> a",
    "<L> <R> \t<B>\n<L>",
    "hi hithere thi hi, hi_ _hi \u00e9hi hi\u0301 (hi) 1hi",
    "YES yes Yés yes! y\u00e8s NO no",
    "<no> <no>the <NO>",
    "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa",
    "hellohellohellohellohellohellohellohello hellohellohello",
    "                                 the",
    "zzzqqq zq \u0436\u0436\u0436 the\u0436cat",
    "a\u0301\u0301\u0301\u0301\u0301\u0301\u0301\u0301\u0301\u0301\u0301\u0301\u0301\u0301\u0301\u0301b",
    "e r the!?,.;:-_(){}[]$+<=>^`|~",
    "\ue000\U000e0041\u0378\U0010ffff\ufdd0 the",
    "1 22 333 hello 4.5",
]


# ---- the random texts, the same here and in tests/texts.h


class SplitMix:
    """splitmix64 (Vigna 2015, public domain): the whole state is one 64-bit counter."""

    def __init__(self, seed: int) -> None:
        self.state = seed & MASK

    def below(self, limit: int) -> int:
        self.state = (self.state + 0x9E3779B97F4A7C15) & MASK
        z = self.state
        z = ((z ^ (z >> 30)) * 0xBF58476D1CE4E5B9) & MASK
        z = ((z ^ (z >> 27)) * 0x94D049BB133111EB) & MASK
        return (z ^ (z >> 31)) % limit


def random_point(random: SplitMix) -> str:
    first, last = RANGES[random.below(len(RANGES))]
    return chr(first + random.below(last - first + 1))


def random_text(random: SplitMix) -> str:
    """0 to 12 parts, each of a kind below(24); keep in step with texts_random_next in tests/texts.h."""

    def one(pieces: Sequence[str]) -> str:
        return pieces[random.below(len(pieces))]

    parts = []
    for _ in range(random.below(13)):
        kind = random.below(24)
        if kind < 8:
            part = one(PIECES)
        elif kind == 8:
            piece = one(PIECES)
            part = piece * (1 + random.below(40))
        elif kind == 9:
            part = " " + one(PIECES)
        elif kind < 13:
            point = random.below((0x110000, 0x3100, 0x80)[kind - 10])
            part = "" if 0xD800 <= point < 0xE000 else chr(point)
        elif kind == 13:
            part = "".join(chr(0x300 + random.below(0x70)) for _ in range(1 + random.below(5)))
        elif kind == 14:
            part = "".join(one(MARKS) for _ in range(1 + random.below(6)))
        elif kind == 15:
            part = "".join(random_point(random) for _ in range(1 + random.below(8)))
        elif kind == 16:
            first, last = RANGES[random.below(len(RANGES))]
            part = "".join(chr(first + random.below(last - first + 1)) for _ in range(1 + random.below(12)))
        elif kind == 17:
            part = "".join(one(JOINED) + ("\u200d" if random.below(2) else "") for _ in range(1 + random.below(5)))
        elif kind == 18:
            point_of_run = random_point(random)
            part = point_of_run * (1 + random.below(200))
        elif kind == 19:
            part = "".join(one(LINES) for _ in range(1 + random.below(5)))
        elif kind == 20:
            part = one(TOKENS)
        elif kind == 21:
            part = "".join(chr(0x30 + random.below(10)) for _ in range(1 + random.below(9)))
        elif kind == 22:
            part = "".join(chr(0x61 + random.below(26)) for _ in range(1 + random.below(10)))
        else:
            part = " " + "".join(chr(0x41 + random.below(26) + 32 * random.below(2)) for _ in range(1 + random.below(8)))
        parts.append(part)
    return "".join(parts)


def random_texts(count: int) -> list[str]:
    random = SplitMix(SEED)
    return [random_text(random) for _ in range(count)]


# ---- digests


class Digest:
    """FNV-1a with 32-bit words in the place of bytes."""

    def __init__(self) -> None:
        self.value = 0xCBF29CE484222325

    def add(self, words: Iterable[int]) -> None:
        value = self.value
        for word in words:
            value = ((value ^ word) * 0x100000001B3) & MASK
        self.value = value

    def __str__(self) -> str:
        return f"{self.value:016x}"


def batches(texts: list[str]) -> Iterator[list[str]]:
    for i in range(0, len(texts), 1000):
        yield texts[i : i + 1000]


def line_of(tokenizer: Tokenizer, name: str, file: str, texts: list[str], head: int) -> str:
    ids, special, offsets = Digest(), Digest(), Digest()
    count = head_count = at = 0
    head_digest = ""
    for batch in batches(texts):
        for encoding in tokenizer.encode_batch_fast(batch, add_special_tokens=False):
            ids.add([len(encoding.ids), *encoding.ids])
            count += len(encoding.ids)
            at += 1
            if at == head:
                head_count, head_digest = count, str(ids)
    for batch in batches(texts[:head]):
        for encoding in tokenizer.encode_batch(batch, add_special_tokens=True):
            special.add([len(encoding.ids), *encoding.ids])
            offsets.add([len(encoding.ids), *(place for pair in encoding.offsets for place in pair)])
    return f"{name} {file} {len(texts)} {count} {ids} {head} {head_count} {head_digest} {special} {offsets}"


def strings(path: pathlib.Path, fields: Sequence[str]) -> list[str]:
    texts = []
    with gzip.open(path, "rt", encoding="utf8", newline="\n") as lines:
        for line in lines:
            texts += [value for key, value in json.loads(line).items() if key in fields]
    return texts


def corpora() -> dict[str, list[str]]:
    texts = {file: strings(SHARED / f"speed/{file}.jsonl.gz", ("text",)) for file in FILES}
    texts["eval"] = [text for file in EVAL for text in strings(SHARED / f"eval/{file}.jsonl.gz", FIELDS)]
    return texts


def open_real(name: str) -> Tokenizer:
    raw = (SHARED / REAL[name]).read_bytes()
    tokenizer = Tokenizer.from_str((gzip.decompress(raw) if raw[:2] == b"\x1f\x8b" else raw).decode())
    tokenizer.no_padding()
    tokenizer.no_truncation()
    return tokenizer


HEADER = f"""# tokenizers {VERSION}: {COMMAND}
# tokenizer, file, texts, ids, digest of the ids; the first texts, their ids, digest of the ids,
# of the ids with special tokens, of the offsets in characters with special tokens. A digest is
# FNV-1a with 32-bit words in the place of bytes, over each text's number of tokens, then its
# values.
# random: the first {RANDOM} texts of seed {SEED} (tests/texts.h); eval: see EVAL there"""


def write_real() -> None:
    texts = corpora() | {"random": random_texts(RANDOM)}
    with open(GOLDEN / "ids.txt", "w", encoding="utf8") as out:
        print(HEADER, file=out)
        for name in REAL:
            tokenizer = open_real(name)
            for file, head in HEAD.items():
                print(line_of(tokenizer, name, file, texts[file], head), file=out, flush=True)


# ---- the tiny tokenizers


def token(content: str, **flags: bool) -> dict[str, Any]:
    base = dict.fromkeys(("single_word", "lstrip", "rstrip", "normalized", "special"), False)
    return {"id": 0, "content": content, **base, **flags}


MARKED = "\u2581"
STRIPPING = [token("<L>", lstrip=True), token("<R>", rstrip=True), token("<B>", lstrip=True, rstrip=True)]
WORDS = [token("hi", single_word=True), token("Yés", normalized=True), token("<no>", normalized=True, rstrip=True)]


def bpe(words: str, bytes_: int, single: bool = False, extra: str = "", **members: Any) -> dict[str, Any]:
    """A BPE model: every word is merged from the left, every second one from the right too."""
    pieces = ["<unk>", "<s>", "</s>"] + [f"<0x{i:02X}>" for i in range(bytes_)]
    pieces += [c for c in MARKED + "abcdefghilnortuwHW!.',\u00e9漢\u0301<>/_x0" + extra if c not in pieces]
    merges = []
    for i, word in enumerate(words.split()):
        cuts = [(word[:k], word[k]) for k in range(1, len(word))]
        if i % 2:
            cuts = [(word[k], word[k + 1 :]) for k in range(len(word) - 2, -1, -1)]
        for left, right in cuts:
            pieces += [piece for piece in (left, right, left + right) if piece not in pieces]
            if (left, right) not in merges:
                merges.append((left, right))
    pairs: list[Any] = [list(pair) for pair in merges]
    lines = ["#version: 0.2", *(f"{a} {b}" for a, b in merges)] if single else pairs
    return {"type": "BPE", **members, "vocab": {piece: i for i, piece in enumerate(pieces)}, "merges": lines}


def wordpiece(**members: Any) -> dict[str, Any]:
    pieces = "[PAD] [UNK] [CLS] [SEP] [MASK] the cat hello world un ##hello ##ing ##s ##cat ##the hi yes no Hello HELLO"
    pieces += " World a ##a ##aaa e ##e cafe café CAFÉ naive naïve 漢 字 龍 ##字 # ! . , ' < > ( ) [ ] $ x ##\u0301 ss"
    pieces += " i ##i ##\u0307 \u0130 σ ##σ ##ς 1 2 ##2 ##22 h ##he ##ll ##o wor ##ld ᄒ ##ᅡ ##ᆫ 한 ##국 ##어 ก ##็"
    pieces += " \U0001f468 0"
    vocab = {piece: i for i, piece in enumerate(dict.fromkeys(pieces.split()))}
    model = {"unk_token": "[UNK]", "continuing_subword_prefix": "##", "max_input_chars_per_word": 24}
    return {"type": "WordPiece", **model, **members, "vocab": vocab}


def unigram(bytes_: bool, **members: Any) -> dict[str, Any]:
    pieces = [["<unk>", 0.0], ["<s>", 0.0], ["</s>", 0.0]]
    words = f"{MARKED} {MARKED}the {MARKED}cat {MARKED}hello he ll o hello world {MARKED}w or ld s"
    words += f" ing {MARKED}un a aa aaaa"
    for i, piece in enumerate(words.split()):
        pieces.append([piece, -1.123456789012345678 * (1 + i % 7) - i / 16])
    pieces += [[c, -6.0 - ord(c) % 5] for c in "bcdefghilnrtuw!.é漢字<>"] + [["th", -7.5], ["hat", -8.0]]
    pieces += [[f"<0x{i:02X}>", -10.0] for i in range(256)] if bytes_ else []
    return {"type": "Unigram", "unk_id": 0, **members, "vocab": pieces}


def bert(clean: bool, chinese: bool, accents: bool | None, lower: bool) -> dict[str, Any]:
    flags = {"clean_text": clean, "handle_chinese_chars": chinese, "strip_accents": accents, "lowercase": lower}
    return {"type": "BertNormalizer", **flags}


def template(*single: str, specials: dict[str, list[int]]) -> dict[str, Any]:
    def piece(name: str) -> dict[str, Any]:
        return {"Sequence" if name in "AB" else "SpecialToken": {"id": name, "type_id": 0}}

    known = {name: {"id": name, "ids": ids, "tokens": [name] * len(ids)} for name, ids in specials.items()}
    pieces = [piece(name) for name in single]
    return {"type": "TemplateProcessing", "single": pieces, "pair": [*pieces, piece("B")], "special_tokens": known}


def tokenizer_json(model: dict[str, Any], added: list[dict[str, Any]], **parts: Any) -> dict[str, Any]:
    ids = model["vocab"] if isinstance(model["vocab"], dict) else {p[0]: i for i, p in enumerate(model["vocab"])}
    fresh = len(ids)
    for item in added:
        item["id"] = ids.get(item["content"], fresh)
        fresh += item["content"] not in ids
    base = dict.fromkeys(("truncation", "padding", "normalizer", "pre_tokenizer", "post_processor", "decoder"))
    return {"version": "1.0", "added_tokens": added, **base, **parts, "model": model}


def sequence(**parts: list[dict[str, Any]]) -> dict[str, Any]:
    return {"type": "Sequence", **parts}


def tiny() -> dict[str, dict[str, Any]]:
    def special(*names: str) -> list[dict[str, Any]]:
        return [token(name, special=True) for name in names]

    def replace(pattern: str, content: str, kind: str = "String") -> dict[str, Any]:
        return {"type": "Replace", "pattern": {kind: pattern}, "content": content}

    def untyped(model: dict[str, Any]) -> dict[str, Any]:
        return {key: value for key, value in model.items() if key != "type"}

    def added(*more: dict[str, Any]) -> list[dict[str, Any]]:
        return [dict(item) for item in more]

    llama = sequence(normalizers=[{"type": "Prepend", "prepend": MARKED}, replace(" ", MARKED)])
    words = f"{MARKED}the {MARKED}hello {MARKED}{MARKED} {MARKED}cat ing world ell {MARKED}{MARKED}{MARKED}{MARKED}"
    words += f" aaaa {MARKED}{MARKED}the aa hello <0 e\u0301"
    known = special("<unk>", "<s>", "</s>")
    bert_known = special("[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]")
    truncation = {"direction": "Right", "max_length": 6, "strategy": "LongestFirst", "stride": 0}
    padding = {"strategy": {"Fixed": 8}, "direction": "Right", "pad_to_multiple_of": None, "pad_id": 2}
    padding |= {"pad_type_id": 0, "pad_token": "</s>"}
    template_s = template("<s>", "A", specials={"<s>": [1]})
    metaspace = {"type": "Metaspace", "replacement": MARKED, "prepend_scheme": "always", "split": True}
    spaced = [replace(mark, f" {mark} ") for mark in "!.'#"]
    spaced += [replace("\\s+", " ", "Regex"), {"type": "Strip", "strip_left": True, "strip_right": True}]
    return {
        "llama": tokenizer_json(
            bpe(words, 256, unk_token="<unk>", fuse_unk=True, byte_fallback=True, dropout=None, ignore_merges=False),
            added(*known, *STRIPPING, WORDS[0]),
            normalizer=llama,
            post_processor=template_s,
        ),
        # The same with added tokens that are matched in normalized text.
        "llama_general": tokenizer_json(
            bpe(words, 256, unk_token="<unk>", fuse_unk=True, byte_fallback=True),
            added(*known, *STRIPPING, *WORDS),
            normalizer=llama,
        ),
        # A piece crosses from a letter to a mark, so words cannot be cut; merges as lines; no type.
        "llama_cross": tokenizer_json(
            untyped(bpe(words + f" e{MARKED}c o{MARKED}", 256, single=True, unk_token="<unk>", byte_fallback=True)),
            added(*known),
            normalizer=llama,
            post_processor=template("<s>", "A", "</s>", specials={"<s>": [1], "</s>": [2, 0]}),
            truncation=truncation,
            padding=padding,
        ),
        "bpe_fuse": tokenizer_json(
            bpe(words, 0, unk_token="<unk>", fuse_unk=True),
            added(*known, *STRIPPING),
            normalizer=llama,
            post_processor={"type": "BertProcessing", "sep": ["</s>", 2], "cls": ["<s>", 1]},
        ),
        # Bytes 00 to 7F only: a character with other bytes is unknown.
        "bpe_apart": tokenizer_json(
            bpe(words, 128, unk_token="<unk>", fuse_unk=False, byte_fallback=True),
            added(*known, *WORDS),
            normalizer=replace(" ", MARKED),
            truncation=truncation | {"direction": "Left", "strategy": "OnlyFirst"},
            padding=padding | {"strategy": "BatchLongest", "direction": "Left", "pad_to_multiple_of": 4},
        ),
        # Fused unknowns pending over characters that fall to bytes.
        "bpe_pending": tokenizer_json(
            bpe(words, 128, unk_token="<unk>", fuse_unk=True, byte_fallback=True), added(*known), normalizer=llama
        ),
        "bpe_dropped": tokenizer_json(
            bpe(words, 0, unk_token=None), added(*STRIPPING), pre_tokenizer=metaspace | {"prepend_scheme": "never"}
        ),
        "bert_uncased": tokenizer_json(
            wordpiece(),
            added(*bert_known, *STRIPPING, WORDS[0]),
            normalizer=bert(True, True, None, True),
            pre_tokenizer={"type": "BertPreTokenizer"},
            post_processor={"type": "BertProcessing", "sep": ["[SEP]", 3], "cls": ["[CLS]", 2]},
            truncation=truncation,
            padding=padding | {"pad_id": 0, "pad_token": "[PAD]"},
        ),
        "bert_cased": tokenizer_json(
            untyped(wordpiece()),
            added(*bert_known, WORDS[0]),
            normalizer=bert(True, True, None, False),
            pre_tokenizer={"type": "BertPreTokenizer"},
            post_processor=template("[CLS]", "A", "[SEP]", specials={"[CLS]": [2], "[SEP]": [3]}),
        ),
        "bert_general": tokenizer_json(
            wordpiece(),
            added(*bert_known, *STRIPPING, *WORDS),
            normalizer=bert(True, True, None, True),
            pre_tokenizer={"type": "BertPreTokenizer"},
        ),
        "bert_accents": tokenizer_json(
            wordpiece(),
            added(*bert_known),
            normalizer=bert(False, False, True, False),
            pre_tokenizer={"type": "BertPreTokenizer"},
        ),
        "bert_lower": tokenizer_json(
            wordpiece(max_input_chars_per_word=5),
            added(*bert_known, *STRIPPING, WORDS[0]),
            normalizer=bert(True, False, False, True),
            pre_tokenizer=sequence(pretokenizers=[{"type": "BertPreTokenizer"}]),
        ),
        # As a model2vec model with a quantized vocabulary has it.
        "spaced": tokenizer_json(
            wordpiece(),
            added(*bert_known, *WORDS),
            normalizer=sequence(normalizers=[bert(True, True, None, True), *spaced]),
            pre_tokenizer=metaspace | {"replacement": "\u2192", "prepend_scheme": "first", "split": True},
        ),
        "unigram": tokenizer_json(
            unigram(True, byte_fallback=True),
            added(*known, *STRIPPING, *WORDS),
            pre_tokenizer=metaspace,
            post_processor=template_s,
        ),
        "unigram_first": tokenizer_json(
            untyped(unigram(False)),
            added(*known, *STRIPPING),
            normalizer=sequence(normalizers=spaced),
            pre_tokenizer=metaspace | {"prepend_scheme": "first", "split": False},
            truncation=truncation | {"max_length": 3},
            padding=padding | {"strategy": "BatchLongest", "pad_to_multiple_of": 5},
        ),
    }


def write_tiny() -> None:
    folder = GOLDEN / "tokenizers"
    folder.mkdir(parents=True, exist_ok=True)
    lines = [json.dumps({"oracle": f"tokenizers {VERSION}", "command": COMMAND})]
    for name, description in tiny().items():
        text = json.dumps(description, ensure_ascii=True, separators=(",", ":"))
        (folder / f"{name}.json").write_text(text + "\n", encoding="utf8")
        as_declared, plain = Tokenizer.from_str(text), Tokenizer.from_str(text)
        plain.no_padding()
        plain.no_truncation()
        declares = description["truncation"] is not None
        for nasty in NASTY:
            for tokenizer, special, cut in ((plain, False, False), (plain, True, False), (as_declared, True, True)):
                if (cut and not declares) or (special and not cut and not description["post_processor"]):
                    continue
                line: dict[str, Any] = {"file": name, "text": nasty, "special": special, "truncate": cut, "pad": cut}
                encoding = tokenizer.encode(nasty, add_special_tokens=special)
                line |= {"ids": encoding.ids, "offsets": [place for pair in encoding.offsets for place in pair]}
                lines.append(json.dumps(line, ensure_ascii=True, separators=(",", ":")))
    (folder / "expected.jsonl").write_text("\n".join(lines) + "\n", encoding="utf8")


def main() -> None:
    if tokenizers.__version__ != VERSION:
        sys.exit(f"needs tokenizers {VERSION}, this is {tokenizers.__version__}")
    pieces: dict[str, Any] = {"seed": SEED, "pieces": PIECES, "marks": list(MARKS), "tokens": TOKENS}
    pieces |= {"joined": JOINED, "lines": LINES, "ranges": [point for pair in RANGES for point in pair]}
    GOLDEN.mkdir(parents=True, exist_ok=True)
    (GOLDEN / "ids_pieces.json").write_text(json.dumps(pieces, ensure_ascii=True) + "\n", encoding="utf8")
    write_tiny()
    if SHARED.is_dir():
        write_real()
    else:
        print(f"no {SHARED}: tests/golden/ids.txt is left as it is")


if __name__ == "__main__":
    main()
