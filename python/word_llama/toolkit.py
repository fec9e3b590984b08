"""What all models can do, whatever shape their embed() gives."""

from __future__ import annotations

import os

from . import _core
from ._arrays import contiguous, dimensions, nested, shaped
from .encoding import Encoding, make_encodings

TYPE_CHECKING = False  # typing is not imported to run: opening a model takes as long as that
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from typing import Any, Self

    import numpy as np
    import numpy.typing as npt

    from ._progress import Progress

POLICIES = {"auto": 0, "wordllama": 1, "model2vec": 2}
ON, OFF = 1, 2  # wl_toggle


def items_of(texts: Any) -> Any:
    """Texts that can be looked up by place: lists and tuples as they are, Arrow arrays and iterators as lists."""
    if isinstance(texts, (list, tuple)):
        return texts
    if isinstance(texts, (str, bytes)) or not hasattr(texts, "__iter__") or hasattr(texts, "columns"):
        raise TypeError(f"texts are {type(texts).__name__}, expected an iterable of str")
    return texts.to_pylist() if hasattr(texts, "to_pylist") else list(texts)


def whole(name: str, value: Any, least: int, most: int = 2**32 - 1) -> int:
    """An integer out of whatever counts as one (a NumPy integer, too), in its range."""
    try:
        number = value.__index__()
    except AttributeError:
        raise TypeError(f"{name} is {type(value).__name__}, expected an int") from None
    if not least <= number <= most:
        limits = f"{least} to {most}" if most < 2**31 or number > most else f"at least {least}"
        raise ValueError(f"{name} is {number}, expected {limits}")
    return int(number)


def threads_of(threads: int | None) -> int:
    return 0 if threads is None else whole("threads", threads, 1, 4096)


def seed_of(random_state: Any) -> int:
    """A seed out of None (another each time), an integer, or a generator of NumPy's, which is drawn from."""
    if random_state is None:
        return int.from_bytes(os.urandom(8), "little")
    if hasattr(random_state, "integers"):
        return int(random_state.integers(2**63))
    if hasattr(random_state, "randint"):
        return int(random_state.randint(2**31 - 1))
    return whole("random_state", random_state, 0, 2**64 - 1)


class _Silent:
    """What a call tells its progress where nobody asked."""

    def __enter__(self) -> None:
        pass

    def __exit__(self, *reason: object) -> None:
        pass


def reporting(progress: Progress, total: int | None, unit: str) -> Any:
    """A context with what the extension is handed as progress: a callable, or None."""
    if not progress:
        return _Silent()
    from ._progress import reporter

    return reporter(progress, total, unit)


class Toolkit:
    """A model, open: immutable, to be used by any number of threads at once, and in a child after fork().

    Every method that works on many texts takes a list, a tuple, any iterable of str, a pandas or polars column, or an
    Arrow array (which embed() reads where it lies), and releases the GIL. ``threads``: None for all that the process may
    use. ``progress``: True for a bar, or a callable ``(done, total)``, where total is 0 while it is not known; False as
    its answer stops the call with KeyboardInterrupt, as Ctrl-C does. Anything but str among texts is a TypeError that names its place. Results do not depend on the number of threads.
    """

    __slots__ = ("__weakref__", "_binary", "_cut", "_dim", "_handle", "_source")

    embed: Any  # of the classes, each in its own shapes
    _cut: int
    _handle: _core.Model
    _source: tuple[str, str | None, str] | None
    _binary: bool
    _dim: int

    def __init__(self) -> None:
        raise TypeError("a model is opened by load()")

    @classmethod
    def open(
        cls,
        path: str | os.PathLike[str],
        tokenizer: str | os.PathLike[str] | None = None,
        *,
        dim: int | None = None,
        binary: bool = False,
        policy: str = "auto",
    ) -> Self:
        """Opens a folder with model.safetensors and tokenizer.json, a .safetensors file, or a packed model.

        Args:
            path: the folder or file; it is mapped, not copied.
            tokenizer: the tokenizer.json; None: the one beside the file.
            dim: keep the first dim dimensions; None: all.
            binary: vectors are signs, a bit each.
            policy: how tokens are treated: "wordllama", "model2vec", or "auto" by what the file is.

        Raises:
            FileNotFoundError: a file is missing.
            WordLlamaError: a file is broken (with its place), or model and tokenizer do not belong together.
            ValueError: dim or policy is out of range.
        """
        if policy not in POLICIES:
            raise ValueError(f"policy is {policy!r}, expected one of {', '.join(POLICIES)}")
        name = os.fspath(path)
        given = None if tokenizer is None else os.fspath(tokenizer)
        core = _core.Model(name, given or "", POLICIES[policy])
        return cls._of(core, (os.path.abspath(name), given and os.path.abspath(given), policy), dim, binary)

    @classmethod
    def _of(
        cls,
        core: _core.Model,
        source: tuple[str, str | None, str] | None,
        dim: int | None,
        binary: bool,
    ) -> Self:
        self = cls.__new__(cls)
        most = core.describe()["dim"]
        self._handle = core
        self._source = source
        self._cut = 0 if dim is None else whole("dim", dim, 1, most)
        self._dim = self._cut or most
        self._binary = bool(binary)
        self._check()
        return self

    def _check(self) -> None:
        """Whether dimensions and kind go together."""

    # ---- what it is --------------------------------------------------------------------------------------------------

    @property
    def dim(self) -> int:
        """Dimensions of its vectors."""
        return self._dim

    @property
    def binary(self) -> bool:
        """Whether its vectors are signs."""
        return self._binary

    @property
    def path(self) -> str | None:
        """Where the model was opened; None for one made of an array."""
        return self._source[0] if self._source else None

    @property
    def info(self) -> dict[str, Any]:
        """rows, dim and dtype of the table, vocabulary, tokenizer, policy, normalize, max_tokens, bytes."""
        return self._handle.describe()

    def __repr__(self) -> str:
        kind = "bits" if self._binary else "dimensions"
        return f"{type(self).__name__}({self.path or 'an array'!r}, {self._dim} {kind})"

    def __reduce__(self) -> tuple[Any, ...]:
        if not self._source:
            raise TypeError("a model that was made of an array cannot be pickled: save it as a file and open that")
        return _restore, (type(self), self._source, self._cut or None, self._binary)

    # ---- vectors -----------------------------------------------------------------------------------------------------

    def _rows(self, texts: Any, normalize: int, binary: bool, threads: int | None, progress: Progress) -> bytearray:
        used = threads_of(threads)
        total = len(texts) if isinstance(texts, (list, tuple)) else None
        with reporting(progress, total, "texts") as report:
            return self._handle.embed(texts, normalize, binary, self._cut, used, report)

    def _float_vectors(self, texts: list[str]) -> memoryview[float]:
        """(n, dim) floats without norm, for evaluate(); n is at least 1."""
        data = self._handle.embed(texts, OFF, 0, self._cut, 0, None)
        return memoryview(data).cast("f", (len(texts), self._dim))

    async def aembed(self, texts: str | Iterable[str], *arguments: Any, **options: Any) -> Any:
        """embed() in a thread of its own, so that an event loop goes on meanwhile: ``await model.aembed(...)``. What is
        cancelled ends its work all the same."""
        import asyncio

        return await asyncio.to_thread(self.embed, texts, *arguments, **options)

    def stream(self, texts: Iterable[str], batch_size: int = 4096, **options: Any) -> Iterator[tuple[list[str], Any]]:
        """Texts and their vectors, batch by batch, in memory that does not grow: (list of str, (n, dim)) pairs.
        options: those of embed()."""
        for batch in self._batches(texts, batch_size):
            yield batch, self.embed(batch, **options)

    def _token_rows(self, text: str, normalize: bool, binary: bool) -> bytearray:
        return self._handle.embed_tokens(text, ON if normalize else OFF, binary, self._cut)

    def vector_similarity(self, a: Any, b: Any) -> npt.NDArray[np.float32]:
        """Similarities of all rows of a and all rows of b: cosines.

        Args:
            a, b: (n, d) and (m, d), or (d,): floats; or bits, packed as uint8 or uint64, of which the cosine of the
                signs is taken: 1 - 2 * differing / all.

        Returns:
            (n, m) float32. A zero vector has the cosine 0 with all.

        Raises:
            ValueError: a and b have different dimensions or kinds.
        """
        data, rows, columns = _core.similarity(contiguous(a), contiguous(b), False, 0)
        return shaped(data, (rows, columns), "f")  # type: ignore[no-any-return]

    # ---- texts -------------------------------------------------------------------------------------------------------

    def similarity(self, text1: str, text2: str) -> float:
        """The cosine of two texts; for bits that of their signs. A text without tokens has 0 with all."""
        return self._handle.similarity(text1, text2, self._binary, False, self._cut)

    def key(self, query: str, norm: bool = True) -> Callable[[str], float]:
        """A function that tells a text's similarity to the query: for sorted(), min() and max().

        norm is taken for the sake of older code: a cosine does not depend on it.
        """
        return self._handle.key(query, self._binary, self._cut)

    def _rank(
        self,
        query: str,
        texts: Any,
        sort: bool,
        top: int,
        threshold: float | None,
        threads: int | None,
        progress: Progress,
    ) -> tuple[list[int], list[float]]:
        if not isinstance(query, str):
            raise TypeError(f"the query is {type(query).__name__}, expected str")
        used, how = threads_of(threads), (self._binary, False, self._cut, bool(sort), top, threshold)
        with reporting(progress, len(texts), "texts") as report:
            return self._handle.rank(query, texts, *how, used, report)

    def rank(
        self,
        query: str,
        docs: Iterable[str],
        sort: bool = True,
        batch_size: int = 64,
        *,
        threads: int | None = None,
        progress: Progress = None,
    ) -> list[tuple[str, float]]:
        """Texts with their similarity to the query.

        Args:
            query: what they are compared with.
            docs: any number of texts; none gives an empty list.
            sort: the most similar first, equal ones in their order; else all in their order.
            batch_size: taken for the sake of older code; memory does not depend on it.

        Returns:
            (text, score) pairs.
        """
        texts = items_of(docs)
        places, scores = self._rank(query, texts, sort, 0, None, threads, progress)
        return [(texts[place], score) for place, score in zip(places, scores)]

    def topk(
        self,
        query: str,
        candidates: Iterable[str],
        k: int = 3,
        *,
        threads: int | None = None,
        progress: Progress = None,
    ) -> list[str]:
        """The k texts most similar to the query, the best first; all of them where there are fewer than k.

        Raises:
            ValueError: k is below 1.
        """
        texts = items_of(candidates)
        places, _ = self._rank(query, texts, True, whole("k", k, 1, 2**62), None, threads, progress)
        return [texts[place] for place in places]

    def filter(
        self,
        query: str,
        candidates: Iterable[str],
        threshold: float = 0.3,
        *,
        threads: int | None = None,
        progress: Progress = None,
    ) -> list[str]:
        """The texts whose similarity to the query is above the threshold, in their order."""
        texts = items_of(candidates)
        places, _ = self._rank(query, texts, False, 0, float(threshold), threads, progress)
        return [texts[place] for place in places]

    def deduplicate(
        self,
        docs: Iterable[str],
        threshold: float = 0.9,
        return_indices: bool = False,
        batch_size: int | None = None,
        *,
        greedy: bool = False,
        threads: int | None = None,
        progress: Progress = None,
    ) -> list[Any]:
        """Texts without those that repeat an earlier one.

        Args:
            docs: the texts.
            threshold: a text goes when its similarity to an earlier one is above it.
            return_indices: the places of those that go, ascending, instead of the texts that stay.
            batch_size: taken for the sake of older code, where results depended on it; here all pairs count.
            greedy: only texts that stay count as earlier ones.

        Returns:
            The texts that stay, in their order; or places (int).
        """
        texts = items_of(docs)
        used = threads_of(threads)
        with reporting(progress, len(texts), "texts") as report:
            gone = self._handle.deduplicate(texts, float(threshold), self._binary, self._cut, greedy, used, report)
        if return_indices:
            return [place for place, _, _ in gone]
        dropped = {place for place, _, _ in gone}
        return [text for place, text in enumerate(texts) if place not in dropped]

    def cluster(
        self,
        docs: Iterable[str],
        k: int,
        max_iterations: int = 100,
        tolerance: float = 1e-4,
        n_init: int = 10,
        min_iterations: int = 5,
        random_state: Any = None,
        *,
        threads: int | None = None,
        progress: Progress = None,
    ) -> tuple[list[int], float]:
        """Clusters texts by k-means over their unit vectors.

        Args:
            docs: at least k texts.
            k: number of clusters.
            max_iterations: of each start.
            tolerance: a start ends when its inertia falls by less than that for each text's part of it.
            n_init: starts, of which the best counts.
            min_iterations: taken for the sake of older code.
            random_state: an integer, 0 too, gives the same clusters each time; a generator of NumPy's; None.

        Returns:
            The label of each text, and the inertia: the sum of squared distances to the clusters' means.

        Raises:
            ValueError: k is 0 or more than there are texts; the model is binary.
        """
        self._need_floats("cluster")
        texts = items_of(docs)
        clusters = whole("k", k, 1)
        if clusters > len(texts):
            raise ValueError(f"k is {clusters}, and there are {len(texts)} texts")
        part = float(tolerance) / len(texts)
        limits = (whole("max_iterations", max_iterations, 1), part, whole("n_init", n_init, 1))
        used = threads_of(threads)
        with reporting(progress, None, "iterations") as report:
            labels, inertia, _ = self._handle.cluster(
                texts, clusters, *limits, seed_of(random_state), self._cut, used, report
            )
        return labels, inertia

    def split(
        self,
        text: str,
        target_size: int = 1536,
        window_size: int = 3,
        poly_order: int = 2,
        savgol_window: int = 3,
        cleanup_size: int = 24,
        intermediate_size: int = 96,
        return_minima: bool = False,
        *,
        tokens: bool = False,
    ) -> Any:
        """Splits a text where its meaning changes.

        Args:
            text: of any length; the empty text has no chunks.
            target_size: pieces are joined up to this many characters. Larger than intermediate_size.
            window_size: lines that are compared with each other; odd.
            poly_order, savgol_window: of the Savitzky-Golay filter over the similarities.
            cleanup_size: smaller pieces join the one before.
            intermediate_size: lines are joined up to it before they are compared. Larger than cleanup_size.
            return_minima: return what the cuts follow from instead.
            tokens: sizes are in tokens of the model.

        Returns:
            Chunks (list of str); or with return_minima the places of the minima (int32), the similarities there
            (float32), and the mean similarity of each piece with those around it (float32).
        """
        self._need_floats("split")
        if not isinstance(text, str):
            raise TypeError(f"text is {type(text).__name__}, expected str")
        sizes = {"target_size": target_size, "intermediate_size": intermediate_size, "cleanup_size": cleanup_size}
        windows = {"window_size": window_size, "savgol_window": savgol_window, "poly_order": poly_order}
        target, intermediate, cleanup = (whole(name, value, 1) for name, value in sizes.items())
        window, smoothing, order = (whole(name, value, 1) for name, value in windows.items())
        for name, width in (("window_size", window), ("savgol_window", smoothing)):
            if width < 3 or width % 2 == 0:
                raise ValueError(f"{name} is {width}, expected an odd number of at least 3")
        if order >= smoothing:
            raise ValueError(f"poly_order is {order}, expected less than savgol_window, which is {smoothing}")
        found = self._handle.split(text, target, intermediate, cleanup, window, smoothing, order, tokens, return_minima)
        return _minima(*found) if return_minima else found

    def explain(self, a: str, b: str) -> tuple[list[tuple[str, float]], float]:
        """What each token of a adds to the cosine of a and b: (token, share) pairs, which sum to it, and the cosine."""
        return self._handle.explain(a, b, self._cut)

    def tokenize(self, texts: str | Iterable[str]) -> list[Encoding]:
        """The tokens of texts, without special tokens, padded to the longest of them as the older package does.

        Returns:
            An Encoding for each text; one for a single str.
        """
        all_of_them = [texts] if isinstance(texts, str) else items_of(texts)
        parts = [self._handle.encode(part, False, 0) for part in self._batches(all_of_them, 1 << 14)]
        return make_encodings(self._handle, parts)

    def _need_floats(self, method: str) -> None:
        if self._binary:
            raise ValueError(f"The method '{method}' is only implemented for dense embeddings.")

    def _batches(self, texts: Iterable[str], batch_size: int) -> Iterator[list[str]]:
        size = whole("batch_size", batch_size, 1, 2**31)
        if isinstance(texts, str):
            raise TypeError("texts are str, expected an iterable of str")
        batch: list[str] = []
        for text in texts:
            batch.append(text)
            if len(batch) == size:
                yield batch
                batch = []
        if batch:
            yield batch

    def _result(self, data: bytearray, shape: tuple[int, ...], letter: str, return_np: bool) -> Any:
        return shaped(data, shape, letter) if return_np else nested(data, shape, letter)


def _minima(places: bytearray, similarity: bytearray) -> tuple[Any, Any, Any]:
    """Places, the similarities there, and all of them."""
    at = memoryview(places).cast("i").tolist()
    all_of_them = memoryview(similarity).cast("f")
    there = bytearray(b"".join(bytes(all_of_them[place : place + 1]) for place in at))
    count = len(all_of_them)
    return shaped(places, (len(at),), "i"), shaped(there, (len(at),), "f"), shaped(similarity, (count,), "f")


def _restore(cls: type[Toolkit], source: tuple[str, str | None, str], dim: int | None, binary: bool) -> Toolkit:
    path, tokenizer, policy = source
    return cls.open(path, tokenizer, dim=dim, binary=binary, policy=policy)


def pair_scores(a: Any, b: Any, hamming: bool) -> Any:
    """Similarities in the shape that the vectors' shapes ask for: a float for two vectors."""
    data, rows, columns = _core.similarity(contiguous(a), contiguous(b), hamming, 0)
    shape = ((rows,) if dimensions(a) == 2 else ()) + ((columns,) if dimensions(b) == 2 else ())
    return shaped(data, shape, "f") if shape else memoryview(data).cast("f")[0]
