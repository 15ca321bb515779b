"""Methods of classes as programs: each execution has an object of its own, and of a ``unittest.TestCase`` all that is
set up and cleaned up around a test."""

from __future__ import annotations

import unittest
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from semafuzz.harness.errors import CodeError


def function_of(namespace: Mapping[str, Any], name: str, where: str) -> Any:
    """What ``name`` is in the namespace of a module: a function, or for ``Class.method`` what makes an object of the
    class and calls it. CodeError where it has no such method, or cannot be made without arguments."""
    owner, dot, method = name.partition(".")
    if not dot:
        return namespace[name]
    kind = namespace.get(owner)
    if not isinstance(kind, type):
        raise CodeError(f"{where} has no class {owner!r}")
    if not callable(getattr(kind, method, None)):
        tests = [one for one in dir(kind) if one.startswith("test") and callable(getattr(kind, one))]
        hint = f"it has {', '.join(tests[:8])}" if tests else "see its source"
        raise CodeError(f"{owner} in {where} has no method {method!r}; {hint}")
    if issubclass(kind, unittest.TestCase):
        return whole_case(kind, method)
    return lambda: getattr(kind(), method)()


def whole_case(kind: type[unittest.TestCase], name: str) -> Callable[[], None]:
    """A test case from ``setUpClass`` to the last clean-up of the class, as the only test that runs."""
    run = one_case(kind, name)

    def whole() -> None:
        kind.setUpClass()
        try:
            run()
        finally:
            kind.tearDownClass()
            kind.doClassCleanups()

    return whole


def one_case(
    kind: type[unittest.TestCase], name: str, function: Callable[..., object] | None = None
) -> Callable[[], None]:
    """What one execution does: the method ``name``, or ``function`` in its place, on a new test case from ``setUp`` to
    the last clean-up."""

    def run() -> None:
        case = kind(name)
        case.setUp()
        try:
            if function is None:
                getattr(case, name)()
            else:
                function(case)
        finally:
            case.tearDown()
            case.doCleanups()

    return run


def one_async_case(
    kind: type[unittest.TestCase], name: str, function: Callable[..., Awaitable[object]]
) -> Callable[[], Awaitable[None]]:
    """The same for a method that is async; what is around it is not."""

    async def run() -> None:
        case = kind(name)
        case.setUp()
        try:
            await function(case)
        finally:
            case.tearDown()
            case.doCleanups()

    return run
