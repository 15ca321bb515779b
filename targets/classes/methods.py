"""The operations of a class: its public methods, with what they can be called with.

Methods that come with Python or with ``object`` are none, whatever class they are inherited from (but those of a class
of Python's own that somebody names are); those of the container protocol are, where the class defines them itself.
What two methods do together (``acquire`` and ``release``) is known by their names.
"""

from __future__ import annotations

import contextlib
import functools
import inspect
import itertools
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Literal

from semafuzz.harness.errors import CodeError
from semafuzz.harness.runs.imported_modules import is_library
from semafuzz.targets.classes.api import Marks, marks_of
from semafuzz.targets.classes.values import Choices, choices, hints_of
from semafuzz.targets.model.protocol import OperationInfo, Plain

Form = Literal["method", "property", "setter", "enter", "leave", "managed"]
"""``enter``: the object as a context manager; ``managed``: a method that makes one; ``leave``: leaves it again."""

SPOKEN = ("__getitem__", "__setitem__", "__delitem__", "__contains__", "__len__", "__iter__", "__next__", "__call__")
"""Methods of Python's protocols that are operations where the class defines them."""
_CLOSES = {
    "release": ("acquire", "borrow", "checkout", "get", "take"),
    "unlock": ("lock",),
    "put_back": ("take", "get", "borrow", "acquire"),
    "give_back": ("take", "get", "borrow", "acquire"),
    "return_": ("borrow", "acquire", "get", "checkout"),
    "checkin": ("checkout",),
    "check_in": ("check_out",),
    "unsubscribe": ("subscribe",),
    "unregister": ("register",),
    "end": ("begin", "start"),
    "exit": ("enter",),
}
"""What is to be called before, where the class has it: the first whose name fits."""
_MOST_CALLS = 12
"""Ways to call one method that are tried."""


@dataclass(slots=True)
class ClassMethod:
    """One operation. ``opener``: the operation whose result it takes back, as its parameter ``takes_back``, or as
    nothing but the order where that is empty; "" for most. ``switches``: parameters with a default that are tried both
    ways; ``positional``: parameters that have no name for the caller."""

    name: str
    form: Form
    marks: Marks
    parameters: Mapping[str, Choices] = field(default_factory=dict)
    positional: int = 0
    opener: str = ""
    takes_back: str = ""
    switches: frozenset[str] = frozenset()

    def info(self) -> OperationInfo:
        """As programs are made of it."""
        return OperationInfo(self.name, arguments={name: one.named for name, one in self.parameters.items()})

    def calls(self) -> list[dict[str, Plain]]:
        """Every way to call it, the simplest first, up to a dozen."""
        made = itertools.product(*(one.named for one in self.parameters.values()))
        return [dict(zip(self.parameters, chosen, strict=True)) for chosen in itertools.islice(made, _MOST_CALLS)]


def methods_of(kind: type) -> list[ClassMethod]:
    """The operations of a class, in the order in which they are written. CodeError where there is none."""
    found = {one.name: one for one in _found(kind)}
    for name, method in found.items():
        before = next((opener for opener in _openers(name) if opener in found), "")
        # One that names the same thing as the other takes nothing of it: subscribe(callback), unsubscribe(callback).
        if before and not method.parameters.keys() & found[before].parameters.keys():
            method.opener = before
            needed = [parameter for parameter in method.parameters if parameter not in method.switches]
            if len(needed) == 1:
                # It is given what the other one returned.
                method.takes_back = needed[0]
                method.parameters = {}
    for name, method in list(found.items()):
        if method.form in ("enter", "managed"):
            found[f"leave {name}"] = ClassMethod(f"leave {name}", "leave", Marks(), opener=name)
    if not found:
        raise CodeError(
            f"{kind.__name__} has no public method; give a class whose methods threads share, or derive "
            "one from semafuzz.Target"
        )
    return list(found.values())


def _openers(name: str) -> Iterator[str]:
    for closer, openers in _CLOSES.items():
        if name == closer or name == closer.rstrip("_"):
            yield from openers
        elif name.startswith(f"{closer}_"):
            yield from (opener + name[len(closer) :] for opener in openers)
        elif name.endswith(f"_{closer}"):
            yield from (name[: -len(closer)] + opener for opener in openers)


def constructor_of(kind: type) -> dict[str, Choices]:
    """What an instance is made with: values for each parameter that needs one, the usual one first."""
    try:
        signature = inspect.signature(kind)
    except (TypeError, ValueError):
        return {}
    initial = vars(kind)["__init__"] if "__init__" in vars(kind) else getattr(kind, "__init__", None)
    hints = hints_of(initial) if callable(initial) else {}
    marks = marks_of(initial)
    made: dict[str, Choices] = {}
    for name, parameter in signature.parameters.items():
        if parameter.kind in (parameter.VAR_POSITIONAL, parameter.VAR_KEYWORD):
            continue
        counts = type(parameter.default) is int and parameter.default > 2
        if parameter.default is parameter.empty or name in marks.values or counts:
            made[name] = choices(parameter, hints.get(name), marks, constructor=True)
    return made


def _found(kind: type) -> Iterator[ClassMethod]:
    seen: set[str] = set()
    for owner in kind.__mro__:
        if _file_of(owner) is None or (owner.__module__ != kind.__module__ and _comes_with_python(owner)):
            continue
        for name, value in vars(owner).items():
            if name in seen:
                continue
            seen.add(name)
            yield from _methods(name, value)
        if "__enter__" in vars(owner) and "with" not in seen:
            seen.add("with")
            yield ClassMethod("with", "enter", marks_of(vars(owner)["__enter__"]))


def _comes_with_python(owner: type) -> bool:
    file = _file_of(owner)
    return file is None or is_library(file)


def _file_of(owner: type) -> str | None:
    try:
        return inspect.getsourcefile(owner)
    except (TypeError, OSError):
        return None


def _methods(name: str, value: object) -> Iterator[ClassMethod]:
    """An entry of a class's namespace as operations, where it is one."""
    public = not name.startswith("_") or name in SPOKEN
    if not public:
        return
    if isinstance(value, property):
        if value.fget is not None:
            yield ClassMethod(name, "property", marks_of(value.fget))
        if value.fset is not None:
            yield _callable(f"{name}=", value.fset, "setter")
        return
    if isinstance(value, functools.cached_property):
        yield ClassMethod(name, "property", marks_of(value.func))
        return
    inner = value.__func__ if isinstance(value, (classmethod, staticmethod)) else value
    function = getattr(inner, "__wrapped__", inner) if not inspect.isfunction(inner) else inner
    if not inspect.isfunction(function) or inspect.iscoroutinefunction(function):
        return
    if inspect.isasyncgenfunction(function):
        return
    managed = function.__code__.co_filename == contextlib.__file__
    yield _callable(name, function, "managed" if managed else "method", own=int(not isinstance(value, staticmethod)))


def _callable(name: str, function: Callable[..., object], form: Form, own: int = 1) -> ClassMethod:
    """``own``: parameters that Python fills in."""
    marks, hints = marks_of(function), hints_of(function)
    parameters: dict[str, Choices] = {}
    switches: set[str] = set()
    positional = 0
    for parameter in list(inspect.signature(function).parameters.values())[own:]:
        if parameter.kind is parameter.VAR_POSITIONAL or parameter.kind is parameter.VAR_KEYWORD:
            continue
        if parameter.default is not parameter.empty and parameter.name not in marks.values:
            if type(parameter.default) is bool and parameter.kind is not parameter.POSITIONAL_ONLY:
                # A switch is worth both ways: whether to block, whether to take the lock.
                parameters[parameter.name] = Choices((parameter.default, not parameter.default))
                switches.add(parameter.name)
            continue
        parameters[parameter.name] = choices(parameter, hints.get(parameter.name), marks)
        positional += parameter.kind is parameter.POSITIONAL_ONLY
    return ClassMethod(name, form, marks, parameters, positional, switches=frozenset(switches))
