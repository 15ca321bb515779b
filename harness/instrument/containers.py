"""Methods of builtin containers: those that read, those that write, and at what grain.

``item``: one key or element (the first argument); ``all``: the container as a
whole (its length, order or every element).
"""

from __future__ import annotations

from collections import OrderedDict, defaultdict, deque
from typing import Any

from semafuzz.harness.kernel import event_kinds as op

CONTAINERS = (dict, list, set, deque, bytearray)
"""Mutable builtin containers; subclasses count where they do not override."""

_PLAIN: dict[int, int] = {}
_ORDERED: OrderedDict[int, int] = OrderedDict()
VIEWS = frozenset(type(view) for made in (_PLAIN, _ORDERED) for view in (made.keys(), made.values(), made.items()))

_READ_ALL = (
    "copy keys values items count index union intersection difference symmetric_difference "
    "isdisjoint issubset issuperset"
)
_WRITE_ALL = (
    "clear popitem update append extend insert remove sort reverse appendleft extendleft popleft rotate "
    "intersection_update difference_update symmetric_difference_update pop"
)

_KEYED = {
    "get": op.READ_ITEM,
    "__getitem__": op.READ_ITEM,
    "__contains__": op.READ_ITEM,
    "setdefault": op.WRITE_ITEM,
    "pop": op.WRITE_ITEM,
    "__setitem__": op.WRITE_ITEM,
    "__delitem__": op.WRITE_ITEM,
    "move_to_end": op.WRITE_ITEM,
}
_SET_KEYED = {"add": op.WRITE_ITEM, "discard": op.WRITE_ITEM, "remove": op.WRITE_ITEM, "__contains__": op.READ_ITEM}
_WHOLE = dict.fromkeys(_READ_ALL.split(), op.READ_ALL) | dict.fromkeys(_WRITE_ALL.split(), op.WRITE_ALL)
_WHOLE |= dict.fromkeys(("__len__", "__iter__", "__getitem__", "__contains__"), op.READ_ALL)
_WHOLE |= dict.fromkeys(("__setitem__", "__delitem__", "__iadd__", "__imul__", "__ior__"), op.WRITE_ALL)
REMOVES = frozenset({"pop", "__delitem__"})
"""Methods that take one item away, so that the whole has changed."""

_SIMPLE = frozenset({str, int, bool, bytes, float, type(None)})
ANY_KEY = object()
"""Stands for keys that cannot be compared cheaply and safely (their ``__hash__``
may be code under test): all of them together are one location."""


def method_kind(owner: object, name: str, args: tuple[object, ...]) -> int:
    """The kind of operation of ``owner.name(*args)``, or -1 for none."""
    if args:
        if issubclass(type(owner), dict):
            kind = _KEYED.get(name, -1)
            if kind >= 0:
                return kind
        elif issubclass(type(owner), set):
            kind = _SET_KEYED.get(name, -1)
            if kind >= 0:
                return kind
    return _WHOLE.get(name, -1)


def key_name(key: object) -> object:
    """The name of an item's location."""
    if type(key) in _SIMPLE:
        return key
    if type(key) is tuple and all(type(part) in _SIMPLE for part in key):
        return key
    return ANY_KEY


def item_name(owner: Any, key: object) -> object:
    """The name of an item's location in ``owner``: of a sequence ``a[-1]`` and
    ``a[len(a) - 1]`` are one."""
    if type(key) is int and key < 0 and not issubclass(type(owner), dict):
        return key + _length(owner)
    return key_name(key)


def _length(owner: Any) -> int:
    """The length of a sequence, past an override of ``__len__``."""
    for base in (list, deque, bytearray):
        if issubclass(type(owner), base):
            return base.__len__(owner)
    return len(owner)


def is_plain(key: object) -> bool:
    """Whether a key can be looked for without running code of the program."""
    return key_name(key) is not ANY_KEY


def fills_in(owner: Any, key: object, *, careful: bool = False) -> bool:
    """Whether reading under ``key`` makes an item. ``careful``: no code of the program is run to know; yes in
    doubt."""
    if not issubclass(type(owner), defaultdict) or owner.default_factory is None:
        return False
    if not careful:
        return key not in owner
    return not is_plain(key) or not dict.__contains__(owner, key)


def inserts(owner: Any, key: object, *, careful: bool = False) -> bool:
    """Whether a store under ``key`` changes which keys there are. ``careful``: as above."""
    if not issubclass(type(owner), dict):
        return False
    return (careful and not is_plain(key)) or not dict.__contains__(owner, key)
