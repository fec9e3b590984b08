#!/usr/bin/env python3
"""Writes the golden data of tests/test_split.c by asking the package that splitting is held against.

    pip install wordllama==0.4.0.post1 tokenizers==0.23.3 threadpoolctl      (Python 3.11, NumPy 2.4)
    python3 tools/golden_split.py FOLDER_OF_L2_SUPERCAT_256

from the root of the repository, on a machine with AVX-512: the last bits of the package's sums depend on the machine,
and this library has those. It writes
    tests/golden/split_texts.jsonl    texts of many kinds; some are files of this repository as they were once
    tests/golden/split_chunks.jsonl   their chunks, as bytes and FNV-1a of each, and the minima
    tests/golden/split_pieces.jsonl   random short texts, and FNV-1a of the pieces before they are compared
    tests/golden/split_numbers.txt    classes of characters, dot products, similarities, filters, quantiles
"""

import json
import logging
import random
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
from safetensors.numpy import load_file
from threadpoolctl import threadpool_info
from tokenizers import Tokenizer
from wordllama.algorithms.find_local_minima import find_local_minima, windowed_cross_similarity
from wordllama.algorithms.semantic_splitter import SemanticSplitter
from wordllama.algorithms.splitter import split_sentences
from wordllama.inference import WordLlamaInference

GOLDEN = Path("tests/golden")
TINY = GOLDEN / "models/wordllama-f32"
FILES = {"code": "src/model/embed.c", "markdown": "README.md", "prose": "docs/design.md"}


def fnv1a(data: bytes) -> str:
    value = 0xCBF29CE484222325
    for byte in data:
        value = (value ^ byte) * 0x100000001B3 % 2**64
    return f"{value:016x}"


# ---- texts

SUBJECTS = {
    "river": ["The river", "Every spring the flood", "A ferry", "The old bridge", "Salmon", "The miller"],
    "kitchen": ["The cook", "Fresh bread", "A pot of soup", "The oven", "Nobody at the table", "Her recipe"],
    "orbit": ["The satellite", "A solar panel", "Mission control", "The antenna", "Each orbit", "The fuel"],
    "court": ["The judge", "A witness", "The contract", "Her lawyer", "The verdict", "Neither party"],
    "orchard": ["The apple trees", "A late frost", "Bees", "The grafted branch", "Old varieties", "The harvest"],
}
VERBS = {
    "river": ["carried mud past", "rose above", "never reached", "turned the wheel of", "was older than"],
    "kitchen": ["smelled of", "was seasoned with", "waited for", "burned like", "had plenty of"],
    "orbit": ["transmitted data about", "drifted away from", "measured", "was heated by", "passed over"],
    "court": ["disputed", "was bound by", "remembered", "appealed against", "settled"],
    "orchard": ["blossomed before", "was pruned after", "ripened with", "attracted", "survived"],
}
OBJECTS = {
    "river": ["the villages downstream.", "the mill at Hartsford!", "its banks.", "the sea, in the end.", "the dam."],
    "kitchen": ["garlic and thyme.", "the guests (all twelve of them).", "butter.", "a pinch of salt?", "pepper."],
    "orbit": ["the southern ocean.", "cosmic radiation.", "the ground station in Svalbard.", "the Sun.", "Mars!"],
    "court": ["the clause on damages.", "the ruling of 1987.", "the evidence...", "a fine of $3.50.", "the appeal."],
    "orchard": [
        "the first warm week.",
        "winter.",
        "the pears and plums.",
        "pests.",
        'what he called "the good years."',
    ],
}
CHINESE = [
    *("河水每年春天都会上涨，淹没下游的村庄。", "老磨坊的水轮已经停了很多年。", "渡船每天往返两次！", "桥是谁造的？"),
    *("厨师把面包放进烤箱，等了四十分钟。", "汤里加了一点盐和胡椒。", "“再来一碗！”孩子们喊道。", "客人都坐下了吗？"),
    *(
        "卫星每九十分钟绕地球一周。",
        "太阳能电池板展开以后，信号恢复了。",
        "地面站在北方。",
        "燃料还够用三年（也许四年）。",
    ),
    *("法官宣读了判决书。", "合同第七条规定了赔偿的范围。", "证人记不清那天的情况。", "双方都没有上诉。"),
]


def article(rng: random.Random, paragraphs: int, gap: str) -> str:
    out = []
    for _ in range(paragraphs):
        topic = rng.choice(list(SUBJECTS))
        sentences = []
        for _ in range(rng.randint(1, 9)):
            if rng.random() < 0.1:
                topic = rng.choice(list(SUBJECTS))
            parts = [rng.choice(SUBJECTS[topic]), rng.choice(VERBS[topic]), rng.choice(OBJECTS[topic])]
            sentences.append(" ".join(parts))
        out.append(rng.choice([" ", " ", "\n"]).join(sentences))
    return gap.join(out)


def tiny_text(rng: random.Random, sentences: int) -> str:
    words = ["I", "we", "went", "walked", "walking", "to the", "car", "shop", "pawnshop", "a", "cafe", "of", "1"]
    out = []
    for _ in range(sentences):
        out.append(" ".join(rng.choices(words, k=rng.randint(3, 14))) + rng.choice([".", "!", ",", ""]))
        out.append(rng.choice(["\n", "\n", " ", " The ", "\n\n"]))
    return "".join(out)


def random_text(rng: random.Random, length: int) -> str:
    characters = list(
        'abcAB.!?。 \n\r\t\v\f\x1c\x1d\x1e\x1f\x85\xa0\u2028\u2029\u3000ÄéΩ中文\u0301Ⅷ\ua7cb1,()"\U0001f130'
    )
    characters += ["\r\n", "\n", "\n", " ", " ", ". ", "The ", "the ", ". A", "word ", "！"]
    weights = [rng.random() ** 3 for _ in characters]
    return "".join(rng.choices(characters, weights, k=length))


def read_file(name: str, path: str) -> str:
    """A file as it was when it was first taken, so that its later versions change nothing here."""
    if (GOLDEN / "split_texts.jsonl").exists():
        for line in (GOLDEN / "split_texts.jsonl").read_text(encoding="utf-8").split("\n"):
            if line and json.loads(line)["name"] == name:
                return json.loads(line)["text"]
    return Path(path).read_text(encoding="utf-8")[:8000]


def make_texts() -> dict[str, str]:
    rng = random.Random(20251126)
    lines = article(rng, 12, "\n").splitlines()
    verse = [line + " " + line for line in lines[:5]]
    texts = {name: read_file(name, path) for name, path in FILES.items()}
    breaks = ["\n", "\r", "\r\n", "\v", "\f", "\x1c", "\x1d", "\x1e", "\x85", "\u2028", "\u2029"]
    texts |= {
        "article": article(rng, 25, "\n\n"),
        "lines": article(rng, 40, "\n"),
        "one line": article(rng, 20, " ").replace("\n", " "),
        "windows": texts["markdown"][:4000].replace("\n", "\r\n"),
        "chinese": "\n".join("".join(rng.choices(CHINESE, k=rng.randint(1, 6))) for _ in range(40)),
        "chinese line": "".join(rng.choices(CHINESE, k=150)),
        "line ends": "".join(line + rng.choice(breaks) for line in article(rng, 20, "\n\n").split("\n")),
        "blank lines": "".join(line + "\n" * rng.choice([1, 2, 5, 40, 200]) for line in lines),
        "white space": " \t\n" * 700 + "word" + "\u2003\u3000" * 700 + "\n\n" + "end" + " " * 2000,
        "identical": "The same line, over and over, which is long enough to stay by itself in the end.\n" * 80,
        "repeated": "\n".join(rng.choice(verse)[:95] for _ in range(150)),
        "punctuation": "".join(rng.choices(["...", "!", "?", " ", "\n", "—", "; ", "。"], k=2500)),
        "no spaces": "".join(rng.choices("abcdefghij", k=4000)),
        "tiny": tiny_text(rng, 300),
        "random": random_text(rng, 4000),
    }
    shorts = [
        "a",
        "Hello.",
        "One line\nTwo lines",
        "\n\nx\n\n",
        "A. B. C.",
        " padded ",
        "é",
        "\u2028",
        "1\r\n2\r\n3",
        "\0",
    ]
    return texts | {f"short {i}": text for i, text in enumerate(shorts)}


# ---- chunks

KEYS = ("target", "intermediate", "cleanup", "window", "smoothing", "order")
ARGUMENTS = ("target_size", "intermediate_size", "cleanup_size", "window_size", "savgol_window", "poly_order")
SETS = [(1536, 96, 24, 3, 3, 2), (512, 64, 16, 5, 5, 2), (300, 80, 10, 7, 11, 3)]
WIDE = (400, 40, 8, 9, 15, 4)


def open_model(folder: Path) -> WordLlamaInference:
    table = load_file(folder / "model.safetensors")["embedding.weight"]
    return WordLlamaInference(table, Tokenizer.from_file(str(folder / "tokenizer.json")))


def write_chunks(models: dict[str, WordLlamaInference], texts: dict[str, str]) -> None:
    lines = []
    for name, text in texts.items():
        for values in [*SETS, WIDE][: 4 if name == "lines" else 1 if name.startswith("short") else 3]:
            for model in models:
                if not text.strip() or (model == TINY.name and name not in ("tiny", "lines", "identical", "code")):
                    continue
                options: dict[str, Any] = dict(zip(ARGUMENTS, values, strict=True))
                chunks = models[model].split(text, **options)
                places, _, similarity = models[model].split(text, return_minima=True, **options)
                line = {"model": model, "text": name, **dict(zip(KEYS, values, strict=True))}
                line["places"] = places.tolist()
                line["similarity"] = fnv1a(similarity.astype("<f4").tobytes())
                line["chunks"] = [[len(chunk.encode()), fnv1a(chunk.encode())] for chunk in chunks]
                if name in ("article", "line ends") and values == SETS[2]:
                    line["texts"] = chunks
                lines.append(line)
    write_lines("split_chunks.jsonl", lines)


def write_pieces() -> None:
    rng = random.Random(1)
    lines = []
    for _ in range(300):
        text = random_text(rng, rng.choice([0, 1, 3, 10, 50, 120]))
        cleanup = rng.choice([1, 3, 24])
        intermediate = cleanup + rng.choice([1, 10, 70])
        target = intermediate + rng.choice([1, 20, 200])
        pieces = SemanticSplitter.split(text, target, cleanup, intermediate)
        digest = fnv1a(b"".join(piece.encode() + b"\xff" for piece in pieces))
        lines.append({"text": text, "sizes": [target, intermediate, cleanup], "pieces": len(pieces), "digest": digest})
    write_lines("split_pieces.jsonl", lines)


def write_lines(name: str, lines: Iterable[dict[str, Any]]) -> None:
    text = "".join(json.dumps(line, ensure_ascii=False, separators=(",", ":")) + "\n" for line in lines)
    (GOLDEN / name).write_text(text, encoding="utf-8", newline="\n")
    print(f"{name}: {len(text.encode())} bytes")


# ---- numbers


def numbers() -> Iterator[float]:
    """The generator that the test repeats: x = x * 1664525 + 1013904223 mod 2^32; its upper 24 bits."""
    state = 1
    while True:
        state = (state * 1664525 + 1013904223) % 2**32
        yield (state >> 8) / 2**23 - 1


def take(source: Iterator[float], count: int) -> np.ndarray:
    return np.array([next(source) for _ in range(count)], np.float32)


def bits(values: np.ndarray) -> list[str]:
    return [f"{x:08x}" for x in np.atleast_1d(np.asarray(values, "<f4")).view("<u4").tolist()]


def coefficients(window: int, order: int) -> list[str]:
    """What the package's filter does with the unit impulse would be rounded; so this is its formula."""
    points = [[float((i - window // 2) ** j) for j in range(order + 1)] for i in range(window)]
    inverse = np.linalg.pinv(np.array(points, np.float32)).astype(np.float32)
    return bits(inverse[1]) + bits(inverse[2] * np.float32(2))


def class_digest(answers: Iterable[bool]) -> str:
    return fnv1a(bytes(answers))


def write_numbers() -> None:
    points = [chr(point) for point in range(0x110000) if not 0xD800 <= point < 0xE000]
    lines = [
        f"# By tools/golden_split.py: Python {sys.version.split()[0]}, NumPy {np.__version__}, OpenBLAS for AVX-512.",
        "# Classes of all scalar values, FNV-1a of a byte for each",
        f"class blank {class_digest(point.isspace() for point in points)}",
        f"class upper {class_digest(point.isupper() for point in points)}",
        f"class stop {class_digest(len(split_sentences(f'a{point} B')) > 1 for point in points)}",
        f"class line {class_digest(len(f'a{point}b'.splitlines()) > 1 for point in points)}",
        "# Products of two vectors: dimension, bits",
    ]
    source = numbers()
    for dim in [*range(1, 140), 191, 192, 224, 255, 256, 257, 300, 384, 512, 1000]:
        a, b = take(source, dim), take(source, dim)
        lines.append(f"dot {dim} {bits(np.dot(a, b))[0]}")
    lines.append("# Similarity in a window: rows, dimension, window, FNV-1a of the bits")
    for rows, dim, window in [(1, 5, 3), (2, 5, 3), (3, 64, 3), (30, 13, 3), (30, 40, 5), (40, 256, 7), (9, 8, 31)]:
        vectors = take(source, rows * dim).reshape(rows, dim)
        similarity = windowed_cross_similarity(vectors, window)
        lines.append(f"windowed {rows} {dim} {window} {fnv1a(similarity.astype('<f4').tobytes())}")
    lines.append("# Minima: values, window, order, how many, FNV-1a of their indices as 32-bit numbers; quantile 0.4")
    for count in [1, 2, 3, 4, 10, 100, 1001]:
        for window, order in [(3, 2), (5, 2), (5, 3), (7, 3), (11, 2), (11, 3), (13, 2), (21, 4), (33, 3), (71, 5)]:
            values = take(source, count)
            places = find_local_minima(values, window, order)[0]
            low = bits(np.quantile(values, 0.4))[0]
            lines.append(f"minima {count} {window} {order} {len(places)} {fnv1a(places.astype('<u4').tobytes())} {low}")
    lines.append("# Filters: window, order, slopes, bends")
    for window, order in [(3, 2), (5, 2), (5, 3), (7, 2), (7, 3), (9, 2), (9, 3), (11, 2), (11, 3), (13, 2), (21, 4)]:
        lines.append(f"filter {window} {order} {' '.join(coefficients(window, order))}")
    (GOLDEN / "split_numbers.txt").write_text("\n".join(lines) + "\n", encoding="ascii")


def main() -> None:
    logging.disable(logging.WARNING)
    architecture = [info.get("architecture") for info in threadpool_info() if info["user_api"] == "blas"]
    if not {"SkylakeX", "Cooperlake", "SapphireRapids"} & set(architecture):
        sys.exit(f"needs OpenBLAS's kernels for AVX-512, here are those for {architecture}")
    folder = Path(sys.argv[1])
    texts = make_texts()
    write_lines("split_texts.jsonl", ({"name": name, "text": text} for name, text in texts.items()))
    write_chunks({TINY.name: open_model(TINY), folder.name: open_model(folder)}, texts)
    write_pieces()
    write_numbers()


if __name__ == "__main__":
    main()
