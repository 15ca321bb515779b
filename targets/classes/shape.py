"""The shape of a value: what can be said of it without the object itself, so that two runs can be compared.

Equal shapes mean equal values where these are plain data, and otherwise the same class with the same attributes.
Objects are numbered in the order in which they are met: that a value is *the same* object as another is part of
the shape, which object it is is not. Addresses in texts are left out.

What it misses: the state of objects that Python code cannot read (of C classes without attributes), of locks but
for whether a plain one is held, of iterators, and all beyond a depth of twelve or two thousand parts. Elements of a
set that cannot be told apart within some of these parts, or by more than one set inside of each, stand as how many they
are.
"""

from __future__ import annotations

import itertools
import re
import threading
import types
import weakref
from collections import OrderedDict, deque
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from semafuzz.harness.kernel.address import address
from semafuzz.harness.kernel.doubles import locks
from semafuzz.targets.classes.values import Function

Shape = tuple[Any, ...]
_PLAIN = frozenset({bool, int, float, str, bytes, complex, type(None)})
_ADDRESS = re.compile(r"0x[0-9a-fA-F]{6,}|(?<=\bid=')[0-9]{9,}(?=')")
"""As ``repr`` writes it, or as ``unittest.mock`` does."""
_NAMED = (types.FunctionType, types.BuiltinFunctionType, type, types.ModuleType)
_DEPTH, _PARTS = 12, 2000
_LEAST_SHARE = 20
"""Parts of each element of a set that are looked at to tell it from the others, at least."""
_HELD = (threading.Thread, threading.local)


class Snapshot(NamedTuple):
    """A value at one moment. ``objects``: those that its shape numbers, in that order."""

    shape: Shape
    objects: tuple[object, ...]


def snapshot(value: object, leaves_out: Collection[str] = ()) -> Snapshot:
    """The value as it is now."""
    shaper = Shaper(leaves_out)
    return Snapshot(shaper.shape(value), tuple(shaper.kept))


def combined(snapshots: Iterable[Snapshot]) -> Shape:
    """Several of them together: which objects of one are also in another is part of it."""
    numbers: dict[int, int] = {}
    return tuple(
        (one.shape, tuple(numbers.setdefault(address(part), len(numbers)) for part in one.objects)) for one in snapshots
    )


class _Untold(NamedTuple):
    """So many elements of a set that cannot be told apart."""

    many: int


class Shaper:
    """Makes shapes in which objects are numbered alike. ``leaves_out``: names of attributes that are not looked
    at. Keeps what it has numbered, so that no address is used twice. ``is_cut``: something was not looked into."""

    def __init__(self, leaves_out: Collection[str] = ()) -> None:
        self._leaves_out = leaves_out
        self._numbers: dict[int, int] = {}
        self.kept: list[object] = []
        self.is_cut = False
        self._is_beside = False
        self._parts = 0

    def shape(self, value: object, depth: int = 0) -> Shape:
        """The shape of a value."""
        kind = type(value)
        if kind in _PLAIN:
            # The clock moves by a little whenever it is read.
            return (kind.__name__, f"{value:.3f}" if kind is float else value)
        self._parts += 1
        if depth > _DEPTH or self._parts > _PARTS:
            self.is_cut = True
            return ("...",)
        if isinstance(value, _Untold):
            self.is_cut = True
            return ("...", value.many)
        known = _without_content(value)
        if known is not None:
            return known
        if isinstance(value, types.MethodType):
            return ("method", value.__name__, self.shape(value.__self__, depth + 1))
        if kind in (list, tuple, deque):
            return (kind.__name__, *(self.shape(one, depth + 1) for one in list(value)))  # type: ignore[call-overload]
        if kind in (set, frozenset):
            return (kind.__name__, *(self.shape(one, depth + 1) for one in self._in_one_order(list(value), depth)))  # type: ignore[call-overload]
        if kind is dict:
            return ("dict", *self._items(value, depth, ordered=False))  # type: ignore[arg-type]
        return self._of_object(value, depth)

    def _items(self, value: Mapping[object, object], depth: int, *, ordered: bool) -> list[Shape]:
        items = list(dict.items(value)) if isinstance(value, dict) else list(value.items())
        if not ordered:
            by_key = {address(key): (key, one) for key, one in items}
            ordered_keys = self._in_one_order([key for key, _ in items], depth)
            items = [(key, None) if isinstance(key, _Untold) else by_key[address(key)] for key in ordered_keys]
        return [(self.shape(key, depth + 1), self.shape(one, depth + 1)) for key, one in items]

    def _of_object(self, value: object, depth: int) -> Shape:
        name = type(value).__qualname__
        if address(value) in self._numbers:
            return ("the same", self._numbers[address(value)])
        number = self._numbers[address(value)] = len(self._numbers)
        self.kept.append(value)
        if isinstance(value, BaseException):
            return ("raised", name, *(self.shape(one, depth + 1) for one in value.args))
        if isinstance(value, weakref.ReferenceType):
            return ("weak", self.shape(value(), depth + 1))
        return (name, number, *self.content(value, depth), *self.attributes(value, depth + 1))

    def content(self, value: object, depth: int = 0) -> list[Shape]:
        """The shapes of what an object holds that is a container."""
        if isinstance(value, dict):
            return self._items(value, depth, ordered=isinstance(value, OrderedDict))
        if isinstance(value, (list, tuple, deque)):
            return [self.shape(one, depth + 1) for one in _parts_of(value)]
        if isinstance(value, (set, frozenset)):
            return [self.shape(one, depth + 1) for one in self._in_one_order(_parts_of(value), depth)]
        return []

    def _in_one_order(self, parts: Sequence[object], depth: int) -> list[object]:
        """The parts of a set in an order that depends on what they are, not on where they are kept. Those that cannot
        be told apart within the bounds stand as how many they are."""
        if len(parts) < 2:
            return list(parts)
        plain = sorted((part for part in parts if type(part) in _PLAIN), key=lambda part: repr(self.shape(part)))
        others = [part for part in parts if type(part) not in _PLAIN]
        if len(others) < 2 or self._is_beside:
            return [*plain, *(others if len(others) < 2 else [_Untold(len(others))])]
        share = max(_LEAST_SHARE, (_PARTS - self._parts) // (2 * len(others)))
        found: dict[str, list[object]] = {}
        cut: set[str] = set()
        for part in others:
            # Looked at as here, and by itself: whichever comes first takes nothing from the others.
            beside = Shaper(self._leaves_out)
            beside._numbers, beside._is_beside = dict(self._numbers), True
            beside._parts = max(self._parts, _PARTS - share)
            told = repr(beside.shape(part, depth + 1))
            found.setdefault(told, []).append(part)
            if beside.is_cut:
                cut.add(told)
        for told, alike in sorted(found.items()):
            plain += [_Untold(len(alike))] if told in cut and len(alike) > 1 else alike
        return plain

    def attributes(self, value: object, depth: int = 0, *, public: bool = False) -> list[tuple[str, Shape]]:
        """The shapes of an object's attributes, with their names. ``public``: of those without an underscore."""
        return [
            (name, self.shape(one, depth))
            for name, one in sorted(_attributes(value))
            if name not in self._leaves_out and not (public and name.startswith("_"))
        ]


def _parts_of(value: Any) -> list[object]:
    """What a container holds, whatever its class makes of iterating over it."""
    kinds: tuple[type, ...] = (list, tuple, deque, set, frozenset)
    kind = next(one for one in kinds if isinstance(value, one))
    return list(vars(kind)["__iter__"](value))


def _attributes(value: object) -> Iterator[tuple[str, object]]:
    held = getattr(value, "__dict__", None)
    if type(held) is dict:
        yield from list(held.items())
    for owner in type(value).__mro__:
        slots = vars(owner).get("__slots__", ())
        for name in (slots,) if isinstance(slots, str) else tuple(slots):
            if name in ("__dict__", "__weakref__"):
                continue
            private = f"_{owner.__name__.lstrip('_')}{name}" if name.startswith("__") else name
            try:
                yield private, object.__getattribute__(value, private)
            except AttributeError:
                continue


def _without_content(value: object) -> Shape | None:
    """The shape of what is not looked into."""
    if isinstance(value, Function):
        return ("function", value.word)
    if isinstance(value, _NAMED):
        return ("named", getattr(value, "__qualname__", getattr(value, "__name__", "")))
    if type(value) is locks.Lock:
        return ("lock", value.owner is not None)
    if isinstance(value, threading.Event):
        return ("Event", vars(value).get("_flag"))
    if isinstance(value, locks.RLock):
        return ("RLock", value.owner is not None, value.count)
    if isinstance(value, threading.Semaphore):
        return (type(value).__name__, vars(value).get("_value"))
    if isinstance(value, itertools.count):
        return ("count", repr(value))
    if isinstance(value, _HELD) or type(value).__module__ in ("threading", "_thread", locks.__name__):
        return (type(value).__name__,)
    if isinstance(value, (types.GeneratorType, types.CodeType)) or (
        hasattr(type(value), "__next__") and not hasattr(value, "__dict__")
    ):
        return (type(value).__name__,)
    return None


def without_addresses(text: str) -> str:
    """A text as it is in every run."""
    return _ADDRESS.sub("0x...", text)
