"""The Python code in the README files runs, and gives what they print behind it."""

from __future__ import annotations

import ast
import re

import numpy as np
import pytest
import word_llama
from conftest import ROOT


def statements(path: str) -> list[tuple[str, str]]:
    """Each line of the file's Python blocks with its comment."""
    blocks = re.findall(r"^```python\n(.*?)^```", (ROOT / path).read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL)
    lines = "".join(blocks).splitlines()
    return [(line.split("  #")[0].rstrip(), line.partition("  #")[2].strip()) for line in lines if line.strip()]


@pytest.mark.parametrize("path", ["README.md", "python/README.md"])
def test_readme(default_model: word_llama.Model, path: str) -> None:
    names: dict[str, object] = {}
    checked = 0
    for code, comment in statements(path):
        try:
            expected = ast.literal_eval(comment)
        except (SyntaxError, ValueError):  # words
            exec(code, names)
            continue
        result = eval(code, names)
        if isinstance(expected, float):
            digits = len(comment.partition(".")[2])
            result = round(float(np.float64(result)), digits)  # type: ignore[arg-type]
        assert result == expected, code
        checked += 1
    assert checked >= 3
