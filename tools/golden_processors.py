#!/usr/bin/env python3
"""Writes tests/golden/parts/processors.jsonl: the post-processors, alone and in sequence, with offsets to trim."""

from golden_parts import line, tokenizer_json, write

SPACE = "\u0120"  # the byte alphabet's space
MERGES = [(SPACE, "a"), (SPACE, SPACE), ("\u3000", "\u00e9"), (" ", "a"), ("b", " "), (SPACE + SPACE, "a"), ("b ", " "),
          ("\u00e9", "\u3000"), (" ", " "), ("\u4f60", SPACE)]
PIECES = list("ab \u00e9\u3000\u4f60" + SPACE) + [left + right for left, right in MERGES] + ["<unk>"]
FLAGS = {"single_word": False, "normalized": False, "special": True}
ADDED = [
    {"id": 50, "content": "<mask>", "lstrip": True, "rstrip": False, **FLAGS},
    {"id": 51, "content": "<both>", "lstrip": True, "rstrip": True, **FLAGS, "normalized": True},
    {"id": 52, "content": " <own> ", "lstrip": False, "rstrip": False, **FLAGS},
]
TEXTS = ["", "a", " ", " a", "  a", SPACE, SPACE + "a", SPACE + SPACE + "a", "ab", "b  ", "b ", "\u3000\u00e9\u3000",
         "\u00e9\u3000",
         "\u00e9" + SPACE + "a b " + SPACE + "a", "\u4f60" + SPACE + "\u4f60" + SPACE + "a", "\u4f60 a\u4f60  a",
         "a <mask>a", "a  <mask>",
         " <mask> a", "\u00e9\u3000<mask>\u3000<both> \u3000b", "a <own> b", "a <own> ", " <own> ", "<both> <both>",
         "x\u3000 " + SPACE,
         "\U0001f999" + SPACE + "a\U0001f999 a" + SPACE, "b  b  b" + SPACE, SPACE + "a<mask>" + SPACE + "a"]



def roberta(trim: bool = True, prefix: bool = True, kind: str = "RobertaProcessing") -> dict[str, object]:
    return {"type": kind, "sep": ["</s>", 72], "cls": ["<s>", 70], "trim_offsets": trim, "add_prefix_space": prefix}


def bert(kind="BertProcessing"):
    return {"type": kind, "sep": ["[SEP]", 62], "cls": ["[CLS]", 61]}


def byte_level(trim=True, prefix=True):
    return {"type": "ByteLevel", "trim_offsets": trim, "add_prefix_space": prefix, "use_regex": True}


def template(*pieces):
    single = [{"Sequence": {"id": "A", "type_id": 0}} if piece == "A" else {"SpecialToken": {"id": piece, "type_id": 0}}
              for piece in pieces]
    tokens = {"X": {"id": "X", "ids": [80], "tokens": ["X"]}, "Y": {"id": "Y", "ids": [81, 82], "tokens": ["Y", "y"]}}
    return {"type": "TemplateProcessing", "single": single, "pair": [{"Sequence": {"id": "A", "type_id": 0}},
                                                                     {"Sequence": {"id": "B", "type_id": 1}}],
            "special_tokens": tokens}


def sequence(*processors):
    return {"type": "Sequence", "processors": list(processors)}


PROCESSORS = [
    None, sequence(), bert(), bert("RobertaProcessing"), roberta(), roberta(prefix=False), roberta(trim=False),
    roberta(kind="BertProcessing"), byte_level(), byte_level(prefix=False), byte_level(trim=False), template("X", "A",
    "Y"),
    template("A"), template("X", "A", "Y", "A"), sequence(byte_level(), template("X", "A")),
    sequence(template("X", "A", "Y"), byte_level()), sequence(roberta(), byte_level(prefix=False)),
    sequence(byte_level(prefix=False), roberta()), sequence(bert(), byte_level()), sequence(template("X", "A"), bert()),
    sequence(template("A", "X", "A"), roberta(), byte_level()), sequence(bert(), template("Y", "A", "X")),
    sequence(sequence(byte_level()), sequence(bert(), sequence(template("A", "Y")))),
]


def main():
    model = {"type": "BPE", "vocab": {piece: i for i, piece in enumerate(PIECES)}, "merges": [list(m) for m in MERGES],
             "unk_token": "<unk>"}
    write("processors", [line(tokenizer_json(model, post_processor=processor, added_tokens=ADDED), TEXTS)
                         for processor in PROCESSORS])


main()
