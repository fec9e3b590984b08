#!/usr/bin/env python3
"""The differential test against the oracle: make parity, or

    build/parity/venv/bin/python tools/parity.py [--quick] [--tokenizers A,B] [--corpora X,Y]

Every tokenizer of ../shared/data/tokenizers over every corpus below, four ways: with special tokens and without, ids
alone (the scanners and the word cache) and ids with offsets (the general way). The command line is what is tested, so
what it prints is compared as text, which is quick as well: a Python list prints as our JSON does.

One line a tokenizer and corpus; where texts differ, the first follows, and stands in full in build/parity. Exit status
1 on any difference, or where a tokenizer cannot be opened.
"""

import argparse
import gzip
import itertools
import json
import pathlib
import subprocess
import sys
import sysconfig
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import tokenizers
from golden_ids import VERSION, corpora, open_real, random_texts
from tokenizers import Tokenizer

PROGRAM = pathlib.Path("build/release/wordllama")
WORK = pathlib.Path("build/parity")
SHARED = pathlib.Path("../shared/data")
RANDOM = 200_000
CODE_BYTES = 6_000_000  # of the Python standard library
LINES_BYTES = 2_000_000  # of it that is taken line by line too
BATCH = 2000
QUICK = 20  # one text in so many
TOKENIZERS = (
    *("l2_supercat", "llama3", "phi-3", "mistral-v1", "bert-base-uncased", "bert-base-multilingual-cased"),
    *("all-MiniLM-L6-v2", "gpt2", "roberta-base", "cl100k_base", "qwen2.5", "t5-small", "camembert"),
    *("xlm-roberta-base", "deberta-v3", "albert-base-v2"),
)


# ---- texts


def sources() -> tuple[list[str], list[str]]:
    """C and Python: of this repository, and of the standard library."""
    listed = subprocess.run(["git", "ls-files", "*.c", "*.h", "*.py"], capture_output=True, text=True, check=True)
    own = [pathlib.Path(name).read_text(encoding="utf8") for name in listed.stdout.split()]
    library, size = [], 0
    for path in sorted(pathlib.Path(sysconfig.get_path("stdlib")).glob("**/*.py")):
        if "site-packages" in path.parts or path.stat().st_size > 200_000:
            continue
        try:
            text = path.read_bytes().decode("utf8")
        except UnicodeDecodeError:  # files that test just that
            continue
        library.append(text)
        size += len(text)
        if size > CODE_BYTES:
            break
    return own, library


def all_corpora(names: list[str]) -> dict[str, list[str]]:
    texts = corpora() if {"ag_news", "newsgroups", "zhwiki", "eval"} & set(names) else {}
    if {"code", "code-lines"} & set(names):
        own, library = sources()
        texts["code"] = own + library
        size = 0
        lines = []
        for text in own + library:
            lines += text.splitlines(keepends=True)
            size += len(text)
            if size > LINES_BYTES:
                break
        texts["code-lines"] = lines
    if "random" in names:
        texts["random"] = random_texts(RANDOM)
    return {name: texts[name] for name in names}


CORPORA = ("ag_news", "newsgroups", "zhwiki", "eval", "code", "code-lines", "random")


# ---- ours


@dataclass
class Way:
    """One run of our program over a corpus: its lines come as fast as the oracle takes them."""

    special: bool
    offsets: bool
    process: subprocess.Popen[bytes]
    mismatches: int = 0
    first: str = ""
    full: str = ""

    def name(self) -> str:
        return f"{'offsets' if self.offsets else 'ids'}{', special tokens' if self.special else ''}"


def start(tokenizer: pathlib.Path, texts: pathlib.Path, special: bool, offsets: bool) -> Way:
    command = [str(PROGRAM), "tokenize", "--tokenizer", str(tokenizer), "--jsonl", "--field", "text", "--ids"]
    command += ["--input", str(texts)] + ["--offsets"] * offsets + ["--special"] * special
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    return Way(special, offsets, process)


def opens(tokenizer: pathlib.Path) -> str:
    """What our program says where it cannot open a tokenizer, empty where it can."""
    command = [str(PROGRAM), "tokenize", "--tokenizer", str(tokenizer), "--ids", "--output", "/dev/null"]
    run = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, check=False)
    return run.stderr.decode(errors="replace").strip() if run.returncode else ""


# ---- comparison


SHOWN = 12  # ids before and behind the first that differs


def explain(text: str, ours: bytes, ids: list[int], offsets: list[tuple[int, int]]) -> tuple[str, str]:
    """What differs: a few lines around the first difference, and all of it."""
    try:
        answer = json.loads(ours) if ours else []
    except ValueError:
        answer = []
    mine = answer["ids"] if isinstance(answer, dict) else answer
    pairs: list[tuple[str, list[Any], list[Any]]] = [("ids", mine, ids)]
    if isinstance(answer, dict):
        pairs.append(("offsets", answer["offsets"], [list(pair) for pair in offsets]))
    short, full = "", f"text {json.dumps(text)}\n"
    for what, left, right in pairs:
        full += f"our {what} {left}\ntheirs {right}\n"
        if left == right or short:
            continue
        same = itertools.takewhile(lambda pair: pair[0] == pair[1], zip(left, right, strict=False))
        at = sum(1 for _ in same)
        first, last = max(0, at - SHOWN), at + SHOWN
        begin = offsets[first][0] if first < len(offsets) else 0
        end = offsets[min(last, len(offsets)) - 1][1] if offsets else 0
        short += f"    text   {json.dumps(text if len(text) < 200 else text[begin : max(begin, end)])}\n"
        short += f"    ours   {what} from {first}: {left[first:last]}\n    theirs {what} from {first}: {right[first:last]}"
    return short, full


@dataclass
class Result:
    ids: int = 0
    problems: list[str] = field(default_factory=list)
    full: str = ""
    mismatches: int = 0


def compare(oracle: Tokenizer, ways: list[Way], texts: list[str], special: bool, result: Result) -> None:
    mine = [way for way in ways if way.special == special]
    batches: Iterator[list[str]] = (texts[at : at + BATCH] for at in range(0, len(texts), BATCH))
    for batch in batches:
        for text, encoding in zip(batch, oracle.encode_batch(batch, add_special_tokens=special), strict=True):
            ids = encoding.ids
            result.ids += len(ids)
            plain = str(ids)
            for way in mine:
                assert way.process.stdout
                if way.offsets:
                    places = str(encoding.offsets).replace("(", "[").replace(")", "]")
                    expected = f'{{"ids": {plain}, "offsets": {places}}}\n'
                else:
                    expected = plain + "\n"
                line = way.process.stdout.readline()
                if line == expected.encode():
                    continue
                way.mismatches += 1
                if not way.first:
                    way.first, way.full = explain(text, line, ids, encoding.offsets)


def finish(way: Way, result: Result) -> None:
    assert way.process.stdout and way.process.stderr
    rest = way.process.stdout.read()
    said = way.process.stderr.read().decode(errors="replace").strip()
    if way.process.wait() or rest:
        result.problems.append(f"    {way.name()}: {said or 'more lines than texts'}")
        way.mismatches += 1
    if way.mismatches:
        result.problems.append(f"    {way.name()}: {way.mismatches} texts differ, the first:\n{way.first}")
        result.full += f"{way.name()}\n{way.full}"
    result.mismatches += way.mismatches


def check(oracle: Tokenizer, tokenizer: pathlib.Path, texts: list[str], file: pathlib.Path) -> Result:
    result = Result()
    for special in (False, True):
        ways = [start(tokenizer, file, special, offsets) for offsets in (False, True)]
        compare(oracle, ways, texts, special, result)
        for way in ways:
            finish(way, result)
    return result


def unpack(name: str, folder: pathlib.Path) -> pathlib.Path:
    path = folder / f"{name}.json"
    path.write_bytes(gzip.decompress((SHARED / f"tokenizers/{name}.json.gz").read_bytes()))
    return path


def choice(given: str, known: tuple[str, ...]) -> list[str]:
    names = given.split(",") if given else list(known)
    if unknown := set(names) - set(known):
        sys.exit(f"parity: unknown {', '.join(sorted(unknown))}; there are {', '.join(known)}")
    return names


def run(chosen: list[str], texts: dict[str, list[str]], folder: pathlib.Path) -> bool:
    for name, corpus in texts.items():
        lines = (json.dumps({"text": text}) + "\n" for text in corpus)
        (folder / f"{name}.jsonl").write_text("".join(lines), encoding="utf8")
    failures = 0
    total_texts = total_ids = total_mismatches = 0
    print(f"{'tokenizer':30}{'corpus':12}{'texts':>9}{'ids':>12}{'mismatches':>12}{'seconds':>9}", flush=True)
    for name in chosen:
        tokenizer = unpack(name, folder)
        if said := opens(tokenizer):
            print(f"{name:30}cannot open: {said}", flush=True)
            failures += 1
            continue
        oracle = open_real(name)
        for corpus_name, corpus in texts.items():
            begun = time.monotonic()
            result = check(oracle, tokenizer, corpus, folder / f"{corpus_name}.jsonl")
            seconds = time.monotonic() - begun
            line = f"{name:30}{corpus_name:12}{len(corpus):9}{result.ids:12}{result.mismatches:12}{seconds:9.1f}"
            print("\n".join([line, *result.problems]), flush=True)
            if result.full:
                (WORK / f"{name}-{corpus_name}.txt").write_text(result.full, encoding="utf8")
            total_texts += len(corpus)
            total_ids += result.ids
            total_mismatches += result.mismatches
    print(
        f"{len(chosen) - failures} of {len(chosen)} tokenizers, {total_texts} texts with and without special tokens, "
        f"{total_ids} ids, each compared with and without offsets, {total_mismatches} mismatches"
    )
    return not failures and not total_mismatches


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help=f"one text in {QUICK}")
    parser.add_argument("--tokenizers", default="", help="of " + ", ".join(TOKENIZERS))
    parser.add_argument("--corpora", default="", help="of " + ", ".join(CORPORA))
    options = parser.parse_args()
    if tokenizers.__version__ != VERSION:
        sys.exit(f"parity: needs tokenizers {VERSION}, this is {tokenizers.__version__}")
    chosen = choice(options.tokenizers, TOKENIZERS)
    if not SHARED.is_dir():
        print(f"parity: no {SHARED}, nothing to compare")
        return
    texts = all_corpora(choice(options.corpora, CORPORA))
    if options.quick:
        texts = {name: corpus[::QUICK] for name, corpus in texts.items()}
    WORK.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=WORK) as folder:  # of its own: two may run at once
        same = run(chosen, texts, pathlib.Path(folder))
    sys.exit(0 if same else 1)


if __name__ == "__main__":
    main()
