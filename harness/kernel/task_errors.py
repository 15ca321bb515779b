"""Exceptions inside tasks: the one that ends them and the ones that they raise."""

from __future__ import annotations

import re
import traceback
from types import TracebackType

from semafuzz.harness.kernel import event_kinds as op
from semafuzz.harness.kernel.frames import is_machinery
from semafuzz.harness.kernel.outcome import FailureKind
from semafuzz.harness.kernel.sites import SITES


class Abort(BaseException):
    """Thrown into tasks that are left when an execution ends.

    Not an ``Exception``, so that handlers in the code under test let it pass
    and its ``finally`` blocks run.
    """


_ADDRESS = re.compile(r"0x[0-9a-fA-F]{6,}")
"""Addresses differ from process to process."""


def printable(error: BaseException) -> str:
    """The text of an exception of the code under test, which may be anything: what
    cannot be written as UTF-8 is spelled out, what cannot be had is named."""
    try:
        return str(error).encode("utf-8", "backslashreplace").decode()
    except Exception:
        return f"<unprintable {type(error).__name__}>"


def message_of(error: BaseException) -> str:
    """``Type: text``, or the type alone where there is no text."""
    name, text = type(error).__name__, _ADDRESS.sub("0x...", printable(error))
    return f"{name}: {text}" if text else name


def describe_exception(error: BaseException) -> tuple[FailureKind, tuple[int, ...], str, tuple[str, ...]]:
    """``(kind, sites, type name, detail)`` of an exception nobody caught.

    The site is the innermost frame of the code under test, or else the
    innermost frame: message texts hold values that vary, places do not.
    """
    kind: FailureKind = "assertion" if isinstance(error, AssertionError) else "exception"
    site = _innermost(error.__traceback__)
    lines = traceback.format_exception(type(error), error, error.__traceback__)
    return kind, (site,) if site else (), type(error).__name__, _printable_lines("".join(lines))


def _printable_lines(text: str) -> tuple[str, ...]:
    return tuple(text.encode("utf-8", "backslashreplace").decode().splitlines()[-12:])


def _innermost(trace: TracebackType | None) -> int:
    chosen: TracebackType | None = None
    while trace is not None:
        if not is_machinery(trace.tb_frame.f_code.co_filename):
            chosen = trace
        trace = trace.tb_next
    if chosen is None:
        return 0
    frame = chosen.tb_frame
    module = str(frame.f_globals.get("__name__", ""))
    return SITES.of_frame(frame.f_code, chosen.tb_lasti, chosen.tb_lineno, module, op.END)
