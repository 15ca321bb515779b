"""Instances of classes: their attributes, without running a line of their code."""

from __future__ import annotations

import types
from collections.abc import Callable
from typing import Any

_dictionaries: dict[type, Any] = {}
_MRO = type.__dict__["__mro__"]
_NAMES = type.__dict__["__dict__"]


def mro_of(kind: type) -> tuple[type, ...]:
    """The classes of a class, past its metaclass."""
    return _MRO.__get__(kind)  # type: ignore[no-any-return]


def names_of(kind: type) -> dict[str, Any]:
    """What a class itself defines, past its metaclass."""
    return _NAMES.__get__(kind)  # type: ignore[no-any-return]


def lookup(kind: type, name: str) -> tuple[type, Any] | None:
    """Which of the classes of a class defines ``name``, and as what, past its metaclass."""
    for base in _MRO.__get__(kind):
        names = _NAMES.__get__(base)
        if name in names:
            return base, names[name]
    return None


def dictionary_of_type(kind: type) -> Callable[[object], dict[str, object]] | None:
    """What gives the dictionary of an instance without running code of its class; None for none."""
    if kind not in _dictionaries:
        found = None
        for base in mro_of(kind):
            descriptor = names_of(base).get("__dict__")
            if descriptor is not None:
                own = type(descriptor) in (types.GetSetDescriptorType, types.MemberDescriptorType)
                found = descriptor.__get__ if own else None
                break
        _dictionaries[kind] = found
    return _dictionaries[kind]  # type: ignore[no-any-return]


_NAMESPACE: Any = vars(types.ModuleType)["__dict__"]


def namespace_of(module: object) -> dict[str, Any] | None:
    """The variables of a module, past a class of its own (a module that loads itself at the first use has one); None
    for what is no module."""
    if not issubclass(type(module), types.ModuleType):
        return None
    found: dict[str, Any] = _NAMESPACE.__get__(module)
    return found


def attributes_of(owner: object) -> dict[str, object]:
    """The attributes of an instance by name, from its dictionary and its slots."""
    kind = type(owner)
    get = dictionary_of_type(kind)
    # An exception has a dictionary when one is needed.
    found = dict(get(owner) or ()) if get is not None else {}
    for base in mro_of(kind):
        names = names_of(base)
        if "__slots__" in names:
            for name, member in names.items():
                if type(member) is types.MemberDescriptorType:
                    try:
                        found[name] = member.__get__(owner)
                    except AttributeError:
                        continue
    return found


def set_attribute(owner: object, name: str, value: object) -> bool:
    """Store an attribute that the instance has, past its class; False where that cannot be done."""
    kind = type(owner)
    get = dictionary_of_type(kind)
    if get is not None and name in get(owner):
        get(owner)[name] = value
        return True
    for base in mro_of(kind):
        member = names_of(base).get(name)
        if type(member) is types.MemberDescriptorType:
            try:
                member.__set__(owner, value)
            except (AttributeError, TypeError):
                return False
            return True
    return False
