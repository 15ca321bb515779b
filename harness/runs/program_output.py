"""What the program under test prints: kept apart from what semafuzz says.

A program that prints a line does so in every one of a thousand executions. While they are made, its
standard output and error go nowhere; the run of a finding is shown with what it printed.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import TextIO

from semafuzz.harness.kernel.install import escapes

_own: list[TextIO] = []
_sinks: list[int] = []
_directories: list[str] = []


def own_errors() -> TextIO:
    """The stream for progress and messages of ours, whoever has standard error now."""
    return _own[-1] if _own else sys.stderr


def mend() -> None:
    """Between two executions: a program may have closed standard output, which the next one finds open, or have
    gone to another directory."""
    if not _own:
        return
    if escapes.moved[0]:
        with suppress(OSError):
            os.chdir(_directories[-1])
        escapes.moved[0] = False
    for number in (1, 2):
        try:
            os.fstat(number)
        except OSError:
            os.dup2(_sinks[-1], number)
    if sys.stdout.closed or sys.stderr.closed:
        sys.stdout, sys.stderr = (_writer(os.dup(_sinks[-1])) for _ in range(2))


@contextmanager
def kept_apart(target: int | None = None) -> Iterator[None]:
    """Send what is written to standard output and error to the file descriptor ``target`` in the block;
    None: nowhere. Both, and the working directory, are what they were at its end, whatever the program did to them."""
    before = (sys.stdout, sys.stderr)
    for stream in before:
        with suppress(OSError, ValueError):
            stream.flush()
    saved = [_copy(number) for number in (1, 2)]
    sink = os.open(os.devnull, os.O_WRONLY) if target is None else os.dup(target)
    replaced = [_writer(os.dup(sink)) for _ in range(2)]
    errors = before[1]
    if saved[1] is not None and _is_of(before[1], 2):
        errors = _writer(os.dup(saved[1]))
    try:
        for number in (1, 2):
            if saved[number - 1] is not None:
                os.dup2(sink, number)
        sys.stdout, sys.stderr = replaced
        _own.append(errors)
        _sinks.append(sink)
        _directories.append(os.getcwd())
        yield
    finally:
        mend()
        _own.pop()
        _sinks.pop()
        _directories.pop()
        for stream in (sys.stdout, sys.stderr, *replaced, *before):
            with suppress(Exception):
                stream.flush()
        for number, copy in enumerate(saved, 1):
            if copy is not None:
                os.dup2(copy, number)
                os.close(copy)
        sys.stdout, sys.stderr = (
            stream if not stream.closed else _writer(os.dup(number)) for number, stream in enumerate(before, 1)
        )
        for stream in (*replaced, *([errors] if errors is not before[1] else [])):
            with suppress(OSError, ValueError):
                stream.close()
        os.close(sink)


def _writer(number: int) -> TextIO:
    return os.fdopen(number, "w", buffering=1, encoding="utf-8", errors="backslashreplace")


def _copy(number: int) -> int | None:
    try:
        return os.dup(number)
    except OSError:
        return None


def _is_of(stream: TextIO, number: int) -> bool:
    try:
        return stream.fileno() == number
    except (OSError, ValueError, AttributeError):
        return False
