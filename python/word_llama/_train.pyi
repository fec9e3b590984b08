"""The extension module of training: see train.c."""

from collections.abc import Callable, Sequence
from os import PathLike
from typing import Literal, TypedDict

from typing_extensions import Buffer

_Text = str | bytes | PathLike[str] | PathLike[bytes]
_BytesProgress = Callable[[str, int, int], object] | None
_Message = Callable[[str], object] | None
_StoredAs = Literal["f16", "bf16", "f32"]

class WordLlamaError(Exception):
    code: str
    file: str
    byte: int | None
    line: int | None

class _KnownFile(TypedDict):
    name: str
    hub: str
    sha256: str
    bytes: int

class _KnownModel(TypedDict):
    name: str
    description: str
    repository: str
    package: str | None
    version: str | None
    files: list[_KnownFile]

class _CodebookConfig(TypedDict):
    name: str
    model: str | None
    tensor: str | None
    pad_token: str | None
    note: str | None
    dim: int
    vocabulary: int
    padded: bool
    composed: bool

class _Extracted(TypedDict):
    rows: int
    dim: int
    vocabulary: int
    bytes_read: int
    tensor: str
    stored: str
    revision: str
    tokenizer: str

class _ConcatSource(TypedDict):
    rows: int
    dim: int
    factor: float
    dropped: int
    matched: int
    averaged: int
    missing: int

class _Concatenated(TypedDict):
    rows: int
    dim: int
    tokenizer: str
    sources: list[_ConcatSource]

class _Reduced(TypedDict):
    rows: int
    dim: int
    kept: float
    removed: float
    sif: float
    tokenizer: str

class _Prepared(TypedDict):
    records: int
    kept: int
    removed: dict[str, int]
    texts: int
    tokens: int

class _Trained(TypedDict):
    steps: int
    loss: float
    score: float
    best_step: int
    seconds: float
    model: str
    log: str

class _Score(TypedDict):
    group: str
    name: str
    metric: str
    task: str
    dim: int
    binary: bool
    score: float
    recall: float
    map: float
    items: int

def known_models() -> list[_KnownModel]: ...
def cache_directory() -> str: ...
def pull(
    name: _Text,
    cache: _Text | None = None,
    offline: bool = False,
    force: bool = False,
    progress: _BytesProgress = None,
    message: _Message = None,
) -> str: ...
def hub_fetch(
    repository: _Text,
    file: _Text,
    revision: _Text | None = None,
    cache: _Text | None = None,
    offline: bool = False,
    force: bool = False,
    progress: _BytesProgress = None,
    message: _Message = None,
) -> str: ...
def hub_fetch_model(
    repository: _Text,
    revision: _Text | None = None,
    cache: _Text | None = None,
    offline: bool = False,
    force: bool = False,
    progress: _BytesProgress = None,
    message: _Message = None,
) -> str: ...
def codebook_configs() -> list[str]: ...
def codebook_config(name: _Text) -> _CodebookConfig: ...
def extract(
    source: _Text,
    path: _Text,
    config: _Text | None = None,
    file: _Text | None = None,
    tensor: _Text | None = None,
    tokenizer: _Text | None = None,
    stored_as: _StoredAs = "f16",
    output_embeddings: bool = False,
    allow_padding: bool = False,
    revision: _Text | None = None,
    offline: bool = False,
    progress: _BytesProgress = None,
    message: _Message = None,
) -> _Extracted: ...
def concat(
    sources: Sequence[_Text],
    path: _Text,
    scales: Sequence[_Text] | None = None,
    align: bool = False,
    stored_as: _StoredAs = "f16",
    threads: int = 0,
    progress: _BytesProgress = None,
    message: _Message = None,
) -> _Concatenated: ...
def reduce(
    codebook: _Text,
    path: _Text,
    tokenizer: _Text | None = None,
    dim: int = 0,
    remove: int = 0,
    weighting: Literal["sif", "zipf", "none"] = "sif",
    sif: float = 0.0,
    counts: Buffer | None = None,
    stored_as: _StoredAs = "f16",
    seed: int = 0,
    threads: int = 0,
    progress: _BytesProgress = None,
) -> _Reduced: ...
def prepare(
    paths: Sequence[_Text],
    tokenizer: _Text,
    path: _Text,
    evaluation: Sequence[_Text] | None = None,
    near_model: _Text | None = None,
    near: float = 0.0,
    least_tokens: int = 0,
    most_tokens: int = 0,
    sentences: int = 0,
    keep_duplicates: bool = False,
    kept: _Text | None = None,
    texts: _Text | None = None,
    removed: _Text | None = None,
    resume: bool = False,
    threads: int = 0,
    progress: Callable[[int, int], object] | None = None,
    message: _Message = None,
) -> _Prepared: ...
def make_targets(
    teachers: Sequence[tuple[_Text, _Text | None, float]],
    path: _Text,
    dim: int = 0,
    whitening: float = 0.0,
    centre: bool = False,
    threads: int = 0,
) -> None: ...
def train(
    config: _Text | None = None,
    settings: Sequence[tuple[_Text, _Text]] | None = None,
    resume: bool = False,
    progress: Callable[[int, int, float, float, float, float, float, float, float], object] | None = None,
    message: _Message = None,
) -> _Trained: ...
def evaluate(
    embed: Callable[[list[str]], Buffer],
    dim: int,
    sets: Sequence[_Text],
    only: Sequence[_Text] | None = None,
    variants: Sequence[tuple[int, bool]] | None = None,
    threads: int = 0,
    seed: int = 0,
    progress: Callable[[int, int], object] | None = None,
    message: _Message = None,
) -> list[_Score]: ...
