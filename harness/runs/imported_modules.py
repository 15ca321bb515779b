"""Modules that a checked file imports: which of them are looked into, and how they are made anew.

First-party modules are those that come neither with Python nor from an installed distribution.
They are looked into without being named, since a defect is as likely there as in the file itself,
and start every execution as in a fresh process. Distributions are looked into where a person names
them (a package means its submodules too), and keep what they are: importing them again would make
other classes than those that the rest of the process holds.
"""

from __future__ import annotations

import ast
import importlib.machinery
import importlib.util
import os
import sys
import sysconfig
from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from importlib.abc import MetaPathFinder
from importlib.machinery import ModuleSpec, SourceFileLoader
from types import CodeType, FunctionType, ModuleType

from semafuzz.harness.instrument.apply import install_hooks, rewrite_source
from semafuzz.harness.instrument.attribute_kinds import stores_of_one_program
from semafuzz.harness.kernel.ownership import is_own
from semafuzz.harness.runs.module_state import keeps_state, library_parts, notices_freeing, runs_trio

FIRST_PARTY = "*"
"""Stands for them in the list of what a trace looks into."""
SUBMODULES = ".*"
"""Ends the name of a package that is looked into with all of its submodules."""

_LIBRARY = tuple(os.path.join(os.path.realpath(sysconfig.get_path(name)), "") for name in ("stdlib", "platstdlib"))
_INSTALLED = frozenset({"site-packages", "dist-packages"})


def is_library(origin: str) -> bool:
    """Whether a file comes with Python."""
    real = os.path.realpath(origin)
    return real.startswith(_LIBRARY) and not _INSTALLED.intersection(real.split(os.sep))


def is_first_party(name: str, origin: str | None) -> bool:
    """Whether the module with this name and file is the user's own."""
    if not origin or not origin.endswith(".py") or is_own(name) or name.startswith("semafuzz."):
        return False
    parts = os.path.realpath(origin).split(os.sep)
    return not _INSTALLED.intersection(parts) and not is_library(origin)


def first_party_of(module: ModuleType) -> list[ModuleType]:
    """``module`` and the first-party modules that it and these use, as far as their variables tell."""
    found: dict[str, ModuleType] = {module.__name__: module}
    left = [module]
    while left:
        for value in list(vars(left.pop()).values()):
            name = _home_of(value)
            if type(name) is not str or name in found:
                continue
            other = sys.modules.get(name)
            if type(other) is ModuleType and is_first_party(name, getattr(other, "__file__", None)):
                found[name] = other
                left.append(other)
    return [one for one in found.values() if has_source(one)]


def _home_of(value: object) -> object:
    """The name of the module that a value is, or that it or its class is from, without running code of its class."""
    kind = type(value)
    if kind is ModuleType or kind is FunctionType:
        return vars(value).get("__name__") if kind is ModuleType else value.__module__
    return type.__dict__["__module__"].__get__(value if issubclass(kind, type) else kind)


def covers(names: Collection[str], module: str) -> bool:
    """Whether one of these names, as a trace lists them, covers a module of a distribution."""
    if module in names:
        return True
    parts = module.split(".")
    return any(".".join(parts[:count]) + SUBMODULES in names for count in range(1, len(parts) + 1))


Edit = Callable[[str, ast.Module], None]
"""Changes the tree of the module with this name, in place, before it is rewritten."""


class ImportedModules(MetaPathFinder):
    """Rewrites modules as they are imported while it is on ``sys.meta_path``.

    ``names``: what is looked into, as traces list it. ``rewrite=False`` leaves code as it is (eventlet
    model). ``stateful``: whether a first-party module keeps state, so that all are to be made
    anew. ``finalisers``: by what their code would notice when an object is freed. ``library``: modules of
    the standard library that they use, with classes whose state threads may share. ``watched``: the
    names of those that are looked into, in the order of their import. ``stored``: the names that their code, and
    that of the program's own file, stores under. ``runs_trio``: whether one of them calls ``trio.run``.
    """

    def __init__(
        self, names: Collection[str], *, rewrite: bool = True, coarse: bool = True, edit: Edit | None = None
    ) -> None:
        self.names = frozenset(names)
        self._edit = edit
        self.rewrite = rewrite
        self._coarse = coarse
        self.stateful = False
        self.runs_trio = False
        self.finalisers: set[str] = set()
        self.library: dict[str, None] = {}
        self.watched: dict[str, None] = {}
        self.stored: set[str] = set()
        self.passed_over: dict[str, None] = {}
        """First-party modules that were imported and not looked into."""
        self._first_party: dict[str, None] = {}
        self._codes: dict[str, CodeType] = {}
        self._looking = False

    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        """Find ``fullname`` as usual, with a loader of ours where it is to be looked into."""
        if self._looking:
            return None
        self._looking = True
        try:
            spec = _found(fullname, path, target)
        except (ImportError, AttributeError, ValueError):
            return None
        finally:
            self._looking = False
        if spec is None or type(spec.loader) is not SourceFileLoader:
            return None
        own = is_first_party(fullname, spec.origin)
        if own and FIRST_PARTY not in self.names:
            self.passed_over[fullname] = None
        if not (own and FIRST_PARTY in self.names) and not covers(self.names, fullname):
            return None
        if own:
            self._first_party[fullname] = None
        spec.loader = _Loader(fullname, spec.loader.path, self)
        return spec

    @contextmanager
    def importing(self, *, forget: bool = True) -> Iterator[None]:
        """Look into what is imported in the block. ``forget``: first-party modules are forgotten at its end."""
        if self in sys.meta_path:
            yield
            return
        sys.meta_path.insert(0, self)
        try:
            with stores_of_one_program(self.stored):
                yield
        finally:
            sys.meta_path.remove(self)
            if forget:
                self.renew()

    def loaded_before(self) -> list[ModuleType]:
        """Modules that are to be looked into and were imported before, without being rewritten."""
        if not self.rewrite:
            return []
        return [
            module
            for name, module in list(sys.modules.items())
            if name not in self.watched and not is_own(name) and covers(self.names, name) and has_source(module)
        ]

    def sources(self) -> list[str]:
        """The files of the first-party modules that were imported, in the order of their import."""
        return [path for path in self._codes if is_first_party("", path)]

    def renew(self) -> None:
        """Forget the first-party modules, so that they are imported again as in a fresh process."""
        for name in self._first_party:
            sys.modules.pop(name, None)

    def look_at(self, tree: ast.Module) -> None:
        """Learn from the source of a module that is the user's own."""
        self.stateful = self.stateful or keeps_state(tree)
        self.runs_trio = self.runs_trio or runs_trio(tree)
        self.finalisers |= notices_freeing(tree)
        self.library.update(dict.fromkeys(library_parts(tree)))

    def code_of(self, name: str, path: str, data: bytes) -> CodeType:
        """The code of a module, made once."""
        found = self._codes.get(path)
        if found is None:
            source = importlib.util.decode_source(data)
            if name in self._first_party:
                self.look_at(ast.parse(source, path))
            if self.rewrite:
                change = None if self._edit is None else partial(self._edit, name)
                found = rewrite_source(source, path, name, coarse=self._coarse, edit=change, stored=self.stored)
            else:
                found = compile(source, path, "exec", dont_inherit=True, optimize=0)
            self._codes[path] = found
        if self.rewrite:
            self.watched[name] = None
        return found


def has_source(module: ModuleType) -> bool:
    """Whether a module was made from a file of Python."""
    return type(module) is ModuleType and str(getattr(module, "__file__", None)).endswith(".py")


def _found(fullname: str, path: Sequence[str] | None, target: ModuleType | None) -> ModuleSpec | None:
    for finder in sys.meta_path:
        look = None if isinstance(finder, ImportedModules) else finder.find_spec
        spec = look(fullname, path, target) if look is not None else None
        if spec is not None:
            return spec
    return None


class _Loader(SourceFileLoader):
    def __init__(self, fullname: str, path: str, modules: ImportedModules) -> None:
        super().__init__(fullname, path)
        self._modules = modules

    def get_code(self, fullname: str) -> CodeType:
        # Past the cache of compiled files: it must neither be read nor written.
        path = self.get_filename(fullname)
        return self._modules.code_of(fullname, path, self.get_data(path))

    def exec_module(self, module: ModuleType) -> None:
        if self._modules.rewrite:
            install_hooks(vars(module))
        super().exec_module(module)
