"""Functions of a file as programs: ``semafuzz check FILE.py:FUNCTION``."""

from __future__ import annotations

import ast
import functools
import hashlib
import importlib
import inspect
import re
import sys
from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from types import CodeType, ModuleType
from typing import Any

from semafuzz.harness.errors import CodeError, UsageError
from semafuzz.harness.instrument.apply import install_hooks, rewrite_source
from semafuzz.harness.kernel.doubles.randomness import the_same_for_imports
from semafuzz.harness.runs.file_in_package import import_as
from semafuzz.harness.runs.import_folders import correct_it_first, import_root, make_importable
from semafuzz.harness.runs.imported_modules import FIRST_PARTY, SUBMODULES, Edit, ImportedModules, has_source
from semafuzz.harness.runs.methods import function_of
from semafuzz.harness.runs.module_state import notices_freeing
from semafuzz.harness.runs.program import FunctionProgram, Program
from semafuzz.harness.traces.schema import Function

_DOTTED = re.compile(r"[A-Za-z_][\w.]*", re.ASCII)


@dataclass(frozen=True, slots=True)
class LoadedFunction:
    """A function of a file, ready to run. ``identity`` is what a trace says of it."""

    program: Program
    identity: Function
    path: Path


def split(spec: str, *, methods: bool = False) -> tuple[Path, str]:
    """``FILE.py:FUNCTION`` in its parts, also written ``FILE.py::FUNCTION`` as pytest does, or
    ``package.module:FUNCTION``; UsageError where it has another form. ``methods``: also ``FILE.py::CLASS::METHOD``,
    as ``CLASS.METHOD``."""
    file, colon, function = spec.replace("::", ":").rpartition(":")
    if methods:
        before, again, owner = file.rpartition(":")
        if again and owner.isidentifier():
            file, function = before, f"{owner}.{function}"
    names = function.split(".")
    if not colon or not file or len(names) > 1 + methods or not all(map(str.isidentifier, names)):
        raise UsageError(f"{spec!r} is not of the form FILE.py:FUNCTION, for example examples/bank.py:transfer_twice")
    path = Path(file)
    if (not path.suffix and not path.exists()) or (_DOTTED.fullmatch(file) and not file.endswith(".py")):
        return file_of_module(file) or path, function
    return path, function


def file_of_module(module: str) -> Path | None:
    """The file of a module by its dotted name, where one is found without importing anything."""
    parts = module.split(".")
    for base in ("", *sys.path):
        place = Path(base, *parts)
        for candidate in (place.with_suffix(".py"), place / "__init__.py"):
            if candidate.is_file():
                return candidate
    return None


loaded_here: dict[str, ModuleType] = {}
"""The files that this process was asked to run, by module name: the next one of a name takes its place."""

ProgramFactory = Callable[
    [Callable[[], Any], str, Sequence[ModuleType], Callable[[], Callable[[], Any]] | None], Program
]
"""Makes a program of a function: with its name, the modules under test, and what
makes the function anew (or None)."""


def load(
    spec: str,
    instrument: Sequence[str] = (),
    *,
    trusted: Collection[str] | None = None,
    rewrite: bool = True,
    coarse: bool = True,
    asynchronous: ProgramFactory | None = None,
    hosting: ProgramFactory | None = None,
    renamed: bool = False,
    edit: Edit | None = None,
) -> LoadedFunction:
    """Read, compile and import the file of ``spec``.

    ``instrument``: further modules by name, imported here and instrumented, as
    :mod:`semafuzz.harness.runs.imported_modules` writes them; the name of a package means its submodules
    too. ``trusted``: those of them that a person named; None is all of them. Another one must not be run
    for a name in a trace alone: it is taken only where the file itself has imported it.
    ``rewrite=False`` leaves the code as it is (eventlet model). ``coarse``: calls of code that is not
    looked into are announced. ``hosting`` makes the program of a function that is not async and runs trio.
    ``asynchronous`` makes the program of an ``async def`` function; without it none is taken. ``renamed``: run it under
    the other name in any case, as a search in another process had to. ``edit``: see :func:`load_name`. Raises
    UsageError: no such file, not Python, no such function, one that takes
    arguments, one for asyncio, or an import that fails.
    """
    path, name = split(spec, methods=True)
    source = read_source(path)
    try:
        tree = ast.parse(source, str(path))
    except (SyntaxError, ValueError) as error:
        where = f", line {error.lineno}" if isinstance(error, SyntaxError) else ""
        raise CodeError(f"{path} does not parse{where}: {error.args[0]}; correct it first") from None
    making: ProgramFactory = FunctionProgram
    if "." in name:
        _refuse_method(tree, path, name)
    elif _find(tree, path, name):
        _refuse_asyncio(tree, path, name)
        if asynchronous is None:
            raise CodeError(f"{name} in {path} is async, which is not possible here; give a function that is not")
        making = asynchronous
    is_async = making is not FunctionProgram
    loaded = load_name(
        path,
        source,
        tree,
        name,
        instrument,
        trusted=trusted,
        rewrite=rewrite,
        coarse=coarse,
        renamed=renamed,
        edit=edit,
    )
    if is_async and loaded.imported.runs_trio and not inspect.iscoroutinefunction(loaded.value):
        # A decorator, as ``trio_test``, has made a plain function of it.
        is_async = False
    if hosting is not None and not is_async and loaded.imported.runs_trio:
        making = hosting
    refresh = loaded.refresh if loaded.imported.stateful else None
    program = making(loaded.value, f"{path.name}:{name}", loaded.modules, refresh)
    program.finalisers = sorted(loaded.imported.finalisers) if coarse else ()
    program.imported = loaded.imported
    digest = hashlib.sha256(source.encode()).hexdigest()
    identity = Function(path.name, name, digest, loaded.looked_into, loaded.renamed)
    return LoadedFunction(program, identity, path)


@dataclass(frozen=True, slots=True)
class LoadedName:
    """What a file binds a name to. ``refresh`` runs the file again and gives what the name is bound to then;
    ``modules``: those under test, the file's own first; ``looked_into``: what else is looked into, as a trace lists
    it; ``renamed``: the module has another name than the file."""

    value: Any
    refresh: Callable[[], Any]
    imported: ImportedModules
    modules: Sequence[ModuleType]
    looked_into: tuple[str, ...]
    renamed: bool


def load_name(
    path: Path,
    source: str,
    tree: ast.Module,
    name: str,
    instrument: Sequence[str],
    *,
    trusted: Collection[str] | None = None,
    rewrite: bool = True,
    coarse: bool = True,
    renamed: bool = False,
    edit: Edit | None = None,
) -> LoadedName:
    """Run the file of this ``source``, and import what is looked into besides; see :func:`load`. ``edit`` may change
    the tree of each module that is looked into before it is rewritten, given its name. UsageError where an import
    fails."""
    name_here = module_name(path, renamed=renamed)
    filename = str(path.resolve())
    make_importable(path)
    module = loaded_here[name_here] = ModuleType(name_here)
    module.__file__ = filename
    imported = ImportedModules(_both_forms(instrument), rewrite=rewrite, coarse=coarse, edit=edit)
    with imported.importing(forget=False):
        if rewrite:
            change = None if edit is None else partial(edit, name_here)
            code = rewrite_source(source, filename, name_here, coarse=coarse, edit=change, stored=imported.stored)
        else:
            code = compile(source, filename, "exec", dont_inherit=True, optimize=0)
        refresher = _Refresher(module, code, name, path, imported)
        value = refresher()
        named = [other.removesuffix(SUBMODULES) for other in instrument if other != FIRST_PARTY]
        _refuse_imports(
            path, [other for other in named if trusted is not None and not _both_forms([other]) & set(trusted)]
        )
        extra = [_import(other) for other in named]
    looked_into = tuple(
        f"{other}{SUBMODULES}" if other not in instrument or hasattr(found, "__path__") else other
        for other, found in zip(named, extra, strict=True)
    )
    listed = (*([FIRST_PARTY] if FIRST_PARTY in instrument else []), *looked_into)
    unwatched = [
        other
        for other in extra
        # A package without a file of its own has nothing but submodules.
        if other.__name__ not in imported.watched and not (hasattr(other, "__path__") and not has_source(other))
    ]
    further = [other for other in imported.loaded_before() if other not in unwatched]
    imported.look_at(tree)
    if coarse and rewrite and FIRST_PARTY in instrument:
        library = [other for other in imported.library if other not in named]
        unwatched += [sys.modules[other] for other in library if other in sys.modules]
        listed += tuple(other for other in library if other in sys.modules)
    under_test = [module, *unwatched, *further]
    for other in under_test[1:]:
        imported.finalisers |= _freeing_in(other)
    return LoadedName(value, refresher, imported, under_test, listed, name_here == _other_name(path))


@functools.lru_cache(maxsize=512)
def _freeing_in(module: ModuleType) -> frozenset[str]:
    """By what an installed module would notice that an object is freed."""
    return frozenset(notices_freeing(ast.parse(inspect.getsource(module))))


def _both_forms(names: Sequence[str]) -> set[str]:
    """A name that a person gave may be that of a package."""
    plain = {name for name in names if name != FIRST_PARTY and not name.endswith(SUBMODULES)}
    return {*names, *(f"{name}{SUBMODULES}" for name in plain)}


def _other_name(path: Path) -> str:
    return f"checked_{path.stem}"


def module_name(path: Path, *, renamed: bool = False) -> str:
    """The file's own name, as an import would give it, and so the same wherever it
    is checked; another only where that would hide a module that others need, or where ``renamed`` asks for it."""
    if not path.stem.isidentifier():
        return "checked"
    packages = path.resolve().parent.relative_to(import_root(path)).parts
    if packages:
        return ".".join([*packages, path.stem])
    there = sys.modules.get(path.stem)
    if renamed:
        return _other_name(path)
    if there is None or there is loaded_here.get(path.stem) or getattr(there, "__file__", None) == str(path.resolve()):
        return path.stem
    return _other_name(path)


class _Refresher:
    """Runs the file again, so that an execution starts from fresh module state."""

    def __init__(self, module: ModuleType, code: CodeType, name: str, path: Path, imported: ImportedModules) -> None:
        self._module = module
        self._imported = imported
        self._code = code
        self._name = name
        self._path = path

    def __call__(self) -> Any:
        with the_same_for_imports():
            return self._run()

    def _run(self) -> Any:
        namespace = vars(self._module)
        kept = {key: namespace.get(key) for key in ("__name__", "__file__", "__builtins__", "__doc__")}
        namespace.clear()
        namespace.update({key: value for key, value in kept.items() if value is not None})
        namespace["__package__"] = self._module.__name__.rpartition(".")[0]
        install_hooks(namespace)
        self._imported.renew()
        try:
            import_as(self._module, self._code)
        except Exception as error:
            raise CodeError(correct_it_first(self._path, error)) from error
        return function_of(namespace, self._name, str(self._path))


def read_source(path: Path, form: str = "FILE.py:FUNCTION") -> str:
    """The text of a file that a person named in this form; UsageError where it
    cannot be read."""
    try:
        return path.read_text(encoding="utf-8")
    except FileNotFoundError:
        raise UsageError(f"there is no file {path}; give {form} with a path from here") from None
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError(f"cannot read {path}: {error}") from None


def _find(tree: ast.Module, path: Path, name: str) -> bool:
    """Whether the function, which is to be there, is async."""
    functions = [node for node in tree.body if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef))]
    found = [node for node in functions if node.name == name]
    if not found:
        known = [node.name for node in functions if not node.name.startswith("_")]
        hint = f"it has {', '.join(known[:8])}" if known else "it has no function at its top level"
        raise CodeError(f"{path} has no function {name!r}; {hint}")
    if any(isinstance(node, (ast.Yield, ast.YieldFrom)) for node in _own_nodes(found[-1])):
        raise CodeError(f"{name} in {path} is a generator: calling it runs nothing; give a function that runs it")
    _refuse_arguments(found[-1], path, name, 0)
    return isinstance(found[-1], ast.AsyncFunctionDef)


def _refuse_arguments(function: ast.FunctionDef | ast.AsyncFunctionDef, path: Path, name: str, given: int) -> None:
    arguments = function.args
    required = len(arguments.posonlyargs) + len(arguments.args) - len(arguments.defaults) - given
    required += sum(default is None for default in arguments.kw_defaults)
    if required > 0:
        raise CodeError(f"{name} in {path} takes arguments; a checked function takes none")


def _refuse_method(tree: ast.Module, path: Path, name: str) -> None:
    """Refuse a method that cannot be called alone. One that is inherited is looked for when the file has run."""
    owner, _, method = name.partition(".")
    classes = [node for node in tree.body if isinstance(node, ast.ClassDef)]
    for node in [node for kind in classes if kind.name == owner for node in kind.body]:
        if isinstance(node, ast.AsyncFunctionDef) and node.name == method:
            raise CodeError(f"{name} in {path} is async, which is not possible here; give a method that is not")
        if isinstance(node, ast.FunctionDef) and node.name == method:
            kinds = {ast.unparse(one) for one in node.decorator_list}
            _refuse_arguments(node, path, name, 0 if "staticmethod" in kinds else 1)
    if owner not in {node.name for node in classes} and not any(
        isinstance(node, (ast.Import, ast.ImportFrom)) for node in tree.body
    ):
        known = ", ".join(node.name for node in classes[:8])
        raise CodeError(f"{path} has no class {owner!r}" + (f"; it has {known}" if known else ""))


def _refuse_asyncio(tree: ast.Module, path: Path, name: str) -> None:
    """A file that imports asyncio and not trio has nothing that could be run here."""
    imported: set[str] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            imported |= {alias.name.partition(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and not node.level:
            imported.add(str(node.module).partition(".")[0])
    if "asyncio" in imported and not imported & {"trio", "anyio"}:
        raise UsageError(
            f"{name} in {path} uses asyncio, which semafuzz cannot control; async functions are checked where they "
            "use trio"
        )


def _own_nodes(function: ast.FunctionDef | ast.AsyncFunctionDef) -> Iterator[ast.AST]:
    """The nodes of a function without those of functions and classes inside it."""
    stack: list[ast.AST] = list(function.body)
    while stack:
        node = stack.pop()
        yield node
        if not isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda, ast.ClassDef)):
            stack.extend(ast.iter_child_nodes(node))


def _refuse_imports(path: Path, names: Sequence[str]) -> None:
    unknown = [name for name in names if name not in sys.modules]
    if not unknown:
        return
    shown = [name if _DOTTED.fullmatch(name) else ascii(name) for name in unknown]
    options = " ".join(f"--instrument {name}" for name in shown)
    raise UsageError(
        f"the trace wants to look into {', '.join(shown)}, which {path.name} does not import and which was not "
        f"named for it on this machine; if it may be imported here, add {options}"
    )


def _import(name: str) -> ModuleType:
    try:
        return importlib.import_module(name)
    except Exception as error:
        raise CodeError(f"module {name!r} cannot be imported ({error}); give a dotted name that can") from None
