"""What a location holds is told without running a line of the program."""

from __future__ import annotations

from collections import OrderedDict, deque
from types import ModuleType

import pytest

from semafuzz.harness.kernel import event_kinds as op
from semafuzz.harness.kernel.task import Task
from semafuzz.reports.run_view.stored_values import LONGEST, describe_value, peek


class Explosive:
    """Everything that could be called says so."""

    slotted = 1

    def __repr__(self) -> str:
        raise AssertionError("__repr__ was called")

    __str__ = __repr__

    def __getattr__(self, name: str) -> object:
        raise AssertionError("__getattr__ was called")

    @property
    def asked(self) -> object:
        raise AssertionError("a property was called")

    def __eq__(self, other: object) -> bool:
        raise AssertionError("__eq__ was called")

    def __hash__(self) -> int:
        raise AssertionError("__hash__ was called")

    def __len__(self) -> int:
        raise AssertionError("__len__ was called")


class Slots:
    __slots__ = ("empty", "full")

    def __init__(self) -> None:
        self.full = 3


class Text(str):
    """Not one of Python's own."""


def event(kind: int, subject: object, name: object) -> tuple[int, Task, object, object, int]:
    return kind, Task(0, "t", lambda: None), subject, name, 1


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (3, "3"),
        (None, "None"),
        ("a'b", '"a\'b"'),
        (b"x", "b'x'"),
        ([1, [2, [3, [4]]]], "[1, [2, <list>]]"),
        ({3, 1}, "{1, 3}"),
        ((1,), "(1)"),
        (deque([1, 2, 3, 4, 5, 6]), "[1, 2, 3, 4, 2 more]"),
        (OrderedDict(a=1), "{'a': 1}"),
        (Explosive, "class Explosive"),
        (Text("x"), "<Text>"),
        (10**300, "a large int"),
    ],
)
def test_a_value_in_short(value: object, text: str) -> None:
    assert describe_value(value) == text


def test_nothing_of_the_program_is_called() -> None:
    assert describe_value(Explosive()) == "<Explosive>"
    assert describe_value({"a": 1, "b": Explosive()}) == "{'a': 1, 'b': <Explosive>}"
    assert describe_value([Explosive()]) == "[<Explosive>]"


def test_a_long_value_is_cut() -> None:
    assert len(describe_value("x" * 10_000)) == LONGEST
    assert len(describe_value([["x" * 100] * 9] * 9)) == LONGEST


def test_an_attribute() -> None:
    owner = Explosive()
    assert peek(event(op.READ, owner, "missing")) == "nothing"
    owner.__dict__["here"] = [1]
    assert peek(event(op.WRITE, owner, "here")) == "[1]"
    assert peek(event(op.READ, owner, "asked")) == "", "a property is not asked"
    assert peek(event(op.READ, Slots(), "full")) == "3"
    assert peek(event(op.READ, Slots(), "empty")) == "nothing"
    module = ModuleType("m")
    module.__dict__["n"] = 5
    assert peek(event(op.READ, module.__dict__, "n")) == "5"


def test_what_stands_behind_a_property() -> None:
    owner = Explosive()
    for name in ("_asked", "_obj_asked", "_Explosive__asked"):
        owner.__dict__.clear()
        owner.__dict__[name] = 7
        assert peek(event(op.READ, owner, "asked")) == "7", name


def test_an_item() -> None:
    assert peek(event(op.READ_ITEM, {"a": 1}, "a")) == "1"
    assert peek(event(op.READ_ITEM, {"a": 1}, "b")) == "nothing"
    assert peek(event(op.READ_ITEM, {}, Explosive())) == "", "a key of the program is not hashed"
    assert peek(event(op.WRITE_ITEM, [7, 8], 1)) == "8"
    assert peek(event(op.WRITE_ITEM, [7], 1)) == "nothing"
    assert peek(event(op.READ_ITEM, {1, 2}, 2)) == "2"
    assert peek(event(op.READ_ALL, [1, 2], None)) == "[1, 2]"
    assert peek(event(op.READ_ALL, Explosive(), None)) == ""
