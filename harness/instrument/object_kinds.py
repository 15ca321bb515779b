"""Kinds of objects: what an operation on one can touch.

Asked of ``type(x)`` and never of ``isinstance``: that believes ``__class__``, and so would run code
of the program. Each type is looked at once.
"""

from __future__ import annotations

import ast
import collections
import contextvars
import datetime
import decimal
import enum
import fractions
import functools
import io
import itertools
import operator
import os
import pathlib
import random
import re
import struct
import types
import uuid
import weakref
from collections.abc import Iterable
from typing import Any, Final

from semafuzz.harness.instrument.containers import CONTAINERS, VIEWS
from semafuzz.harness.kernel.instances import dictionary_of_type, lookup, mro_of, names_of
from semafuzz.harness.kernel.lockable import Lockable
from semafuzz.harness.kernel.ownership import first_component, is_own

PASSED: Final = 0
"""Nothing to touch: it never changes, or what it does is seen elsewhere."""
CONTAINER: Final = 1
"""A mutable builtin container, or a class derived from one."""
THROUGH: Final = 2
"""Immutable itself, and holds objects that may not be: tuples, views, iterators, bound methods."""
INSTANCE: Final = 3
"""An instance of a class in Python: its attributes."""
KNOWN: Final = 4
"""An object of C with all of its state inside: each operation is an access to all of it."""
OUTSIDE: Final = 5
"""A file, a socket, a connection: its state is not in this process alone."""
ITERATOR: Final = 7
"""An iterator: each step is a change of it, and a look at what stands behind it."""
UNKNOWN: Final = 6
"""Anything else: as KNOWN, and named as a limit where two tasks touch it."""

instrumented: dict[types.CodeType, int] = {}
"""How often each rewritten code is installed now; those that are not are left out."""


def add_instrumented(codes: Iterable[types.CodeType], times: int = 1) -> None:
    """Count rewritten code as installed; ``times`` -1: as taken away again."""
    for code in codes:
        count = instrumented.get(code, 0) + times
        if count > 0:
            instrumented[code] = count
        else:
            instrumented.pop(code, None)
    _kinds.clear()
    harmless.clear()


_IMMUTABLE: Final = frozenset({
    str, int, float, complex, bytes, bool, type(None), range, type(...), type(NotImplemented), type, object,
    types.FunctionType, types.CodeType, types.ModuleType, types.BuiltinFunctionType, types.FrameType,
    types.TracebackType, types.MethodDescriptorType, types.WrapperDescriptorType, types.GetSetDescriptorType,
    types.MemberDescriptorType, types.ClassMethodDescriptorType, property, classmethod, staticmethod, super,
    types.MethodType, types.MethodWrapperType, functools.partial, types.GenericAlias, types.UnionType,
    types.CoroutineType, struct.Struct,
    datetime.date, datetime.datetime, datetime.time, datetime.timedelta, datetime.timezone,
    decimal.Decimal, fractions.Fraction, uuid.UUID, re.Pattern, re.Match, weakref.ref,
    operator.itemgetter, operator.attrgetter, operator.methodcaller, types.CellType,
    pathlib.PurePath, pathlib.PurePosixPath, pathlib.Path, pathlib.PosixPath,
})  # fmt: skip
_VALUES: Final = frozenset({str, int, float, complex, bytes})
"""Immutable, but for the attributes of classes derived from them."""
_THROUGH: Final[frozenset[Any]] = frozenset({
    tuple, frozenset, slice, types.MappingProxyType, *VIEWS,
})  # fmt: skip
_ITERATORS: Final[frozenset[Any]] = frozenset({
    map, filter, zip, enumerate, reversed, types.GeneratorType, type(iter([])), type(iter({})), type(reversed([])),
    type(iter({}.values())), type(iter({}.items())), type(iter(set())), type(iter(())), type(iter(range(0))),
    type(iter(collections.deque())), type(iter(bytearray())), type(reversed({})), type(iter("")), type(iter(b"")),
})  # fmt: skip
_KNOWN: Final = frozenset({
    io.BytesIO, io.StringIO, random.Random, functools._lru_cache_wrapper, itertools.count, itertools.cycle,
})  # fmt: skip
_OUTSIDE_MODULES: Final = frozenset({
    "_io", "_socket", "socket", "sqlite3", "_sqlite3", "mmap", "subprocess", "select", "ssl", "_ssl", "posix",
    "tempfile", "selectors",
})  # fmt: skip
_SYNCHRONISED: Final = frozenset({
    "threading", "_thread", "queue", "_queue", "concurrent", "contextvars", "_contextvars", "logging", "greenlet",
    "asyncio", "_asyncio", "trio", "outcome", "sniffio", "unittest", "pytest", "_pytest", "hypothesis", "typing", "abc",
    "enum", "ast", "inspect", "traceback", "warnings", "_thread._local", "time", "sched", "coverage", "__future__",
})  # fmt: skip
"""Modules whose objects synchronise what they hold, or stand around the program and not in it."""

_kinds: dict[type, int] = {}
_look_through: set[type] = set()
harmless: set[type] = set()
"""Classes whose making touches nothing, as far as that was asked."""


def look_through(kind: type) -> None:
    """Instances of this class of ours hold objects of the program."""
    _look_through.add(kind)


def kind_of(owner: object) -> int:
    """What an operation on ``owner`` can touch."""
    kind = type(owner)
    found = _kinds.get(kind)
    if found is None:
        found = _kinds[kind] = _classify(kind)
    return found


def _classify(kind: type) -> int:
    if kind in _IMMUTABLE:
        return PASSED
    if kind in _THROUGH:
        return THROUGH
    if kind in _ITERATORS or kind in _look_through:
        return ITERATOR
    mro = type.__dict__["__mro__"].__get__(kind)
    if any(base in CONTAINERS for base in mro):
        return CONTAINER
    if kind in _KNOWN:
        return KNOWN
    if any(base in (type, enum.Enum, Lockable, ast.AST) for base in mro):
        return PASSED
    if any(base in (BaseException, types.SimpleNamespace) for base in mro):
        return INSTANCE
    module = str(type.__dict__["__module__"].__get__(kind))
    if kind is contextvars.Context:
        return UNKNOWN
    if is_own(module) or first_component(module) in _SYNCHRONISED:
        return PASSED
    if first_component(module) in _OUTSIDE_MODULES or kind is type(os.environ):
        return OUTSIDE
    has_attributes = bool(kind.__flags__ & _HEAP) and dictionary_of_type(kind) is not None
    if any(base in (tuple, frozenset) for base in mro):
        return INSTANCE if has_attributes else THROUGH
    if any(base in _IMMUTABLE and base is not object for base in mro):
        return INSTANCE if has_attributes and any(base in _VALUES for base in mro) else PASSED
    if first_component(module) == "itertools":
        return ITERATOR
    if kind.__flags__ & _HEAP and dictionary_of_type(kind) is not None:
        return INSTANCE
    if any("__slots__" in names_of(base) for base in mro):
        return INSTANCE
    if module == "array":
        return KNOWN
    return UNKNOWN


_HEAP = 1 << 9


def is_watched(function: object) -> bool:
    """Whether a function in Python reports its own accesses."""
    code = getattr(function, "__code__", None) if type(function) is types.FunctionType else None
    return code is not None and code in instrumented


def handles_itself(owner: object, method: str) -> bool:
    """Whether the class of ``owner`` does this in rewritten code, whose accesses are the ones to see."""
    found = lookup(type(owner), method)
    return found is not None and is_watched(found[1])


def module_of(kind: type) -> str:
    """The module of a class, past its metaclass."""
    return str(type.__dict__["__module__"].__get__(kind))


def tells_itself(owner: object) -> bool:
    """Whether the class of an instance makes its text in rewritten code, whose accesses are the ones to see."""
    if kind_of(owner) != INSTANCE:
        return False
    found = lookup(type(owner), "__str__")
    if found is not None and found[0] is object:
        found = lookup(type(owner), "__repr__")
    return found is not None and is_watched(found[1])


@functools.lru_cache(maxsize=1024)
def is_of_ctypes(kind: type) -> bool:
    """Whether instances of a class show memory of C, of which there may be several views."""
    return any(module_of(base) == "_ctypes" for base in mro_of(kind))


def defines(kind: type, method: str) -> bool:
    """Whether a class has a method, without asking its metaclass."""
    return lookup(kind, method) is not None


def handles_itself_class(made: type, *methods: str) -> bool:
    """Whether one of these methods of a class is rewritten code."""
    return any(is_watched(names_of(base).get(method)) for base in mro_of(made) for method in methods)
