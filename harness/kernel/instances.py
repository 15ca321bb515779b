"""Instances of classes: their attributes, without running a line of their code."""

from __future__ import annotations

import types
from collections.abc import Callable
from typing import Any

_dictionaries: dict[type, Any] = {}


def dictionary_of_type(kind: type) -> Callable[[object], dict[str, object]] | None:
    """What gives the dictionary of an instance without running code of its class; None for none."""
    if kind not in _dictionaries:
        found = None
        for base in type.__dict__["__mro__"].__get__(kind):
            descriptor = base.__dict__.get("__dict__")
            if descriptor is not None:
                found = descriptor.__get__ if type(descriptor) is types.GetSetDescriptorType else None
                break
        _dictionaries[kind] = found
    return _dictionaries[kind]  # type: ignore[no-any-return]


def attributes_of(owner: object) -> dict[str, object]:
    """The attributes of an instance by name, from its dictionary and its slots."""
    kind = type(owner)
    get = dictionary_of_type(kind)
    found = dict(get(owner)) if get is not None else {}
    for base in kind.__mro__:
        if "__slots__" in base.__dict__:
            for name, member in base.__dict__.items():
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
    for base in kind.__mro__:
        member = base.__dict__.get(name)
        if type(member) is types.MemberDescriptorType:
            try:
                member.__set__(owner, value)
            except (AttributeError, TypeError):
                return False
            return True
    return False
