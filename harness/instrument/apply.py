"""Instrumenting modules: as they are imported, or where they already are.

Both ways are reversible. A module that is already imported keeps its objects:
only the code of its functions is exchanged, so references that others hold to
its functions and classes see the rewritten code too.
"""

from __future__ import annotations

import ast
import builtins
import functools
import gc
import importlib.machinery
import importlib.util
import linecache
import sys
import types
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from importlib.abc import MetaPathFinder
from typing import Any

from semafuzz.harness.errors import UsageError
from semafuzz.harness.instrument import attribute_kinds, hooks
from semafuzz.harness.instrument.rewriter import Rewriter, hook_name
from semafuzz.harness.kernel import current
from semafuzz.harness.kernel.address import address
from semafuzz.harness.kernel.sites import SITES, Site


def rewrite_source(
    source: str,
    filename: str,
    module: str,
    only: Sequence[str] = (),
    *,
    coarse: bool = False,
    edit: Callable[[ast.Module], None] | None = None,
    stored: set[str] | None = None,
) -> types.CodeType:
    """Compile ``source`` with its accesses rewritten.

    ``only``: names of top-level classes or functions outside which the code is
    left as it is. ``coarse``: see :class:`semafuzz.harness.instrument.rewriter.Rewriter`. ``edit`` may change the tree
    before. ``stored`` collects the names that the code stores under. Raises SyntaxError as ``compile`` does.
    """
    made = _rewrite(source, filename, module, tuple(only), coarse=coarse, edit=edit)
    if stored is not None:
        stored |= made.stored
    attribute_kinds.register(made.inner(), made.stored)
    return made.code


Preparation = Callable[[ast.Module, str, str], Callable[[], None]]
"""Called with the tree of a module (what of it is to be rewritten), its source and its filename
before accesses are rewritten; what it returns is called when they are. It may change the tree as the code
that is to be exchanged was changed when it was imported."""
Place = tuple[str, int]


def _place(code: types.CodeType) -> Place:
    return code.co_qualname, code.co_firstlineno


@dataclass(frozen=True, slots=True)
class _Rewriting:
    """``code`` of a module; by place the codes inside that were rewritten, and
    those that they were; ``stored``: the names under which they store."""

    code: types.CodeType
    codes: dict[Place, list[types.CodeType]]
    plain: dict[Place, list[types.CodeType]]
    stored: frozenset[str]

    def inner(self) -> list[types.CodeType]:
        """All codes that were rewritten."""
        return [code for codes in self.codes.values() for code in codes]

    def replacement(self, old: types.CodeType) -> types.CodeType | None:
        """What ``old`` was rewritten to. Several lambdas may stand on one line:
        then the one that was compiled to the same code."""
        place = _place(old)
        here, before = self.codes[place], self.plain.get(place, [])
        if len(here) == 1:
            return here[0]
        if len(before) != len(here):
            return None
        return next((new for was, new in zip(before, here, strict=True) if was == old), None)


def _site_maker(filename: str, module: str, function: Callable[[], str]) -> Callable[[ast.AST, str], int]:
    def site(node: ast.AST, text: str) -> int:
        line, column = getattr(node, "lineno", 0), getattr(node, "col_offset", 0)
        end, last = getattr(node, "end_lineno", line) or line, getattr(node, "end_col_offset", 0) or 0
        key = (filename, module, line, column, last, text)
        number = SITES.add_known(key, Site(module, filename, function(), line, text, column, end, last))
        execution = current.execution
        if execution is not None and number >= len(execution.hot):
            execution.hot.extend(bytes(4096))
        return number

    return site


def _rewrite(
    source: str,
    filename: str,
    module: str,
    only: tuple[str, ...],
    prepare: Preparation | None = None,
    *,
    coarse: bool = False,
    edit: Callable[[ast.Module], None] | None = None,
) -> _Rewriting:
    tree = ast.parse(source, filename)
    if edit is not None:
        edit(tree)
    rewriter = Rewriter(_site_maker(filename, module, lambda: rewriter.function), coarse=coarse)
    left_alone = [node for node in tree.body if only and getattr(node, "name", None) not in only]
    if only:
        tree.body = [node for node in tree.body if getattr(node, "name", None) in only]
    prepared = prepare(tree, source, filename) if prepare is not None else None
    rewriter.rewrite(tree)
    if prepared is not None:
        prepared()
    if only:
        tree.body = left_alone + tree.body
        ast.fix_missing_locations(tree)
    # The assertions of a program under test are checks, also where Python was started without them.
    code = compile(tree, filename, "exec", dont_inherit=True, optimize=0)
    plain = compile(source, filename, "exec", dont_inherit=True)
    return _Rewriting(code, _codes(code, only), _codes(plain, only), frozenset(rewriter.stored))


def _codes(code: types.CodeType, only: tuple[str, ...]) -> dict[Place, list[types.CodeType]]:
    """The functions in ``code`` by place; rewriting keeps their order on a line."""
    found: dict[Place, list[types.CodeType]] = {}
    rest = [code]
    while rest:
        inner = [constant for constant in rest.pop(0).co_consts if isinstance(constant, types.CodeType)]
        for one in inner:
            if not only or one.co_qualname.partition(".")[0] in only:
                found.setdefault(_place(one), []).append(one)
        rest += inner
    return found


_rewritten = functools.lru_cache(maxsize=256)(_rewrite)


@functools.lru_cache(maxsize=1024)
def _rewritten_text(source: str, site: int) -> Any:
    """The code of what is given to ``eval`` or ``exec`` at this site; the text where it is neither."""
    place = SITES[site]
    rewriter = Rewriter(_site_maker(place.filename, place.module, lambda: place.function), coarse=True)
    for mode in ("eval", "exec"):
        try:
            tree: Any = ast.parse(source.lstrip(" \t"), place.filename, mode)
        except (SyntaxError, ValueError):
            continue
        for node in ast.walk(tree):
            if hasattr(node, "lineno"):
                node.lineno = node.end_lineno = place.line  # type: ignore[attr-defined]
        return compile(rewriter.rewrite_text(tree), place.filename, mode, dont_inherit=True)
    return source


hooks.rewriting_of_text[0] = _rewritten_text


def install_hooks(namespace: dict[str, Any]) -> None:
    """Let code with this global namespace find the hooks."""
    for name, function in hooks.HOOKS.items():
        namespace[hook_name(name)] = function


def remove_hooks(namespace: dict[str, Any]) -> None:
    """Take them away again."""
    for name in hooks.HOOKS:
        namespace.pop(hook_name(name), None)


@dataclass(slots=True)
class Applied:
    """What was exchanged; ``left`` names functions whose code could not be
    (their closures have another shape), which stay unseen."""

    modules: list[types.ModuleType] = field(default_factory=list)
    exchanged: list[tuple[types.FunctionType, types.CodeType]] = field(default_factory=list)
    registered: list[_Rewriting] = field(default_factory=list)
    left: list[str] = field(default_factory=list)

    def undo(self) -> None:
        """Put the original code back."""
        for function, code in reversed(self.exchanged):
            function.__code__ = code
        for module in self.modules:
            remove_hooks(vars(module))
        # Code of the program that was made meanwhile may be called later: a callback of a weak reference, a finaliser.
        install_hooks(vars(builtins))
        for rewriting in self.registered:
            attribute_kinds.forget(rewriting.inner(), rewriting.stored)
        self.registered.clear()
        self.exchanged.clear()
        self.modules.clear()


def module_source(module: types.ModuleType) -> tuple[str, str]:
    """``(source, filename)`` of an imported module, or a UsageError."""
    filename = getattr(module, "__file__", None)
    lines = linecache.getlines(filename, vars(module)) if filename else []
    if not filename or not lines:
        raise UsageError(
            f"module {module.__name__} has no source here, so it cannot be instrumented; name one that has"
        )
    return "".join(lines), filename


Functions = Mapping[int, Sequence[types.FunctionType]]
"""The functions of this process by the ``id`` of their global namespace."""


_FEW = 16
"""Modules up to which who refers to their namespaces is asked for, and not every object."""


def functions_of(modules: Iterable[types.ModuleType]) -> Functions:
    """Those of these modules, wherever they are held. One walk over all objects for all of
    the modules: it is most of what opening a session costs."""
    namespaces = [vars(module) for module in modules]
    found: dict[int, list[types.FunctionType]] = {address(namespace): [] for namespace in namespaces}
    kind = types.FunctionType
    # The interpreter compares each reference with each of the namespaces, but does so in C.
    few = len(namespaces) <= _FEW
    for function in gc.get_referrers(*namespaces) if few else gc.get_objects():
        if type(function) is kind:
            there = found.get(address(function.__globals__))
            if there is not None:
                there.append(function)
    return found


def instrument_loaded(
    module: types.ModuleType,
    functions: Functions,
    applied: Applied,
    only: Sequence[str] = (),
    prepare: Preparation | None = None,
    *,
    coarse: bool = False,
) -> None:
    """Exchange the code of ``module``'s functions, which are among ``functions``."""
    source, filename = module_source(module)
    rewriting = _rewritten(source, filename, module.__name__, tuple(only), prepare, coarse=coarse)
    attribute_kinds.register(rewriting.inner(), rewriting.stored)
    applied.registered.append(rewriting)
    namespace = vars(module)
    install_hooks(namespace)
    applied.modules.append(module)
    for function in functions[address(namespace)]:
        old = function.__code__
        if _place(old) not in rewriting.codes:
            continue
        if any(old is code for code in rewriting.codes[_place(old)]):
            continue  # made by rewritten code earlier, and still held by somebody
        new = rewriting.replacement(old)
        if new is None:
            applied.left.append(f"{module.__name__}.{function.__qualname__}")
            continue
        if len(new.co_freevars) != len(old.co_freevars):
            applied.left.append(f"{module.__name__}.{function.__qualname__}")
            continue
        function.__code__ = _reordered(new, old)
        applied.exchanged.append((function, old))


def _reordered(new: types.CodeType, old: types.CodeType) -> types.CodeType:
    """Free variables are matched by position: refuse another order."""
    if new.co_freevars != old.co_freevars:
        raise UsageError(f"the free variables of {old.co_name} changed their order; please report this")
    return new


@contextmanager
def instrumented(
    modules: Iterable[types.ModuleType],
    parts: Mapping[str, Sequence[str]] | None = None,
    prepare: Mapping[str, Preparation] | None = None,
    coarse: Collection[str] = (),
) -> Iterator[Applied]:
    """Instrument imported modules for the time of the block.

    ``coarse``: names of those in which calls of other code are announced as well.

    ``parts`` limits a module, by its name, to some of its classes. ``prepare``: what to
    do first to the tree of a module, by its name.
    """
    applied, modules = Applied(), list(modules)
    functions = functions_of(modules)
    try:
        for module in modules:
            name = module.__name__
            only, first = (parts or {}).get(name, ()), (prepare or {}).get(name)
            instrument_loaded(module, functions, applied, only, first, coarse=name in coarse)
        yield applied
    finally:
        applied.undo()


class _Loader(importlib.machinery.SourceFileLoader):
    def get_code(self, fullname: str) -> types.CodeType | None:
        # Past the cache of compiled files: it must neither be read nor written.
        path = self.get_filename(fullname)
        source = importlib.util.decode_source(self.get_data(path))
        return rewrite_source(source, path, self.name)

    def exec_module(self, module: types.ModuleType) -> None:
        install_hooks(vars(module))
        super().exec_module(module)


class ImportHook(MetaPathFinder):
    """Instruments the modules with these names as they are imported."""

    def __init__(self, names: Iterable[str]) -> None:
        self._names = frozenset(names)

    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: types.ModuleType | None = None
    ) -> importlib.machinery.ModuleSpec | None:
        """Find ``fullname`` as usual, with our loader where it is ours."""
        if fullname not in self._names:
            return None
        spec = importlib.machinery.PathFinder.find_spec(fullname, path, target)
        if spec is None or not isinstance(spec.loader, importlib.machinery.SourceFileLoader):
            return None
        spec.loader = _Loader(fullname, spec.loader.path)
        return spec


@contextmanager
def importing(names: Iterable[str]) -> Iterator[None]:
    """Instrument modules with these names when they are imported in the block."""
    hook = ImportHook(names)
    sys.meta_path.insert(0, hook)
    try:
        yield
    finally:
        sys.meta_path.remove(hook)
