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
"""Executions at the beginning in which the profile is asked."""


class UnwatchedCode:
    """The modules whose code ran, by name, with the tasks in which it did (a bit for each)."""

    def __init__(self) -> None:
        self._tasks: dict[str, int] = {}

    def due(self, execution: int) -> bool:
        """Whether to look in the execution with this number: the first ones, then ever more seldom."""
        return execution < ALWAYS or (execution & (execution - 1)) == 0

    @contextmanager
    def noticing(self) -> Iterator[None]:
        """Look in the block. The profile of somebody else is left alone."""
        if sys.getprofile() is not None:
            yield
            return
        tasks = self._tasks

        def look(frame: FrameType, event: str, _: object) -> None:
            if event != "call":
                return
            execution = current.execution
            if execution is None or frame.f_code in instrumented:
                return
            name = frame.f_globals.get("__name__")
            if type(name) is not str:
                name = "code of no module"
            if not name.startswith("namedtuple_"):
                index = execution.current.index
                if index >= 0:
                    tasks[name] = tasks.get(name, 0) | 1 << index

        sys.setprofile(look)
        try:
            yield
        finally:
            if sys.getprofile() is look:
                sys.setprofile(None)

    def in_two_tasks(self) -> list[str]:
        """The modules whose code ran in two tasks, and may have state of its own."""
        return sorted(
            name
            for name, tasks in self._tasks.items()
            if tasks & (tasks - 1)
            and not is_own(name)
            and name not in _IMPORTING
            and first_component(name) not in _MODELLED | _PURE
        )
