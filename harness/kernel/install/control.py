"""Installing control: replacing the standard primitives, and taking that back.

The doubles are bound wherever a module holds the real object under a name
(``from time import sleep`` included). What this cannot reach, and what happens
then: function defaults bound to a clock at import (real time passes), and
plain locks inside objects that were made before control began (the watchdog
reports the place instead of letting the run freeze).
"""

from __future__ import annotations

import _thread
import builtins
import concurrent.futures
import gc
import importlib
import os
import queue
import random
import signal
import sys
import threading
import time
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from types import ModuleType
from typing import Any

from semafuzz.harness.kernel import breakpoints, current, thread_identity
from semafuzz.harness.kernel.address import address
from semafuzz.harness.kernel.doubles import calendar, hashes, local, locks, new_thread, randomness, threads, times
from semafuzz.harness.kernel.install import adoption, builtin_names, escapes, interrupts, watchdog
from semafuzz.harness.kernel.instances import namespace_of
from semafuzz.harness.kernel.ownership import first_component, is_own

try:
    import _posixsubprocess
except ImportError:
    _posixsubprocess = None  # type: ignore[assignment]

_PASSED_OVER = {"greenlet", "importlib", "_frozen_importlib", "_frozen_importlib_external"}
_ROUNDS = 4
"""Collections of what is young, after which all is collected: threads of pools are freed in several steps."""
FRAMES = 100
"""Frames of ours that may stand on top of the program's."""
_YOUNG, _MOST_YOUNG = 20_000, 320_000
"""Container objects made since the last collection at which one is due: twice as many after each that found
next to nothing, since what is young then lives on, and is looked through again for nothing."""
_NOTHING = 0.01
"""The part of what is young that is next to nothing."""


def _replacements() -> dict[int, tuple[Any, Any]]:
    """``id of the real object -> (real, double)``; holds the real ones alive."""
    pairs: list[tuple[Any, Any]] = [
        (_thread.allocate_lock, locks.make_lock),
        (threading.Lock, locks.make_lock),
        (threading.RLock, locks.make_rlock),
        (_thread.RLock, locks.make_rlock),
        (_thread.start_new_thread, threads.start_new_thread),
        (_thread.get_ident, threads.get_ident),
        (vars(_thread)["_count"], threads.count),
        (_thread.get_native_id, threads.get_native_id),
        (os.urandom, randomness.urandom),
        (signal.signal, threads.set_signal_handler),
        (queue.SimpleQueue, vars(queue)["_PySimpleQueue"]),
    ]
    pairs += [(getattr(time, name), double) for name, double in times.DOUBLES.items()]
    pairs += [(getattr(random, name), double) for name, double in randomness.doubles().items()]
    if not thread_identity.IN_THREAD_STATE:
        pairs.append((threading.local, local.local))
    return {address(real): (real, double) for real, double in pairs}


_ABSENT = object()
_CALLED = object()


class _Changes:
    """Names rebound so far, to be put back in reverse."""

    def __init__(self) -> None:
        self.asyncio_is_refused = False
        self._undo: list[tuple[Any, str, Any]] = []

    def bind(self, namespace: dict[str, Any], name: str, value: object) -> None:
        self._undo.append((namespace, name, namespace[name]))
        namespace[name] = value

    def attribute(self, owner: Any, name: str, value: object) -> None:
        self._undo.append((owner, name, vars(owner).get(name, _ABSENT)))
        setattr(owner, name, value)

    def later(self, put_back: Callable[[], None]) -> None:
        self._undo.append((put_back, "", _CALLED))

    def undo(self) -> None:
        for owner, name, value in reversed(self._undo):
            if value is _CALLED:
                owner()
            elif value is _ABSENT:
                delattr(owner, name)
            elif isinstance(owner, dict):
                owner[name] = value
            else:
                setattr(owner, name, value)
        self._undo.clear()


class Control:
    """Control as installed; made by :func:`installed`."""

    def __init__(self) -> None:
        self._due = _YOUNG

    def between_executions(self) -> None:
        """Collect garbage now and then: it is held while tasks run."""
        young, _, old = gc.get_count()
        if young > self._due:
            # What was there when control began is frozen, so that all is little more than the young.
            found = gc.collect(1 if old < _ROUNDS else 2)
            self._due = min(2 * self._due, _MOST_YOUNG) if found < _NOTHING * young else _YOUNG


@contextmanager
def installed(
    modules: Iterable[ModuleType] = (),
    *,
    stall: float = 5.0,
    everywhere: bool = False,
    anew: bool = True,
    roots: Sequence[Any] = (),
) -> Iterator[Control]:
    """Install control on the calling OS thread for the time of the block.

    ``modules`` are those under test: locks and other primitives that they hold
    at module level are adopted. ``everywhere``: those of all live objects too, and clocks;
    ``anew`` and ``roots``: see :meth:`semafuzz.harness.kernel.install.live_objects.LiveObjects.exchange`.
    ``stall``: seconds without any step after which a run counts as stuck. Raises RuntimeError
    where control is installed already.
    """
    if locks.control_thread[0]:
        raise RuntimeError("control is installed already: explorations do not nest")
    changes = _Changes()
    modules = list(modules)
    saved_random = randomness.state()
    was_collecting = gc.isenabled()
    depth = sys.getrecursionlimit()
    threads.outer_hook[0] = threading.excepthook
    locks.control_thread[0] = _thread.get_ident()
    try:
        _rebind_everywhere(changes, {module.__name__ for module in modules})
        changes.attribute(threading.Thread, "start", threads.start)
        changes.attribute(threading.Thread, "join", threads.join)
        changes.attribute(threading.Thread, "is_alive", threads.is_alive)
        _make_threads_slim(changes)
        changes.attribute(threading.Thread, "__hash__", threads.stable_hash)
        for kind in hashes.SYNCHRONISERS:
            changes.attribute(kind, "__hash__", hashes.by_lock)
        # Futures are locked in the order of ``id``, whose name is looked for in the module first.
        changes.attribute(concurrent.futures._base, "id", hash)
        changes.bind(vars(importlib), "import_module", _atomic_module_import(importlib.import_module, changes))
        changes.bind(vars(sys), "breakpointhook", breakpoints.hook)
        _refuse_asyncio(changes)
        _refuse_trio(changes)
        if everywhere:
            changes.attribute(random.Random, "seed", randomness.seed_instance)
            calendar.exchange(changes.later)
        changes.bind(vars(threading), "_allocate_lock", locks.make_waiter_lock)
        changes.bind(vars(threading), "_counter", threads.next_thread_number)
        if _posixsubprocess is not None:
            changes.bind(
                vars(_posixsubprocess), "fork_exec", escapes.refusing("subprocess.Popen", _posixsubprocess.fork_exec)
            )
        changes.bind(vars(builtins), "__import__", _atomic_import(builtins.__import__, changes))
        adopted = adoption.adopt(modules, changes.bind, changes.attribute)
        if everywhere:
            # What is announced takes some frames of ours on top of the program's deepest one.
            sys.setrecursionlimit(depth + FRAMES)
            left = adoption.adopt_live(adopted, changes.later, times.PAIRS, times.OWN, anew=anew, roots=roots)
            current.real_locks[:] = left
        names = builtin_names.keep()
        changes.later(partial(builtin_names.give_up, names))
        gc.freeze()
        gc.disable()
        with escapes.watched(), watchdog.watching(stall), interrupts.held():
            current.restore = adopted.restore
            yield Control()
    finally:
        current.restore()
        current.restore = current.nothing
        current.real_locks.clear()
        changes.undo()
        locks.control_thread[0] = 0
        randomness.restore(saved_random)
        sys.setrecursionlimit(depth)
        gc.unfreeze()
        if was_collecting:
            gc.enable()


_without: dict[str, tuple[int, int]] = {}
"""Modules that held none of what is exchanged when they were looked through: their namespaces and sizes then."""


def _rebind_everywhere(changes: _Changes, under_test: Collection[str]) -> None:
    """Exchange functions and classes for their doubles in all modules. Going through the variables of thousands of
    modules takes longer than a small search: one that held none, and has as many as then, is passed over, unless it is
    ``under_test``."""
    replacements = _replacements()
    wanted = replacements.keys()
    for name, module in list(sys.modules.items()):
        namespace = namespace_of(module)
        if namespace is None or is_own(name) or first_component(name) in _PASSED_OVER:
            continue
        size = address(namespace), len(namespace)
        if _without.get(name) == size and name not in under_test:
            continue
        if wanted.isdisjoint(map(address, list(namespace.values()))):
            _without[name] = size
            continue
        for key, value in list(namespace.items()):
            found = replacements.get(address(value))
            if found is not None:
                changes.bind(namespace, key, found[1])


def _make_threads_slim(changes: _Changes) -> None:
    for name, replacement in new_thread.NAMES.values():
        changes.attribute(threading, name, replacement)
    init = threading.Thread.__init__
    code = init.__code__
    changes.later(lambda: setattr(init, "__code__", code))
    init.__code__ = new_thread.exchanged(code)


def _refuse_asyncio(changes: _Changes) -> None:
    """An event loop of asyncio is not controlled, whenever it was imported."""
    loops = sys.modules.get("asyncio.base_events")
    if loops is not None and hasattr(loops, "BaseEventLoop") and not changes.asyncio_is_refused:
        changes.asyncio_is_refused = True
        loop = loops.BaseEventLoop
        changes.attribute(loop, "run_forever", escapes.refusing("asyncio", loop.run_forever))


_homes_of_run: list[Any] = [0, []]
"""By which modules there were when it was looked for, and the names of those that have ``trio.run``."""


def _refuse_trio(changes: _Changes) -> None:
    """A run of trio inside of an execution of threads is not controlled. Where a program calls ``trio.run`` and uses
    no threads, the trio engine puts its own function there."""
    trio = sys.modules.get("trio")
    real = getattr(trio, "run", None)
    if real is None:
        return
    refused = escapes.refusing("trio", real)
    there = hash(tuple(map(address, sys.modules.values())))
    if _homes_of_run[0] != there:
        modules = [namespace_of(module) for name, module in list(sys.modules.items()) if not is_own(name)]
        spaces = [space for space in modules if space is not None]
        _homes_of_run[:] = [there, [space for space in spaces if any(one is real for one in space.values())]]
    for namespace in _homes_of_run[1]:
        for key in [key for key, value in namespace.items() if value is real]:
            changes.bind(namespace, key, refused)


def _atomic_module_import(real: Any, changes: _Changes) -> Any:
    def import_module(name: str, package: str | None = None) -> Any:
        execution = current.execution
        if execution is None or locks.running() is None:
            return real(name, package)
        current.execution = None
        try:
            return real(name, package)
        finally:
            _refuse_asyncio(changes)
            current.execution = execution

    return import_module


def _atomic_import(real: Any, changes: _Changes) -> Any:
    """Imports inside tasks are atomic and leave no events: only the first
    execution would do them, and no two runs would be the same."""

    def import_atomically(
        name: str, globals: Any = None, locals: Any = None, fromlist: Any = (), level: int = 0
    ) -> Any:
        execution = current.execution
        if execution is None or locks.running() is None:
            return real(name, globals, locals, fromlist, level)
        current.execution = None
        try:
            return real(name, globals, locals, fromlist, level)
        finally:
            _refuse_asyncio(changes)
            current.execution = execution

    return import_atomically
