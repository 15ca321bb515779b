"""Doubles of the clocks of ``datetime``.

Its classes are written in C, so that their methods are exchanged in the dictionaries of the types, which Python shows
read-only: for all code at once, since a program that compared a virtual date of its own with a real one of a library
would wait for years. Outside an execution they are the real ones.
"""

from __future__ import annotations

import ctypes
import gc
from collections.abc import Callable
from datetime import UTC, date, datetime
from typing import Any, cast

from semafuzz.harness.kernel.clock import EPOCH
from semafuzz.harness.kernel.doubles.locks import running
from semafuzz.harness.kernel.sites import NOWHERE

CLOCKS = frozenset({"now", "utcnow", "today"})
"""Their names."""
_HOMES: dict[type[date], tuple[str, ...]] = {datetime: ("now", "utcnow"), date: ("today",)}
"""Where each is defined; ``datetime.today`` is that of ``date``, for the type that it is asked of."""


def _double(name: str, real: Any) -> Callable[..., Any]:
    def read(owner: type[date], tz: Any = None) -> Any:
        execution = running()
        if execution is None:
            bound = real.__get__(None, owner)
            return bound() if tz is None else bound(tz)
        execution.limit("clock", f"{owner.__qualname__}.{name}, of which one sequence was tried", NOWHERE)
        moment = EPOCH + execution.clock.read(execution)
        if name == "utcnow":
            return cast("type[datetime]", owner).fromtimestamp(moment, UTC).replace(tzinfo=None)
        return owner.fromtimestamp(moment) if tz is None else cast("type[datetime]", owner).fromtimestamp(moment, tz)

    read.__name__ = name
    read.__qualname__ = f"datetime.{name}"
    return read


def exchange(later: Callable[[Callable[[], None]], None]) -> None:
    """Exchange them; ``later`` is given what puts them back."""
    for owner, names in _HOMES.items():
        namespace = gc.get_referents(owner.__dict__)[0]
        for name in names:
            real = namespace[name]
            later(lambda owner=owner, name=name, real=real: _store(owner, name, real))  # type: ignore[misc]
            _store(owner, name, classmethod(_double(name, real)))


def _store(owner: type, name: str, value: object) -> None:
    gc.get_referents(owner.__dict__)[0][name] = value
    ctypes.pythonapi.PyType_Modified(ctypes.py_object(owner))
