"""Codebooks out of language models, under the names that WordLlama's users know.

`extract` is the function for new code. No torch and no transformers: only the table is read, or fetched.
"""

from __future__ import annotations

import os
import sys
from types import ModuleType
from typing import Any, Protocol

from ._progress import Progress
from ._native import Message, StrPath
from .codebooks import Extracted, extract

__all__ = ["Extracted", "extract", "extract_from_hf", "extract_hf", "extract_safetensors"]


class _Named(Protocol):
    @property
    def name(self) -> str: ...


def _name(config: str | _Named) -> str:
    # WordLlama's own config objects say config_name.
    name = config if isinstance(config, str) else getattr(config, "name", getattr(config, "config_name", None))
    if not isinstance(name, str) or not name:
        raise TypeError(f"expected a config such as Config.llama3_8B or its name, not {type(config).__name__}")
    return name


def extract_hf(config: str | _Named, path: StrPath, *, progress: Progress = None, message: Message = None) -> Extracted:
    """Take the codebook out of the model that a config names, from the hub.

        extract_hf(Config.llama3_8B, "llama3_8B.safetensors")

    Args:
        config: a codebook config, or its name.
        path: the file to write; the tokenizer goes beside it.
        progress: counts bytes of the table, see `word_llama.training`.
        message: see there.

    Raises:
        FileNotFoundError: no such config.
        OSError: the hub refuses (a gated model without a token: the message says what to do) or cannot be reached.
        WordLlamaError: the table is not what the config says, or the config is composed of others.
    """
    return extract(_name(config), path, progress=progress, message=message)


def extract_from_hf(config: str | _Named, name: str) -> Extracted:
    """The same, into NAME.safetensors."""
    return extract_hf(config, f"{name}.safetensors")


def extract_safetensors(
    config_name: str,
    tensor_path: StrPath = "model-00001-of-00030.safetensors",
    key: str = "model.embed_tokens.weight",
) -> Extracted:
    """Take the codebook out of a safetensors file, into CONFIG_NAME.safetensors in the working directory.

    Args:
        config_name: name of the codebook config that the table must agree with.
        tensor_path: the file that holds the table, such as the first shard of a model.
        key: the table's name in it.

    Raises:
        FileNotFoundError: no such config, file or tensor.
        WordLlamaError: the table is not what the config says.
    """
    # Its number of rows is checked by the config; a tokenizer of fewer ids beside it was never looked at.
    return extract(
        os.fspath(tensor_path), f"{config_name}.safetensors", config=config_name, tensor=key, allow_padding=True
    )


class _Callable(ModuleType):
    """The module is the function as well: word_llama.extract(...), with `from word_llama.extract import extract_hf`."""

    def __call__(self, *arguments: Any, **options: Any) -> Extracted:
        return extract(*arguments, **options)


_Callable.__call__.__doc__ = extract.__doc__
sys.modules[__name__].__class__ = _Callable
