from collections.abc import Callable
from typing import Any

__version__: str

class WordLlamaError(Exception):
    code: str
    file: str
    byte: int | None
    line: int | None

def included_model(name: str | None, /) -> str: ...

class Key:
    def __call__(self, text: str, /) -> float: ...

_Progress = Callable[[int, int | None], object] | None

class Model:
    def __init__(
        self,
        path: Any,
        tokenizer: Any = ...,
        policy: int = ...,
        any_vocabulary: bool = ...,
        whole_texts: bool = ...,
    ) -> None: ...
    def describe(self) -> dict[str, Any]: ...
    def embed_one(self, text: str, normalize: int, binary: int, dim: int, /) -> bytearray: ...
    def embed(
        self, texts: Any, normalize: int, binary: int, dim: int, threads: int, progress: _Progress, /
    ) -> bytearray: ...
    def embed_tokens(self, text: str, normalize: int, binary: int, dim: int, /) -> bytearray: ...
    def table(self, dim: int, /) -> bytearray: ...
    def encode(self, texts: Any, special_tokens: int, threads: int, /) -> tuple[bytearray, bytearray, bytearray]: ...
    def decode(self, ids: Any, special_tokens: int, /) -> str: ...
    def piece(self, number: int, /) -> str | None: ...
    def similarity(self, a: str, b: str, binary: int, hamming: int, dim: int, /) -> float: ...
    def rank(
        self,
        query: str,
        texts: Any,
        binary: int,
        hamming: int,
        dim: int,
        sort: int,
        top: int,
        threshold: float | None,
        threads: int,
        progress: _Progress,
        /,
    ) -> tuple[list[int], list[float]]: ...
    def key(self, query: str, binary: int, dim: int, /) -> Key: ...
    def deduplicate(
        self, texts: Any, threshold: float, binary: int, dim: int, greedy: int, threads: int, progress: _Progress, /
    ) -> list[tuple[int, int, float]]: ...
    def cluster(
        self,
        texts: Any,
        k: int,
        iterations: int,
        tolerance: float,
        starts: int,
        seed: int,
        dim: int,
        threads: int,
        progress: _Progress,
        /,
    ) -> tuple[list[int], float, int]: ...
    def split(
        self,
        text: str,
        target: int,
        intermediate: int,
        cleanup: int,
        window: int,
        smoothing: int,
        order: int,
        tokens: int,
        minima: int,
        /,
    ) -> Any: ...
    def explain(self, a: str, b: str, dim: int, /) -> tuple[list[tuple[str, float]], float]: ...

def similarity(a: Any, b: Any, hamming: int, threads: int, /) -> tuple[bytearray, int, int]: ...
def binarize(vectors: Any, /) -> bytearray: ...
def cpu_name() -> str: ...
