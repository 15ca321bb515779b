"""Plain functions that call ``trio.run``: the function is run as the main task of a controlled run, and its
call of ``trio.run`` waits there for what it runs.

``trio.run`` cannot be called inside of trio. The function runs on a greenlet of its own: its call
switches to the main task, which awaits the async function and switches back with what came of it.
One call at a time. Its clock is the engine's: a ``MockClock`` that jumps by itself is what that does, with time
passing only where nobody can go on; what cannot be honoured is *uncontrolled* by name.
"""

from __future__ import annotations

import sys
from collections.abc import Awaitable, Callable, Iterator, Sequence
from contextlib import contextmanager
from math import inf
from typing import Any, NoReturn, Self

import trio
from greenlet import getcurrent, greenlet

from semafuzz.harness.kernel import current
from semafuzz.harness.kernel.address import address
from semafuzz.harness.kernel.instances import namespace_of
from semafuzz.harness.kernel.task_errors import Abort


def hosted(function: Callable[[], object]) -> Callable[[], Awaitable[object]]:
    """``function`` as an async function."""

    async def main() -> object:
        here = getcurrent()
        asked: list[tuple[Callable[..., Awaitable[object]], tuple[Any, ...], Sequence[Any]]] = []

        def run(
            async_fn: Callable[..., Awaitable[object]],
            *args: Any,
            clock: Any = None,
            instruments: Sequence[Any] = (),
            restrict_keyboard_interrupt_to_checkpoints: bool = False,
            strict_exception_groups: bool = True,
        ) -> object:
            if getcurrent() is not inner:
                _refuse("from inside of another run")
            if clock is not None:
                _take_clock(clock)
            if not strict_exception_groups:
                _refuse("strict_exception_groups=False")
            asked.append((async_fn, args, instruments))
            return here.switch()

        def body() -> tuple[str, object]:
            return "ended", function()

        inner = greenlet(body)
        with _InPlaceOfRun(run, function) as place:
            answer = inner.switch()
            while asked:
                async_fn, args, instruments = asked.pop()
                try:
                    with place.inside(), _instrumented(instruments):
                        result = await async_fn(*args)
                except BaseException as error:
                    answer = inner.throw(error)
                else:
                    answer = inner.switch(result)
        return answer[1]

    return main


class _InPlaceOfRun:
    """``trio.run`` is this function in the block, in all modules that have it by name; and code that asks is told
    that no run is under way, but for the time of one."""

    def __init__(self, run: Callable[..., object], function: Callable[[], object]) -> None:
        self._run = run
        self._own = getattr(function, "__globals__", {})
        self._undo: list[tuple[dict[str, Any], str, object]] = []
        self._inside = 0

    def __enter__(self) -> Self:
        real = trio.run
        for home in (*_modules_with_run(), self._own):
            for name in [name for name, value in home.items() if value is real]:
                self._bind(home, name, self._run)
        for name in ("in_trio_run", "in_trio_task"):
            asked = getattr(trio.lowlevel, name)
            self._bind(vars(trio.lowlevel), name, lambda asked=asked: bool(self._inside and asked()))
        return self

    def _bind(self, home: dict[str, Any], name: str, value: object) -> None:
        self._undo.append((home, name, home[name]))
        home[name] = value

    @contextmanager
    def inside(self) -> Iterator[None]:
        """A run is under way in the block."""
        self._inside += 1
        try:
            yield
        finally:
            self._inside -= 1

    def __exit__(self, *_: object) -> None:
        for home, name, value in reversed(self._undo):
            home[name] = value


_found: list[tuple[int, list[dict[str, Any]]]] = []


def _modules_with_run() -> list[dict[str, Any]]:
    """The names of modules in which ``trio.run`` stands under some name; looked for when modules have come."""
    # By what they are: where one goes and another comes, there are as many as before.
    there = hash(tuple(map(address, sys.modules.values())))
    if not _found or _found[0][0] != there:
        real = trio.run
        spaces = [namespace_of(module) for module in list(sys.modules.values())]
        homes = [space for space in spaces if space is not None]
        _found[:] = [(there, [home for home in homes if any(value is real for value in home.values())])]
    return _found[0][1]


@contextmanager
def _instrumented(instruments: Sequence[Any]) -> Iterator[None]:
    for instrument in instruments:
        trio.lowlevel.add_instrument(instrument)
    try:
        yield
    finally:
        for instrument in instruments:
            trio.lowlevel.remove_instrument(instrument)


def _take_clock(clock: Any) -> None:
    """The engine's time stands still while somebody can go on, and jumps where nobody can, as such a clock does."""
    execution: Any = current.execution
    if execution is None or getattr(clock, "autojump_threshold", inf) == inf:
        _refuse("a clock that does not jump by itself")
    execution.be_patient()


def _refuse(what: str) -> NoReturn:
    execution: Any = current.execution
    if execution is not None:
        execution.escape(
            f"trio.run was called with {what}, which is not imitated; leave it out, or check the async function"
        )
    raise Abort
