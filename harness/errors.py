"""The errors that semafuzz raises, by what a caller can do about them."""

from __future__ import annotations


class SemafuzzError(Exception):
    """Base of everything that semafuzz raises on purpose."""


class UsageError(SemafuzzError):
    """Bad input: one line that says what is wrong and what to do (exit code 4)."""


class TraceError(UsageError):
    """A trace file that cannot be read as a trace (exit code 4)."""


class CodeError(UsageError):
    """Code that cannot be run as asked: it does not parse, cannot be imported, or lacks
    a function, a class or an operation. Exit code 4 where somebody names it; where a
    trace is replayed on it, 125, since nothing can be said of the failure."""


class CannotJudge(SemafuzzError):
    """The question has no answer here, for instance a trace whose steps do not
    fit the code under test (exit code 125)."""


class NotDeterministic(SemafuzzError):
    """Two runs of one schedule differ; names the first step at which they do."""


def documentation(page: str) -> str:
    """The address of a page of the documentation, for messages."""
    return f"https://semafuzz.readthedocs.io/en/latest/{page}.html"
