"""Doubles of starting, joining and asking after threads.

``Thread.start``, ``join`` and ``is_alive`` are doubled rather than only
``_thread.start_new_thread``: how a Thread talks to the interpreter changed
between 3.11 and 3.13, what these three promise did not. The object, its
subclasses, ``run``, names, daemon flags and ``excepthook`` stay the real ones.
"""

from __future__ import annotations

import _thread
import signal
import sys
import threading
from collections.abc import Callable
from typing import Any

from semafuzz.harness.kernel import event_kinds as op
from semafuzz.harness.kernel import thread_identity
from semafuzz.harness.kernel.doubles.locks import running
from semafuzz.harness.kernel.doubles.new_thread import Started
from semafuzz.harness.kernel.frames import calling_site
from semafuzz.harness.kernel.install import interrupts
from semafuzz.harness.kernel.running import Running
from semafuzz.harness.kernel.task import Task
from semafuzz.harness.kernel.task_errors import Abort

_real_start = threading.Thread.start
_real_join = threading.Thread.join
_real_is_alive = threading.Thread.is_alive
_real_get_ident = _thread.get_ident
_real_native_id = _thread.get_native_id
_real_start_new = _thread.start_new_thread
_real_signal = signal.signal
_real_count = vars(threading)["_counter"]
_real_count_of_threads = vars(_thread)["_count"]


outer_hook: list[Any] = [None]
"""``threading.excepthook`` as it was when control began. It belongs to whoever runs
us (pytest warns of every exception it is shown) and not to the program."""


class _EndedHandle:
    """Stands for the interpreter's handle (3.13+) of a thread that was a task."""

    ident = 0

    def is_done(self) -> bool:
        return True

    def join(self, timeout: float | None = None) -> None:
        return None

    def _set_done(self) -> None:
        return None


def start(thread: Any) -> None:
    """``threading.Thread.start``."""
    execution = running()
    if execution is None:
        _real_start(thread)
        return
    if not thread._initialized:
        raise RuntimeError("thread.__init__() not called")
    if thread._started._flag:
        raise RuntimeError("threads can only be started once")
    task = execution.spawn(_body(execution, thread), thread.name, daemon=thread.daemon)
    thread._started._flag = True
    thread._ident = task.ident
    thread._native_id = task.ident
    thread._semafuzz_task = task
    thread_identity.register(task, thread)


def _body(execution: Running, thread: Any) -> Callable[[], None]:
    def run() -> None:
        trace, profile = vars(threading)["_trace_hook"], vars(threading)["_profile_hook"]
        before = sys.gettrace(), sys.getprofile()
        try:
            # As a real thread does. They are those of the OS thread: other tasks are traced meanwhile.
            if profile:
                sys.setprofile(profile)
            if trace:
                sys.settrace(trace)
            thread.run()
        except SystemExit:
            pass
        except Abort:
            raise
        except BaseException as error:
            if isinstance(error, KeyboardInterrupt) and interrupts.is_ours():
                raise
            execution.fail_task(execution.current, error)
            if threading.excepthook not in (threading.__excepthook__, outer_hook[0]):
                arguments = (type(error), error, error.__traceback__, thread)
                threading.excepthook(threading.ExceptHookArgs(arguments))
        finally:
            if trace:
                sys.settrace(before[0])
            if profile:
                sys.setprofile(before[1])
            mark_ended(thread)
            if not execution.aborting:
                execution.touch(op.WRITE, thread, "alive", 0)

    return run


def mark_ended(thread: Any) -> None:
    """Leave ``thread`` as one that has run, for whoever asks after control."""
    thread._is_stopped = True
    thread_identity.unregister(thread)
    if hasattr(thread, "_handle"):
        thread._handle = _EndedHandle()


def join(thread: Any, timeout: float | None = None) -> None:
    """``threading.Thread.join``."""
    execution = running()
    task: Task | None = getattr(thread, "_semafuzz_task", None)
    if execution is None or task is None:
        if task is None:
            _real_join(thread, timeout)
        return
    if task is execution.current:
        raise RuntimeError("cannot join current thread")
    wait = None if timeout is None else max(timeout, 0)
    execution.join(task, wait, calling_site(op.JOIN))


def is_alive(thread: Any) -> bool:
    """``threading.Thread.is_alive``: a read that races with the thread's end."""
    task: Task | None = getattr(thread, "_semafuzz_task", None)
    if task is None:
        return _real_is_alive(thread)
    execution = running()
    if execution is not None and not task.done:
        execution.touch(op.READ, thread, "alive", calling_site(op.READ))
    return not task.done and not getattr(thread, "_is_stopped", False)


def start_new_thread(
    function: Callable[..., object], args: tuple[Any, ...], kwargs: dict[str, Any] | None = None
) -> int:
    """``_thread.start_new_thread``."""
    execution = running()
    if execution is None:
        return _real_start_new(function, args, kwargs or {})
    if not callable(function):
        raise TypeError("first arg must be callable")
    if not isinstance(args, tuple):
        raise TypeError("2nd arg must be a tuple")

    def run() -> None:
        try:
            function(*args, **(kwargs or {}))
        except SystemExit:
            pass

    task = execution.spawn(run, getattr(function, "__name__", "thread"), daemon=True)
    thread_identity.register(task, thread_identity.thread_of(task.index))
    return task.ident


def get_ident() -> int:
    """``threading.get_ident``: the task's own within an execution."""
    execution = running()
    return _real_get_ident() if execution is None else execution.current.ident


def get_native_id() -> int:
    """``threading.get_native_id``: likewise."""
    execution = running()
    return _real_native_id() if execution is None else execution.current.ident


def count() -> int:
    """``_thread._count``: threads that run, the main one excepted."""
    execution = running()
    others = 0 if execution is None else execution.unfinished - 1
    return int(_real_count_of_threads()) + others


def stable_hash(thread: Any) -> int:
    """``hash`` of a Thread: its number in the execution that made it.

    Thread pools keep their threads in a set and join them in its order, which goes
    by address otherwise and would differ from run to run.
    """
    execution = running()
    if execution is None or "_started" not in vars(thread):
        return int(vars(thread).get("_semafuzz_hash", object.__hash__(thread)))
    found = vars(thread).get("_semafuzz_hash")
    if found is None:
        made_here = type(thread._started) is Started
        execution.hashes += made_here
        found = thread._semafuzz_hash = execution.hashes if made_here else object.__hash__(thread)
    return int(found)


def set_signal_handler(number: int, handler: Any) -> Any:
    """``signal.signal``, which only the main thread may call."""
    execution = running()
    if execution is not None and execution.current.index > 0:
        raise ValueError("signal only works in main thread of the main interpreter")
    return _real_signal(number, handler)


def next_thread_number() -> int:
    """The number in a default thread name: starts at 1 in every execution."""
    execution = running()
    if execution is None:
        return int(_real_count())
    execution.thread_numbers += 1
    return execution.thread_numbers
