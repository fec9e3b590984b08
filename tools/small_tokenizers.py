#!/usr/bin/env python3
"""Writes fuzz/tokenizers/*.json: the real tokenizers of ../shared/data with a vocabulary of a few hundred pieces.

    python3 tools/small_tokenizers.py        (from the root of the repository)

They keep every setting of the real file, so that the fuzz targets reach the ways that only those settings open, and
are small enough to be opened at once and kept here. A precompiled character map stays out: it is larger than all the
rest. Ids are numbered afresh.
"""

import gzip
import json
import pathlib
from typing import Any

SHARED = pathlib.Path("../shared/data/tokenizers")
FOLDER = pathlib.Path("fuzz/tokenizers")
NAMES = (
    *("gpt2", "roberta-base", "cl100k_base", "llama3", "qwen2.5", "l2_supercat", "bert-base-uncased"),
    *("t5-small", "camembert", "xlm-roberta-base", "deberta-v3", "albert-base-v2"),
)
MERGES = 150
PIECES = 200
ADDED = 6


def without_charsmap(part: Any) -> Any:
    """A normalizer less its precompiled maps; None where nothing is left."""
    if not isinstance(part, dict) or part.get("type") == "Precompiled":
        return None
    if part["type"] != "Sequence":
        return part
    kept = [step for step in map(without_charsmap, part["normalizers"]) if step]
    return {"type": "Sequence", "normalizers": kept} if kept else None


def small_bpe(model: dict[str, Any], known: list[str]) -> None:
    vocabulary = model["vocab"]
    merges = [merge if isinstance(merge, list) else merge.split(" ") for merge in model["merges"]]
    single = [piece for piece in vocabulary if len(piece) == 1 and ord(piece) < 0x180]
    single += [piece for piece in ("\u2581", "\u6c49", "\u00e9") if piece in vocabulary]
    single += [piece for piece in vocabulary if len(piece) == 6 and piece.startswith("<0x")]
    kept = dict.fromkeys([*known, *single])
    taken: list[list[str]] = []
    for left, right in merges:
        if left in kept and right in kept and len(taken) < MERGES:
            kept[left + right] = None
            taken.append([left, right])
    model["vocab"] = {piece: i for i, piece in enumerate(kept)}
    model["merges"] = taken


def small_wordpiece(model: dict[str, Any], known: list[str]) -> None:
    pieces = [piece for piece in model["vocab"] if not piece.startswith("[unused")]
    single = [piece for piece in pieces if len(piece.removeprefix("##")) == 1 and piece.isascii()]
    kept = dict.fromkeys([*known, *single, *[piece for piece in pieces if piece.isascii() and len(piece) > 2][:PIECES]])
    model["vocab"] = {piece: i for i, piece in enumerate(kept)}


def small_unigram(model: dict[str, Any], known: list[str]) -> None:
    pieces = model["vocab"]
    unknown = pieces[model["unk_id"]][0]
    kept = [piece for i, piece in enumerate(pieces) if i < PIECES or piece[0] in known or piece[0] == unknown]
    kept += [piece for piece in pieces[PIECES:] if len(piece[0]) == 1 and piece[0].isascii() and piece not in kept]
    model["vocab"] = kept
    model["unk_id"] = [piece[0] for piece in kept].index(unknown)


def renumber(processor: Any, ids: dict[str, int]) -> None:
    for name in ("sep", "cls"):
        if name in processor:
            processor[name][1] = ids[processor[name][0]]
    for special in processor.get("special_tokens", {}).values():
        special["ids"] = [ids[token] for token in special["tokens"]]
    for step in processor.get("processors", ()):
        renumber(step, ids)


def small(document: dict[str, Any]) -> dict[str, Any]:
    model = document["model"]
    added = document["added_tokens"]
    needed = json.dumps(document["post_processor"], ensure_ascii=False)
    added = [token for i, token in enumerate(added) if i < ADDED or token["content"] in needed][: 2 * ADDED]
    known = [token["content"] for token in added]
    if isinstance(model["vocab"], list):
        small_unigram(model, known)
        ids = {piece[0]: i for i, piece in reversed(list(enumerate(model["vocab"])))}
    else:
        if model.get("unk_token") and model["unk_token"] not in known:
            known.append(model["unk_token"])
        (small_bpe if "merges" in model else small_wordpiece)(model, known)
        ids = model["vocab"]
    for token in added:
        token["id"] = ids.setdefault(token["content"], len(ids))
    document["added_tokens"] = sorted(added, key=lambda token: token["id"])
    document["normalizer"] = without_charsmap(document["normalizer"])
    renumber(document["post_processor"] or {}, ids)
    document["truncation"] = document["padding"] = None
    return document


def main() -> None:
    FOLDER.mkdir(parents=True, exist_ok=True)
    for name in NAMES:
        document = small(json.loads(gzip.decompress((SHARED / f"{name}.json.gz").read_bytes())))
        text = json.dumps(document, ensure_ascii=True, separators=(",", ":"))
        (FOLDER / f"{name}.json").write_text(text + "\n", encoding="utf8")


if __name__ == "__main__":
    main()
