"""What every adapter takes as a model."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from word_llama import WordLlama, WordLlamaError, load
from word_llama.adapters._model import name_of, opened, place_of, row_of, rows_of


def test_models_paths_and_names(wl: Any, inference: Any, texts: list[str]) -> None:
    assert opened(wl) is wl and opened(inference, 256) is inference
    assert np.array_equal(rows_of(opened(None), texts), load().embed(texts))
    for place in ("l2_supercat_256", wl.path, Path(wl.path), Path(wl.path) / "model.safetensors"):
        assert np.array_equal(rows_of(opened(place), texts), wl.embed(texts))


def test_dimensions(wl: Any, inference: Any, texts: list[str]) -> None:
    for model in (wl, inference, wl.path):
        cut = opened(model, 64)
        assert cut.dim == 64
        assert np.array_equal(rows_of(cut, texts), wl.embed(texts)[:, :64])
        assert np.array_equal(opened(cut, 32).embed(texts), wl.embed(texts)[:, :32])
    with pytest.raises(ValueError, match="dim is 257"):
        opened(wl, 257)


def test_places(wl: Any, inference: Any, array_model: Any, texts: list[str]) -> None:
    for model in (wl, inference, opened(wl, 64)):
        again = opened(json.loads(json.dumps(place_of(model))))
        assert np.array_equal(again.embed(texts), model.embed(texts))
    assert place_of("l2_supercat_256") == "l2_supercat_256" and place_of(Path("a") / "b") == "a/b"
    assert place_of(None) is None
    with pytest.raises(ValueError, match="made of an array"):
        place_of(array_model)
    assert {name_of(one) for one in (wl, wl.path, place_of(wl), "l2_supercat_256")} == {"l2_supercat_256"}
    assert name_of(None) == "default"
    assert name_of("minishlab/potion-base-8M") == "minishlab/potion-base-8M"


def test_rows(wl: Any, inference: Any, texts: list[str]) -> None:
    for model in (wl, inference):
        assert row_of(model, texts[0]).shape == (256,)
        assert np.array_equal(row_of(model, texts[0], True), wl.embed(texts[0], norm=True))
        assert rows_of(model, []).shape == (0, 256)
        with pytest.raises(TypeError, match=r"texts\[1\] is int"):
            rows_of(model, ["a", 2])
        with pytest.raises(TypeError, match="texts are str"):
            rows_of(model, "a")
        with pytest.raises(TypeError, match="text is list"):
            row_of(model, ["a"])  # type: ignore[arg-type]


def test_what_is_no_model(tmp_path: Path, wl: Any) -> None:
    with pytest.raises(TypeError, match="model is int"):
        opened(3)  # type: ignore[arg-type]
    with pytest.raises((FileNotFoundError, WordLlamaError)):
        opened(tmp_path / "none")
    with pytest.raises(ValueError, match="gives bits"):
        opened(type(wl).open(wl.path, binary=True))
    with pytest.raises(ValueError, match="gives bits"):
        opened(WordLlama.load().open(wl.path, binary=True))
