"""Checked functions with the program that fits them: the one place that knows of trio."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from types import ModuleType
from typing import Any

from harness.checked import Checked, load
from harness.errors import UsageError
from harness.program import Program


def load_checked(spec: str, instrument: Sequence[str], model: str) -> tuple[Checked, str]:
    """The function of ``FILE.py:FUNCTION`` and the model under which it runs.

    That is ``model`` for functions that use threads. One that is ``async`` runs under
    trio, where a switch happens at checkpoints only. Raises UsageError as
    :func:`harness.checked.load` does, and for an async function with ``eventlet``.
    """
    checked = load(spec, instrument, rewrite=model != "eventlet", asynchronous=_trio_program)
    own = getattr(checked.program, "model", None)
    if own is None:
        return checked, "threads" if model == "trio" else model
    if model == "eventlet":
        raise UsageError(f"{spec} is async and switches at checkpoints; leave --model out")
    return checked, own


def _trio_program(
    function: Callable[[], Any],
    name: str,
    modules: Sequence[ModuleType],
    refresh: Callable[[], Callable[[], Any]] | None,
) -> Program:
    from targets.trio_tasks.program import TrioProgram

    return TrioProgram(function, name, modules, refresh)
