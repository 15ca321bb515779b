"""Hooks: the functions that rewritten code calls.

Outside an execution every hook does what the original code did and nothing
else. Inside, it announces the access to the kernel first and performs it
after: a value must not be fetched before the task is chosen.

Each hook ends with the number of the code place (``semafuzz.harness.kernel.sites``),
except where a builtin's name is replaced: then the place comes first.
"""

from __future__ import annotations

import builtins
import gc
import operator
import types
import weakref
from collections.abc import Callable, Iterable, Iterator
from typing import Any, Final

from semafuzz.harness.instrument import object_kinds as kinds
from semafuzz.harness.instrument.calls import announced, container_access, prepared
from semafuzz.harness.instrument.coarse import touch_one, touch_reached
from semafuzz.harness.instrument.containers import (
    CONTAINERS,
    REMOVES,
    VIEWS,
    fills_in,
    inserts,
    item_name,
    key_name,
    method_kind,
)
from semafuzz.harness.instrument.object_kinds import add_instrumented, handles_itself, instrumented
from semafuzz.harness.kernel import current
from semafuzz.harness.kernel import event_kinds as op
from semafuzz.harness.kernel.doubles.locks import Lock, running
from semafuzz.harness.kernel.install import adoption

READ, WRITE, READ_ITEM, WRITE_ITEM, READ_ALL, WRITE_ALL = range(6)
METHOD, DATA, ODD = range(3)
"""What an attribute is: no access to data; a variable of the object; a variable
of a module or class, or one that may still stand on the class of the object."""

_BUILTIN_METHODS = (types.BuiltinMethodType, types.MethodWrapperType)
"""Methods written in C; ``super().__setitem__`` of a dict is of the second type."""
_NO_DATA = (
    str, int, float, bytes, tuple, frozenset, types.NoneType, types.BuiltinFunctionType, super,
)  # fmt: skip
_attribute_kinds: dict[type, dict[str, int]] = {}
_stored: dict[str, int] = {}
_dictionaries: dict[int, tuple[object, object]] = {}
"""Instance dictionaries that were asked for, with the objects whose they are:
``vars(x)["a"]`` and ``x.a`` are one location."""
_dictionaries_of: list[Callable[[], object]] = [lambda: None]
"""The execution in which they were asked for: another starts without them."""


def register(codes: Iterable[types.CodeType], stored: Iterable[str]) -> None:
    """Remember rewritten code: a property whose getter is rewritten reports
    its own accesses, so reading the property is not itself an access. ``stored``:
    the names that this code stores under; others of a module are constants."""
    add_instrumented(codes)
    for name in stored:
        _stored[name] = _stored.get(name, 0) + 1
    _attribute_kinds.clear()


def forget(codes: Iterable[types.CodeType], stored: Iterable[str]) -> None:
    """Take back a :func:`register`: what is seen must not depend on what was
    instrumented earlier in this process."""
    add_instrumented(codes, -1)
    for name in stored:
        _stored[name] = _stored.get(name, 0) - 1
    _attribute_kinds.clear()


def _classify(kind: type, name: str) -> int:
    """What ``name`` on instances of ``kind`` is, remembered."""
    answer = ODD if issubclass(kind, (types.ModuleType, type)) else DATA
    if issubclass(kind, _NO_DATA):
        answer = METHOD
    else:
        for base in kind.__mro__:
            if name in base.__dict__:
                found = base.__dict__[name]
                if not _is_data(found):
                    answer = METHOD
                elif not hasattr(type(found), "__set__"):
                    answer = ODD
                break
    _attribute_kinds.setdefault(kind, {})[name] = answer
    return answer


def _read_odd(execution: Any, owner: Any, name: str, site: int) -> None:
    """A class answers for its instances and for the classes derived from it: a
    store there is a store to what they show."""
    if issubclass(type(owner), types.ModuleType):
        if _stored.get(name, 0) > 0:
            execution.touch(READ, owner.__dict__, name, site)
        return
    execution.touch(READ, owner, name, site)
    if issubclass(type(owner), type):
        above = owner.__mro__[1:] if name not in owner.__dict__ else ()
    else:
        try:
            above = () if name in object.__getattribute__(owner, "__dict__") else type(owner).__mro__
        except AttributeError:
            above = type(owner).__mro__
    for base in above:
        execution.note(READ, base, name, site)
        if name in base.__dict__:
            return


def _is_data(found: Any) -> bool:
    if issubclass(type(found), property):
        return not _rewritten(found.fget)
    return not isinstance(
        found,
        (
            types.FunctionType, classmethod, staticmethod, types.MethodDescriptorType,
            types.WrapperDescriptorType, types.BuiltinFunctionType, type,
        ),
    )  # fmt: skip


def _rewritten(function: object) -> bool:
    code = getattr(function, "__code__", None)
    return code is not None and code in instrumented


def attr(owner: Any, name: str, site: int) -> Any:
    """``owner.name``"""
    execution = current.execution
    if execution is not None:
        kind = type(owner)
        try:
            data = _attribute_kinds[kind][name]
        except KeyError:
            data = _classify(kind, name)
        if data == DATA:
            execution.touch(READ, owner, name, site)
        elif data == ODD:
            _read_odd(execution, owner, name, site)
        else:
            return _announcing(owner, getattr(owner, name), site)
    return getattr(owner, name)


def _announcing(owner: object, found: Any, site: int) -> Any:
    """A method that was fetched, perhaps to be called later under another name."""
    if type(found) in _BUILTIN_METHODS:
        home = found.__self__
        if issubclass(type(home), CONTAINERS):
            return _ContainerCall(home, found, found.__name__, site)
        kind = type(owner)
        if kind is adoption.LOCK_TYPE or kind is adoption.RLOCK_TYPE:
            return getattr(_adopted(owner), found.__name__)
        execution = current.execution
        if execution is not None and execution.thorough and kinds.kind_of(home) >= kinds.KNOWN:
            return _LaterCall(found, site)
    return found


class _LaterCall:
    """A method in C that was fetched, announced when it is called."""

    __slots__ = ("_method", "_site")

    def __init__(self, method: Any, site: int) -> None:
        self._method = method
        self._site = site

    def __call__(self, *args: Any, **keywords: Any) -> Any:
        return prepared(self._method, self._site, *args, **keywords)()

    def __getattr__(self, name: str) -> Any:
        return getattr(self._method, name)

    def __eq__(self, other: object) -> bool:
        return bool(self._method == (other._method if type(other) is _LaterCall else other))

    def __hash__(self) -> int:
        return hash(self._method)


def set_attr(value: object, owner: Any, name: str, site: int) -> None:
    """``owner.name = value``"""
    execution = current.execution
    if execution is not None:
        if type(owner) is types.ModuleType:
            if not _stored.get(name):
                _stored[name] = 1
            execution.touch(WRITE, owner.__dict__, name, site)
        else:
            _touch_stored(execution, owner, name, site)
            if name in ("__dict__", "__class__") and execution.thorough:
                _touch_exchanged(execution, owner, value, site)
            if issubclass(type(owner), type):
                _attribute_kinds.clear()
            elif _dictionaries:
                own = getattr(owner, "__dict__", None)
                if id(own) in _dictionaries:
                    execution.note(WRITE_ALL, own, None, site)
    setattr(owner, name, value)


def _touch_exchanged(execution: Any, owner: Any, value: Any, site: int) -> None:
    """All attributes of an instance are exchanged at once."""
    names = {**kinds.attributes_of(owner), **(value if issubclass(type(value), dict) else {})}
    for attribute in names:
        execution.note(WRITE, owner, attribute, site)


def del_attr(owner: Any, name: str, site: int) -> None:
    """``del owner.name``"""
    execution = current.execution
    if execution is not None:
        _touch_stored(execution, owner, name, site)
    delattr(owner, name)


def _touch_stored(execution: Any, owner: object, name: str, site: int) -> None:
    kind = type(owner)
    for base in kind.__mro__:
        if name in base.__dict__:
            found = base.__dict__[name]
            if issubclass(type(found), property) and _rewritten(found.fset):
                return
            break
    execution.touch(WRITE, owner, name, site)


def item(owner: Any, key: Any, site: int) -> Any:
    """``owner[key]``"""
    execution = current.execution
    if execution is None:
        return owner[key]
    if not issubclass(type(owner), CONTAINERS) or not _plain(owner, "__getitem__"):
        if execution.thorough:
            _other(execution, owner, "__getitem__", False, site)
    else:
        if id(owner) in _dictionaries:
            execution.touch(READ, _dictionaries[id(owner)][1], key, site)
        elif type(owner) is dict:
            execution.touch(READ_ITEM, owner, key_name(key), site)
        elif type(key) is slice:
            execution.touch(READ_ALL, owner, None, site)
        elif fills_in(owner, key):
            execution.touch(WRITE_ITEM, owner, key_name(key), site)
            execution.note(WRITE_ALL, owner, None, site)
        else:
            execution.touch(READ_ITEM, owner, item_name(owner, key), site)
    return owner[key]


def set_item(value: object, owner: Any, key: Any, site: int) -> None:
    """``owner[key] = value``"""
    execution = current.execution
    if execution is None:
        owner[key] = value
        return
    if not issubclass(type(owner), CONTAINERS) or not _plain(owner, "__setitem__"):
        if execution.thorough:
            _other(execution, owner, "__setitem__", True, site)
    else:
        if id(owner) in _dictionaries:
            execution.touch(WRITE, _dictionaries[id(owner)][1], key, site)
        elif type(key) is slice:
            execution.touch(WRITE_ALL, owner, None, site)
        else:
            execution.touch(WRITE_ITEM, owner, item_name(owner, key), site)
            if inserts(owner, key):
                execution.note(WRITE_ALL, owner, None, site)
    owner[key] = value


def del_item(owner: Any, key: Any, site: int) -> None:
    """``del owner[key]``"""
    execution = current.execution
    if execution is None:
        del owner[key]
        return
    if not issubclass(type(owner), CONTAINERS) or not _plain(owner, "__delitem__"):
        if execution.thorough:
            _other(execution, owner, "__delitem__", True, site)
    else:
        if id(owner) in _dictionaries:
            execution.touch(WRITE, _dictionaries[id(owner)][1], key, site)
        elif type(key) is slice:
            execution.touch(WRITE_ALL, owner, None, site)
        else:
            execution.touch(WRITE_ITEM, owner, item_name(owner, key), site)
            execution.note(WRITE_ALL, owner, None, site)
    del owner[key]


def _other(execution: Any, owner: Any, method: str, changes: bool, site: int) -> None:
    """An operation on something else than a builtin container: one coarse access, unless the class
    does it in rewritten code."""
    kind = kinds.kind_of(owner)
    if kind == kinds.PASSED or type(owner) in (tuple, slice) or handles_itself(owner, method):
        return
    if kind == kinds.OUTSIDE:
        execution.reach_outside(f"{type(owner).__qualname__}.{method}", site)
        return
    touch_one(execution, owner, changes, site)


def _plain(owner: object, method: str) -> bool:
    """Whether the container does this itself, not a Python override of it
    (whose own accesses are then the ones to see)."""
    return type(getattr(type(owner), method)) is not types.FunctionType


def contains(key: Any, owner: Any, site: int) -> bool:
    """``key in owner``"""
    execution = current.execution
    if execution is not None:
        source = _source(owner)
        if id(owner) in _dictionaries:
            execution.touch(READ, _dictionaries[id(owner)][1], key, site)
        elif issubclass(type(source), (dict, set)) and _plain(source, "__contains__") and source is owner:
            execution.touch(READ_ITEM, source, key_name(key), site)
        elif issubclass(type(source), CONTAINERS) and (source is not owner or _plain(source, "__contains__")):
            execution.touch(READ_ALL, source, None, site)
        elif execution.thorough:
            _other(execution, owner, "__contains__", False, site)
    return key in owner


def _source(owner: object) -> object:
    """The container behind a view of it: the only object that a view refers to."""
    return gc.get_referents(owner)[0] if type(owner) in VIEWS else owner


def whole(owner: Any, site: int) -> Any:
    """``owner`` as the argument of something that looks at all of it."""
    execution = current.execution
    if execution is not None:
        source = _source(owner)
        if issubclass(type(source), CONTAINERS):
            execution.touch(READ_ALL, source, None, site)
        elif execution.thorough:
            _other(execution, owner, "__iter__" if hasattr(type(owner), "__iter__") else "__len__", False, site)
    return owner


def deep(owner: Any, site: int) -> Any:
    """``owner`` as the argument of something that looks at all of it, and at what it holds."""
    execution = current.execution
    if execution is not None:
        touch_reached(execution, (owner,), False, site)
    return owner


def truth(owner: Any, site: int) -> Any:
    """``owner`` as a condition: the truth of a container is its length."""
    execution = current.execution
    if execution is not None:
        if issubclass(type(owner), CONTAINERS):
            execution.touch(READ_ALL, owner, None, site)
        elif execution.thorough:
            kind = type(owner)
            method = "__bool__" if hasattr(kind, "__bool__") else "__len__"
            if hasattr(kind, method):
                _other(execution, owner, method, False, site)
    return owner


class _Announced:
    """An iterator whose every step is announced as a read of the container."""

    __slots__ = ("_inner", "_site", "_source")

    def __init__(self, owner: Any, source: object, site: int) -> None:
        self._inner = iter(owner)
        self._source = source
        self._site = site

    def __iter__(self) -> Iterator[Any]:
        return self

    def __next__(self) -> Any:
        execution = current.execution
        if execution is not None:
            execution.touch(READ_ALL, self._source, None, self._site)
        return next(self._inner)

    def __length_hint__(self) -> int:
        return operator.length_hint(self._inner)


def iterate(owner: Any, site: int) -> Any:
    """``owner`` as what a loop goes over."""
    execution = current.execution
    if execution is not None:
        source = _source(owner)
        if issubclass(type(source), CONTAINERS):
            return _Announced(owner, source, site)
        if execution.thorough and type(owner) not in (tuple, frozenset) and not handles_itself(owner, "__iter__"):
            kind = kinds.kind_of(owner)
            if kind not in (kinds.PASSED, kinds.OUTSIDE) and hasattr(type(owner), "__iter__"):
                return _AnnouncedOther(owner, site)
    return owner


class _AnnouncedOther:
    """An iterator whose every step is announced as a read of what stands behind it."""

    __slots__ = ("_inner", "_owner", "_site")

    def __init__(self, owner: Any, site: int) -> None:
        self._owner = owner
        self._inner = iter(owner)
        self._site = site

    def __iter__(self) -> Iterator[Any]:
        return self

    def __next__(self) -> Any:
        execution = current.execution
        if execution is not None:
            touch_reached(execution, (self._owner, self._inner), False, self._site, deep=False)
        return next(self._inner)

    def __length_hint__(self) -> int:
        return operator.length_hint(self._inner)


def turn(site: int) -> bool:
    """One round of a ``while`` loop."""
    execution = current.execution
    if execution is not None:
        execution.touch(op.LOOP, None, None, site)
    return True


class _ContainerCall:
    """A container's method, announced when it is called, after its arguments."""

    __slots__ = ("_method", "_name", "_owner", "_site")

    def __init__(self, owner: Any, method: Any, name: str, site: int) -> None:
        self._owner = owner
        self._method = method
        self._name = name
        self._site = site

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        execution = current.execution
        if execution is not None:
            _touch_container(execution, self._owner, self._name, args, kwargs, self._site)
        return self._method(*args, **kwargs)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._method, name)

    def __eq__(self, other: object) -> bool:
        return bool(self._method == (other._method if isinstance(other, _ContainerCall) else other))

    def __hash__(self) -> int:
        return hash(self._method)


def _touch_container(
    execution: Any, owner: Any, name: str, args: tuple[Any, ...], kwargs: dict[str, Any], site: int
) -> None:
    """A method of a builtin container."""
    kind = method_kind(owner, name, args)
    if id(owner) in _dictionaries and kind >= 0:
        _touch_attributes(execution, kind, owner, name, args, kwargs, site)
    elif kind >= READ_ALL:
        if args and not execution.thorough:
            _touch_arguments(execution, args, False, site)
        elif args:
            touch_reached(execution, args, False, site, deep=name in _DEEP_METHODS)
        execution.touch(kind, owner, None, site)
    elif kind >= 0:
        execution.touch(kind, owner, item_name(owner, args[0]), site)
        if kind == WRITE_ITEM and (issubclass(type(owner), set) or name in REMOVES or inserts(owner, args[0])):
            execution.note(WRITE_ALL, owner, None, site)
    elif execution.thorough and name not in _NOT_OF_THE_CONTENT:
        touch_one(execution, owner, name not in _LOOKING_METHODS, site)


_DEEP_METHODS: Final = frozenset(
    {"__eq__", "__ne__", "__lt__", "__le__", "__gt__", "__ge__", "index", "count", "remove"}
)
_NOT_OF_THE_CONTENT: Final = frozenset(
    {"__init_subclass__", "__class__", "__sizeof__", "fromkeys", "__init__", "__new__"}
)
_LOOKING_METHODS: Final = frozenset(
    "__eq__ __ne__ __lt__ __le__ __gt__ __ge__ __repr__ __str__ __format__ __or__ __and__ __sub__ __xor__ __add__ "  # noqa: SIM905
    "__mul__ __reversed__ __reduce_ex__ __reduce__ __copy__ find decode hex startswith endswith most_common".split()
)
container_access.append(_touch_container)


def _touch_attributes(
    execution: Any, kind: int, owner: Any, name: str, args: tuple[Any, ...], kwargs: dict[str, Any], site: int
) -> None:
    """A method of an instance's dictionary: an access to attributes."""
    instance = _dictionaries[id(owner)][1]
    if kind < READ_ALL:
        execution.touch(READ if kind == READ_ITEM else WRITE, instance, args[0], site)
        return
    execution.touch(kind, owner, None, site)
    if kind == WRITE_ALL:
        given = args[0] if args and issubclass(type(args[0]), dict) else ()
        for key in (*given, *kwargs) if name == "update" else tuple(owner):
            execution.note(WRITE, instance, key, site)
    else:
        for key in tuple(owner):
            execution.note(READ, instance, key, site)


def bound(owner: Any, name: str, site: int) -> Any:
    """``owner.name`` where the call of it is announced when its arguments are there."""
    execution = current.execution
    if execution is None:
        return getattr(owner, name)
    kind = type(owner)
    if kind is adoption.LOCK_TYPE or kind is adoption.RLOCK_TYPE:
        return getattr(_adopted(owner), name)
    try:
        data = _attribute_kinds[kind][name]
    except KeyError:
        data = _classify(kind, name)
    if data == DATA:
        execution.touch(READ, owner, name, site)
    elif data == ODD:
        _read_odd(execution, owner, name, site)
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
    if kind is adoption.LOCK_TYPE or kind is adoption.RLOCK_TYPE:
        return getattr(_adopted(owner), name)
    try:
        data = _attribute_kinds[kind][name]
    except KeyError:
        data = _classify(kind, name)
    if data == DATA:
        execution.touch(READ, owner, name, site)
    elif data == ODD:
        _read_odd(execution, owner, name, site)
    found = getattr(owner, name)
    if type(found) in _BUILTIN_METHODS:
        if issubclass(type(found.__self__), CONTAINERS):
            return _ContainerCall(found.__self__, found, found.__name__, site)
        if kind is types.ModuleType or (kind is str and name == "join"):
            return _LibraryCall(found, site)
    return found


class _LibraryCall:
    """A function in C, announced when it is called: it looks at all of the
    containers among its arguments, or changes the first of them."""

    __slots__ = ("_function", "_site")

    def __init__(self, function: Any, site: int) -> None:
        self._function = function
        self._site = site

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        execution = current.execution
        if execution is not None:
            _touch_arguments(execution, args, self._function.__name__ in CHANGING, self._site)
        return self._function(*args, **kwargs)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._function, name)


def _touch_arguments(execution: Any, args: tuple[Any, ...], changes: bool, site: int) -> None:
    for given in args:
        source = _source(given)
        if issubclass(type(source), CONTAINERS):
            execution.touch(WRITE_ALL if changes else READ_ALL, source, None, site)
        changes = False


def called(function: Any, site: int) -> Any:
    """A function that was imported by name, where it is about to be called."""
    if current.execution is not None and type(function) is types.BuiltinFunctionType:
        return _LibraryCall(function, site)
    return function


def combine(name: str, left: Any, right: Any, site: int) -> Any:
    """``left == right``, ``left + right`` and their like."""
    execution = current.execution
    if execution is not None:
        if execution.thorough:
            for side in (left, right):
                if kinds.kind_of(side) != kinds.PASSED:
                    _combined(execution, name, side, site)
        else:
            for side in (left, right):
                if issubclass(type(side), CONTAINERS):
                    execution.touch(READ_ALL, side, None, site)
    return _COMBINING[name](left, right)


def _combined(execution: Any, name: str, side: Any, site: int) -> None:
    """One side of an operator. An instance is looked at where its class says how, in code that is not
    looked into; ``object`` compares identities."""
    if kinds.kind_of(side) == kinds.INSTANCE:
        method = f"__{name.lower()}__" if name not in _OPERATOR_METHODS else _OPERATOR_METHODS[name]
        for base in type(side).__mro__:
            if method in base.__dict__:
                if base is object or kinds.is_watched(base.__dict__[method]):
                    return
                break
        else:
            return
    touch_reached(execution, (side,), False, site)


_OPERATOR_METHODS: Final = {
    "NotEq": "__eq__", "LtE": "__le__", "GtE": "__ge__", "Mult": "__mul__", "BitOr": "__or__", "BitAnd": "__and__",
    "BitXor": "__xor__", "FloorDiv": "__floordiv__", "Div": "__truediv__", "MatMult": "__matmul__",
    "LShift": "__lshift__", "RShift": "__rshift__",
}  # fmt: skip


_COMBINING: Final[dict[str, Callable[[Any, Any], Any]]] = {
    "Eq": operator.eq,
    "NotEq": operator.ne,
    "Lt": operator.lt,
    "LtE": operator.le,
    "Gt": operator.gt,
    "GtE": operator.ge,
    "Add": operator.add,
    "Sub": operator.sub,
    "Mult": operator.mul,
    "BitOr": operator.or_,
    "BitAnd": operator.and_,
    "BitXor": operator.xor,
    "Mod": operator.mod,
    "Div": operator.truediv,
    "FloorDiv": operator.floordiv,
    "Pow": operator.pow,
    "LShift": operator.lshift,
    "RShift": operator.rshift,
    "MatMult": operator.matmul,
}
CHANGING: Final = frozenset(
    "setitem delitem iadd iconcat imul ior iand isub ixor setattr shuffle "  # noqa: SIM905
    "heappush heappop heapify heapreplace heappushpop insort insort_left insort_right".split()
)
"""Names of functions in C that change their first argument."""


_late: dict[int, tuple[Any, Lock]] = {}


def _adopted(real: Any) -> Any:
    """A double for a real lock that the code under test reaches by itself."""
    if running() is None:
        return real
    found = _late.get(id(real))
    if found is None or found[0] is not real:
        from semafuzz.harness.kernel.doubles.locks import RLock

        double = RLock(real) if type(real) is adoption.RLOCK_TYPE else Lock(real)
        found = _late[id(real)] = (real, double)
    return found[1]


def entered(manager: Any, site: int) -> Any:
    """``manager`` as the subject of a ``with`` statement."""
    if current.execution is not None:
        kind = type(manager)
        if kind is adoption.LOCK_TYPE or kind is adoption.RLOCK_TYPE:
            return _adopted(manager)
    return manager


def read(home: object, name: str, site: int) -> None:
    """A variable is about to be loaded. Returns None, so that rewritten code
    can say ``read(...) or name``."""
    execution = current.execution
    if execution is not None:
        execution.touch(READ, home, name, site)


def write(value: Any, home: object, name: str, site: int) -> Any:
    """``value`` is about to be stored in a variable."""
    execution = current.execution
    if execution is not None:
        execution.touch(WRITE, home, name, site)
    return value


class Cell:
    """Stands for the variables of one call of a function."""

    __slots__ = ()


_OPERATORS: Final[dict[str, Callable[[Any, Any], Any]]] = {
    "Add": operator.iadd,
    "Sub": operator.isub,
    "Mult": operator.imul,
    "Div": operator.itruediv,
    "FloorDiv": operator.ifloordiv,
    "Mod": operator.imod,
    "Pow": operator.ipow,
    "LShift": operator.ilshift,
    "RShift": operator.irshift,
    "BitOr": operator.ior,
    "BitXor": operator.ixor,
    "BitAnd": operator.iand,
    "MatMult": operator.imatmul,
}


def in_place(name: str, left: Any, right: Any, site: int) -> Any:
    """The operation of an augmented assignment."""
    execution = current.execution
    if execution is not None:
        if issubclass(type(left), CONTAINERS):
            if execution.thorough:
                touch_reached(execution, (right,), False, site)
                _touch_in_place(execution, left, right, site)
            execution.touch(WRITE_ALL, left, None, site)
        elif execution.thorough and kinds.kind_of(left) >= kinds.INSTANCE:
            touch_reached(execution, (right,), False, site)
            _other(execution, left, f"__i{name.lower()}__", True, site)
    return _OPERATORS[name](left, right)


def _touch_in_place(execution: Any, left: Any, right: Any, site: int) -> None:
    """``vars(x) |= ...`` changes attributes."""
    if id(left) in _dictionaries and issubclass(type(right), dict):
        for key in tuple(right):
            execution.touch(WRITE, _dictionaries[id(left)][1], key, site)


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
    return _remembered(vars(*args), args[0])


def dictionary(owner: Any, site: int) -> Any:
    """``owner.__dict__``"""
    return _remembered(owner.__dict__, owner)


def _remembered(found: Any, owner: object) -> Any:
    execution = current.execution
    if execution is not None and type(found) is dict and not issubclass(type(owner), types.ModuleType):
        if _dictionaries_of[0]() is not execution:
            _dictionaries.clear()
            _dictionaries_of[0] = weakref.ref(execution)
        _dictionaries[id(found)] = (found, owner)
    return found


def evaluated_source(source: Any, site: int) -> Any:
    """What is given to ``eval`` or ``exec``: text is rewritten as the code around it is."""
    execution = current.execution
    if execution is None or type(source) is not str or not execution.thorough:
        return source
    return rewriting_of_text[0](source, site)


rewriting_of_text: list[Callable[[str, int], Any]] = [lambda source, site: source]
"""Rewrites an expression or statements to code; put here by the module that compiles."""

WHOLE_READERS: Final = frozenset(
    "len list tuple set dict frozenset sorted sum min max any all repr str bool bytes reversed".split()  # noqa: SIM905
)
"""Builtins that look at all of their first argument before they return."""
LAZY_READERS: Final = frozenset(["iter", "enumerate", "zip", "map", "filter"])
"""Builtins that go over their arguments later."""

HOOKS: Final[dict[str, Any]] = {
    "attr": attr,
    "set_attr": set_attr,
    "del_attr": del_attr,
    "item": item,
    "set_item": set_item,
    "del_item": del_item,
    "contains": contains,
    "combine": combine,
    "called": called,
    "whole": whole,
    "truth": truth,
    "iterate": iterate,
    "turn": turn,
    "deep": deep,
    "prepared": prepared,
    "announced": announced,
    "bound": bound,
    "bound_alone": bound_alone,
    "source": evaluated_source,
    "method": method,
    "entered": entered,
    "read": read,
    "write": write,
    "cell": Cell,
    "in_place": in_place,
    "slice": builtins.slice,
    "getattr": get_attribute,
    "hasattr": has_attribute,
    "setattr": set_attribute,
    "delattr": delete_attribute,
    "vars": variables,
    "dictionary": dictionary,
    "globals": builtins.globals,
}
"""Hooks by the names that the rewriter uses for them."""
