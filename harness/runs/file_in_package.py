"""A file of a package, imported as Python would, but with code of ours."""

from __future__ import annotations

import importlib
import sys
from collections.abc import Sequence
from importlib.abc import Loader, MetaPathFinder
from importlib.machinery import ModuleSpec
from types import CodeType, ModuleType


class _OneModule(MetaPathFinder, Loader):
    """Finds one module, and runs its code when it is imported, by whomever."""

    def __init__(self, module: ModuleType, code: CodeType) -> None:
        self._module = module
        self._code = code

    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        """Of that module."""
        if fullname != self._module.__name__:
            return None
        return ModuleSpec(fullname, self, origin=self._module.__file__)

    def create_module(self, spec: ModuleSpec) -> ModuleType:
        """The one that is there."""
        return self._module

    def exec_module(self, module: ModuleType) -> None:
        """Run its code."""
        exec(self._code, vars(module))


def import_as(module: ModuleType, code: CodeType) -> None:
    """Import a module whose own code is this. One of a package comes after its packages, one of which may import it
    first, to hand on what is in it."""
    if "." not in module.__name__:
        sys.modules[module.__name__] = module
        exec(code, vars(module))
        return
    sys.modules.pop(module.__name__, None)
    finder = _OneModule(module, code)
    sys.meta_path.insert(0, finder)
    try:
        importlib.import_module(module.__name__)
    finally:
        sys.meta_path.remove(finder)
