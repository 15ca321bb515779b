"""What these tests share: one piece of source run plain, rewritten, and watched."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from types import ModuleType
from typing import Any

import pytest

from semafuzz.harness.instrument.apply import install_hooks, rewrite_source
from semafuzz.harness.kernel import event_kinds as op
from semafuzz.harness.kernel.outcome import Outcome
from semafuzz.harness.kernel.sites import SITES
from semafuzz.harness.runs.execution_config import ExecutionConfig
from semafuzz.harness.runs.session import controlled_session
from semafuzz.harness.schedulers.serial_order import SerialOrder

_numbers = itertools.count()
SHOWN = op.MEMORY | {op.ACQUIRE, op.RELEASE, op.TRY, op.LOOP}


@dataclass
class Watched:
    """A run in an execution: what came out, and the accesses in short form."""

    answer: object
    accesses: list[str]
    outcome: Outcome


def short(event: tuple[Any, ...]) -> str:
    """``read Box.value``: a kind, the type (the name for a class) of what was
    touched and the place in it; a module's or a closure's variables have no owner."""
    kind, _, subject, name, _ = event
    if kind == op.LOOP:
        return "loop"
    where = subject.__name__ if isinstance(subject, type) else type(subject).__name__
    if isinstance(subject, dict) and "__builtins__" in subject:
        where = "globals"
    if kind in (op.READ, op.WRITE):
        return f"{op.KIND_NAMES[kind]} {where}.{name}"
    if kind in (op.READ_ITEM, op.WRITE_ITEM):
        return (
            f"{op.KIND_NAMES[kind]} {where}[{name!r}]"
            if type(name) is not object
            else f"{op.KIND_NAMES[kind]} {where}[*]"
        )
    return f"{op.KIND_NAMES[kind]} {where}"


def answer_of(function: Callable[[], object]) -> object:
    """What it returns, or which exception it ends in."""
    try:
        return function()
    except Exception as error:
        return f"{type(error).__name__}: {error}"


def plain(source: str) -> ModuleType:
    """The source as a module that was not touched."""
    module = ModuleType("sample")
    exec(compile(source, "sample.py", "exec", dont_inherit=True), vars(module))
    return module


def rewritten(source: str, module: ModuleType | None = None) -> ModuleType:
    """The source as a module whose accesses call the hooks."""
    made = ModuleType("sample") if module is None else module
    install_hooks(vars(made))
    exec(rewrite_source(source, f"sample{next(_numbers)}.py", "sample"), vars(made))
    return made


def in_task(function: Callable[[], object]) -> Watched:
    """``function`` as the only task of an execution."""
    execution = ExecutionConfig(bytearray(len(SITES) + 65536)).execution(SerialOrder([0]))
    task = execution.add_task(function, "task")
    outcome = execution.run()
    assert not outcome.uncontrolled
    if task.error is not None:
        answer: object = f"{type(task.error).__name__}: {task.error}"
    elif outcome.failures:
        answer = outcome.failures[0].kind
    else:
        answer = task.result
    return Watched(answer, [short(event) for event in outcome.events if event[0] in SHOWN], outcome)


def watch(source: str, module: ModuleType | None = None) -> Watched:
    """Run ``act()`` of the rewritten source in an execution. The module's own
    level runs before, outside: it leaves no events."""
    made = rewritten(source, module)
    with controlled_session():
        return in_task(made.act)


@pytest.fixture
def laboratory() -> Iterator[None]:
    """Control, for tests that make executions themselves."""
    with controlled_session():
        yield


@contextmanager
def described(what: str) -> Iterator[None]:
    """Name the sample in which an assertion failed."""
    try:
        yield
    except AssertionError as error:
        error.add_note(what)
        raise
