"""The errors that semafuzz raises, by what a caller can do about them."""

from __future__ import annotations


class SemafuzzError(Exception):
    """Base of everything that semafuzz raises on purpose."""


class UsageError(SemafuzzError):
    """Bad input: one line that says what is wrong and what to do (exit code 4)."""


class TraceError(UsageError):
    """A trace file that cannot be read as a trace (exit code 4)."""


class CannotJudge(SemafuzzError):
    """The question has no answer here, for instance a trace whose steps do not
    fit the code under test (exit code 125)."""


class NotDeterministic(SemafuzzError):
    """Two runs of one schedule differ; names the first step at which they do."""
