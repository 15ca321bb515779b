"""Whose frame is it: the code under test, or machinery around it?

Synchronisation operations reach the kernel through the standard library (a
``Condition`` releases a lock); the place to show a person is where their own
code called it.
"""

from __future__ import annotations

import concurrent.futures._base
import concurrent.futures.thread
import contextlib
import os
import queue
import sys
import threading
from types import FrameType

from semafuzz.harness.kernel.address import address
from semafuzz.harness.kernel.sites import SITES

_PACKAGE = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
_HARNESS = os.path.join(_PACKAGE, "harness", "")
_ENGINE = tuple(os.path.join(_PACKAGE, name, "") for name in ("harness", "commands", "campaign", "pytest_plugin"))
# In a checkout the package is beside its parts.
_ENGINE += tuple(os.path.join(_PACKAGE, "semafuzz", name, "") for name in ("commands", "pytest_plugin"))
_ENGINE += (os.path.join(_PACKAGE, "targets", "classes", ""),)
_RUNS_TASKS = (os.path.join(_HARNESS, "runs", "self_check.py"), os.path.join(_HARNESS, "trio_engine", ""))
"""What is found in the engine, but stands for a program."""
_LIBRARY = {
    str(module.__file__)
    for module in (threading, queue, contextlib, concurrent.futures._base, concurrent.futures.thread)
}
_known: dict[str, bool] = {}
_machinery: dict[int, dict[str, object]] = {}
"""Namespaces of modules that are machinery, by address; a frame's code tells an audit hook that it was asked for,
its namespace does not."""


def is_machinery(filename: str) -> bool:
    """Whether frames of this file are skipped when a place is looked for."""
    found = _known.get(filename)
    if found is None:
        found = _known[filename] = filename in _LIBRARY or (
            filename.startswith(_ENGINE) and not filename.startswith(_RUNS_TASKS)
        )
    return found


def is_own(filename: str) -> bool:
    """Whether a file is one of ours: nothing that whoever reads a traceback has written or can change."""
    return filename.startswith(_ENGINE)


def calling_site(kind: int, depth: int = 2) -> int:
    """The site of the nearest caller that is not machinery.

    ``depth``: frames to go up before looking, as for ``sys._getframe``.
    """
    frame: FrameType | None = sys._getframe(depth)
    first = frame
    machinery = _machinery
    while frame is not None:
        namespace = frame.f_globals
        if address(namespace) not in machinery:
            code = frame.f_code
            if not is_machinery(code.co_filename):
                return SITES.of_frame(
                    code, frame.f_lasti, frame.f_lineno or 0, str(namespace.get("__name__", "")), kind
                )
            if namespace.get("__file__") == code.co_filename:
                machinery[address(namespace)] = namespace
        frame = frame.f_back
    # Nothing but machinery, as in a pool's worker: the library's own place then.
    frame = first
    while frame is not None and frame.f_code.co_filename.startswith(_HARNESS):
        frame = frame.f_back
    if frame is None:
        return 0
    return SITES.of_frame(
        frame.f_code, frame.f_lasti, frame.f_lineno or 0, str(frame.f_globals.get("__name__", "")), kind
    )
