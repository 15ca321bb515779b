"""Methods of builtin containers and functions in C, announced when they are called."""

from __future__ import annotations

from typing import Any, Final

from semafuzz.harness.instrument.attribute_kinds import dictionaries
from semafuzz.harness.instrument.calls import container_access
from semafuzz.harness.instrument.coarse import touch_one, touch_reached
from semafuzz.harness.instrument.containers import CONTAINERS, REMOVES, inserts, item_name, method_kind
from semafuzz.harness.instrument.items import source_of
from semafuzz.harness.instrument.operators import CHANGING
from semafuzz.harness.kernel import current
from semafuzz.harness.kernel.address import address
from semafuzz.harness.kernel.event_kinds import READ, READ_ALL, READ_ITEM, WRITE, WRITE_ALL, WRITE_ITEM


class ContainerCall:
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
            touch_container(execution, self._owner, self._name, args, kwargs, self._site)
        return self._method(*args, **kwargs)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._method, name)

    def __eq__(self, other: object) -> bool:
        return bool(self._method == (other._method if isinstance(other, ContainerCall) else other))

    def __hash__(self) -> int:
        return hash(self._method)


ContainerCall.__name__ = ContainerCall.__qualname__ = "_ContainerCall"
# Traces of earlier versions call it so.


def touch_container(
    execution: Any, owner: Any, name: str, args: tuple[Any, ...], kwargs: dict[str, Any], site: int
) -> None:
    """A method of a builtin container."""
    kind = method_kind(owner, name, args)
    if address(owner) in dictionaries and kind >= 0:
        _touch_attributes(execution, kind, owner, name, args, kwargs, site)
    elif kind >= READ_ALL:
        if args and not execution.thorough:
            touch_arguments(execution, args, False, site)
        elif args:
            touch_reached(execution, args, False, site, deep=name in _DEEP_METHODS)
        execution.touch(kind, owner, None, site)
    elif kind >= 0:
        execution.touch(kind, owner, item_name(owner, args[0]), site)
        removes = issubclass(type(owner), set) or name in REMOVES
        if kind == WRITE_ITEM and (removes or inserts(owner, args[0], careful=execution.thorough)):
            execution.note(WRITE_ALL, owner, None, site)
    elif execution.thorough and name not in _NOT_OF_THE_CONTENT:
        touch_one(execution, owner, name not in _LOOKING_METHODS, site)


_DEEP_METHODS: Final = frozenset(
    {"__eq__", "__ne__", "__lt__", "__le__", "__gt__", "__ge__", "index", "count", "remove"}
)
_NOT_OF_THE_CONTENT: Final = frozenset({"__init_subclass__", "__class__", "__sizeof__", "fromkeys", "__new__"})
_LOOKING_METHODS: Final = frozenset(
    "__eq__ __ne__ __lt__ __le__ __gt__ __ge__ __repr__ __str__ __format__ __or__ __and__ __sub__ __xor__ __add__ "  # noqa: SIM905
    "__mul__ __reversed__ __reduce_ex__ __reduce__ __copy__ find decode hex startswith endswith most_common".split()
)
container_access.append(touch_container)


def _touch_attributes(
    execution: Any, kind: int, owner: Any, name: str, args: tuple[Any, ...], kwargs: dict[str, Any], site: int
) -> None:
    """A method of an instance's dictionary: an access to attributes."""
    instance = dictionaries[address(owner)][1]
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


class LibraryCall:
    """A function in C, announced when it is called: it looks at all of the
    containers among its arguments, or changes the first of them."""

    __slots__ = ("_function", "_site")

    def __init__(self, function: Any, site: int) -> None:
        self._function = function
        self._site = site

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        execution = current.execution
        if execution is not None:
            touch_arguments(execution, args, self._function.__name__ in CHANGING, self._site)
        return self._function(*args, **kwargs)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._function, name)


def touch_arguments(execution: Any, args: tuple[Any, ...], changes: bool, site: int) -> None:
    """Announce a look at the containers among the arguments, or a change of the first of them."""
    for given in args:
        source = source_of(given)
        if issubclass(type(source), CONTAINERS):
            execution.touch(WRITE_ALL if changes else READ_ALL, source, None, site)
        changes = False
