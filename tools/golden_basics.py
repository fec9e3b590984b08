#!/usr/bin/env python3
"""Writes tests/golden/parts/basics.jsonl: the parts that the first tokenizers need."""

from golden_parts import bytes_model, line, tokenizer_json, write

TEXTS = ["", " ", "a", "Hello World", "  two  spaces ", "caf\u00e9 na\u00efve", "\u4f60\u597d, \u4e16\u754c", "a\u0301\u0316b",
         "\u1e9b\u0323 \ufb01", "\ud55c\uad6d\uc5b4", "\U0001f468\u200d\U0001f469\u200d\U0001f467", "x\r\ny\tz", "\u2581mark"]

NORMALIZERS = [
    None,
    {"type": "Prepend", "prepend": "\u2581"},
    {"type": "Replace", "pattern": {"String": " "}, "content": "\u2581"},
    {"type": "Strip", "strip_left": True, "strip_right": True},
    {"type": "BertNormalizer", "clean_text": True, "handle_chinese_chars": True, "strip_accents": None, "lowercase": True},
]

write("basics", [line(tokenizer_json(bytes_model(), normalizer=normalizer), TEXTS) for normalizer in NORMALIZERS])
