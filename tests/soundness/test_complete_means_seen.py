"""A search that did not see an access must not call itself complete.

In each program a reader looks twice and a writer changes something once: where
no switch is possible between the two looks, the defect is missed and the answer
"complete" is false. Those that are missed are marked; the list should shrink.
"""

from __future__ import annotations

import operator
import threading
from collections import deque
from collections.abc import Callable
from typing import Any

import pytest

from semafuzz import explore


class Box:
    a = 0


def apart(first: Callable[[], object], second: Callable[[], object], write: Callable[[], object]) -> None:
    """Fails where ``write`` came between the two looks."""

    def look() -> None:
        before = first()
        after = second()
        assert before == after

    threads = [threading.Thread(target=look), threading.Thread(target=write)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


def whole_vars() -> None:
    box = Box()

    def write() -> None:
        box.z = 1  # type: ignore[attr-defined]

    apart(lambda: len(vars(box)), lambda: len(vars(box)), write)


def equality() -> None:
    made: list[int] = []
    apart(lambda: made == [1], lambda: made == [1], lambda: made.append(1))


def concatenation() -> None:
    made: list[int] = []
    apart(lambda: made + [2], lambda: made + [2], lambda: made.append(1))  # noqa: RUF005


def starred() -> None:
    made: list[int] = []
    apart(lambda: [*made], lambda: [*made], lambda: made.append(1))


def starred_call() -> None:
    made: list[int] = []

    def arguments(*values: int) -> tuple[int, ...]:
        return values

    apart(lambda: arguments(*made), lambda: arguments(*made), lambda: made.append(1))


def unpacking() -> None:
    made = [0]

    def look() -> int:
        (value,) = made
        return value

    def write() -> None:
        made[0] = 1

    apart(look, look, write)


def joining() -> None:
    made: list[str] = []
    apart(lambda: "".join(made), lambda: "".join(made), lambda: made.append("a"))


def extending() -> None:
    made: list[int] = []

    def look() -> list[int]:
        copy: list[int] = []
        copy.extend(made)
        return copy

    apart(look, look, lambda: made.append(1))


def formatting() -> None:
    made: list[int] = []
    apart(lambda: f"{made}", lambda: f"{made}", lambda: made.append(1))


def matching() -> None:
    box = Box()

    def look() -> object:
        match box:
            case Box(a=value):
                return value
        return None

    def write() -> None:
        box.a = 1

    apart(look, look, write)


def attribute_of_a_function() -> None:
    def function() -> None: ...

    function.n = 0  # type: ignore[attr-defined]

    def write() -> None:
        function.n = 1  # type: ignore[attr-defined]

    apart(lambda: function.n, lambda: function.n, write)  # type: ignore[attr-defined]


def dunder_call() -> None:
    made: dict[str, int] = {}
    apart(lambda: len(made), lambda: len(made), lambda: made.__setitem__("a", 1))


def operator_module() -> None:
    made: dict[str, int] = {}
    apart(lambda: len(made), lambda: len(made), lambda: operator.setitem(made, "a", 1))


def key_object() -> None:
    key = Box()
    made = {key: 0}

    def write() -> None:
        made[key] = 1

    apart(lambda: made[key], lambda: made.get(key), write)


def index_from_the_end() -> None:
    made = [0, 0]

    def write() -> None:
        made[1] = 1

    apart(lambda: made[-1], lambda: made[1], write)


def slices() -> None:
    made = [0, 0]

    def write() -> None:
        made[1] = 1

    apart(lambda: made[0:], lambda: made[:2], write)


def deque_as_list() -> None:
    made: deque[int] = deque()
    apart(lambda: list(made), lambda: list(made), lambda: made.append(1))


def class_attribute() -> None:
    class Own:
        n = 0

    def write() -> None:
        Own.n = 1

    apart(lambda: Own.n, lambda: Own.n, write)


def class_attribute_through_an_instance() -> None:
    class Own:
        n = 0

    own = Own()

    def write() -> None:
        Own.n = 1

    apart(lambda: own.n, lambda: own.n, write)


def kept_method() -> None:
    made: list[int] = []
    kept: Any = made.append
    apart(lambda: len(made), lambda: len(made), lambda: kept(1))


SEEN = [
    key_object, index_from_the_end, slices, deque_as_list, class_attribute, class_attribute_through_an_instance,
    kept_method, whole_vars, equality, concatenation, starred, starred_call, unpacking, joining, extending, formatting,
    attribute_of_a_function, dunder_call, operator_module, matching,
]  # fmt: skip


@pytest.mark.parametrize("program", SEEN)
def test_change_between_two_looks_is_found(program: Callable[[], object]) -> None:
    assert explore(program, scheduler="exhaustive", schedules=5000).verdict == "found"
