"""Kinds of attributes, and the registers that all hooks share: what is rewritten, under which names its
code stores, whose dictionaries were asked for."""

from __future__ import annotations

import threading
import types
import weakref
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from typing import Any

from semafuzz.harness.instrument.object_kinds import add_instrumented, instrumented
from semafuzz.harness.kernel import current
from semafuzz.harness.kernel.address import address
from semafuzz.harness.kernel.doubles.locks import Lock, running
from semafuzz.harness.kernel.event_kinds import READ
from semafuzz.harness.kernel.install import live_objects
from semafuzz.harness.kernel.instances import dictionary_of_type, lookup, mro_of, names_of, namespace_of

METHOD, DATA, ODD, CONDITION = range(4)
"""What an attribute is: no access to data; a variable of the object; a variable
of a module or class, or one that may still stand on the class of the object; the method that notifies a condition."""

METHODS_IN_C = (types.BuiltinMethodType, types.MethodWrapperType)
"""Methods written in C; ``super().__setitem__`` of a dict is of the second type."""
_NO_DATA = (
    str, int, float, bytes, tuple, frozenset, types.NoneType, types.BuiltinFunctionType, super,
)  # fmt: skip
attribute_kinds: dict[type, dict[str, int]] = {}
silent_stores: dict[tuple[type, str], bool] = {}
"""Whether a store under this name is no access itself: a property whose setter is rewritten."""
stored_names: dict[str, int] = {}
dictionaries: dict[int, tuple[object, object]] = {}
"""Instance dictionaries that were asked for, with the objects whose they are:
``vars(x)["a"]`` and ``x.a`` are one location."""
dictionaries_of: list[Callable[[], object]] = [lambda: None]
"""The execution in which they were asked for: another starts without them."""


def register(codes: Iterable[types.CodeType], stored: Iterable[str]) -> None:
    """Remember rewritten code: a property whose getter is rewritten reports
    its own accesses, so reading the property is not itself an access. ``stored``:
    the names that this code stores under; others of a module are constants."""
    add_instrumented(codes)
    for name in stored:
        stored_names[name] = stored_names.get(name, 0) + 1
    forget_kinds()


def forget(codes: Iterable[types.CodeType], stored: Iterable[str]) -> None:
    """Take back a :func:`register`: what is seen must not depend on what was
    instrumented earlier in this process."""
    add_instrumented(codes, -1)
    for name in stored:
        stored_names[name] = stored_names.get(name, 0) - 1
    forget_kinds()


@contextmanager
def stores_of_one_program(stored: Iterable[str]) -> Iterator[None]:
    """The names that a program stores under count in the block, and those that come in it: what is seen of it must
    not depend on other programs of this process."""
    before = dict(stored_names)
    register((), stored)
    try:
        yield
    finally:
        stored_names.clear()
        stored_names.update(before)
        forget_kinds()


def forget_kinds() -> None:
    """Something changed that the kinds of attributes depend on."""
    attribute_kinds.clear()
    silent_stores.clear()
    _data_names.clear()


def classify_store(kind: type, name: str) -> bool:
    """The entry of ``silent_stores``, remembered."""
    found = lookup(kind, name)
    silent = found is not None and issubclass(type(found[1]), property) and is_rewritten(found[1].fset)
    silent_stores[kind, name] = silent
    return silent


def classify(kind: type, name: str) -> int:
    """What ``name`` on instances of ``kind`` is, remembered."""
    answer = ODD if issubclass(kind, (types.ModuleType, type)) else DATA
    if issubclass(kind, _NO_DATA) and (kind in _NO_DATA or dictionary_of_type(kind) is None):
        answer = METHOD
    else:
        found = lookup(kind, name)
        if found is not None:
            if kind is threading.Condition and name in _OF_CONDITIONS:
                answer = CONDITION
            elif not is_data(found[1]):
                # Which method it is depends on a class that somebody exchanges.
                answer = ODD if _exchanges_classes() and answer == DATA else METHOD
            elif lookup(type(found[1]), "__set__") is None:
                answer = ODD
    if answer == DATA and name in _INSIDE.get(f"{kind.__module__}.{kind.__qualname__}", ()):
        answer = ODD
    attribute_kinds.setdefault(kind, {})[name] = answer
    return answer


_OF_CONDITIONS = frozenset({"notify", "notify_all", "wait"})


def note_condition(execution: Any, condition: threading.Condition, name: str, site: int) -> None:
    """A condition is about to be waited for or notified: where nobody waits, nobody hears it. No access, and for
    people and detectors only."""
    outcome = execution.outcome
    if name == "wait":
        outcome.waits.append((len(execution.events), execution.current, condition, site))
    elif not vars(condition)["_waiters"]:
        outcome.unheard.append((len(execution.events), execution.current, condition, site))


_QUEUE = frozenset({"queue", "unfinished_tasks"})
_INSIDE = {
    "queue.Queue": _QUEUE, "queue.LifoQueue": _QUEUE, "queue.PriorityQueue": _QUEUE,
    "threading.Semaphore": frozenset({"_value"}), "threading.BoundedSemaphore": frozenset({"_value"}),
    "threading.Condition": frozenset({"_waiters"}),
}  # fmt: skip
"""Attributes of synchronisers that their own methods change without an announcement."""


def read_odd(execution: Any, owner: Any, name: str, site: int) -> None:
    """A class answers for its instances and for the classes derived from it: a
    store there is a store to what they show."""
    if issubclass(type(owner), types.ModuleType):
        if stored_names.get(name, 0) > 0:
            execution.touch(READ, namespace_of(owner), name, site)
        return
    if execution.thorough and name in _INSIDE.get(f"{type(owner).__module__}.{type(owner).__qualname__}", ()):
        execution.limit("reach", f"the inside of a {type(owner).__qualname__} ({name})", site)
    if _exchanges_classes() and not issubclass(type(owner), type):
        execution.touch(READ, owner, "__class__", site)
        found = lookup(type(owner), name)
        if found is not None and not is_data(found[1]):
            return
    execution.touch(READ, owner, name, site)
    if issubclass(type(owner), type):
        of_metaclass = [base for base in mro_of(type(owner)) if base is not type and base is not object]
        above = (*mro_of(owner)[1:], *of_metaclass) if name not in names_of(owner) else ()
    else:
        try:
            above = () if name in object.__getattribute__(owner, "__dict__") else mro_of(type(owner))
        except AttributeError:
            above = mro_of(type(owner))
    for base in above:
        execution.note(READ, base, name, site)
        if name in names_of(base):
            return


def _exchanges_classes() -> bool:
    """Whether rewritten code gives objects another class: ``machine.__class__ = Running``."""
    return stored_names.get("__class__", 0) > 0


def data_names(kind: type) -> list[str]:
    """The names for which a class has a value that its instances show as long as they have none of their own."""
    found = _data_names.get(kind)
    if found is None:
        own = [names_of(base) for base in mro_of(kind) if base.__flags__ & _HEAP]
        found = _data_names[kind] = [
            name
            for names in own
            for name, value in names.items()
            if not name.startswith("__") and is_data(value) and lookup(type(value), "__get__") is None
        ]
    return found


_HEAP = 1 << 9
_data_names: dict[type, list[str]] = {}


def is_data(found: Any) -> bool:
    """Whether what a class has under a name is data, and no method."""
    if issubclass(type(found), property):
        return not is_rewritten(found.fget)
    return not isinstance(
        found,
        (
            types.FunctionType, classmethod, staticmethod, types.MethodDescriptorType,
            types.WrapperDescriptorType, types.BuiltinFunctionType, type,
        ),
    )  # fmt: skip


def is_rewritten(function: object) -> bool:
    """Whether a function reports its own accesses."""
    code = getattr(function, "__code__", None)
    return code is not None and code in instrumented


def remembered(found: Any, owner: object) -> Any:
    """The dictionary of an instance, whose items are attributes from now on."""
    execution = current.execution
    if execution is not None and type(found) is dict:
        if issubclass(type(owner), types.ModuleType):
            # Its variables are known by its dictionary.
            owner = found
        if dictionaries_of[0]() is not execution:
            dictionaries.clear()
            dictionaries_of[0] = weakref.ref(execution)
        dictionaries[address(found)] = (found, owner)
    return found


_late: dict[int, tuple[Any, Lock]] = {}


def adopted(real: Any) -> Any:
    """A double for a real lock that the code under test reaches by itself."""
    if running() is None:
        return real
    found = _late.get(address(real))
    if found is None or found[0] is not real:
        from semafuzz.harness.kernel.doubles.locks import RLock

        double = RLock(real) if type(real) is live_objects.RLOCK_TYPE else Lock(real)
        found = _late[address(real)] = (real, double)
    return found[1]
