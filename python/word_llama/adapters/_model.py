"""What adapters take as a model: one that is open, or where it is."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

from ..inference import WordLlamaInference
from ..loading import DEFAULT, load
from ..model import Model

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

AnyModel = Model | WordLlamaInference
ModelOrPlace = AnyModel | str | os.PathLike[str] | dict[str, Any] | None


def opened(model: ModelOrPlace = None, dim: int | None = None) -> AnyModel:
    """An open model of numbers.

    Args:
        model: a model; a path or name, as load() takes it; what place_of() gave; None: the default model.
        dim: keep the first dim dimensions; None: as it is.

    Raises:
        TypeError: it is something else.
        ValueError: the model is of bits; dim is out of range.
        FileNotFoundError, WordLlamaError: as load().
    """
    if isinstance(model, dict):
        place = dict(model)
        model = Model.open(place.pop("path"), place.pop("tokenizer", None), **place)
    elif not isinstance(model, AnyModel):
        if model is not None and not isinstance(model, (str, os.PathLike)):
            raise TypeError(f"model is {type(model).__name__}, expected a model of word_llama, or its path or name")
        return load(model, dim=dim)
    if model.binary:
        raise ValueError(f"{model!r} gives bits, and numbers are wanted: open it without binary")
    if dim is None or dim == model.dim:
        return model
    return type(model)._of(model._handle, model._source, dim, False)


def place_of(model: ModelOrPlace) -> str | dict[str, Any] | None:
    """What opened() opens again, of JSON's types: for configurations that are written down.

    Raises:
        ValueError: the model was made of an array.
    """
    if not isinstance(model, AnyModel):
        return model if model is None or isinstance(model, dict) else os.fspath(model)
    if model._source is None:
        raise ValueError("a model that was made of an array has no place: save it as a file and open that")
    path, tokenizer, policy = model._source
    return {"path": path, "tokenizer": tokenizer, "policy": policy, "dim": model.dim}


def name_of(model: ModelOrPlace) -> str:
    """What to call it: its name, or that of its file or folder."""
    if isinstance(model, str) and not os.path.exists(model):
        return model
    path = model.path if isinstance(model, AnyModel) else model["path"] if isinstance(model, dict) else model
    return os.path.basename(os.fspath(path or DEFAULT)).removesuffix(".safetensors")


def rows_of(model: AnyModel, texts: Any, norm: bool = False, threads: int | None = None) -> npt.NDArray[np.float32]:
    """(n, dim) float32 of an iterable of str; TypeError names the place of what is none."""
    if isinstance(texts, str):
        raise TypeError("texts are str, expected an iterable of str")
    return model.embed(texts, norm=norm, threads=threads)


def row_of(model: AnyModel, text: str, norm: bool = False) -> npt.NDArray[np.float32]:
    """(dim,) float32 of one text."""
    if not isinstance(text, str):
        raise TypeError(f"text is {type(text).__name__}, expected str")
    return model.embed(text, norm=norm).reshape(-1)
