"""The model that load() gives: a text is a vector, texts are a matrix."""

from __future__ import annotations

from .toolkit import OFF, ON, Toolkit, pair_scores

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable
    from typing import Any, Literal, overload

    import numpy as np
    import numpy.typing as npt

    from ._progress import Progress


class Model(Toolkit):
    __doc__ = f"""{Toolkit.__doc__}
    embed() of one text gives a vector, of several a matrix; of bits, bytes whose first bit is the most significant.
    """

    __slots__ = ()

    if TYPE_CHECKING:

        @overload
        def embed(
            self,
            texts: str | Iterable[str],
            norm: bool = ...,
            binarize: Literal[False] = ...,
            *,
            return_np: Literal[True] = ...,
            threads: int | None = ...,
            progress: Progress = ...,
        ) -> npt.NDArray[np.float32]: ...
        @overload
        def embed(
            self,
            texts: str | Iterable[str],
            norm: bool = ...,
            *,
            binarize: Literal[True],
            return_np: Literal[True] = ...,
            threads: int | None = ...,
            progress: Progress = ...,
        ) -> npt.NDArray[np.uint8]: ...
        @overload
        def embed(
            self,
            texts: str | Iterable[str],
            norm: bool = ...,
            binarize: bool = ...,
            *,
            return_np: bool = ...,
            threads: int | None = ...,
            progress: Progress = ...,
        ) -> Any: ...

    def embed(
        self,
        texts: str | Iterable[str],
        norm: bool = False,
        binarize: bool = False,
        *,
        return_np: bool = True,
        threads: int | None = None,
        progress: Progress = None,
    ) -> Any:
        """Vectors of texts: the mean of their tokens' rows.

        Args:
            texts: one str, or any iterable of them; a list is not copied.
            norm: unit length. A text without tokens has the zero vector, with and without.
            binarize: signs instead of numbers, 1 for what is above 0, packed to bytes, the first in the most
                significant place.
            return_np: False gives lists of Python numbers.

        Returns:
            (dim,) float32 for a str, (n, dim) for others; (dim + 7) // 8 uint8 in place of dim with binarize.
            NumPy arrays, or memoryviews where NumPy is not installed.

        Raises:
            TypeError: a text is no str.
        """
        binary = binarize or self._binary
        width, letter = ((self._dim + 7) // 8, "B") if binary else (self._dim, "f")
        if isinstance(texts, str):
            data = self._handle.embed_one(texts, ON if norm else OFF, binary, self._cut)
            return self._result(data, (width,), letter, return_np)
        data = self._rows(texts, ON if norm else OFF, binary, threads, progress)
        return self._result(data, (len(data) // (width * (1 if binary else 4)), width), letter, return_np)

    def cosine_similarity(self, a: Any, b: Any) -> Any:
        """Cosines of float vectors.

        Args:
            a, b: (d,), or (n, d) and (m, d).

        Returns:
            A float for two vectors, (m,) or (n,) for a vector and rows, (n, m) for rows; 0 with a zero vector.
        """
        return pair_scores(a, b, hamming=False)

    def hamming_similarity(self, a: Any, b: Any) -> Any:
        """1 - differing / all of the bits of packed vectors; shapes as for cosine_similarity().

        Raises:
            ValueError: the vectors are no bits (uint8 or uint64), or of different sizes.
        """
        return pair_scores(a, b, hamming=True)
