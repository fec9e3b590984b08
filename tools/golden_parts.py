"""What the generators of tests/golden/parts share: a tokenizer.json and texts in, a line for tests/test_parts.c out.

    pip install tokenizers==0.23.3
    python3 tools/golden_NAME.py        (from the root of the repository)
"""

import json

import tokenizers
from tokenizers import Tokenizer

VERSION = "0.23.3"


def bytes_model():
    """A model whose ids are the bytes of what it is given: it shows a normalized text with the place of each byte."""
    vocabulary = {f"<0x{byte:02X}>": byte for byte in range(256)}
    return {"type": "BPE", "vocab": vocabulary, "merges": [], "byte_fallback": True}


def words_model():
    """A model that gives one unknown token a piece: it shows where a text was cut."""
    return {"type": "WordLevel", "vocab": {"<unk>": 0}, "unk_token": "<unk>"}


def tokenizer_json(model, **parts):
    return {"version": "1.0", "added_tokens": [], "model": model, **parts}


def case(tokenizer, text, decode=False):
    try:
        plain = tokenizer.encode(text, add_special_tokens=False)
        special = tokenizer.encode(text)
    except Exception:  # the oracle's own exception type is just that
        return {"text": text, "error": True}
    answer = {"text": text, "ids": plain.ids, "offsets": plain.offsets, "special_ids": special.ids}
    if decode:
        answer["decoded"] = tokenizer.decode(special.ids)
    return answer


def line(document, texts, decode=False):
    tokenizer = Tokenizer.from_str(json.dumps(document))
    cases = [case(tokenizer, text, decode) for text in texts]
    return json.dumps({"tokenizer": document, "cases": cases}, ensure_ascii=False, separators=(",", ":"))


def write(name, lines):
    assert tokenizers.__version__ == VERSION, f"the oracle is tokenizers {VERSION}"
    with open(f"tests/golden/parts/{name}.jsonl", "w", encoding="utf-8") as out:
        out.writelines(text + "\n" for text in lines)
