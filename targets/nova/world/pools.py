"""Nova's pools of threads: what a manager leaves to one runs beside what it does itself.

Builds are the exception: the method that leaves one to a pool does nothing after that, so that it is done when the
method has returned, by the same task. So is everything while a start state is made.
"""

from __future__ import annotations

import contextvars
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any, Protocol

from semafuzz.harness.kernel import current
from semafuzz.targets.nova.boundary.process import ProcessEndedError, running_in, running_process


class Deliverer(Protocol):
    """What carries messages, as far as pools go."""

    def later(self, function: Callable[[], object]) -> None:
        """Have something done once the running method has returned."""

    def drain(self) -> None:
        """Deliver what the running task has sent."""


delivering: ContextVar[Deliverer] = ContextVar("delivering")
"""What delivers the message that the running task handles."""
BESIDE = {"LIVE_MIGRATION": "max_concurrent_live_migrations", "UPDATE_RESOURCES": ""}
"""Pools whose work runs beside that of the method that gives it, with the option that says how many places one has."""
_PLACES = 5
"""Places of a pool that no option limits."""


class Work:
    """One piece of work that was given to a pool. ``awaited``: Nova asks for its result itself."""

    def __init__(self, function: Callable[[], object], *, awaited: bool) -> None:
        self.future: Future[object] = Future()
        self.thread: threading.Thread | None = None
        self.afterwards: BaseException | None = None
        """What came of the messages that it sent."""
        self._function, self._awaited = function, awaited

    def run(self) -> None:
        """As an executor does it; nothing where it was cancelled."""
        if not self.future.set_running_or_notify_cancel():
            return
        try:
            result = self._function()
        except (Exception, ProcessEndedError) as error:
            self.future.set_exception(error)
        else:
            self.future.set_result(result)

    def end(self) -> None:
        """Wait for it. What it raised is a failure of the operation where nobody in Nova asks for it."""
        if self.thread is not None:
            self.thread.join()
        if not self._awaited and not self.future.cancelled():
            self.future.result()
        if self.afterwards is not None:
            raise self.afterwards


class Pools:
    """The pools of one process of nova-compute."""

    def __init__(self) -> None:
        self._places: dict[str, threading.Semaphore] = {}
        self._threads: list[threading.Thread] = []

    def start(self, pool: str, work: Work) -> None:
        """Have work done in a thread, once the pool has a place for it."""
        places = self._places.get(pool)
        if places is None:
            places = self._places[pool] = threading.Semaphore(_size_of(pool))
        deliverer, context = delivering.get(None), contextvars.copy_context()

        def run() -> None:
            with places:
                work.run()
                if deliverer is not None:
                    try:
                        deliverer.drain()
                    except (Exception, ProcessEndedError) as error:
                        work.afterwards = error

        work.thread = threading.Thread(target=context.run, args=(run,), name=pool.lower())
        self._threads.append(work.thread)
        work.thread.start()

    def wait(self) -> None:
        """The pools are shut down: wait for what runs."""
        for thread in self._threads:
            thread.join()


def _size_of(pool: str) -> int:
    from nova.conf import CONF

    option = BESIDE[pool]
    return int(getattr(CONF, option)) or _PLACES if option else _PLACES


_given: ContextVar[list[Work]] = ContextVar("given")
"""What the running operation has left to pools."""


@contextmanager
def ending_with_their_work() -> Iterator[list[Work]]:
    """What the block leaves to pools."""
    given: list[Work] = []
    token = _given.set(given)
    try:
        yield given
    finally:
        _given.reset(token)


def spawn_on(pool: Any, function: Callable[..., object], *args: object, **options: object) -> Any:
    """What the manager leaves to a pool of this name."""
    name = str(getattr(pool, "name", ""))
    process = running_process.get()

    def perform() -> object:
        # Its threads end with the process, as what it handles itself does.
        with running_in(process):
            return function(*args, **options)

    work = Work(perform, awaited=name == "UPDATE_RESOURCES")
    if current.execution is not None and process is not None and name in BESIDE:
        if process.pools is None:
            process.pools = Pools()
        _given.get([]).append(work)
        process.pools.start(name, work)
    elif name == "UPDATE_RESOURCES":
        work.run()
    else:
        delivering.get().later(lambda: _do_here(work))
    return work.future


def _do_here(work: Work) -> None:
    work.run()
    work.end()


def shut_down() -> None:
    """Wait for what the pools of the running process do."""
    process = running_process.get()
    if process is not None and process.pools is not None:
        process.pools.wait()


class Executor:
    """An executor of the manager's own, which it has up to where pools have names."""

    name = "LIVE_MIGRATION"

    def submit(self, function: Callable[..., object], *args: object, **options: object) -> Any:
        """Have something done."""
        return spawn_on(self, function, *args, **options)

    def shutdown(self, wait: bool = True) -> None:
        """Take nothing more."""
        if wait:
            shut_down()
