"""What the modules over the extension _train have in common: itself, paths, messages, progress of files."""

from __future__ import annotations

import contextlib
import logging
import math
import os
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from . import loading
from ._core import cpu_name
from ._progress import Progress, reporter

if TYPE_CHECKING:
    from . import _train as _train
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
    """A path as it is, but where a model is that has this name, if nothing of that name is here."""
    text = os.fspath(path)
    included = None if os.path.exists(text) else loading.included(text)
    if included:
        return included
    if "/" in text or os.path.exists(text) or all(model["name"] != text for model in _train.known_models()):
        return text
    return _train.pull(text, message=_message(None))


def _optional(value: float) -> float | None:
    return None if math.isnan(value) else value


def _optional_path(text: str) -> Path | None:
    return Path(text) if text else None
