#!/usr/bin/env python3
"""Executes a notebook from top to bottom and holds its outputs against those that are stored in it.

    make notebook

    python3 tools/notebook.py [--write] NOTEBOOK

A cell that raises, or whose outputs are not of the stored kinds, in number and order, is a failure; so is one whose
text differs, but for cells with the tag "varies". Of pictures only the number counts, since fonts and libraries differ.
--write stores the outputs in the notebook instead, without what differs from run to run. Needs tools/notebook.txt.
"""

from __future__ import annotations

import argparse
import difflib
import os
import re
import sys
import tempfile
from pathlib import Path
from typing import Any

import nbformat
from nbclient import NotebookClient
from nbclient.exceptions import CellExecutionError
from traitlets.config import Config

LARGEST = 600_000  # bytes of the file: what a reader of the repository is asked to fetch
PICTURES = ("image/png", "image/svg+xml")


def execute(notebook: Any, cache: Path) -> None:
    """Runs all cells in a folder of their own, with nothing of the user's settings, and keeps what they give."""
    cache.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as folder:
        os.environ.update(
            JUPYTER_PREFER_ENV_PATH="1",
            JUPYTER_CONFIG_DIR=folder,
            JUPYTER_RUNTIME_DIR=folder,
            IPYTHONDIR=str(Path(folder, "ipython")),
            MPLCONFIGDIR=str(cache),
            MPLBACKEND="module://matplotlib_inline.backend_inline",
            TMPDIR=folder,  # what cells write goes with it
        )
        client = NotebookClient(
            notebook,
            config=Config({"KernelManager": {"transport": "ipc", "ip": str(Path(folder, "kernel"))}}),
            timeout=300,
            kernel_name="python3",
            resources={"metadata": {"path": folder}},
            record_timing=False,
            coalesce_streams=True,
        )
        client.execute()


def clean(notebook: Any) -> None:
    """Leaves what is the same for everybody who executes the notebook."""
    notebook.metadata = nbformat.from_dict(
        {
            "kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"},
            "language_info": {"name": "python"},
        }
    )
    for cell in notebook.cells:
        tags = cell.metadata.get("tags")
        cell.metadata = nbformat.from_dict({"tags": tags} if tags else {})
        for output in cell.get("outputs", []):
            if "metadata" in output:
                output.metadata = nbformat.from_dict({})


def parts(cell: Any) -> list[tuple[str, str]]:
    """Of each output its kind and its text; of pictures no text."""
    result = []
    for output in cell.outputs:
        if output.output_type == "stream":
            result.append((output.name, output.text))
        elif output.output_type == "error":
            result.append((f"error {output.ename}", output.evalue))
        else:
            kinds = sorted(output.data)
            text = "" if any(kind in PICTURES for kind in kinds) else output.data.get("text/plain", "")
            result.append((" ".join([output.output_type, *kinds]), text))
    return result


def pictures(cells: list[Any]) -> int:
    return sum(kind in output.get("data", {}) for cell in cells for output in cell.outputs for kind in PICTURES)


def difference(old: Any, new: Any) -> str:
    """What a cell gives now and did not give then; empty: nothing."""
    stored, given = parts(old), parts(new)
    kinds = [kind for kind, _ in stored], [kind for kind, _ in given]
    if kinds[0] != kinds[1]:
        return f"stored are {', '.join(kinds[0]) or 'no outputs'}; now {', '.join(kinds[1]) or 'there are none'}\n"
    if "varies" in old.metadata.get("tags", []):
        return ""
    lines: list[str] = []
    for (_, before), (_, now) in zip(stored, given, strict=True):
        lines += difflib.unified_diff(before.splitlines(), now.splitlines(), "stored", "now", lineterm="")
    return "".join(f"{line}\n" for line in lines)


def private(text: str) -> list[str]:
    """Paths of this machine in what would be stored."""
    places = {str(Path(place).resolve()) for place in (Path.home(), Path.cwd(), tempfile.gettempdir(), sys.prefix)}
    return sorted(place for place in places if len(place) > 1 and f"{place}/" in text)


def main() -> int:
    parser = argparse.ArgumentParser(description="Executes a notebook and compares, or stores, its outputs.")
    parser.add_argument("notebook", type=Path)
    parser.add_argument("--write", action="store_true", help="store the outputs")
    arguments = parser.parse_args()
    path: Path = arguments.notebook
    stored = nbformat.read(path, as_version=4)
    notebook = nbformat.read(path, as_version=4)
    cache = Path(sys.prefix).parent / "matplotlib"
    try:
        execute(notebook, cache)
    except CellExecutionError as error:
        print(re.sub(r"\x1b\[[0-9;]*m", "", str(error)), file=sys.stderr)
        print("notebook: a cell failed", file=sys.stderr)
        return 1
    clean(notebook)
    nbformat.validate(notebook)
    text = nbformat.writes(notebook) + "\n"
    cells = [cell for cell in notebook.cells if cell.cell_type == "code"]
    failures = [f"{place} of this machine in an output or a cell" for place in private(text)]
    if len(text.encode()) > LARGEST:
        failures.append(f"{len(text.encode())} bytes, more than {LARGEST}")
    if arguments.write:
        if not failures:
            path.write_text(text, encoding="utf-8")
    else:
        before = [cell for cell in stored.cells if cell.cell_type == "code"]
        for old, new in zip(before, cells, strict=True):
            found = difference(old, new)
            if found:
                failures.append(f"cell {old.id}:\n{found}")
    for failure in failures:
        print(f"notebook: {failure}", file=sys.stderr)
    if failures:
        print("notebook: failed; where the new outputs are right, tools/notebook.sh --write stores them", file=sys.stderr)
        return 1
    what = "executed and stored" if arguments.write else "executed"
    print(f"notebook: {len(cells)} cells {what}, {pictures(cells)} pictures")
    return 0


if __name__ == "__main__":
    sys.exit(main())
