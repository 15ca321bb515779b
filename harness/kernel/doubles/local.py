"""Double of ``threading.local`` for Python 3.13 and later.

Up to 3.12 the kernel exchanges the real ones' values at every switch
(``semafuzz.harness.kernel.thread_identity``); later versions keep them out of reach.
"""

from __future__ import annotations

from typing import Any
from weakref import WeakKeyDictionary

from semafuzz.harness.kernel.doubles.locks import running
from semafuzz.harness.kernel.doubles.threads import get_ident


class local:
    """Attributes of their own for every task; ``__init__`` of a subclass runs
    once per task with the arguments of the construction, as the real one does."""

    def __new__(cls, /, *args: Any, **kwargs: Any) -> local:
        if (args or kwargs) and cls.__init__ is object.__init__:
            raise TypeError("Initialization arguments are not supported")
        self = super().__new__(cls)
        object.__setattr__(self, "_semafuzz_values", ({}, WeakKeyDictionary()))
        _store(self)[_owner()] = {}
        object.__setattr__(self, "_semafuzz_arguments", (args, kwargs))
        return self

    def __getattribute__(self, name: str) -> Any:
        if name == "__dict__":
            return _values(self)
        if not name.startswith("__"):
            values = _values(self)
            if name in values:
                return values[name]
        return object.__getattribute__(self, name)

    def __setattr__(self, name: str, value: Any) -> None:
        if name == "__dict__":
            raise AttributeError(f"{type(self).__name__!r} object attribute '__dict__' is read-only")
        _values(self)[name] = value

    def __delattr__(self, name: str) -> None:
        values = _values(self)
        if name not in values:
            raise AttributeError(name)
        del values[name]


def _owner() -> Any:
    """Whose values: a task (they end with it) or an OS thread."""
    execution = running()
    return get_ident() if execution is None else execution.current


def _store(instance: local) -> Any:
    by_thread, by_task = object.__getattribute__(instance, "_semafuzz_values")
    return by_thread if running() is None else by_task


def _values(instance: local) -> dict[str, Any]:
    store = _store(instance)
    owner = _owner()
    found: dict[str, Any] | None = store.get(owner)
    if found is None:
        found = store[owner] = {}
        args, kwargs = object.__getattribute__(instance, "_semafuzz_arguments")
        type(instance).__init__(instance, *args, **kwargs)
    return found


# Traces name objects by type: the same on all Pythons.
local.__name__ = local.__qualname__ = "_local"
