"""Everything that has to be in place while executions run, put up once.

Control installed, modules instrumented, the canary heard: costs some
milliseconds, so that many explorations of one target share a laboratory.
"""

from __future__ import annotations

import queue
import sys
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from types import ModuleType

from semafuzz.harness.instrument.apply import Applied, Preparation, instrumented
from semafuzz.harness.instrument.other_threads import leave_other_threads_alone, let_ask
from semafuzz.harness.kernel.install.control import Control, installed
from semafuzz.harness.kernel.ownership import first_component, is_own
from semafuzz.harness.runs import self_check

_STDLIB: tuple[tuple[ModuleType, tuple[str, ...]], ...] = (
    (threading, ("Event", "Barrier")),
    (queue, ("_PySimpleQueue",)),
)
"""Classes of the standard library that read their state without a lock."""


def _comes_with_python(name: str) -> bool:
    """Functions of the standard library that close over names are made anew by every program."""
    return first_component(name) in sys.stdlib_module_names


class ControlledSession:
    """Made by :func:`controlled_session`. ``silence`` is empty, or says why what runs
    here is not under control. ``watched``: the modules that were given, where it is thorough. ``thorough``: how
    closely executions in it are watched; see :class:`semafuzz.harness.kernel.execution.Execution`."""

    def __init__(
        self, control: Control, applied: Applied, silence: str, *, thorough: bool, watched: Sequence[str] = ()
    ) -> None:
        self.control = control
        self.thorough = thorough
        self.watched = watched
        self.applied = applied
        self.uncontrolled_reason = silence
        self.unseen = [name for name in applied.left if not is_own(name) and not _comes_with_python(name)]


@contextmanager
def controlled_session(
    modules: Sequence[ModuleType] = (),
    *,
    instrument: bool = True,
    stall: float = 5.0,
    holders: Sequence[ModuleType] = (),
    prepare: Mapping[str, Preparation] | None = None,
    thorough: bool = False,
    roots: Sequence[object] = (),
) -> Iterator[ControlledSession]:
    """Put up a laboratory for these modules, on the calling thread.

    ``instrument=False`` leaves the code as it is (eventlet model: nothing is
    preempted between two accesses, so none needs to be seen). ``holders`` have no code,
    but primitives to adopt. ``thorough``: calls of code that is not looked into are announced.
    ``roots``: objects whose locks are looked for, besides those of modules. ``prepare``: see
    :func:`semafuzz.harness.instrument.apply.instrumented`.
    Raises UsageError where a module has no source.
    """
    library = [module for module, _ in _STDLIB]
    parts = {module.__name__: names for module, names in _STDLIB}
    prepare = {**dict.fromkeys(parts, leave_other_threads_alone), **(prepare or {})}
    let_ask(library)
    chosen = [self_check.module(), *library, *modules] if instrument else []
    # In this order: control freezes the collector, and what is frozen is not
    # among the objects in which functions to instrument are looked for.
    with (
        instrumented(chosen, parts, prepare, [module.__name__ for module in modules] if thorough else ()) as applied,
        installed([*modules, *holders], stall=stall, everywhere=thorough, anew=False, roots=roots) as control,
    ):
        silence = self_check.probe(instrumented=instrument)
        names = [module.__name__ for module in modules]
        yield ControlledSession(control, applied, silence, thorough=thorough, watched=names if thorough else ())
