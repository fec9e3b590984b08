#!/usr/bin/env python3
"""Writes tests/golden/parts/normalizers.jsonl: each normalizer alone and in sequences, over a model of bytes."""

import base64
import itertools

from golden_parts import bytes_model, line, tokenizer_json, write

TEXTS = [
    "", " ", "   ", "a", "\0", "a\0b", "Hello World", "  two  spaces ", "\r\n\t x\r\n", "caf\u00e9 na\u00efve \u00c5",
    # Marks in odd order, alone, in front, many, and ones that decompose.
    "a\u0301\u0316b", "\u0316\u0301", "\u0344\u0323x", "a\u0344\u0323\u0345", "e\u0323\u0302\u0301", "\u1e9b\u0323",
    "a" + "\u0301\u0323" * 9 + "b", "\u0f73\u0f71\u0f72", "\u0fb2\u0f71\u0f80", "\u1fb3\u0313", "\u0958\u093c\u0301",
    "\u095c\u0323 \u0cca\u0ccb \u1025\u102e", "\u05e9\u05bc\u05c1 \ufb2c", "\u0627\u0653\u0655 \u0622",
    # Hangul: jamo, syllables, and what does not join.
    "\ud55c\uad6d\uc5b4", "\u1112\u1161\u11ab\u1100", "\uac00\u11a8\u11a7", "\u1100\u1161\u0301\u11a8", "\uac01\u11a8",
    # Compatibility.
    "\ufb01 \u2460 \u00bd \u33a1 \u3392\uff76\uff9e", "\ufdfa\u0301", "\uff21\uff42\u3000\u00a0\u2003",
    "\u212b\u2126\u01c4",
    "\u0e33\u0e49 \u0eb3", "\u017f\u0307 \u1e9b", "\u2f800\U0002f800", "\U0001d15e\U0001d400",
    # Case.
    "\u0130I\u0307 \u1e9e\u00df \u03a3\u03c3\u03c2 \u01c5 \ua64a \u10a0 \u13a0 \U00010400", "\u0391\u0345\u1f88",
    # Clusters.
    "\U0001f468\u200d\U0001f469\u200d\U0001f467", "\u00a9\u200d\u00ae\u0301", "\U0001f1e6\U0001f1e7\U0001f1e8",
    "a\u0301\u200d", "\u0915\u094d\u0937", "\u0600\u0661a", "\r\u0301\n", "\u00ad\u200b\u2060a", "\ufe0f\u2122\ufe0f",
    # Controls and spaces.
    "\u0085\u00a0\u3000x\u2028\u2029", "\x01a\x7fb\x8fc\x9fd\x80e", "\ufeffx\ufffd\u1680\u200b\u200f\u2581",
    "\u0e00\ue000\U000e0041",
    "\u4f60\u597d, \u4e16\u754c\uff01", "\u0645\u0631\u062d\u0628\u0627\u064b", "\u2581mark \u2581", "ababab e eE",
    "\U0010ffff\ud7ff\ue001",
    "LONG Plain\u00c9\u0301Text\ud55cAbcdefghI\u4e16JKlmnopq\u0301R",
]


def charsmap(replacements):
    """A small table in the format of sentencepiece, as base64: a double array filled first come, first served."""
    texts, trie = "", {}
    for key, text in replacements.items():
        node = trie
        for byte in key.encode():
            node = node.setdefault(byte, {})
        node[None] = len(texts.encode())
        texts += text + "\0"
    units, used = {}, {0}

    def place(node, position):
        """Chooses where the children of a unit go; the end of a key is the child with label 0."""
        labels = [label or 0 for label in node]
        base = next(base for base in itertools.count(1) if not used & {base ^ label for label in labels})
        used.update(base ^ label for label in labels)
        units[position] = units.get(position, 0) | (base ^ position) << 10 | (None in node) << 8
        for label, child in node.items():
            if label is None:
                units[base] = 1 << 31 | child
            else:
                units[base ^ label] = label
                place(child, base ^ label)

    place(trie, 0)
    count = (max(units) // 256 + 1) * 256
    table = b"".join(units.get(position, 0).to_bytes(4, "little") for position in range(count))
    return base64.b64encode(len(table).to_bytes(4, "little") + table + texts.encode()).decode()


# Longer, shorter, empty, of a whole cluster, ASCII, keys that begin others.
CHARSMAP = charsmap({"a": "a", "b": "", "x": "xyz", "\u00e9": "e", "e\u0301": "E", "\u0301": "", "\ufb01": "fi",
                     "\u00bd": " 1/2",
                     "\u3000": " ", "\u200d": "", "\r": " ", "\r\n": "n", "\u0915": "k", "\u00a9": "(c)",
                     "\U0001f468": "man",
                     "\u1112": "h", "\uff76\uff9e": "ga", "\u2122": "tm", "\u0130": "i\u0307"})


def replace(kind, pattern, content):
    return {"type": "Replace", "pattern": {kind: pattern}, "content": content}


def plain(*kinds):
    return [{"type": kind} for kind in kinds]


def sequence(*steps):
    return {"type": "Sequence", "normalizers": list(steps)}


NFC, NFD, NFKC, NFKD, LOWERCASE, STRIP_ACCENTS, NMT, BYTE_LEVEL = plain(
    "NFC", "NFD", "NFKC", "NFKD", "Lowercase", "StripAccents", "Nmt", "ByteLevel")
PRECOMPILED = {"type": "Precompiled", "precompiled_charsmap": CHARSMAP}
PREPEND = {"type": "Prepend", "prepend": "\u2581\u00e9"}
STRIP = {"type": "Strip", "strip_left": False, "strip_right": True}
BERT = {"type": "BertNormalizer", "clean_text": False, "handle_chinese_chars": True,
        "strip_accents": True, "lowercase": True}

NORMALIZERS = [
    NFC, NFD, NFKC, NFKD, LOWERCASE, STRIP_ACCENTS, NMT, BYTE_LEVEL, PRECOMPILED, STRIP, BERT,
    replace("String", "ab", "\u00e9!"),
    replace("Regex", r"\s+", "_"),
    replace("Regex", " {2,}", " "),
    sequence(NFKD, sequence(STRIP_ACCENTS, LOWERCASE), NFC, STRIP),
    sequence(NMT, PRECOMPILED, NFKC, PREPEND, BYTE_LEVEL),
    sequence(PREPEND, PRECOMPILED, NFD, replace("String", " ", "\u2581")),
]

if __name__ == "__main__":
    write("normalizers", [line(tokenizer_json(bytes_model(), normalizer=step), TEXTS) for step in NORMALIZERS])
