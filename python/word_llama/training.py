"""The way to a model: preparing texts, targets, training; codebooks.py and evaluation.py keep to the same rules.

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
import json
import math
import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple, cast

from ._native import Message, StrPath, _find, _message, _optional, _sequence, _train
from ._progress import Progress, Report, reporter

__all__ = ["Prepared", "TrainResult", "TrainState", "make_targets", "prepare", "train"]

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
    sentences: int | None = None,
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
        sentences: take records apart: at most so many sentences of each text, evenly spread over it, become records with
            a text alone; None: not.
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
            sentences or 0,
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
            "targets"}; losses a list of names and of mappings {"kind", "weight", "scale", "learn_scale", "dense",
            "dims"}. A str is read as on the command line: "a.safetensors:2,b.safetensors", "contrast,cosent:0.5". None
            leaves a field as it is, "" or [] is none.

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
