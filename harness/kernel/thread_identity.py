"""Identity and thread-local values of tasks.

All tasks share one OS thread, so without this they would share one
``threading.current_thread()`` (and a lock that is re-entrant per thread would
exclude nothing) and one set of ``threading.local`` values.

Thread-local values: up to Python 3.12 the interpreter keeps them in the
dictionary of the OS thread's state under keys ``thread.local.<address>``;
exchanging those entries at a switch gives every task its own, for every
``threading.local`` of the process, whenever and wherever it was made. From 3.13
on they live elsewhere, and ``threading.local`` itself is replaced while
control is installed (``semafuzz.harness.kernel.local_double``), which cannot reach
objects made before; the documentation says so.
"""

from __future__ import annotations

import ctypes
import sys
import threading
from typing import Any, cast

from semafuzz.harness.kernel import current
from semafuzz.harness.kernel.running import Recorded
from semafuzz.harness.kernel.task import Task

_PREFIX = "thread.local."
IN_THREAD_STATE = sys.version_info < (3, 13)
FIRST_IDENT = 1001
"""Identifiers of tasks count from here; real ones are addresses, far above."""

_real_ident = threading.get_ident
_active: dict[int, threading.Thread] = vars(threading)["_active"]


class TaskThread(threading.Thread):
    """The ``threading.current_thread()`` of a task that no Thread object started."""

    def __init__(self, index: int) -> None:
        super().__init__(name=f"task-{index}", daemon=True)
        self._started.set()  # type: ignore[attr-defined]
        self._ident = FIRST_IDENT + index


_task_threads: dict[int, TaskThread] = {}


_states: dict[int, dict[str, object]] = {}


def _thread_state() -> dict[str, object]:
    """The dictionary of this OS thread's state (``PyThreadState_GetDict``)."""
    ident = _real_ident()
    found = _states.get(ident)
    if found is None:
        function = ctypes.pythonapi.PyThreadState_GetDict
        function.restype = ctypes.c_void_p
        # A borrowed reference: declaring py_object as the result would steal it.
        state = cast("dict[str, object]", ctypes.cast(function(), ctypes.py_object).value)
        found = _states[ident] = state
    return found


class Values:
    """The exchange of thread-local values at switches, for one execution."""

    __slots__ = ("others", "state")

    def __init__(self, state: dict[str, object]) -> None:
        self.state = state
        self.others = len(state)

    def swap(self, leaving: Task, entering: Task) -> None:
        """Store the values of ``leaving``, install those of ``entering``."""
        state = self.state
        if len(state) != self.others:
            leaving.local_values.update(_take(state))
        if entering.local_values:
            state.update(entering.local_values)
            entering.local_values.clear()


def _take(state: dict[str, object]) -> dict[str, object]:
    keys = [key for key in state if isinstance(key, str) and key.startswith(_PREFIX)]
    return {key: state.pop(key) for key in keys}


def thread_of(index: int) -> TaskThread:
    """The stand-in Thread of the task with this number; made once per process."""
    found = _task_threads.get(index)
    if found is None:
        running, current.execution = current.execution, None
        try:
            found = _task_threads[index] = TaskThread(index)
        finally:
            current.execution = running
    return found


def assign_identity(task: Task, parent: Task) -> None:
    """Give a new task its identity."""
    task.ident = FIRST_IDENT + task.index


def register(task: Task, thread: Any) -> None:
    """Make ``thread`` what ``threading.current_thread()`` answers in ``task``."""
    task.thread = thread
    _active[task.ident] = thread


def unregister(thread: Any) -> None:
    """``thread`` has ended: ``threading.enumerate()`` does not list it any more."""
    listed: Any = _active.get(thread._ident)
    if listed is thread:
        del _active[thread._ident]


class SetAside:
    """What was set aside of the calling thread; see :func:`set_aside_caller`."""

    __slots__ = ("inherit", "kept", "state", "values")

    def __init__(self, state: dict[str, object], inherit: Task | None) -> None:
        self.state = state
        self.inherit = inherit
        self.kept = _take(state) if state else {}
        self.values = Values(state)


_EMPTY: dict[str, object] = {}


def set_aside_caller(execution: Recorded, inherit: Task | None) -> SetAside:
    """Set the calling thread's own values and identity aside for a run.

    ``inherit`` gets them (it stands for the calling thread); the others start
    without any, as new threads do.
    """
    hosted = SetAside(_thread_state() if IN_THREAD_STATE else _EMPTY, inherit)
    for task in execution.tasks:
        if task is inherit:
            task.ident = _real_ident()
            task.thread = threading.current_thread()
            task.local_values.update(hosted.kept)
        else:
            task.ident = FIRST_IDENT + task.index
            register(task, _task_threads.get(task.index) or thread_of(task.index))
    return hosted


def restore_caller(execution: Recorded, hosted: SetAside) -> None:
    """Put back what :func:`set_aside_caller` set aside; ``inherit``'s changes are kept."""
    if hosted.state:
        _take(hosted.state)
    if hosted.inherit is not None:
        hosted.kept.update(hosted.inherit.local_values)
    if hosted.kept:
        hosted.state.update(hosted.kept)
    for task in execution.tasks:
        if task is not hosted.inherit:
            _active.pop(task.ident, None)
