"""Threads, processes and connections that the kernel does not control.

CPython raises an audit event when any of them is made, whoever makes it, C
libraries excepted. Inside an execution that ends the run with the verdict
*uncontrolled* and the place: a pass would mean nothing.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager

from harness.kernel import operations as op
from harness.kernel.doubles.locks import running
from harness.kernel.frames import calling_site
from harness.kernel.sites import SITES

_WHAT = {
    "_thread.start_new_thread": "a thread was started outside the kernel's control",
    "_thread.start_joinable_thread": "a thread was started outside the kernel's control",
    "os.fork": "the process was forked",
    "os.forkpty": "the process was forked",
    "os.posix_spawn": "a process was started",
    "os.system": "a process was started",
    "subprocess.Popen": "a process was started",
    "socket.connect": "a network connection was made",
    "socket.bind": "a network address was bound",
}
_watching = [False]
_hooked = [False]


def _audit(event: str, _: object) -> None:
    if _watching[0] and event in _WHAT:
        execution = running()
        if execution is not None and not execution.aborting:
            place = SITES[calling_site(op.SPAWN)].place()
            execution.escape(f"{_WHAT[event]} at {place}; keep it out of the program or replace it by a stand-in")


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
