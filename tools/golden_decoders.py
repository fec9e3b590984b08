#!/usr/bin/env python3
"""Writes tests/golden/parts/decoders.jsonl: every decoder over odd pieces."""

from golden_parts import line, tokenizer_json, write

PIECES = ["<unk>", "a", "Hello", "##lo", "##", "\u2581", "\u2581Hey", "x\u2581y\u2581", "\u2581\u2581", "lo</w>",
          "</w>", "a</w>b</w>",
          "<pad>", "|", "a|b", "<0x61>", "<0xC3>", "<0xA9>", "<0xFF>", "<0xG0>", "<0x+6>", "<0x\u00e9>", "<0x7e>",
          ".", ",", "?", "!",
          "'", "n't", "'m", "'s", "'ve", "'re", "do", "not", "\u0120a", "\u010a", "\u00c3", "\u00a9", "\u00c3\u00a9",
          "\u00e2\u0124", "\u0120\u4f60",
          "caf\u00e9", "\u4f60\u597d", "\U0001f999", "\u00f0\u0141\u00a6", "\u013b", "b", "c", "the##", "\ufffd",
          "\u00ed\u0142\u0122"]

DECODERS = [
    None,
    {"type": "ByteLevel", "add_prefix_space": True, "trim_offsets": True, "use_regex": True},
    {"type": "WordPiece", "prefix": "##", "cleanup": True},
    {"type": "WordPiece", "prefix": "##", "cleanup": False},
    {"type": "WordPiece", "prefix": "", "cleanup": True},
    {"type": "Metaspace", "replacement": "\u2581", "prepend_scheme": "always", "split": True},
    {"type": "Metaspace", "replacement": "\u2581", "prepend_scheme": "first"},
    {"type": "Metaspace", "replacement": "\u2581", "prepend_scheme": "never"},
    {"type": "Metaspace", "replacement": "a", "add_prefix_space": True},
    {"type": "BPEDecoder", "suffix": "</w>"},
    {"type": "BPEDecoder", "suffix": ""},
    {"type": "CTC", "pad_token": "<pad>", "word_delimiter_token": "|", "cleanup": True},
    {"type": "CTC", "pad_token": "<pad>", "word_delimiter_token": "|", "cleanup": False},
    {"type": "CTC", "pad_token": "", "word_delimiter_token": "", "cleanup": True},
    {"type": "Fuse"},
    {"type": "Strip", "content": "\u2581", "start": 2, "stop": 0},
    {"type": "Strip", "content": "a", "start": 1, "stop": 0},
    {"type": "ByteFallback"},
    {"type": "Replace", "pattern": {"String": "\u2581"}, "content": " "},
    {"type": "Replace", "pattern": {"String": "l"}, "content": ""},
    {"type": "Sequence", "decoders": []},
    {"type": "Sequence", "decoders": [
        {"type": "Replace", "pattern": {"String": "\u2581"}, "content": " "}, {"type": "ByteFallback"},
            {"type": "Fuse"},
        {"type": "Strip", "content": " ", "start": 1, "stop": 0}]},
    {"type": "Sequence", "decoders": [{"type": "ByteFallback"}, {"type": "Metaspace", "replacement": "\u2581",
                                                                "prepend_scheme": "always", "split": True}]},
    {"type": "Sequence", "decoders": [{"type": "Fuse"}, {"type": "Sequence", "decoders": [
        {"type": "WordPiece", "prefix": "He", "cleanup": True}]}, {"type": "Strip", "content": "H", "start": 1,
            "stop": 0}]},
    {"type": "Sequence", "decoders": [{"type": "ByteLevel", "add_prefix_space": True, "trim_offsets": True},
                                      {"type": "CTC", "pad_token": "a", "word_delimiter_token": "e", "cleanup": True}]},
    {"type": "Sequence", "decoders": [{"type": "Fuse"}, {"type": "CTC", "pad_token": "|", "word_delimiter_token": "o",
                                                         "cleanup": True}]},
]

FLAGS = {"single_word": False, "lstrip": False, "rstrip": False}
SPECIAL = ["[S]", "[N]"]


def added_tokens():
    """Every piece is an added token, so that a text of pieces is cut into just these."""
    tokens = [{"id": i, "content": piece, "normalized": False, "special": False, **FLAGS} for i,
              piece in enumerate(PIECES)]
    for i, content in enumerate(SPECIAL + ["Kept A"]):
        tokens.append({"id": 100 + i, "content": content, "normalized": i > 0, "special": content in SPECIAL, **FLAGS})
    return tokens


def texts():
    words = PIECES[1:]
    answer = ["", "[S]", "[N][S]", "[S]a[N]Kept A[S]zz", "\u2581", "a[S]\u2581Kept Ab", "<pad>aa<pad>a||b",
              "<0xC3><0xA9><0x61>", "<0xC3>a<0xA9><0xFF>", "donotn't.'s", "don't,a'b", "\u00f0\u0141\u00a6\u013bb"]
    for step in (1, 11):
        order = [words[i * step % len(words)] for i in range(len(words))]
        answer += ["".join(order[begin:begin + 6]) for begin in range(0, len(order), 6)]
    return answer


def main():
    model = {"type": "WordLevel", "vocab": {piece: i for i, piece in enumerate(PIECES)}, "unk_token": "<unk>"}
    documents = [tokenizer_json(model, decoder=decoder) for decoder in DECODERS]
    # The decoded form of an added token is the normalized one, and special is what looks like a special token then.
    documents.append(tokenizer_json(model, decoder={"type": "Fuse"}, normalizer={
        "type": "BertNormalizer", "clean_text": False, "handle_chinese_chars": False, "strip_accents": False,
        "lowercase": True}))
    write("decoders", [line({**document, "added_tokens": added_tokens()}, texts(),
                       decode=True) for document in documents])


main()
