"""How far a long call is: a bar, a line, or a function of the caller's."""

from __future__ import annotations

import importlib
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, Protocol, TextIO

Progress = bool | Callable[[int, int], object] | None
"""True: a bar on standard error (tqdm's, where that is installed); a callable (done, total), where total is 0 while it
is not known, and False as its answer stops the call with KeyboardInterrupt; False, None: nothing."""


class Report(Protocol):
    """What `reporter` gives: called with what is done so far."""

    def __call__(self, done: int, total: int | None = None, note: str = "") -> bool | None:
        """Tell how far it is; total and note replace those before. False: the caller wants to stop."""


class _Line:
    """One line on standard error that is written over; where that is no terminal, only its last state."""

    def __init__(self, stream: TextIO, total: int, unit: str) -> None:
        self.stream, self.total, self.unit = stream, total, unit
        self.done, self.note, self.width = 0, "", 0
        self.live = stream.isatty()
        self.begin = self.told = time.monotonic()

    def __call__(self, done: int, total: int | None = None, note: str = "") -> bool | None:
        self.done, self.note = done, note
        self.total = self.total if total is None else total
        if self.live and time.monotonic() - self.told >= 0.1:
            self.show()
        return None

    def show(self) -> None:
        self.told = time.monotonic()
        share = f"{100 * self.done // self.total:3d}%  {self.done}/{self.total}" if self.total else str(self.done)
        text = f"{share} {self.unit}, {self.told - self.begin:.0f} s{'  ' if self.note else ''}{self.note}"
        self.stream.write(f"\r{text:<{self.width}}" if self.live else text)
        self.stream.flush()
        self.width = len(text)

    def close(self) -> None:
        if self.done:
            self.show()
            self.stream.write("\n")


class _Bar:
    """tqdm's, which is told differences."""

    def __init__(self, make: Callable[..., Any], total: int, unit: str) -> None:
        # A space in front reads as tqdm's own "it/s"; bytes are counted in thousands.
        scaled = unit == "B"
        self.bar = make(total=total or None, unit=unit if scaled else f" {unit}", unit_scale=scaled)

    def __call__(self, done: int, total: int | None = None, note: str = "") -> bool | None:
        if total is not None and (total or None) != self.bar.total:
            self.bar.total = total or None
        if note:
            self.bar.set_postfix_str(note, refresh=False)
        if done < self.bar.n:  # the next file
            self.bar.reset(total=self.bar.total)
        self.bar.update(done - self.bar.n)
        return None

    def close(self) -> None:
        self.bar.close()


def _make(total: int, unit: str) -> _Line | _Bar:
    try:
        bars: Any = importlib.import_module("tqdm.auto")
    except ImportError:
        return _Line(sys.stderr, total, unit)
    return _Bar(bars.tqdm, total, unit)


def _silent(done: int, total: int | None = None, note: str = "") -> bool | None:
    return None


def _caller(told: Callable[[int, int], object], known: int) -> Report:
    def report(done: int, total: int | None = None, note: str = "") -> bool | None:
        return False if told(done, known if total is None else total) is False else None

    return report


@contextmanager
def reporter(progress: Progress, total: int | None = None, unit: str = "") -> Iterator[Report]:
    """Show progress while the body runs.

    Args:
        progress: what the user of the package asked for, see `Progress`.
        total: what done counts up to; None while it is not known.
        unit: what is counted, such as "texts"; "B" is bytes.

    Yields:
        report(done, total=None, note=""), to be called now and then.
    """
    if callable(progress):
        yield _caller(progress, total or 0)
    elif progress:
        shown = _make(total or 0, unit)
        try:
            yield shown
        finally:
            shown.close()
    else:
        yield _silent
