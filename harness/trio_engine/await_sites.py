"""Sites of await: the place in the code under test where a coroutine stands, and the call of trio.

Both are read from the chain of awaited coroutines by public attributes of
coroutines and frames. A call is known by its name, such as ``Lock.acquire`` or
``MemorySendChannel.send``; names with an underscore are skipped, they differ
between releases of trio.
"""

from __future__ import annotations

import os
from types import CodeType, CoroutineType, FrameType
from typing import Any

import trio

from semafuzz.harness.kernel import event_kinds as op
from semafuzz.harness.kernel.frames import is_machinery
from semafuzz.harness.kernel.sites import NOWHERE, SITES
from semafuzz.harness.kernel.task import Pending

_TRIO = os.path.dirname(os.path.abspath(str(trio.__file__))) + os.sep
_HERE = os.path.dirname(os.path.abspath(__file__)) + os.sep
_TRAPS = frozenset({"wait_task_rescheduled", "cancel_shielded_checkpoint", "checkpoint", "checkpoint_if_cancelled"})
_OUTSIDE: dict[CodeType, str] = {
    trio.lowlevel.wait_readable.__code__: "waits for input or output of the operating system",
    trio.lowlevel.wait_writable.__code__: "waits for input or output of the operating system",
    trio.to_thread.run_sync.__code__: "waits for a thread",
}
"""Calls that end only when something outside the run does."""

USER, TRIO, OTHER = range(3)
_owners: dict[str, int] = {}


def owner_of(filename: str) -> int:
    """Whose code a file is: the code under test, trio's, or machinery around them."""
    found = _owners.get(filename)
    if found is None:
        if filename.startswith(_TRIO):
            found = TRIO
        else:
            found = OTHER if filename.startswith(_HERE) or is_machinery(filename) else USER
        _owners[filename] = found
    return found


def _next(awaited: Any) -> tuple[FrameType | None, Any]:
    """The frame of a coroutine-like object, and what that awaits."""
    try:
        return awaited.cr_frame, awaited.cr_await
    except AttributeError:
        pass
    try:
        return awaited.gi_frame, awaited.gi_yieldfrom
    except AttributeError:
        return getattr(awaited, "ag_frame", None), getattr(awaited, "ag_await", None)


def frames(coroutine: Any) -> list[FrameType]:
    """The frames of what is awaited, the innermost last. Ends early at an
    ``async for`` or ``asend``: Python does not say what those await."""
    found = []
    while coroutine is not None:
        frame, coroutine = _next(coroutine)
        if frame is None:
            break
        found.append(frame)
    return found


class Stand:
    """Where a coroutine stands.

    ``pending``: the operation by which it stands there. ``outside``: empty, or
    what outside the run it waits for.
    """

    __slots__ = ("outside", "pending")

    def __init__(self, pending: Pending, outside: str) -> None:
        self.pending = pending
        self.outside = outside


_stands: dict[object, Stand] = {}
_kept: dict[int, tuple[CodeType, int]] = {}
"""Code objects by address, with their owners: hashing one costs as much as all the
rest here, and a code that is kept alive keeps its address to itself."""


_CHECKPOINT = id(trio.lowlevel.checkpoint.__code__)
"""Nothing that matters is awaited in it."""


def _owner_of_code(code: CodeType) -> int:
    found = _kept.get(id(code))
    if found is None:
        found = _kept[id(code)] = (code, owner_of(code.co_filename))
    return found[1]


def stand(coroutine: Any, *, waits: bool) -> Stand:
    """Where ``coroutine`` stands; ``waits``: not merely at a checkpoint."""
    key: list[object] = [waits]
    codes: list[CodeType] = []
    user: FrameType | None = None
    kept = _kept
    while coroutine is not None:
        if type(coroutine) is CoroutineType:
            frame = coroutine.cr_frame
            coroutine = coroutine.cr_await
        else:
            frame, coroutine = _next(coroutine)
        if frame is None:
            break
        code = frame.f_code
        address = id(code)
        if address == _CHECKPOINT:
            coroutine = None
        try:
            owner = kept[address][1]
        except KeyError:
            owner = _owner_of_code(code)
        if owner == USER:
            user = frame
            codes.clear()
            key = [waits, frame.f_lasti]
        codes.append(code)
        key.append(address)
    where = tuple(key)
    found = _stands.get(where)
    if found is None:
        found = _stands[where] = _make(codes, user, waits)
    return found


def _make(codes: list[CodeType], user: FrameType | None, waits: bool) -> Stand:
    calls = [code for code in codes if _owner_of_code(code) == TRIO]
    outside = next((_OUTSIDE[code] for code in calls if code in _OUTSIDE), "")
    kind, name = _call(calls, waits)
    site = NOWHERE
    if user is not None:
        module = str(user.f_globals.get("__name__", ""))
        site = SITES.of_frame(user.f_code, user.f_lasti, user.f_lineno or 0, module, kind)
    return Stand((kind, None, name, site), outside)


def _call(calls: list[CodeType], waits: bool) -> tuple[int, str]:
    """The kind and name of the outermost call of trio that has a public name."""
    if calls and calls[0].co_name.startswith("sleep"):
        return (op.SLEEP if waits else op.YIELD), calls[0].co_name
    for code in calls:
        if not code.co_name.startswith("_") and code.co_name not in _TRAPS:
            # Lock.acquire is _LockImpl.acquire to Python.
            return op.IO, code.co_qualname.removeprefix("_").replace("Impl.", ".")
    if any(code.co_name == "__aexit__" for code in calls):
        return op.JOIN, "nursery"
    return op.IO, "wait" if waits else "checkpoint"
