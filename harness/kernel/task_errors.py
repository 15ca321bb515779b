"""Exceptions inside tasks: the one that ends them and the ones that they raise."""

from __future__ import annotations

import re
import traceback
from types import TracebackType

from semafuzz.harness.kernel import event_kinds as op
from semafuzz.harness.kernel.frames import is_machinery, is_own
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
    return kind, (site,) if site else (), type(error).__name__, traceback_lines(error)


def traceback_lines(error: BaseException) -> tuple[str, ...]:
    """The end of its traceback, as Python prints it, without frames of ours between those of the program."""
    told = traceback.TracebackException.from_exception(error)
    _leave_out_own(told)
    text = "".join(told.format())
    return tuple(text.encode("utf-8", "backslashreplace").decode().splitlines()[-12:])


def _leave_out_own(told: traceback.TracebackException) -> None:
    """From the exception, and from those that it comes of; where there is no other frame they stay."""
    waiting = [told]
    while waiting:
        one = waiting.pop()
        others = [frame for frame in one.stack if not is_own(frame.filename)]
        if others:
            one.stack = traceback.StackSummary.from_list(others)
        waiting += [cause for cause in (one.__cause__, one.__context__, *(one.exceptions or ())) if cause is not None]


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
