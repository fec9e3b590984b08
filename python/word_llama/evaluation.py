"""How good a model is: evaluation sets, and scores on them. What word_llama.training says of paths, progress, message,
threads and failures holds here."""

from __future__ import annotations

import importlib
import math
import os
from array import array
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol, cast

from ._progress import Progress, reporter
from ._native import Message, StrPath, _message, _optional, _sequence, _train

if TYPE_CHECKING:
    from typing_extensions import Buffer

__all__ = ["Evaluation", "Score", "evaluate"]


class _Vectors(Protocol):
    """One of the package's models."""

    @property
    def dim(self) -> int: ...
    def _float_vectors(self, texts: list[str], /) -> Buffer: ...


@dataclass(frozen=True)
class Score:
    """Of a set, in one number of dimensions."""

    group: str
    """Such as "sts"."""
    name: str
    """Such as "stsb-dev"."""
    task: str
    """similarity, classification, clustering, pair, retrieval or triplet."""
    metric: str
    """What score is, such as "Spearman"."""
    dim: int
    binary: bool
    """Signs instead of numbers."""
    score: float
    """From 0 to 1 (Spearman: from -1); NaN where the model gives no order at all."""
    recall: float | None
    """At 100, of retrieval."""
    map: float | None
    """Mean average precision, of retrieval."""
    items: int
    """Pairs, texts, queries or triplets that the score is taken over."""


def _score(row: _train._Score) -> Score:
    return Score(
        group=row["group"],
        name=row["name"],
        task=row["task"],
        metric=row["metric"],
        dim=row["dim"],
        binary=row["binary"],
        score=row["score"],
        recall=_optional(row["recall"]),
        map=_optional(row["map"]),
        items=row["items"],
    )


@dataclass(frozen=True)
class Evaluation:
    """What `evaluate` gave. str() is a table, of scores times 100."""

    scores: tuple[Score, ...]

    @property
    def variants(self) -> tuple[tuple[int, bool], ...]:
        """The (dim, binary) that were scored, in order."""
        return tuple(dict.fromkeys((score.dim, score.binary) for score in self.scores))

    @property
    def groups(self) -> tuple[str, ...]:
        """The groups of sets, in order."""
        return tuple(dict.fromkeys(score.group for score in self.scores))

    def mean(self, group: str | None = None, dim: int | None = None, binary: bool = False) -> float:
        """The mean of a group's sets; group None: of the groups' means, sts-multilingual left out where there is
        another. dim None: the largest. NaN where a score is NaN. KeyError: there is no such group or variant."""
        dims = [variant[0] for variant in self.variants if variant[1] == binary]
        dim = max(dims, default=0) if dim is None else dim
        if dim not in dims:
            raise KeyError(f"{dim} dimensions as {'bits' if binary else 'floats'} were not scored")
        if group is None:
            chosen = [name for name in self.groups if name != "sts-multilingual"] or list(self.groups)
            return math.fsum(self.mean(name, dim, binary) for name in chosen) / len(chosen)
        found = [s.score for s in self.scores if (s.group, s.dim, s.binary) == (group, dim, binary)]
        if not found:
            raise KeyError(f"there is no group {group!r}, only {', '.join(self.groups)}")
        return math.fsum(found) / len(found)

    def _rows(self) -> Iterator[list[str]]:
        variants = self.variants
        of = {(s.group, s.name, s.dim, s.binary): s.score for s in self.scores}

        def line(name: str, score: Callable[[int, bool], float]) -> list[str]:
            return [name, *(f"{100 * score(*variant):.2f}" for variant in variants)]

        yield ["", *(f"{dim} bits" if binary else str(dim) for dim, binary in variants)]
        for group in self.groups:
            for name in dict.fromkeys(s.name for s in self.scores if s.group == group):
                yield line(f"{group}/{name}", lambda d, b, g=group, n=name: of[g, n, d, b])  # type: ignore[misc]
            yield line(group, lambda d, b, g=group: self.mean(g, d, b))  # type: ignore[misc]
        if len(self.groups) > 1:
            yield line("mean", lambda d, b: self.mean(None, d, b))

    def __str__(self) -> str:
        rows = list(self._rows())
        widths = [max(len(row[i]) for row in rows) for i in range(len(rows[0]))]
        lines = [
            "  ".join([row[0].ljust(widths[0]), *(cell.rjust(w) for cell, w in zip(row[1:], widths[1:], strict=True))])
            for row in rows
        ]
        return "\n".join(lines)


def _as_floats(vectors: Any) -> tuple[Buffer, int]:
    """Array-like (n, d) as C-contiguous float32, and d."""
    try:
        numpy: Any = importlib.import_module("numpy")
    except ImportError:
        rows = [array("f", row) for row in vectors]
        dim = len(rows[0]) if rows else 0
        if any(len(row) != dim for row in rows):
            raise ValueError("the vectors of the model have different numbers of dimensions") from None
        return array("f", b"".join(row.tobytes() for row in rows)), dim
    table = numpy.ascontiguousarray(vectors, dtype=numpy.float32)
    if table.ndim != 2:
        raise ValueError(f"the model gave an array of the shape {table.shape}, expected (texts, dimensions)")
    return table, int(table.shape[1])


def _embedder(model: object) -> tuple[Callable[[list[str]], Buffer], int]:
    """What `_train.evaluate` calls, and how many dimensions its vectors have."""
    if isinstance(model, str | os.PathLike):
        from .loading import load_model

        model = load_model(model)
    if hasattr(model, "_float_vectors"):
        own = cast(_Vectors, model)
        return own._float_vectors, own.dim
    function = getattr(model, "embed", model)
    if not callable(function):
        raise TypeError(f"{type(model).__name__} is no model: expected one, its path, or a callable texts -> vectors")
    dim = _as_floats(function(["a"]))[1]
    return lambda texts: _as_floats(function(texts))[0], dim


def evaluate(
    model: object,
    sets: StrPath | Sequence[StrPath],
    *,
    dims: int | Sequence[int] | None = None,
    binary: bool | Sequence[bool] = (False,),
    only: str | Sequence[str] | None = None,
    seed: int = 0,
    threads: int = 0,
    progress: Progress = None,
    message: Message = None,
) -> Evaluation:
    """Score a model on evaluation sets.

        print(word_llama.evaluate("l2_supercat_256", "eval/", dims=[256, 64]))

    Args:
        model: one of the package's models, the path or name of one, or any callable that turns a list of n str into
            an array-like of floats (n, d), such as a SentenceTransformer's encode; it is called once with a short
            text to learn d. What has a method embed is asked by that. Vectors need no norm.
        sets: files and folders of sets, see the manual of `wordllama eval`: folders sts, wordsim, classification,
            clustering, pair, retrieval and triplet, a folder as BEIR has it, or files of records.
        dims: keep so many of the first dimensions; each is scored. None: all.
        binary: whether the signs are scored in place of the numbers; (False, True): both.
        only: only sets of these groups ("sts") or names ("stsb-dev").
        seed: of clustering.
        threads: see the module; of scoring.
        progress: counts texts embedded and scores computed.
        message: see the module.

    Raises:
        FileNotFoundError: a path is missing or holds no set.
        ValueError: more dims than the model has; vectors of another shape.
        WordLlamaError: a broken record, with file and line; a vector with a number that is not finite.
        Whatever the model raises comes out as it is.
    """
    embed, dim = _embedder(model)
    wanted = [0] if dims is None else [dims] if isinstance(dims, int) else list(dims)
    forms = [binary] if isinstance(binary, bool) else list(binary)
    names = None if only is None else [only] if isinstance(only, str) else list(only)
    with reporter(progress, None, "texts") as report:
        found = _train.evaluate(
            embed,
            dim,
            _sequence(sets),
            names,
            [(number, form) for form in forms for number in wanted],
            threads,
            seed,
            report if progress else None,
            _message(message),
        )
    return Evaluation(tuple(_score(row) for row in found))
