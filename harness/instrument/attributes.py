"""Hooks of attributes, and of methods where they are fetched."""

from __future__ import annotations

import types
from datetime import date
from typing import Any

from semafuzz.harness.instrument import object_kinds as kinds
from semafuzz.harness.instrument.attribute_kinds import (
    DATA,
    METHODS_IN_C,
    ODD,
    adopted,
    attribute_kinds,
    classify,
    classify_store,
    dictionaries,
    forget_kinds,
    read_odd,
    remembered,
    silent_stores,
    stored_names,
)
from semafuzz.harness.instrument.calls import announced
from semafuzz.harness.instrument.container_calls import ContainerCall, LibraryCall
from semafuzz.harness.instrument.containers import CONTAINERS
from semafuzz.harness.kernel import current
from semafuzz.harness.kernel.doubles import calendar
from semafuzz.harness.kernel.event_kinds import READ, WRITE, WRITE_ALL
from semafuzz.harness.kernel.install import live_objects
from semafuzz.harness.kernel.instances import attributes_of
from semafuzz.harness.kernel.naming import note_other_class


def attr(owner: Any, name: str, site: int) -> Any:
    """``owner.name``"""
    execution = current.execution
    if execution is not None:
        kind = type(owner)
        try:
            data = attribute_kinds[kind][name]
        except KeyError:
            data = classify(kind, name)
        if data == DATA:
            execution.touch(READ, owner, name, site)
        elif data == ODD:
            read_odd(execution, owner, name, site)
        else:
            return _announcing(owner, getattr(owner, name), site)
    return getattr(owner, name)


def _announcing(owner: object, found: Any, site: int) -> Any:
    """A method that was fetched, perhaps to be called later under another name. Code that announces its
    calls gets the method itself: it is the call that is announced, whoever makes it."""
    if type(found) in METHODS_IN_C:
        kind = type(owner)
        if kind is live_objects.LOCK_TYPE or kind is live_objects.RLOCK_TYPE:
            return getattr(adopted(owner), found.__name__)
        execution = current.execution
        if execution is not None and execution.thorough:
            return found
        home = found.__self__
        if issubclass(type(home), CONTAINERS):
            return ContainerCall(home, found, found.__name__, site)
    return found


def set_attr(value: object, owner: Any, name: str, site: int) -> None:
    """``owner.name = value``"""
    execution = current.execution
    if execution is not None:
        if type(owner) is types.ModuleType:
            if not stored_names.get(name):
                stored_names[name] = 1
            execution.touch(WRITE, owner.__dict__, name, site)
        else:
            _touch_stored(execution, owner, name, site)
            if name in ("__dict__", "__class__") and execution.thorough:
                if name == "__class__":
                    note_other_class(owner)
                _touch_exchanged(execution, owner, value, site)
            if issubclass(type(owner), type):
                forget_kinds()
            elif dictionaries:
                own = getattr(owner, "__dict__", None)
                if id(own) in dictionaries:
                    execution.note(WRITE_ALL, own, None, site)
    setattr(owner, name, value)


def _touch_exchanged(execution: Any, owner: Any, value: Any, site: int) -> None:
    """All attributes of an instance are exchanged at once."""
    names = {**attributes_of(owner), **(value if issubclass(type(value), dict) else {})}
    for attribute in names:
        execution.note(WRITE, owner, attribute, site)


def del_attr(owner: Any, name: str, site: int) -> None:
    """``del owner.name``"""
    execution = current.execution
    if execution is not None:
        _touch_stored(execution, owner, name, site)
        if issubclass(type(owner), type):
            forget_kinds()
    delattr(owner, name)


def _touch_stored(execution: Any, owner: object, name: str, site: int) -> None:
    silent = silent_stores.get((type(owner), name))
    if silent is None:
        silent = classify_store(type(owner), name)
    if not silent:
        execution.touch(WRITE, owner, name, site)


def bound(owner: Any, name: str, site: int) -> Any:
    """``owner.name`` where the call of it is announced when its arguments are there."""
    execution = current.execution
    if execution is None:
        return getattr(owner, name)
    kind = type(owner)
    if kind is live_objects.LOCK_TYPE or kind is live_objects.RLOCK_TYPE:
        return getattr(adopted(owner), name)
    try:
        data = attribute_kinds[kind][name]
    except KeyError:
        data = classify(kind, name)
    if data == DATA:
        execution.touch(READ, owner, name, site)
    elif data == ODD:
        read_odd(execution, owner, name, site)
    if name in calendar.CLOCKS and kind is type and issubclass(owner, date):
        return calendar.virtual(owner, name)
    return getattr(owner, name)


def bound_alone(owner: Any, name: str, site: int) -> Any:
    """``owner.name`` where it is called without arguments next."""
    return announced(bound(owner, name, site), site)


def method(owner: Any, name: str, site: int) -> Any:
    """``owner.name`` where it is about to be called."""
    execution = current.execution
    if execution is None:
        return getattr(owner, name)
    kind = type(owner)
    if kind is live_objects.LOCK_TYPE or kind is live_objects.RLOCK_TYPE:
        return getattr(adopted(owner), name)
    try:
        data = attribute_kinds[kind][name]
    except KeyError:
        data = classify(kind, name)
    if data == DATA:
        execution.touch(READ, owner, name, site)
    elif data == ODD:
        read_odd(execution, owner, name, site)
    found = getattr(owner, name)
    if type(found) in METHODS_IN_C:
        if issubclass(type(found.__self__), CONTAINERS):
            return ContainerCall(found.__self__, found, found.__name__, site)
        if kind is types.ModuleType or (kind is str and name == "join"):
            return LibraryCall(found, site)
    return found


def called(function: Any, site: int) -> Any:
    """A function that was imported by name, where it is about to be called."""
    if current.execution is not None and type(function) is types.BuiltinFunctionType:
        return LibraryCall(function, site)
    return function


def entered(manager: Any, site: int) -> Any:
    """``manager`` as the subject of a ``with`` statement."""
    execution = current.execution
    if execution is not None:
        kind = type(manager)
        if execution.thorough and kinds.module_of(kind) == "multiprocessing.synchronize":
            execution.escape("a lock of multiprocessing was used, which excludes no task; use one of threading")
        if kind is live_objects.LOCK_TYPE or kind is live_objects.RLOCK_TYPE:
            return adopted(manager)
    return manager


def get_attribute(site: int, owner: Any, name: Any, *default: Any) -> Any:
    """``getattr(owner, name)``"""
    if type(name) is str:
        if default:
            try:
                return attr(owner, name, site)
            except AttributeError:
                return default[0]
        return attr(owner, name, site)
    return getattr(owner, name, *default)


def has_attribute(site: int, owner: Any, name: Any) -> bool:
    """``hasattr(owner, name)``"""
    try:
        get_attribute(site, owner, name)
    except AttributeError:
        return False
    return True


def set_attribute(site: int, owner: Any, name: str, value: object) -> None:
    """``setattr(owner, name, value)``"""
    set_attr(value, owner, name, site)


def delete_attribute(site: int, owner: Any, name: str) -> None:
    """``delattr(owner, name)``"""
    del_attr(owner, name, site)


def variables(site: int, *args: Any) -> Any:
    """``vars(owner)``: its items are attributes."""
    return remembered(vars(*args), args[0])


def dictionary(owner: Any, site: int) -> Any:
    """``owner.__dict__``"""
    return remembered(owner.__dict__, owner)
