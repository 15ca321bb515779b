"""Hooks of attributes, and of methods where they are fetched."""

from __future__ import annotations

import builtins
import types
from typing import Any

from semafuzz.harness.instrument import object_kinds as kinds
from semafuzz.harness.instrument.attribute_kinds import (
    CONDITION,
    DATA,
    METHODS_IN_C,
    ODD,
    adopted,
    attribute_kinds,
    classify,
    classify_store,
    dictionaries,
    forget_kinds,
    is_data,
    note_condition,
    read_odd,
    remembered,
    silent_stores,
    stored_names,
)
from semafuzz.harness.instrument.calls import announced
from semafuzz.harness.instrument.container_calls import ContainerCall, LibraryCall
from semafuzz.harness.instrument.containers import CONTAINERS
from semafuzz.harness.kernel import current
from semafuzz.harness.kernel.address import address
from semafuzz.harness.kernel.event_kinds import READ, WRITE, WRITE_ALL
from semafuzz.harness.kernel.install import live_objects
from semafuzz.harness.kernel.instances import attributes_of, dictionary_of_type, lookup, names_of, namespace_of
from semafuzz.harness.kernel.naming import note_other_class

_CODE_OF_FUNCTIONS = frozenset({"__code__", "__defaults__", "__kwdefaults__"})
_OWNERS_OF_CODE = frozenset({types.FunctionType, types.CellType, types.ModuleType})


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
        if execution.thorough and (type(owner) in _OWNERS_OF_CODE or issubclass(type(owner), type)):
            _limit_changed_class(execution, owner, name, value, site)
        if issubclass(type(owner), types.ModuleType) and name != "__class__":
            _touch_variable(execution, owner, name, site)
        else:
            _touch_stored(execution, owner, name, site)
            if name in ("__dict__", "__class__") and execution.thorough:
                if name == "__class__":
                    note_other_class(owner)
                _touch_exchanged(execution, owner, value, site)
            if issubclass(type(owner), type):
                forget_kinds()
            elif dictionaries:
                get = dictionary_of_type(type(owner))
                own = get(owner) if get is not None else None
                if address(own) in dictionaries:
                    execution.note(WRITE_ALL, own, None, site)
    setattr(owner, name, value)


def touch_class(execution: Any, owner: Any, site: int) -> None:
    """All that a class defines is looked at through its dictionary, which is no container of ours."""
    execution.touch(READ, owner, "__dict__", site)
    for name in tuple(names_of(owner)):
        execution.note(READ, owner, name, site)


def _limit_changed_class(execution: Any, owner: Any, name: str, value: object, site: int) -> None:
    """What calls and looks do depends on classes and functions; that they look there is not announced, so that who
    changes one beside other tasks has no proof."""
    kind = type(owner)
    if kind is types.CellType or (kind is types.FunctionType and name in _CODE_OF_FUNCTIONS):
        execution.limit("reach", f"a {kind.__name__} that the program changes ({name})", site)
    elif issubclass(kind, type):
        found = lookup(owner, name)
        if name.startswith("__") or callable(value) or (found is not None and not is_data(found[1])):
            execution.limit("reach", f"a class whose methods the program changes ({name})", site)
    elif kind is types.ModuleType and owner is builtins:
        execution.limit("reach", f"a name of builtins that the program changes ({name})", site)


def _touch_exchanged(execution: Any, owner: Any, value: Any, site: int) -> None:
    """All attributes of an instance are exchanged at once."""
    names = {**attributes_of(owner), **(value if issubclass(type(value), dict) else {})}
    for attribute in names:
        execution.note(WRITE, owner, attribute, site)


def _touch_variable(execution: Any, owner: types.ModuleType, name: str, site: int) -> None:
    """A variable of a module is an item of its namespace, by which the module's own code stores it."""
    if not stored_names.get(name):
        stored_names[name] = 1
    execution.touch(WRITE, namespace_of(owner), name, site)


def del_attr(owner: Any, name: str, site: int) -> None:
    """``del owner.name``"""
    execution = current.execution
    if execution is not None:
        if issubclass(type(owner), types.ModuleType):
            _touch_variable(execution, owner, name, site)
        else:
            _touch_stored(execution, owner, name, site)
        if issubclass(type(owner), type):
            forget_kinds()
        if execution.thorough:
            _limit_changed_class(execution, owner, name, None, site)
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
    elif data == CONDITION:
        note_condition(execution, owner, name, site)
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
    elif data == CONDITION:
        note_condition(execution, owner, name, site)
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
    execution = current.execution
    if execution is not None and execution.thorough and args and issubclass(type(args[0]), type):
        touch_class(execution, args[0], site)
    return remembered(vars(*args), args[0])


def dictionary(owner: Any, site: int) -> Any:
    """``owner.__dict__``"""
    execution = current.execution
    if execution is not None and execution.thorough and issubclass(type(owner), type):
        touch_class(execution, owner, site)
    return remembered(owner.__dict__, owner)


def names_of_module(found: Any) -> Any:
    """What ``globals()`` gives."""
    return remembered(found, found)


def of_class(owner: Any, site: int) -> Any:
    """``owner``, where its class is asked for, in a module that gives objects other classes."""
    execution = current.execution
    if execution is not None and (kinds.kind_of(owner) == kinds.INSTANCE or issubclass(type(owner), types.ModuleType)):
        execution.touch(READ, owner, "__class__", site)
    return owner
