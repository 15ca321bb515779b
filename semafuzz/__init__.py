"""semafuzz: runs concurrent Python under a scheduler that owns every switch.

Everything that a project needs is here by name; modules below are the tool's own affair.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from semafuzz.decorator import interleave
    from semafuzz.harness import errors
    from semafuzz.harness.detectors.discipline.policy import Guard, LockPolicy
    from semafuzz.harness.runs.program import FunctionProgram, TaskProgram
    from semafuzz.harness.search.exploration import explore
    from semafuzz.harness.search.result import Result
    from semafuzz.harness.trio_engine.program import TrioProgram, explore_async
    from semafuzz.strategies.generate.profiles import load as load_profile
    from semafuzz.strategies.machines.base import ScheduledMachine
    from semafuzz.strategies.machines.nova import NovaMachine
    from semafuzz.strategies.machines.session import run_machine
    from semafuzz.strategies.machines.target import machine_of
    from semafuzz.targets.classes.api import arguments, not_thread_safe, relaxed, uncompared
    from semafuzz.targets.declared.api import DeclaredTarget as Target
    from semafuzz.targets.declared.api import FaultInfo, OptionInfo, Violation, io, operation

__version__ = "0.2.0"
__all__ = [
    "FaultInfo",
    "FunctionProgram",
    "Guard",
    "LockPolicy",
    "NovaMachine",
    "OptionInfo",
    "Result",
    "ScheduledMachine",
    "Target",
    "TaskProgram",
    "TrioProgram",
    "Violation",
    "arguments",
    "errors",
    "explore",
    "explore_async",
    "interleave",
    "io",
    "load_profile",
    "machine_of",
    "not_thread_safe",
    "operation",
    "relaxed",
    "run_machine",
    "uncompared",
]

_HOMES = {
    "semafuzz.decorator": ("interleave",),
    "semafuzz.harness.detectors.discipline.policy": ("Guard", "LockPolicy"),
    "semafuzz.harness.runs.program": ("FunctionProgram", "TaskProgram"),
    "semafuzz.harness.search.exploration": ("explore",),
    "semafuzz.harness.search.result": ("Result",),
    "semafuzz.harness.trio_engine.program": ("TrioProgram", "explore_async"),
    "semafuzz.strategies.machines.base": ("ScheduledMachine",),
    "semafuzz.strategies.machines.nova": ("NovaMachine",),
    "semafuzz.strategies.machines.session": ("run_machine",),
    "semafuzz.strategies.machines.target": ("machine_of",),
    "semafuzz.targets.classes.api": ("arguments", "not_thread_safe", "relaxed", "uncompared"),
    "semafuzz.targets.declared.api": ("FaultInfo", "OptionInfo", "Violation", "io", "operation"),
}
_UNDER_OTHER_NAMES = {
    "Target": ("semafuzz.targets.declared.api", "DeclaredTarget"),
    "load_profile": ("semafuzz.strategies.generate.profiles", "load"),
}
_HOME_OF = {name: home for home, names in _HOMES.items() for name in names}


def __getattr__(name: str) -> object:
    """Fetch a public name when it is first asked for.

    pytest imports its plugin, and with it this package, in every project beside which
    semafuzz is installed; most of them use nothing of it.
    """
    found: object
    if name == "errors":
        found = importlib.import_module("semafuzz.harness.errors")
    elif name in _UNDER_OTHER_NAMES:
        home, there = _UNDER_OTHER_NAMES[name]
        found = vars(importlib.import_module(home))[there]
    elif name in _HOME_OF:
        found = vars(importlib.import_module(_HOME_OF[name]))[name]
    else:
        raise AttributeError(f"module 'semafuzz' has no attribute {name!r}")
    globals()[name] = found
    return found


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
