"""The class of the package `wordllama` 0.4: the same names, arguments, defaults, shapes and results."""

from __future__ import annotations

from . import _core
from ._arrays import contiguous, numpy, shaped
from .toolkit import OFF, ON, POLICIES, Toolkit, items_of

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable
    from typing import Any, Literal, overload

    import numpy as np
    import numpy.typing as npt

    from ._progress import Progress


class WordLlamaInference(Toolkit):
    __doc__ = f"""{Toolkit.__doc__}
    embed() always gives a matrix, (1, dim) for one text; bits are uint64, dim // 64 to a row, in bytes the same as
    those of Model.embed.
    """

    __slots__ = ()

    def __init__(self, embedding: Any, tokenizer: Any, binary: bool = False) -> None:
        """A model of a table that is at hand.

        Args:
            embedding: (vocabulary, dim) numbers, a row for each id of the tokenizer; stored as float32.
            tokenizer: a Tokenizer of the library `tokenizers`, the text of its JSON, or the path of a tokenizer.json.
            binary: vectors are signs, a bit each.
        """
        core = _core_of_table(embedding, tokenizer)
        self._handle = core
        self._source = None
        self._cut = 0
        self._dim = core.describe()["dim"]
        self._binary = bool(binary)
        self._check()

    @property
    def embedding(self) -> Any:
        """The table: (vocabulary, dim) float32, a copy made each time. Weights of tokens are in it."""
        return shaped(self._handle.table(self._cut), (self._handle.describe()["rows"], self._dim), "f")

    @property
    def tokenizer(self) -> Any:
        """The Tokenizer of the library `tokenizers`, which must be installed, read anew each time.

        Raises:
            ValueError: the model was made of an array, or is a packed file.
        """
        import os

        from tokenizers import Tokenizer

        if not self._source:
            raise ValueError("a model that was made of an array has no tokenizer.json")
        path, given, _ = self._source
        folder = path if os.path.isdir(path) else os.path.dirname(path)
        places = [given, path.removesuffix(".safetensors") + ".tokenizer.json", os.path.join(folder, "tokenizer.json")]
        for place in places:
            if place and os.path.isfile(place):
                return Tokenizer.from_file(place)
        raise ValueError(f"{self!r} has no tokenizer.json beside it")

    def _check(self) -> None:
        if self._binary and self._dim % 64:
            raise ValueError(f"a binary model needs a multiple of 64 dimensions, and this one has {self._dim}")

    if TYPE_CHECKING:

        @overload
        def embed(
            self,
            texts: str | Iterable[str],
            norm: bool = ...,
            return_np: Literal[True] = ...,
            pool_embeddings: Literal[True] = ...,
            batch_size: int = ...,
            *,
            threads: int | None = ...,
            progress: Progress = ...,
        ) -> npt.NDArray[np.float32]: ...
        @overload
        def embed(
            self,
            texts: str | Iterable[str],
            norm: bool = ...,
            return_np: bool = ...,
            pool_embeddings: bool = ...,
            batch_size: int = ...,
            *,
            threads: int | None = ...,
            progress: Progress = ...,
        ) -> Any: ...

    def embed(
        self,
        texts: str | Iterable[str],
        norm: bool = False,
        return_np: bool = True,
        pool_embeddings: bool = True,
        batch_size: int = 64,
        *,
        threads: int | None = None,
        progress: Progress = None,
    ) -> Any:
        """Vectors of texts: the mean of their tokens' rows.

        Args:
            texts: one str, or any iterable of them; a list is not copied.
            norm: unit length. A text without tokens has the zero vector, with and without.
            return_np: False gives lists of Python numbers.
            pool_embeddings: False gives a row for each token of a text.
            batch_size: taken for the sake of older code; memory does not depend on it.

        Returns:
            (n, dim) float32, n being 1 for a str; of a binary model (n, dim // 64) uint64. Without pooling a list with
            such a matrix, (tokens, ...), for each text. NumPy arrays, or memoryviews where NumPy is not installed.

        Raises:
            TypeError: a text is no str.
        """
        width, letter, size = (self._dim // 64, "Q", 8) if self._binary else (self._dim, "f", 4)
        if not pool_embeddings:
            rows = [self._token_rows(text, norm, self._binary) for text in _listed(texts)]
            return [self._result(data, (len(data) // (width * size), width), letter, return_np) for data in rows]
        if isinstance(texts, str):
            data = self._handle.embed_one(texts, ON if norm else OFF, self._binary, self._cut)
            return self._result(data, (1, width), letter, return_np)
        data = self._rows(texts, ON if norm else OFF, self._binary, threads, progress)
        return self._result(data, (len(data) // (width * size), width), letter, return_np)


def _listed(texts: Any) -> Any:
    return [texts] if isinstance(texts, str) else items_of(texts)


def _tokenizer_text(tokenizer: Any) -> str:
    if hasattr(tokenizer, "to_str"):
        return str(tokenizer.to_str())
    if isinstance(tokenizer, str) and tokenizer.lstrip().startswith("{"):
        return tokenizer
    with open(tokenizer, encoding="utf-8") as file:
        return file.read()


def _core_of_table(embedding: Any, tokenizer: Any) -> _core.Model:
    """Through files, which are gone when they are mapped: the library opens nothing else."""
    import json
    import os
    import struct
    import tempfile

    module = numpy()
    if module is not None and module.asarray(embedding).dtype.kind != "f":
        embedding = module.asarray(embedding, module.float32)
    table = memoryview(contiguous(embedding))
    if table.ndim != 2 or table.format not in "fde":
        raise ValueError(f"the table has {table.ndim} dimensions and format {table.format!r}, expected 2 of floats")
    dtype = {"f": "F32", "d": "F64", "e": "F16"}[table.format]
    shape = list(table.shape or ())
    header = json.dumps(
        {"embedding.weight": {"dtype": dtype, "shape": shape, "data_offsets": [0, table.nbytes]}}
    ).encode()
    header += b" " * (-len(header) % 8)
    with tempfile.TemporaryDirectory() as folder:
        with open(os.path.join(folder, "model.safetensors"), "wb") as file:
            file.write(struct.pack("<Q", len(header)) + header)
            file.write(table.cast("B") if table.nbytes else b"")
        with open(os.path.join(folder, "tokenizer.json"), "w", encoding="utf-8") as text:
            text.write(_tokenizer_text(tokenizer))
        return _core.Model(folder, "", POLICIES["wordllama"], True)
