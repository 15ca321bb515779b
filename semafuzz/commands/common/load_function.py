"""Checked functions with the program that fits them: the one place that knows of trio."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from types import ModuleType
from typing import Any

from semafuzz.harness.edits.remedies import remedies_of
from semafuzz.harness.errors import UsageError
from semafuzz.harness.kernel.outcome import Model
from semafuzz.harness.runs.function_file import LoadedFunction, load
from semafuzz.harness.runs.program import Program


def load_checked(
    spec: str,
    instrument: Sequence[str],
    model: Model,
    trusted: Collection[str] | None = None,
    *,
    thorough: bool = True,
    renamed: bool = False,
    what_if: str = "",
) -> tuple[LoadedFunction, Model]:
    """The function of ``FILE.py:FUNCTION`` and the model under which it runs.

    That is ``model`` for functions that use threads. One that is ``async`` runs under
    trio, where a switch happens at checkpoints only. ``trusted``: see there. ``thorough``: calls of code that
    is not looked into are announced; traces of formats 1 and 2 did not. ``renamed``: see there. ``what_if``:
    remedies that are tried, one to a line. Raises UsageError as
    :func:`semafuzz.harness.runs.function_file.load` does, and for an async function with ``eventlet``.
    """
    remedies = remedies_of(what_if)
    checked = load(
        spec,
        instrument,
        trusted=trusted,
        rewrite=model != "eventlet",
        coarse=thorough,
        asynchronous=_trio_program,
        hosting=None if model == "eventlet" else _hosted_program,
        renamed=renamed,
        edit=remedies,
    )
    if remedies is not None:
        remedies.check()
    own = checked.program.model
    if own is None:
        return checked, "threads" if model == "trio" else model
    if model == "eventlet":
        raise UsageError(f"{spec} is async and switches at checkpoints; leave --model out")
    return checked, own


def _hosted_program(
    function: Callable[[], Any],
    name: str,
    modules: Sequence[ModuleType],
    refresh: Callable[[], Callable[[], Any]] | None,
) -> Program:
    from semafuzz.harness.trio_engine.hosted import hosted

    return _trio_program(hosted(function), name, modules, None if refresh is None else lambda: hosted(refresh()))


def _trio_program(
    function: Callable[[], Any],
    name: str,
    modules: Sequence[ModuleType],
    refresh: Callable[[], Callable[[], Any]] | None,
) -> Program:
    from semafuzz.harness.trio_engine.program import TrioProgram

    return TrioProgram(function, name, modules, refresh)
