#!/usr/bin/env python3
"""Writes tests/golden/parts/marks.jsonl: BPE with space marks and no pre-tokenizer that cuts at them."""

from golden_parts import line, tokenizer_json, write

MARK = "\u2581"
PAIRS = [(MARK, MARK), ("a", "b"), (MARK, "a"), (MARK * 2, MARK), (MARK, "ab"), ("b", "a"), ("\u4f60", "\u597d")]
CROSSING = [("<", "/"), (">", MARK), (">" + MARK, "</"), ("\u4f60", MARK)]
TEXTS = ["", " ", "a", " a", "ab ab", "ab  ab   ba", "ab\u00e9 a", "ab \u00e9 \u00e9\u00e9  a", "\u00e9 ", "\u00e9\u00e9 a",
         "<s>ab <s> ab", "ab<s>ab", "ab <s>", "a> </b> </a> <", "> > </ab", "\u4f60\u597d \u4f60 \u597d\u4f60\u597d\u4f60 ab",
         "abababababababababababab ab", "\u2581ab\u2581 \u2581ba", "  <s>  ab  ", "a\nab ba\tab ", "aXb", "aX b X X"]

REPLACE = {"type": "Replace", "pattern": {"String": " "}, "content": MARK}
PREPEND = {"type": "Prepend", "prepend": MARK}


def model(pairs, unknown, fallback):
    pieces = ["<unk>", "<s>", *(f"<0x{byte:02X}>" for byte in range(256) if fallback)]
    pieces += [MARK, *"ab<>/X\u4f60\u597d"]
    if not fallback:
        pieces.remove("X")
    pieces += [left + right for left, right in pairs]
    return {
        "type": "BPE",
        "vocab": {piece: i for i, piece in enumerate(dict.fromkeys(pieces))},
        "merges": [list(pair) for pair in pairs],
        "unk_token": "<unk>" if unknown else None,
        "fuse_unk": True,
        "byte_fallback": fallback,
    }


def metaspace(scheme, split):
    return {"type": "Metaspace", "replacement": MARK, "prepend_scheme": scheme, "split": split}


SPLIT = {"type": "Split", "pattern": {"String": " "}, "behavior": "MergedWithPrevious", "invert": False}
PARTS = [
    ({"type": "Sequence", "normalizers": [PREPEND, REPLACE]}, None),
    ({"type": "Sequence", "normalizers": [{"type": "Lowercase"}, REPLACE]}, None),
    (REPLACE, SPLIT),
    *((None, metaspace(scheme, split)) for scheme in ("first", "always", "never") for split in (False, True)),
    ({"type": "Strip", "strip_left": True, "strip_right": False}, metaspace("first", False)),
]
MODELS = [(PAIRS, True, True), (PAIRS, True, False), (PAIRS, False, False), (PAIRS + CROSSING, True, True)]

# What makes the tokens of a word depend on where it stands: a piece that no merge gives counts only as a whole text, a
# suffix only at its end.
WHOLE = model(PAIRS, True, True) | {"ignore_merges": True}
WHOLE["vocab"] |= {MARK + "</": len(WHOLE["vocab"]), "ab" + MARK: len(WHOLE["vocab"]) + 1}
ENDS = model(PAIRS, True, False) | {"end_of_word_suffix": "$"}
ENDS["vocab"] |= {"b$": len(ENDS["vocab"]), "a$": len(ENDS["vocab"]) + 1, "ab$": len(ENDS["vocab"]) + 2}
ENDS["merges"] = [["a", "b$"], *ENDS["merges"]]
MORE_TEXTS = [*TEXTS, "</", "</ </", "a </", "ab ", "ab", "ab ab ab"]

lines = []
cases = [(model(*options), TEXTS) for options in MODELS] + [(WHOLE, MORE_TEXTS), (ENDS, MORE_TEXTS)]
for bpe, texts in cases:
    for normalizer, pre_tokenizer in PARTS:
        document = tokenizer_json(bpe, normalizer=normalizer, pre_tokenizer=pre_tokenizer)
        token = {"id": 1, "content": "<s>", "single_word": False, "lstrip": False, "rstrip": False, "special": True}
        document["added_tokens"] = [token | {"normalized": False}]
        lines.append(line(document, texts))
write("marks", lines)
