"""What ``Thread.__init__`` makes, for threads that are tasks.

Each Thread makes an Event with a Condition and a lock, a function for its uncaught exceptions, and an entry in a
set of weak references: a tenth of the smallest execution, and nothing of it is used where a greenlet stands for the
thread. The code of ``Thread.__init__`` stays the interpreter's own; three global names in it are exchanged.

The events that the real Event's start leaves in the record are left here too, so that records of either kind agree.
"""

from __future__ import annotations

import threading
from functools import cached_property
from types import CodeType
from typing import Any

from semafuzz.harness.kernel import current
from semafuzz.harness.kernel.event_kinds import WRITE
from semafuzz.harness.kernel.sites import SITES

_real_dangling = vars(threading)["_dangling"]
_real_excepthook = vars(threading)["_make_invoke_excepthook"]
_uninstrumented = threading.Event.__init__.__code__
_sites: list[int] = []


class Started(threading.Event):
    """``Thread._started``: a flag whose condition is made when somebody waits for it in earnest."""

    def __init__(self) -> None:
        self._flag = False

    @cached_property
    def _cond(self) -> threading.Condition:
        return threading.Condition(threading.Lock())


Started.__name__ = Started.__qualname__ = "Event"


def started() -> threading.Event:
    """In place of ``Event()``."""
    execution = current.execution
    if execution is None:
        return threading.Event()
    execution.current.locks_made += 1
    made = Started()
    if threading.Event.__init__.__code__ is not _uninstrumented:
        if not _sites:
            _sites.extend(_site_of(attribute) for attribute in ("_cond", "_flag"))
        execution.touch(WRITE, made, "_cond", _sites[0])
        execution.touch(WRITE, made, "_flag", _sites[1])
    return made


def _site_of(attribute: str) -> int:
    """Where the real Event stores this attribute first."""
    return next(
        number
        for number, site in enumerate(SITES.sites)
        if (site.module, site.function, site.text) == ("threading", "Event.__init__", f".{attribute} =")
    )


class _Dangling:
    """In place of the set of all Threads, which is there for forks of real ones."""

    def add(self, thread: threading.Thread) -> None:
        if current.execution is None:
            _real_dangling.add(thread)


def _tell_uncaught(thread: Any) -> None:
    _real_excepthook()(thread)


def excepthook_maker() -> Any:
    """In place of ``_make_invoke_excepthook``, whose function only a real thread calls."""
    return _real_excepthook() if current.execution is None else _tell_uncaught


NAMES = {
    "Event": ("_semafuzz_started", started),
    "_dangling": ("_semafuzz_dangling", _Dangling()),
    "_make_invoke_excepthook": ("_semafuzz_excepthook", excepthook_maker),
}
"""Global names in ``Thread.__init__``: under which name each is looked for, and what is found there."""


def exchanged(code: CodeType) -> CodeType:
    """``Thread.__init__``'s code with these names."""
    return code.replace(co_names=tuple(NAMES[name][0] if name in NAMES else name for name in code.co_names))
