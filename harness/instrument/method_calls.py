"""Calls of one class's public methods, as events.

The methods are wrapped while a block runs: each call is noted before it begins and
after it has ended, however it ended, and is otherwise passed on as it is. Calls go
by the class as it was written: those of private methods, properties, static and class
methods are not noted, nor those of a subclass that overrides without ``super()``.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FunctionType
from typing import Any, cast

from semafuzz.harness.kernel import current
from semafuzz.harness.kernel import event_kinds as op


def public_methods(owner: type) -> tuple[str, ...]:
    """The public methods that ``owner`` defines, in the order of its source."""
    return tuple(
        name for name, value in vars(owner).items() if type(value) is FunctionType and not name.startswith("_")
    )


@contextmanager
def visible_calls(owner: type, *, callers_unseen: bool = False) -> Iterator[None]:
    """Note the calls of ``owner``'s public methods for the time of the block.

    ``callers_unseen``: who calls them is not instrumented, and does something with what it gets that no event tells
    of. Others may run once such a method has returned, in models in which tasks are preempted."""
    originals = {name: vars(owner)[name] for name in public_methods(owner)}
    for name, method in originals.items():
        described = f"{owner.__name__}.{name}"
        setattr(owner, name, made := _noting(method, described, callers_unseen))
        _visible[made] = method, described, callers_unseen
    try:
        yield
    finally:
        for name, method in originals.items():
            _visible.pop(vars(owner)[name], None)
            setattr(owner, name, method)


_visible: dict[FunctionType, tuple[Callable[..., Any], str, bool]] = {}
"""What each method was that is visible at the moment, and how it was made so."""


def changed_within(method: FunctionType, change: Callable[[FunctionType], Callable[..., Any]]) -> Callable[..., Any]:
    """``method`` as ``change`` makes it; one whose calls are visible is changed inside, so that they stay visible."""
    found = _visible.get(method)
    if found is None:
        return change(method)
    inner, name, callers_unseen = found
    assert isinstance(inner, FunctionType)
    return _noting(change(inner), name, callers_unseen)


def _noting(method: Callable[..., Any], name: str, callers_unseen: bool) -> FunctionType:
    @functools.wraps(method)
    def noting(self: Any, /, *args: Any, **kwargs: Any) -> Any:
        execution = current.execution
        if execution is None:
            return method(self, *args, **kwargs)
        task = execution.current
        task.visible_depth += 1
        execution.note(op.CALL, self, name)
        try:
            result = method(self, *args, **kwargs)
        finally:
            task.visible_depth -= 1
            execution.note(op.RETURN, self, name)
        # One that another of them has called returns to code that is seen.
        if callers_unseen and not task.visible_depth and execution.preemptive:
            execution.io(f"after {name}")
        return result

    return cast(FunctionType, noting)
