"""Code that ran in two tasks without being looked into.

The interpreter's profile tells which functions run. It is asked in the first executions and now and
then later; what runs in none of those is not named.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

from semafuzz.harness.instrument.object_kinds import instrumented
from semafuzz.harness.kernel import current
from semafuzz.harness.kernel.ownership import first_component, is_own

_MODELLED = frozenset({
    "threading", "_weakrefset", "queue", "concurrent", "contextlib", "abc", "_collections_abc", "types",
    "typing", "typing_extensions", "enum", "dataclasses", "functools", "operator", "copyreg", "_frozen_importlib",
    "zipimport", "codecs", "_frozen_importlib_external", "encodings", "greenlet", "trio", "outcome", "sniffio",
    "attr", "attrs", "sortedcontainers", "builtins", "keyword", "_py_abc",
})  # fmt: skip
"""Modules that are modelled by the kernel, or only make classes and functions."""
_IMPORTING = frozenset({"importlib", "importlib._bootstrap", "importlib._bootstrap_external"})
_PURE = frozenset({
    "json", "copy", "string", "textwrap", "re", "fractions", "decimal", "_pydecimal", "statistics", "heapq",
    "html", "shlex", "difflib", "ipaddress", "colorsys", "keyword",
    "bisect", "reprlib", "pprint", "ast", "inspect", "traceback", "tokenize", "warnings", "base64",
    "hashlib", "hmac", "struct", "datetime", "calendar", "numbers", "random", "uuid", "dis", "opcode", "token",
    "stringprep", "unicodedata", "os", "posixpath", "genericpath", "stat", "site", "io", "collections",
})  # fmt: skip
"""Modules whose functions depend on what they are given alone, which is seen at the call. Their caches
answer alike whoever filled them."""

ALWAYS = 2
"""Executions at the beginning in which the profile is asked; it makes an execution three times as long."""
EVENTS, FEW_EVENTS = 20_000, 400
"""Events up to which it is asked in each execution, so that what is said of a small program rests on all of them; of
one program among hundreds, fewer."""


class UnwatchedCode:
    """The modules whose code ran, by name, with the tasks in which it did (a bit for each)."""

    def __init__(self, *, one_of_many: bool = False) -> None:
        self._tasks: dict[str, int] = {}
        self._left = FEW_EVENTS if one_of_many else EVENTS

    def due(self, execution: int) -> bool:
        """Whether to look in the execution with this number: the first ones, then ever more seldom."""
        return execution < ALWAYS or self._left > 0 or (execution & (execution - 1)) == 0

    def looked_at(self, events: int) -> None:
        """An execution of so many events was looked at."""
        self._left -= events

    @contextmanager
    def noticing(self) -> Iterator[None]:
        """Look in the block. The profile of somebody else is left alone."""
        if sys.getprofile() is not None:
            yield
            return
        tasks = self._tasks
        passed = _passed_over

        def look(frame: FrameType, event: str, _: object) -> None:
            if event != "call":
                return
            execution = current.execution
            if execution is None:
                return
            name = frame.f_globals.get("__name__")
            if type(name) is not str:
                name = "code of no module"
            pass_over = passed.get(name)
            if pass_over is None:
                pass_over = passed[name] = _is_passed_over(name)
            if pass_over:
                return
            index = execution.current.index
            seen = tasks.get(name, 0)
            # To ask a frame for its code tells the hook that watches for escapes: last, therefore.
            if index >= 0 and not seen >> index & 1 and frame.f_code not in instrumented:
                tasks[name] = seen | 1 << index

        sys.setprofile(look)
        try:
            yield
        finally:
            if sys.getprofile() is look:
                sys.setprofile(None)

    def in_two_tasks(self) -> list[str]:
        """The modules whose code ran in two tasks, and may have state of its own."""
        return sorted(name for name, tasks in self._tasks.items() if tasks & (tasks - 1))


_passed_over: dict[str, bool] = {}
"""By the name of a module: whether its code is ours, modelled, or has no state."""


def _is_passed_over(name: str) -> bool:
    known = is_own(name) or name in _IMPORTING or name.startswith("namedtuple_")
    return known or first_component(name) in _MODELLED | _PURE
