"""Values of locations before and after an access, in short, for a person.

The program's own code must not run for that: no property, no ``__repr__``, no
``__getattr__`` of it is called. So a value is shown where it is one of Python's own
plain types, or a container of those; of anything else the type's name is shown.

What it misses: state in C extensions, in slots of classes with descriptors of their own,
and items under keys that are objects of the program.
"""

from __future__ import annotations

import _thread
import types
from collections import OrderedDict, defaultdict, deque
from typing import Any

from semafuzz.harness.kernel import event_kinds as op
from semafuzz.harness.kernel.instances import dictionary_of_type, lookup, namespace_of
from semafuzz.harness.kernel.locations import ITEM
from semafuzz.harness.kernel.task import RawEvent
from semafuzz.harness.kernel.tokens import Token

LONGEST = 60
"""Characters of a value."""
ITEMS = 4
"""Of a container that are shown."""
DEPTH = 2
_PLAIN = frozenset({int, float, bool, types.NoneType, complex})
_KEYS = frozenset({str, int, float, bool, bytes, types.NoneType})
_MAPPINGS: tuple[type, ...] = (dict, OrderedDict, defaultdict)
_SEQUENCES: dict[type, str] = {list: "[]", tuple: "()", set: "{}", frozenset: "{}", deque: "[]"}
_ABSENT = object()


def describe_value(value: object, depth: int = DEPTH) -> str:
    """``value`` in short; runs no code of the program under test."""
    return _shortened(_describe(value, depth))


def _shortened(text: str) -> str:
    return text if len(text) <= LONGEST else text[: LONGEST - 1] + "\N{HORIZONTAL ELLIPSIS}"


def _describe(value: Any, depth: int) -> str:
    kind = type(value)
    if kind in _PLAIN:
        # The decimal digits of a large number take long to find.
        return repr(value) if kind is not int or abs(value) < 1 << 256 else "a large int"
    if kind in (str, bytes):
        return repr(value[:LONGEST])
    if depth and kind in _MAPPINGS:
        pairs = list(dict.items(value))[:ITEMS]
        parts = [f"{_describe(key, depth - 1)}: {_describe(item, depth - 1)}" for key, item in pairs]
        return "{" + ", ".join(_and_more(parts, dict.__len__(value))) + "}"
    if depth and kind in _SEQUENCES:
        brackets = _SEQUENCES[kind]
        members = list(value)
        parts = [_describe(one, depth - 1) for one in members[:ITEMS]]
        if kind in (set, frozenset):
            parts.sort()
        return brackets[0] + ", ".join(_and_more(parts, len(members))) + brackets[1]
    if issubclass(kind, type):
        return f"class {type.__dict__['__name__'].__get__(value)}"
    return f"<{type.__dict__['__name__'].__get__(kind)}>"


def _and_more(parts: list[str], length: int) -> list[str]:
    return [*parts, f"{length - len(parts)} more"] if length > len(parts) else parts


def peek(event: RawEvent) -> str:
    """What the location of an access holds now; "" where that cannot be told."""
    kind, _, subject, name, _ = event
    if type(subject) is Token:
        # It stands for an object that is held weakly, or was a container.
        subject = subject.alive()
        if subject is None:
            return ""
    if kind in (op.READ, op.WRITE):
        found = _attribute(subject, name)
    elif kind in ITEM:
        found = _item(subject, name)
    else:
        found = subject
        if type(subject) not in _MAPPINGS and type(subject) not in _SEQUENCES:
            return ""
    return "nothing" if found is _ABSENT else "" if found is UNKNOWN else describe_value(found)


UNKNOWN = object()
"""What cannot be told without running code of the program."""


def attribute_value(subject: object, name: object) -> object:
    """The value behind ``subject.name``, or UNKNOWN; of a module too."""
    names = namespace_of(subject)
    found = _attribute(subject if names is None else names, name)
    return UNKNOWN if found is _ABSENT else found


def item_value(subject: object, name: object) -> object:
    """The value behind ``subject[name]``, or UNKNOWN."""
    found = _item(subject, name)
    return UNKNOWN if found is _ABSENT else found


def _attribute(subject: object, name: object) -> object:
    if type(name) is not str:
        return UNKNOWN
    kind = type(subject)
    if kind is dict:
        # The names of a module, or of an object that was asked for its dictionary.
        return dict.get(subject, name, _ABSENT)  # type: ignore[call-overload]
    if issubclass(kind, type):
        there = lookup(subject, name)  # type: ignore[arg-type]
        return _ABSENT if there is None else UNKNOWN if _computes(there[1]) else there[1]
    if issubclass(kind, _thread._local):
        # To ask for its dictionary is to make the thread's state.
        return UNKNOWN
    get = dictionary_of_type(kind)
    own = (get(subject) or {}) if get is not None else {}
    there = lookup(kind, name)
    if there is not None:
        found = there[1]
        if type(found) is types.MemberDescriptorType:
            try:
                return found.__get__(subject)
            except AttributeError:
                return _ABSENT
        if issubclass(type(found), property):
            return _behind(own, kind, name)
        if lookup(type(found), "__set__") is not None:
            return UNKNOWN
    if name in own:
        return own[name]
    return _ABSENT if there is None else UNKNOWN if _computes(there[1]) else there[1]


def _computes(found: object) -> bool:
    """Whether what a class has under a name is asked for the value, which may run code."""
    return lookup(type(found), "__get__") is not None and type(found) is not types.FunctionType


def _behind(own: dict[str, object], kind: type, name: str) -> object:
    """What a property most likely shows: the attribute of the instance that has its name with
    an underscore, or with the prefix that oslo.versionedobjects gives."""
    of_class = str(type.__dict__["__name__"].__get__(kind)).lstrip("_")
    for behind in (f"_{name}", f"_obj_{name}", f"_{of_class}__{name}"):
        if behind in own:
            return own[behind]
    return UNKNOWN


def _item(subject: Any, name: Any) -> object:
    made = type(subject)
    if issubclass(made, dict):
        return dict.get(subject, name, _ABSENT) if type(name) in _KEYS else UNKNOWN
    if issubclass(made, (list, deque)) and type(name) is int:
        kind: Any = list if issubclass(made, list) else deque
        try:
            return kind.__getitem__(subject, name)
        except IndexError:
            return _ABSENT
    if issubclass(made, (set, frozenset)) and type(name) in _KEYS:
        kind_of_set: Any = set if issubclass(made, set) else frozenset
        return name if kind_of_set.__contains__(subject, name) else _ABSENT
    return UNKNOWN
