"""Threads, processes and connections that the kernel does not control.

CPython raises an audit event when any of them is made, whoever makes it, C
libraries excepted. Inside an execution that ends the run with the verdict
*uncontrolled* and the place: a pass would mean nothing.
"""

from __future__ import annotations

import ctypes
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from semafuzz.harness.kernel import event_kinds as op
from semafuzz.harness.kernel.doubles.locks import running
from semafuzz.harness.kernel.frames import calling_site
from semafuzz.harness.kernel.sites import SITES
from semafuzz.harness.kernel.task_errors import Abort

_WHAT = {
    "_thread.start_new_thread": "a thread was started outside the kernel's control",
    "_thread.start_joinable_thread": "a thread was started outside the kernel's control",
    "os.fork": "the process was forked",
    "os.forkpty": "the process was forked",
    "os.exec": "the process was to be replaced",
    "os.posix_spawn": "a process was started",
    "os.system": "a process was started",
    "subprocess.Popen": "a process was started",
    "asyncio": "an event loop of asyncio was run, in which nothing is controlled,",
    "trio": "an event loop of trio was run in a thread, where its tasks are not controlled,",
    "socket.connect": "a network connection was made",
    "socket.bind": "a network address was bound",
}
_watching = [False]
_hooked = [False]


moved = [False]
"""Whether somebody went to another directory since this was last taken back."""


def _audit(event: str, _: object, watching: list[bool] = _watching, moved: list[bool] = moved) -> None:
    # Bound to the function: a hook is called to the very end of the interpreter, when the module's names are gone.
    if event == "os.chdir":
        moved[0] = True
    if watching[0] and event in _WHAT:
        execution = running()
        if execution is not None and not execution.aborting:
            place = SITES[calling_site(op.SPAWN)].place()
            execution.escape(f"{_WHAT[event]} at {place}; keep it out of the program or replace it by a stand-in")
            # It does not come to it: what is started here would outlive the search.
            raise Abort


def refusing(event: str, real: Callable[..., Any]) -> Callable[..., Any]:
    """A double of a function that starts a process without an audit event."""

    def start(*args: Any, **keywords: Any) -> Any:
        _audit(event, args)
        return real(*args, **keywords)

    return start


def threads_made() -> int:
    """A number that grows by one from call to call, and by one more for every
    thread made in between.

    Up to Python 3.11 no audit event tells of a thread started by a reference to
    ``_thread.start_new_thread`` that is older than control. Thread states are
    numbered, so one is made and thrown away, to see its number. 0 where the
    events suffice.
    """
    if sys.version_info >= (3, 12):
        return 0
    api = ctypes.pythonapi
    for function in (api.PyInterpreterState_Get, api.PyThreadState_New):
        function.restype = ctypes.c_void_p
    api.PyThreadState_GetID.restype = ctypes.c_uint64
    state = ctypes.c_void_p(api.PyThreadState_New(ctypes.c_void_p(api.PyInterpreterState_Get())))
    number = int(api.PyThreadState_GetID(state))
    api.PyThreadState_Clear(state)
    api.PyThreadState_Delete(state)
    return number


def unseen_threads(before: int) -> str:
    """Empty, or that threads were made since :func:`threads_made` gave ``before``."""
    if threads_made() <= before + 1:
        return ""
    return (
        "a thread was started outside the kernel's control, by a reference to the interpreter's own function "
        "that is older than control or by another thread of this process; keep it out of the program"
    )


@contextmanager
def watched() -> Iterator[None]:
    """Watch for escapes in the block. The audit hook itself stays for the
    life of the process (CPython has no way to remove one) and does nothing."""
    if not _hooked[0]:
        sys.addaudithook(_audit)
        _hooked[0] = True
    _watching[0] = True
    try:
        yield
    finally:
        _watching[0] = False
