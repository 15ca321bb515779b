"""Targets that are a class of a file, declared as one or not: ``semafuzz fuzz FILE.py:CLASS``."""

from __future__ import annotations

import ast
import hashlib
import inspect
import linecache
import re
import sys
from collections.abc import Container, Mapping
from pathlib import Path
from types import ModuleType

from semafuzz.harness.edits.call_points import FAULTS, CallPoints, failing_calls
from semafuzz.harness.edits.remedies import WHAT_IF, remedies_of
from semafuzz.harness.errors import CodeError, UsageError
from semafuzz.harness.runs import source_index
from semafuzz.harness.runs.file_in_package import import_as
from semafuzz.harness.runs.function_file import (
    file_of_module,
    load_name,
    loaded_here,
    module_name,
    read_source,
)
from semafuzz.harness.runs.import_folders import correct_it_first, make_importable
from semafuzz.harness.runs.imported_modules import FIRST_PARTY, is_first_party
from semafuzz.harness.traces.schema import Function, Trace
from semafuzz.targets.classes.target import ClassTarget
from semafuzz.targets.declared.api import DeclaredTarget, target_factories
from semafuzz.targets.declared.target import DECLARED, Declared

_SPEC = re.compile(r"(?P<file>.+\.py):(?P<name>\w+)", re.DOTALL)
_MODULE = re.compile(r"(?P<module>[A-Za-z_][\w.]*):(?P<name>\w+)", re.ASCII)
_DIGEST = re.compile("[0-9a-f]{64}")


def is_spec(name: str) -> bool:
    """Whether a name on the command line is of the form ``FILE.py:CLASS``."""
    return ":" in name or name.endswith(".py")


Own = Declared | ClassTarget


def load_own(spec: str, *, remember: bool = False, what_if: str = "", faults: str = "") -> Own:
    """Import the file of ``spec`` and make a target of the class: one that is declared, or any other.

    ``remember``: note where the file is, so that its traces replay on this machine
    without naming it. ``what_if``: remedies that are tried on the class, one to a line, ``faults``: calls of
    it that may fail. Raises UsageError: no such
    file, not Python, an import that fails, no such class, or one that has nothing to run.
    """
    path, name = _split(spec)
    source = read_source(path, "FILE.py:CLASS")
    before = set(sys.modules)
    module = _imported(path, source)
    kind = vars(module).get(name)
    if not isinstance(kind, type):
        known = [one for one, value in vars(module).items() if isinstance(value, type) and not one.startswith("_")]
        known.sort(key=lambda one: vars(module)[one].__module__ != module.__name__)
        hint = f"it has {', '.join(known[:8])}" if known else "it has no class at its top level"
        raise CodeError(f"{path} has no class {name!r}; {hint}")
    identity = Function(path.name, name, hashlib.sha256(source.encode()).hexdigest())
    label = f"{identity.file}:{identity.function}"
    if len(label) > 200:
        raise UsageError(f"the name {label!r} is too long for a trace; use at most 200 characters")
    if remember:
        source_index.add(identity, path)
    versions = {label: identity.sha256}
    own = _own_since(before)
    sources = [path, *own.values()]
    if not issubclass(kind, DeclaredTarget):
        # They are imported again, and looked into then.
        for other in own:
            del sys.modules[other]
        target = load_class(path, source, name, label, versions, what_if, faults)
        target.sources = sources
        return target
    if what_if or faults:
        raise UsageError(
            "--what-if and --fault go with any class and with checked functions; this class is a target of its own"
        )
    try:
        made = kind()
    except UsageError:
        raise
    except Exception as error:
        raise UsageError(f"{spec}: {name}() fails ({type(error).__name__}: {error}); it takes no arguments") from error
    declared = Declared(made, release=label, versions=versions)
    declared.sources = sources
    return declared


def _own_since(before: Container[str]) -> dict[str, Path]:
    """The files of first-party modules that were imported since these were, by name."""
    files = {name: getattr(module, "__file__", None) for name, module in sys.modules.items() if name not in before}
    return {name: Path(file) for name, file in files.items() if file is not None and is_first_party(name, file)}


def imported_target(kind: type[DeclaredTarget]) -> Declared:
    """The target of a class that has been imported. Where its file is known, traces
    are of ``FILE.py:CLASS``, as if it had been named so, and replay here by themselves."""
    file = inspect.getsourcefile(kind) if inspect.getmodule(kind) is not None else None
    path = Path(file) if file is not None and file.endswith(".py") else None
    if path is None or not path.exists() or "." in kind.__qualname__:
        return Declared(kind())
    digest = hashlib.sha256(path.read_bytes()).hexdigest()
    identity = Function(path.name, kind.__name__, digest)
    label = f"{identity.file}:{identity.function}"[:200]
    source_index.add(identity, path)
    return Declared(kind(), release=label, versions={label: digest})


target_factories.append(imported_target)


def _imported(path: Path, source: str) -> ModuleType:
    filename = str(path.resolve())
    linecache.checkcache(filename)
    try:
        code = compile(source, filename, "exec", dont_inherit=True, optimize=0)
    except (SyntaxError, ValueError) as error:
        where = f", line {error.lineno}" if isinstance(error, SyntaxError) else ""
        raise CodeError(f"{path} does not parse{where}: {error.args[0]}; correct it first") from None
    make_importable(path)
    module = ModuleType(module_name(path))
    module.__file__ = filename
    loaded_here[module.__name__] = module
    try:
        import_as(module, code)
    except UsageError:
        raise
    except Exception as error:
        raise CodeError(correct_it_first(path, error)) from error
    return module


def _split(spec: str) -> tuple[Path, str]:
    """``FILE.py:CLASS`` or ``package.module:CLASS`` in its parts; UsageError where it has another form, or there is
    no such module."""
    found = _SPEC.fullmatch(spec)
    if found is not None:
        return Path(found["file"]), found["name"]
    module = _MODULE.fullmatch(spec)
    if module is None:
        raise UsageError(f"{spec!r} is not of the form FILE.py:CLASS, for example bank_target.py:Bank")
    path = file_of_module(module["module"])
    if path is None:
        raise UsageError(f"there is no module {module['module']!r} written in Python; install it, or name its file")
    return path, module["name"]


def load_class(
    path: Path, source: str, name: str, label: str, versions: Mapping[str, str], what_if: str = "", faults: str = ""
) -> ClassTarget:
    """Any class of a file as a target, with the first-party modules that it uses looked into."""
    remedies = remedies_of(what_if)
    points = CallPoints(failing_calls(faults))

    def change(module: str, tree: ast.Module) -> None:
        points(module, tree)
        if remedies is not None:
            remedies(module, tree)

    edit = change if what_if or faults else None
    tree = ast.parse(source, str(path))
    plain = load_name(path, source, tree, name, (FIRST_PARTY,)) if what_if else None
    loaded = load_name(path, source, tree, name, (FIRST_PARTY,), edit=edit)
    if remedies is not None:
        remedies.check()
    target = ClassTarget(loaded, DECLARED, label, versions, what_if, faults)
    if plain is not None:
        # A remedy must not change what one thread sees.
        target.measure_by(ClassTarget(plain, DECLARED, label, versions).subject)
    return target


def traced_declared(trace: Trace, program: str | None) -> Own:
    """The target of a trace that names a class of a file. ``program``:
    ``FILE.py:CLASS``, where the person who replays says which it is.

    A trace from elsewhere must not be able to choose what runs here: without
    ``program`` only a file that was fuzzed on this machine is found. Raises
    UsageError where it is not known.
    """
    file, _, name = trace.release.rpartition(":")
    digest = trace.versions.get(trace.release, "")
    if not file or not _DIGEST.fullmatch(digest):
        raise UsageError("the trace does not say of which file's class it is; use the original")
    if program is None:
        known = source_index.find(Function(file, name, digest))
        if known is None:
            raise UsageError(
                f"this trace is of {name} in a file {file} that was not fuzzed on this machine; "
                f"say which it is with --program FILE.py:{name}"
            )
        program = f"{known.path}:{name}"
    what_if, faults = (str(trace.configuration.get(name, "")) for name in (WHAT_IF, FAULTS))
    target = load_own(program, what_if=what_if, faults=faults)
    # Under another name or path it is still the target that the trace is of.
    target.versions = {trace.release: next(iter(target.versions.values()))}
    target.release = trace.release
    return target
