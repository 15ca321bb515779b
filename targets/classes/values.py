"""What a class's methods are called with: by their hints, or else by the names of their parameters.

Few values for each parameter, since two that meet matter more than many that do not. What is no plain text
or number stands in programs and traces as a word for it, which nothing evaluates.
"""

from __future__ import annotations

import collections.abc
import copy
import inspect
import types
import typing
import warnings
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from semafuzz.targets.classes.api import Marks
from semafuzz.targets.model.protocol import Plain

_TEXT = frozenset({"name", "key", "k", "topic", "event", "label", "tag", "path", "url", "host", "user", "field", "msg"})
_FUNCTION = frozenset(
    {
        *("fn", "func", "function", "f", "factory", "loader", "compute", "producer", "supplier", "maker", "create"),
        *("callback", "cb", "handler", "listener", "subscriber", "observer", "action", "hook", "predicate"),
    }
)
_SIZE = frozenset(
    {"capacity", "maxsize", "max_size", "size", "limit", "max_items", "maxlen", "bound", "parties", "threshold"}
)


@dataclass(slots=True)
class Choices:
    """The values of one parameter: as programs name them, and what is passed for each name. ``guessed``: nothing
    said that it takes such values."""

    named: tuple[Plain, ...]
    made: dict[str, Callable[[], object]] = field(default_factory=dict)
    guessed: bool = False

    def value(self, chosen: Plain) -> object:
        """What is passed."""
        return self.made[chosen]() if isinstance(chosen, str) and chosen in self.made else chosen


class Argument:
    """Something that a factory made; two of them are told apart by which they are."""

    def __repr__(self) -> str:
        return "something new"


class Function:
    """A function to pass: takes anything, and gives something new each time. The same for equal words."""

    def __init__(self, word: str) -> None:
        self.word = word

    def __call__(self, *args: object, **named: object) -> Argument:
        """Something new."""
        return Argument()

    def __repr__(self) -> str:
        return self.word

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Function) and self.word == other.word

    def __hash__(self) -> int:
        return hash(self.word)


def choices(parameter: inspect.Parameter, hint: object, marks: Marks, *, constructor: bool = False) -> Choices:
    """The values that a parameter is given. ``hint``: its type, or None where nothing says."""
    if parameter.name in marks.values:
        return _named([*marks.values[parameter.name]], parameter.name)
    name = parameter.name.lower().strip("_")
    if hint is None and type(parameter.default) in (int, float, str, bool):
        hint = type(parameter.default)
    if constructor and type(parameter.default) is int and parameter.default > 2:
        return Choices((2, 1, parameter.default))
    if constructor and (name in _SIZE or name.startswith("max_")):
        return Choices((2, 1))
    found = _by_hint(hint, parameter.name) if hint is not None else None
    return found if found is not None else _by_name(name)


def _by_name(name: str) -> Choices:
    last = name.rpartition("_")[2]
    if name in _FUNCTION or last in _FUNCTION:
        return _functions()
    if name in _TEXT or last in _TEXT:
        return Choices(("a", "b"))
    if name.startswith(("is_", "has_", "enable", "allow")) or name in ("block", "blocking", "force", "strict"):
        return Choices((True, False))
    return Choices((1, 2), guessed=True)


def other_kinds(name: str) -> list[Choices]:
    """What else a parameter of this name may take: texts, functions, lists, dictionaries."""
    return [Choices(("a", "b")), _functions(), _named([[1], [2, 1]], name), _named([{"a": 1}, {"a": 2, "b": 1}], name)]


def _functions() -> Choices:
    words = ("a function", "another function")
    return Choices(words, {word: partial(Function, word) for word in words})


def _by_hint(hint: object, name: str) -> Choices | None:
    origin, inner = typing.get_origin(hint), typing.get_args(hint)
    if origin in (typing.Union, types.UnionType):
        return next((_by_hint(one, name) for one in inner if one is not type(None)), None)
    if origin is typing.Annotated:
        return _by_hint(inner[0], name)
    if origin is typing.Literal:
        return _named(list(inner)[:3], name)
    if hint is bool:
        return Choices((True, False))
    if hint in (int, float, complex):
        return Choices((1, 2))
    if hint is str:
        return Choices(("a", "b"))
    if hint in (Any, object) or isinstance(hint, (typing.TypeVar, str)):
        return None
    if hint is collections.abc.Callable or origin is collections.abc.Callable or hint is typing.Callable:
        return _functions()
    drawn = _drawn(hint)
    return _named(drawn, name) if drawn else None


def _named(values: Sequence[object], name: str) -> Choices:
    """Plain values as they are, and a word for each other one."""
    named: list[Plain] = []
    made: dict[str, Callable[[], object]] = {}
    for number, value in enumerate(values, 1):
        if value is None or type(value) in (int, bool) or (type(value) is str and len(value) < 100):
            named.append(value)  # type: ignore[arg-type]
        else:
            word = f"{name} {number}"
            named.append(word)
            made[word] = _copier(value)
    return Choices(tuple(dict.fromkeys(named)), made)


def _copier(value: object) -> Callable[[], object]:
    def make() -> object:
        try:
            return copy.deepcopy(value)
        except Exception:
            # A lock, a connection: all worlds share it.
            return value

    return make


def _drawn(hint: object) -> list[object]:
    """Two simple values of a type, as Hypothesis makes them; none where it cannot."""
    # Fetched here: most classes need it for none of their parameters.
    from hypothesis import HealthCheck, Phase, given, settings
    from hypothesis import strategies as st

    found: list[object] = []

    @settings(
        max_examples=20,
        derandomize=True,
        database=None,
        deadline=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(st.from_type(typing.cast("type[object]", hint)))
    def draw(value: object) -> None:
        if len(found) < 2 and not any(_alike(value, one) for one in found):
            found.append(value)

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            draw()
        except Exception:
            return []
    return found


def _alike(one: object, other: object) -> bool:
    try:
        return bool(one == other)
    except Exception:
        return one is other


def hints_of(function: Callable[..., object]) -> Mapping[str, object]:
    """The types of the parameters, as far as they can be told."""
    try:
        return typing.get_type_hints(function, include_extras=True)
    except Exception:
        return {
            name: hint for name, hint in getattr(function, "__annotations__", {}).items() if not isinstance(hint, str)
        }
