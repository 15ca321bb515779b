"""Calls of code that was not rewritten: what they touch, announced before they are made.

Rewritten code says ``prepared(f, site, a, b)()`` for ``f(a, b)``: the function and its arguments are
evaluated first, then the call is announced, then C calls ``f``. No frame of ours stands between the
two, so that functions which look at the frame of their caller see the right one.

A function is taken to change what it is given, unless it is known to look only. What code
in C does with the objects behind its arguments is not known in detail; see
:mod:`semafuzz.harness.instrument.coarse`.
"""

from __future__ import annotations

import abc
import logging
import operator
import random
import types
from collections.abc import Callable
from functools import _lru_cache_wrapper, partial
from itertools import starmap
from typing import Any

from semafuzz.harness.instrument import call_tables as tables
from semafuzz.harness.instrument import object_kinds as kinds
from semafuzz.harness.instrument.coarse import note_module, touch_one, touch_reached
from semafuzz.harness.instrument.containers import CONTAINERS
from semafuzz.harness.instrument.object_kinds import instrumented
from semafuzz.harness.kernel import current
from semafuzz.harness.kernel import event_kinds as op
from semafuzz.harness.kernel.instances import lookup
from semafuzz.harness.kernel.ownership import first_component, is_own

ContainerAccess = Callable[[Any, Any, str, tuple[Any, ...], dict[str, Any], int], None]
container_access: list[ContainerAccess] = []
"""Announces a method of a builtin container; put here by the hooks, which import this module."""


def prepared(function: Any, site: int, /, *args: Any, **keywords: Any) -> Any:
    """``function(*args, **keywords)``, announced and about to be made."""
    execution = current.execution
    if execution is not None:
        kind = type(function)
        if kind is types.MethodType:
            inner = function.__func__
            seen = type(inner) is types.FunctionType and inner.__code__ in instrumented
        else:
            seen = kind is types.FunctionType and function.__code__ in instrumented
        if not seen:
            announce(execution, function, args, keywords, site)
            if any(type(one) in tables.METHODS_IN_C for one in args):
                args = tuple(later(one, site) for one in args)
            for name, one in keywords.items():
                if type(one) in tables.METHODS_IN_C:
                    keywords[name] = later(one, site)
            if keywords.get("key") is not None and function == getattr(_list_of(function), "sort", None):
                keywords["key"] = _KeyInSort(keywords["key"], function.__self__, site)
            if kind is _lru_cache_wrapper:
                return _storing(execution, function, args, keywords, site)
    return partial(function, *args, **keywords)


def _storing(execution: Any, function: Any, args: tuple[Any, ...], keywords: dict[str, Any], site: int) -> Any:
    """The call of a cached function, which is not over in one step: what it works out is stored at its end. No
    frame of ours is beneath the function meanwhile."""
    stored = partial(_stored, execution, function, site, function.cache_info().misses)
    return partial(next, map(stored, starmap(partial(function, **keywords), [args])))


def _stored(execution: Any, function: Any, site: int, misses: int, result: Any) -> Any:
    """What a cached function gave. It is in the cache by now: that belongs to the last step of the function, before
    which somebody else could still look in vain."""
    now = current.execution
    if now is not None and now is execution and function.cache_info().misses != misses:
        now.note(op.WRITE_ALL, function, None, site)
    return result


def _list_of(function: Any) -> list[Any] | None:
    """The list of which this is a method."""
    owner = function.__self__ if type(function) is types.BuiltinMethodType else None
    return owner if type(owner) is list else None


class _KeyInSort:
    """The ``key`` of ``list.sort``. The list is empty while keys are worked out: another thread may see it so, and
    what it adds makes the sort fail."""

    __slots__ = ("_begun", "_key", "_list", "_site")

    def __init__(self, key: Any, sorted_list: list[Any], site: int) -> None:
        self._key = key
        self._list = sorted_list
        self._site = site
        self._begun = False

    def __call__(self, element: Any) -> Any:
        execution = current.execution
        if execution is not None and not self._begun:
            self._begun = True
            execution.touch(op.WRITE_ALL, self._list, None, self._site)
        return self._key(element)


class LaterCall:
    """A function in C that other code calls later, announced when it does."""

    __slots__ = ("_function", "_site")

    def __init__(self, function: Any, site: int) -> None:
        self._function = function
        self._site = site

    def __call__(self, *args: Any, **keywords: Any) -> Any:
        return prepared(self._function, self._site, *args, **keywords)()

    def __getattr__(self, name: str) -> Any:
        return getattr(object.__getattribute__(self, "_function"), name)

    def __reduce__(self) -> Any:
        return self._function.__reduce__()

    def __eq__(self, other: object) -> bool:
        return bool(self._function == (other._function if type(other) is LaterCall else other))

    def __hash__(self) -> int:
        return hash(self._function)


def later(function: Any, site: int) -> Any:
    """``function`` where it is handed to code that is not looked into, which calls it by itself."""
    kind = type(function)
    if current.execution is None:
        return function
    if kind in tables.METHODS_IN_C:
        owner = function.__self__
        if owner is None or type(owner) is types.ModuleType:
            changes = function.__name__ in tables.CHANGING or function.__name__ in ("setattr", "delattr", "getattr")
            return LaterCall(function, site) if changes else function
        if kinds.kind_of(owner) in (kinds.CONTAINER, kinds.KNOWN, kinds.UNKNOWN, kinds.ITERATOR):
            return LaterCall(function, site)
    elif kind in tables.UNBOUND:
        return LaterCall(function, site)
    return function


def announced(function: Any, site: int) -> Any:
    """``function``, where it is called without arguments next."""
    execution = current.execution
    if execution is not None:
        if type(function) is types.MethodType and kinds.kind_of(function.__self__) == kinds.PASSED:
            return function
        announce(execution, function, (), {}, site)
        if type(function) is _lru_cache_wrapper:
            return _storing(execution, function, (), {}, site)
    return function


def announce(execution: Any, function: Any, args: tuple[Any, ...], keywords: dict[str, Any], site: int) -> None:
    """Announce what the call of ``function`` touches."""
    kind = type(function)
    if kind is types.FunctionType:
        if function.__code__ not in instrumented:
            _library_function(execution, function, args, keywords, site)
    elif kind is types.MethodType:
        inner = function.__func__
        if type(inner) is types.FunctionType and inner.__code__ in instrumented:
            return
        name = str(getattr(inner, "__name__", ""))
        before = len(execution.events)
        _method_of(execution, function.__self__, name, args, keywords, site)
        if len(execution.events) > before and type(inner) is types.FunctionType:
            execution.stretch(f"{type(function.__self__).__qualname__}.{name}", site)
    elif kind in tables.METHODS_IN_C:
        owner = function.__self__
        if owner is None or type(owner) is types.ModuleType:
            _function_in_c(execution, function, args, keywords, site)
        else:
            _method_of(execution, owner, function.__name__, args, keywords, site)
    elif kind in tables.UNBOUND:
        if args:
            _method_of(execution, args[0], function.__name__, args[1:], keywords, site)
    elif issubclass(kind, type):
        _made(execution, function, args, keywords, site)
    elif kind is partial:
        announce(execution, function.func, (*function.args, *args), {**function.keywords, **keywords}, site)
    elif kind is operator.methodcaller:
        _called_by_name(execution, function, args, site)
    elif kind in tables.GETTERS:
        touch_reached(execution, args, False, site)
    elif kind is _lru_cache_wrapper:
        # A cache: whether it answers by itself depends on who was there before.
        touch_one(execution, function, True, site)
    elif not is_own(kind.__module__) and not kinds.handles_itself(function, "__call__"):
        _method_of(execution, function, "__call__", args, keywords, site)


def _called_by_name(execution: Any, caller: Any, args: tuple[Any, ...], site: int) -> None:
    """``methodcaller(name, *given)(owner)``"""
    made, given = caller.__reduce__()
    keywords = {}
    if type(made) is partial:
        keywords, given = made.keywords, (*made.args, *given)
    if args:
        announce(execution, getattr(args[0], given[0]), given[1:], keywords, site)


def _given(args: tuple[Any, ...], keywords: dict[str, Any]) -> list[Any]:
    return [*args, *keywords.values()] if keywords else list(args)


def _library_function(execution: Any, function: Any, args: Any, keywords: dict[str, Any], site: int) -> None:
    """A function in Python that is not looked into."""
    module = str(function.__module__)
    first = first_component(module)
    if function.__name__ in tables.PROCESS_STATE:
        execution.reach_outside(f"{module}.{function.__name__}", site)
        return
    if first == "ctypes":
        execution.limit("unknown", f"memory of ctypes ({function.__name__})", site)
    if module == "threading" and function.__name__ in ("active_count", "enumerate", "activeCount"):
        _touch_threads(execution, site)
    if is_own(module) or first in tables.TOUCH_NOTHING:
        return
    if first in tables.OUTSIDE_FUNCTIONS:
        if function.__name__ not in tables.OUTSIDE_ONLY_SOMETIMES:
            execution.reach_outside(f"{module}.{function.__name__}", site)
        return
    changes = first not in tables.CHANGE_NOTHING or function.__name__ in tables.CHANGING_ALL_THE_SAME
    if touch_reached(execution, _given(args, keywords), changes, site):
        execution.stretch(f"{module}.{function.__name__}", site)


def _touch_threads(execution: Any, site: int) -> None:
    """Which threads there are is looked at: a read that races with the start and the end of each."""
    execution.limit("reach", "the list of all threads", site)
    touch = execution.touch
    for task in execution.tasks:
        if task.thread is not None and not task.done:
            touch(op.READ, task.thread, "alive", site)
            touch = execution.note


def _function_in_c(execution: Any, function: Any, args: Any, keywords: dict[str, Any], site: int) -> None:
    module, name = str(function.__module__), function.__name__
    if module == "builtins":
        if name in ("getattr", "hasattr", "setattr", "delattr") and len(args) > 1 and type(args[1]) is str:
            # Under another name than their own: those are hooks of their own.
            execution.touch(op.WRITE if name in ("setattr", "delattr") else op.READ, args[0], args[1], site)
            return
        if name in tables.BUILTINS_THAT_TOUCH_NOTHING:
            return
        if name in ("next", "anext") and args:
            lazy = kinds.kind_of(args[0]) == kinds.ITERATOR
            touch_reached(execution, args[:1], not lazy, site, deep=lazy)
            return
        if name == "print" and keywords.get("file") is not None:
            touch_one(execution, keywords["file"], True, site)
        if name == "open":
            execution.reach_outside("open", site)
            return
        touch_reached(execution, _given(args, keywords), name not in tables.LOOKING_BUILTINS, site)
        _stretch_where_it_calls_back(execution, name, _given(args, keywords), site)
        return
    first = first_component(module)
    if first in ("ctypes", "_ctypes"):
        execution.limit("unknown", f"memory of ctypes ({name})", site)
    if name in tables.PROCESS_STATE or (first == "sys" and name.startswith("set")):
        execution.reach_outside(f"{module}.{name}", site)
        return
    if first in ("gc", "signal", "_signal") and name in tables.STATE_OF_MODULES:
        execution.reach_outside(f"{module}.{name}", site)
        return
    if first in tables.TOUCH_NOTHING:
        return
    if first in tables.OUTSIDE_FUNCTIONS:
        if name not in tables.OUTSIDE_ONLY_SOMETIMES:
            execution.reach_outside(f"{module}.{name}", site)
        return
    if name in tables.CHANGING and args:
        touch_reached(execution, args[:1], True, site, deep=False)
        touch_reached(execution, _given(args[1:], keywords), False, site)
        return
    if first not in tables.CHANGE_NOTHING and first not in tables.PURE_IN_C and name not in tables.MAKERS:
        note_module(execution, function.__self__, module or first, site)
    changes = first not in tables.CHANGE_NOTHING | {"_heapq", "_bisect"} or name in tables.CHANGING_ALL_THE_SAME
    touch_reached(execution, _given(args, keywords), changes, site)
    _stretch_where_it_calls_back(execution, name, _given(args, keywords), site)


_CODE_OF_THE_PROGRAM = (types.FunctionType, types.MethodType, types.GeneratorType)


def _stretch_where_it_calls_back(execution: Any, name: str, given: list[Any], site: int) -> None:
    """A function in C that runs code of the program on its way."""
    for one in given:
        kind = type(one)
        if kind in _CODE_OF_THE_PROGRAM or kind is LaterCall:
            execution.stretch(f"{name} with code of the program", site)
        elif name.endswith(_COMPARING) and kinds.kind_of(one) == kinds.INSTANCE and lookup(kind, "__eq__"):
            execution.stretch(f"{name}, which compares", site)


_COMPARING = (".remove", ".index", ".count", ".__contains__")


def _method_of(
    execution: Any, owner: Any, name: str, args: tuple[Any, ...], keywords: dict[str, Any], site: int
) -> None:
    """A method that is not looked into, of an instance, a container or a class."""
    kind = type(owner)
    if issubclass(kind, CONTAINERS):
        _stretch_where_it_calls_back(execution, f"{kind.__qualname__}.{name}", _given(args, keywords), site)
        container_access[0](execution, owner, name, args, keywords, site)
        return
    if name in ("__setattr__", "__delattr__", "__getattribute__") and args and type(args[0]) is str:
        execution.touch(op.READ if name == "__getattribute__" else op.WRITE, owner, args[0], site)
        return
    if issubclass(kind, type):
        if name in tables.REAL_CLOCK and owner.__module__ == "datetime":
            execution.limit("clock", f"{owner.__qualname__}.{name}", site)
        if kinds.is_of_ctypes(owner):
            execution.limit("unknown", f"memory of ctypes ({name})", site)
        if name == "register" and kind is abc.ABCMeta:
            execution.limit("reach", "a class whose methods the program changes (register)", site)
        touch_reached(execution, _given(args, keywords), False, site)
        return
    if kind.__module__ == "_multiprocessing":
        execution.escape("a lock of multiprocessing was used, which excludes no task; use one of threading")
    if kind in (types.MemberDescriptorType, types.GetSetDescriptorType) and args and name in tables.DESCRIPTORS:
        execution.touch(op.READ if name == "__get__" else op.WRITE, args[0], owner.__name__, site)
        return
    what = kinds.kind_of(owner)
    if issubclass(kind, random.Random):
        execution.limit("random", f"{kind.__qualname__}.{name}", site)
    if what == kinds.OUTSIDE:
        execution.reach_outside(f"{kind.__qualname__}.{name}", site)
        return
    if what == kinds.PASSED:
        if kind is logging.LogRecord:
            touch_reached(execution, (owner.msg, owner.args), False, site)
        if (args or keywords) and (
            kind in (str, bytes) or first_component(kinds.module_of(kind)) in tables.CHANGE_NOTHING
        ):
            touch_reached(execution, _given(args, keywords), False, site)
        return
    touch_one(execution, owner, name not in tables.LOOK, site)
    if args or keywords:
        touch_reached(execution, _given(args, keywords), name not in tables.LOOK, site)


def _made(execution: Any, made: Any, args: tuple[Any, ...], keywords: dict[str, Any], site: int) -> None:
    """An instance that is made: its class looks at what it is given, or keeps it."""
    if made in kinds.harmless:
        return
    if kinds.is_of_ctypes(made):
        execution.limit("unknown", f"memory of ctypes ({made.__qualname__})", site)
        return
    if not args and not keywords and made.__name__ not in tables.PROCESS_STATE:
        return
    if issubclass(made, BaseException) or kinds.handles_itself_class(made, "__init__", "__new__"):
        return
    module = str(type.__dict__["__module__"].__get__(made))
    first = first_component(module)
    if made.__name__ in tables.PROCESS_STATE and first in ("contextlib", "warnings"):
        execution.reach_outside(f"{module}.{made.__name__}", site)
        return
    if is_own(module) or first in tables.TOUCH_NOTHING or made is type or made is super or made is object:
        kinds.harmless.add(made)
        return
    if made is partial or made in tables.GETTERS:
        return
    if first in tables.OUTSIDE_FUNCTIONS and made.__name__ not in tables.OUTSIDE_ONLY_SOMETIMES:
        execution.reach_outside(f"{module}.{made.__qualname__}", site)
        return
    touch_reached(execution, _given(args, keywords), False, site)
