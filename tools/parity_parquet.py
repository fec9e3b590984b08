#!/usr/bin/env python3
"""Reads Parquet files with a build that has Arrow, and compares with the same rows as JSON lines.

    python3 tools/parity_parquet.py WORDLLAMA_TRAIN MODEL    (needs pyarrow; `make parity-parquet`)

Pairs and scored sentences of every column type that is read, in several row groups and compressions, some values
missing: `prepare` must keep the same records, and `eval` the same scores, for both forms.
"""

import json
import random
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

import pyarrow as pa  # type: ignore[import-untyped]
import pyarrow.parquet as pq  # type: ignore[import-untyped]

WORDS = "car boat train park apple pear river stone \u00e9t\u00e9 \u65e5\u672c \U0001f600 quick brown fox".split()


KINDS = [(pa.string(), "snappy"), (pa.large_string(), "zstd"), (pa.string(), None)]


def sentence(numbers: random.Random) -> str:
    return " ".join(numbers.choice(WORDS) for _ in range(numbers.randint(1, 9)))


def make_rows(numbers: random.Random, scored: bool) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = []
    for i in range(3000):
        row: dict[str, Any] = {"anchor": sentence(numbers), "positive": sentence(numbers)}
        if scored:
            row = {"score": numbers.randint(0, 20) / 4, "sentence1": row["anchor"], "sentence2": row["positive"]}
        elif i % 3:
            row["negatives"] = [sentence(numbers) for _ in range(numbers.randint(0, 3))]
        rows.append(row)
    return rows


def run(program: str, *arguments: str) -> bytes:
    return subprocess.run([program, *arguments], check=True, capture_output=True).stdout


def main() -> None:
    program, model = sys.argv[1:]
    compared = 0
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        for seed, (text, compression) in enumerate(KINDS):
            for scored in (False, True):
                rows = make_rows(random.Random(seed), scored)
                keys = ["score", "sentence1", "sentence2"] if scored else ["anchor", "positive", "negatives"]
                types = {"score": [pa.float64(), pa.float32(), pa.float64()][seed], "negatives": pa.list_(text)}
                schema = pa.schema([(key, types.get(key, text)) for key in keys])
                table = pa.Table.from_pylist(rows, schema=schema)
                pq.write_table(table, folder / "rows.parquet", row_group_size=700, compression=compression)
                lines = "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows)
                (folder / "rows.jsonl").write_text(lines, encoding="utf8")
                answers: list[Any] = []
                for form in ("parquet", "jsonl"):
                    file = str(folder / f"rows.{form}")
                    if scored:
                        answers.append(run(program, "eval", model, file, "--json"))
                    else:
                        out = folder / "out.safetensors"
                        run(program, "prepare", file, "-o", str(out), "--model", model, "--kept", str(folder / "kept"))
                        kept = (folder / "kept").read_text(encoding="utf8")
                        answers.append([json.loads(line) for line in kept.splitlines()])
                assert answers[0] == answers[1], f"{text} {compression} {'eval' if scored else 'prepare'} differ"
                compared += 1
    print(f"parquet: {compared} files, each the same as its JSON lines")


if __name__ == "__main__":
    main()
