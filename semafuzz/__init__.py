"""semafuzz: runs concurrent Python under a scheduler that owns every switch."""

from __future__ import annotations

import importlib
import sys
from types import ModuleType
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from semafuzz.harness.runs.program import FunctionProgram, TaskProgram
    from semafuzz.harness.search.exploration import explore
    from semafuzz.harness.search.result import Result

__version__ = "0.1.0"
__all__ = ["FunctionProgram", "Result", "TaskProgram", "explore"]

_HOMES = {
    "FunctionProgram": "semafuzz.harness.runs.program",
    "Result": "semafuzz.harness.search.exploration",
    "TaskProgram": "semafuzz.harness.runs.program",
    "explore": "semafuzz.harness.search.exploration",
}


class _Package(ModuleType):
    """Fetches the public names when they are first asked for.

    pytest imports its plugin, and with it this package, in every project beside
    which semafuzz is installed; most of them use nothing of it.
    """

    def __getattr__(self, name: str) -> object:
        home = _HOMES.get(name)
        if home is None:
            raise AttributeError(f"module {self.__name__!r} has no attribute {name!r}")
        found = getattr(importlib.import_module(home), name)
        vars(self)[name] = found
        return found

    def __setattr__(self, name: str, value: object) -> None:
        # The import system binds every module of a package under its own name,
        # and ``explore`` is the name of the function too, which has to win.
        if not (name in _HOMES and isinstance(value, ModuleType)):
            super().__setattr__(name, value)


sys.modules[__name__].__class__ = _Package
