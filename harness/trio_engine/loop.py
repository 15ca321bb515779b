"""trio's event loop, driven from outside, and kept where it is as good as new.

trio runs as a guest (a public mode of it, made for running inside other event
loops), for three reasons. It then leaves the process's signal wake-up descriptor
alone, which the watchdog's timer signals would otherwise write to in the moment
in which trio closes it. Nothing of it sleeps, since the clock never asks for it. And
the loop can be left standing between two executions: making one costs more than a
small program does in it.

A loop is kept only where the execution has left nothing in it: it ended well, no system
task is left, no async generator was begun, no ``RunVar`` was set and nothing was posted
to the loop.
"""

from __future__ import annotations

import sys
from collections import deque
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager, suppress
from typing import Any, Protocol

import trio

from semafuzz.harness.kernel.clock import VirtualClock

Main = Callable[[], Awaitable[object]]


class Guest(Protocol):
    """What an execution does for the loop that runs it."""

    clock: VirtualClock
    posted: bool
    """Whether callbacks may have been posted to the loop."""
    closing: bool
    """Whether the loop is being closed after this execution."""

    def idle(self, deadline: float) -> None:
        """Nothing is runnable; choose who goes on. ``deadline``: the next one."""

    def spawned(self, task: trio.lowlevel.Task) -> None:
        """A task was made and has not run."""

    def post(self, deliver: Callable[[], object], name: str) -> bool:
        """A callback is posted to the loop; whether the guest says when it is called."""


class ChoosingClock(trio.abc.Clock):
    """The virtual time of an execution, and the one question by which it is controlled.

    trio asks its clock how long it may sleep exactly when no task is runnable, and says
    which deadline is next. Nothing else in its public interface tells both at once,
    and for so little: so that is where the execution chooses who goes on.
    """

    guest: Guest | None = None

    def start_clock(self) -> None:
        """Nothing: time starts at zero and passes only where it is made to."""

    def current_time(self) -> float:
        """The virtual time, in seconds since the execution began."""
        return 0.0 if self.guest is None else self.guest.clock.now

    def deadline_to_sleep_time(self, deadline: float) -> float:
        """Let the execution choose; there is never anything to sleep for."""
        if self.guest is not None:
            self.guest.idle(deadline)
        return 0.0


class Gatekeeper(trio.abc.Instrument):
    """Shows every task to the execution before it can run, whoever started it."""

    guest: Guest | None = None

    def task_spawned(self, task: trio.lowlevel.Task) -> None:
        """A task was made."""
        if self.guest is not None:
            self.guest.spawned(task)


class Loop:
    """One run of trio, in which executions follow each other."""

    def __init__(self) -> None:
        self._ticks: deque[Callable[[], object]] = deque()
        self._done: list[Any] = []
        self._clock = ChoosingClock()
        self._gatekeeper = Gatekeeper()
        self._hub: trio.lowlevel.Task | None = None
        self._main: Main | None = None
        self.used = False
        trio.lowlevel.start_guest_run(
            self._serve,
            run_sync_soon_threadsafe=self._ticks.append,
            done_callback=self._done.append,
            host_uses_signal_set_wakeup_fd=True,
            clock=self._clock,
            instruments=[self._gatekeeper],
        )
        while self._hub is None:
            self._ticks.popleft()()

    async def _serve(self) -> None:
        self._hub = trio.lowlevel.current_task()
        while True:
            await trio.lowlevel.wait_task_rescheduled(_refuse)
            main, self._main = self._main, None
            if main is None:
                return
            async with trio.open_nursery() as nursery:
                nursery.start_soon(main)
            self.used = True

    def run(self, guest: Guest, main: Main) -> None:
        """Run ``main``, which catches what it raises, in a task of its own."""
        assert self._hub is not None
        self._clock.guest = self._gatekeeper.guest = guest
        self._main = main
        self.used = False
        hooks = sys.get_asyncgen_hooks()

        def mark() -> None:
            self.marked = guest.posted = True

        self.marked = False
        with _watched(trio.lowlevel.RunVar, "set", mark), _posting(guest, mark):
            sys.set_asyncgen_hooks(firstiter=_both(mark, hooks.firstiter))
            try:
                trio.lowlevel.reschedule(self._hub)
                self._pump(lambda: self.used)
            finally:
                if not self._done:
                    sys.set_asyncgen_hooks(*hooks)

    def leave(self) -> None:
        """The execution is over and nothing of it is left."""
        self._clock.guest = self._gatekeeper.guest = None

    def close(self) -> None:
        """End the run of trio; raises what ended it otherwise."""
        if not self._done:
            assert self._hub is not None
            if self._clock.guest is not None:
                self._clock.guest.closing = True
            trio.lowlevel.reschedule(self._hub)
            self._pump(lambda: False)
        self._done[0].unwrap()

    def _pump(self, enough: Callable[[], bool]) -> None:
        while not self._done and not enough():
            self._ticks.popleft()()


class LoopKeeper:
    """Lends loops to executions, and keeps one from one to the next where ``keeping``."""

    def __init__(self) -> None:
        self.keeping = False
        self._loop: Loop | None = None

    def take(self) -> Loop:
        """A loop that is as good as new."""
        loop, self._loop = self._loop, None
        return loop or Loop()

    def give_back(self, loop: Loop, *, clean: bool) -> None:
        """Keep the loop, or end it; raises what that comes to."""
        if clean and self.keeping and loop.used and not loop.marked:
            loop.leave()
            self._loop = loop
        else:
            loop.close()

    def close(self) -> None:
        """Keep no loop any longer."""
        self.keeping = False
        loop, self._loop = self._loop, None
        if loop is not None:
            with suppress(trio.Cancelled):
                loop.close()


def _both(mark: Callable[[], None], other: Callable[[Any], object] | None) -> Callable[[Any], None]:
    def first(generator: Any) -> None:
        mark()
        if other is not None:
            other(generator)

    return first


@contextmanager
def _posting(guest: Guest, mark: Callable[[], None]) -> Iterator[None]:
    """Let the guest say in the block when callbacks that are posted to the loop are called: in which
    order with tasks that can go on is a choice."""
    real = trio.lowlevel.TrioToken.run_sync_soon
    waiting: set[tuple[object, ...]] = set()

    def post(token: Any, function: Callable[..., object], *arguments: Any, idempotent: bool = False) -> None:
        mark()
        key = (function, *arguments) if idempotent else ()
        if key and key in waiting:
            return

        def deliver() -> None:
            waiting.discard(key)
            real(token, function, *arguments, idempotent=idempotent)

        if not guest.post(deliver, str(getattr(function, "__name__", type(function).__name__))):
            deliver()
        elif key:
            waiting.add(key)

    trio.lowlevel.TrioToken.run_sync_soon = post  # type: ignore[assignment, method-assign]
    try:
        yield
    finally:
        trio.lowlevel.TrioToken.run_sync_soon = real  # type: ignore[method-assign]


@contextmanager
def _watched(owner: type, name: str, mark: Callable[[], None]) -> Iterator[None]:
    """Learn in the block of calls of a public method."""
    real = owner.__dict__[name]

    def call(*arguments: Any, **named: Any) -> Any:
        mark()
        return real(*arguments, **named)

    setattr(owner, name, call)
    try:
        yield
    finally:
        setattr(owner, name, real)


def _refuse(_: object) -> trio.lowlevel.Abort:
    return trio.lowlevel.Abort.FAILED
