"""Plain functions that call ``trio.run``: the function is run as the main task of a controlled run, and its
call of ``trio.run`` waits there for what it runs.

``trio.run`` cannot be called inside of trio. The function runs on a greenlet of its own: its call
switches to the main task, which awaits the async function and switches back with what came of it.
One call at a time; its clock, instruments and mode for cancellation are the engine's.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

import trio
from greenlet import getcurrent, greenlet


def hosted(function: Callable[[], object]) -> Callable[[], Awaitable[object]]:
    """``function`` as an async function."""

    async def main() -> object:
        here = getcurrent()
        asked: list[tuple[Callable[..., Awaitable[object]], tuple[Any, ...]]] = []

        def run(async_fn: Callable[..., Awaitable[object]], *args: Any, **_: object) -> object:
            asked.append((async_fn, args))
            return here.switch()

        def body() -> tuple[str, object]:
            return "ended", function()

        inner = greenlet(body)
        with _InPlaceOfRun(run, function):
            answer = inner.switch()
            while asked:
                async_fn, args = asked.pop()
                try:
                    result = await async_fn(*args)
                except BaseException as error:
                    answer = inner.throw(error)
                else:
                    answer = inner.switch(result)
        return answer[1]

    return main


class _InPlaceOfRun:
    """``trio.run`` is this function in the block, also where ``function``'s module has it by name."""

    def __init__(self, run: Callable[..., object], function: Callable[[], object]) -> None:
        self._run = run
        self._homes = [vars(trio), getattr(function, "__globals__", {})]
        self._undo: list[tuple[dict[str, Any], str]] = []

    def __enter__(self) -> None:
        self._real = trio.run
        for home in self._homes:
            for name in [name for name, value in home.items() if value is self._real]:
                home[name] = self._run
                self._undo.append((home, name))

    def __exit__(self, *_: object) -> None:
        for home, name in self._undo:
            home[name] = self._real
