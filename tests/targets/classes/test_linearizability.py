"""The search for a serial order: histories written by hand, that have one and that have none."""

from __future__ import annotations

import itertools
import threading
from collections import OrderedDict
from collections.abc import Sequence
from typing import Any

import pytest

from semafuzz.harness.runs.session import controlled_session
from semafuzz.harness.traces.schema import Operation
from semafuzz.targets.classes.calls import Call, Raised, came_to
from semafuzz.targets.classes.linearizability import SerialOrders, difference, explains, explains_results
from semafuzz.targets.classes.methods import constructor_of, methods_of
from semafuzz.targets.classes.shape import Shape, Shaper, combined, snapshot
from semafuzz.targets.classes.specification import Subject

THIS = object()
"""Stands for the instance."""


class Register:
    """One value, and a way to wait for it."""

    def __init__(self) -> None:
        self.value = 0
        self._set = threading.Event()

    def write(self, value: int) -> None:
        self.value = value
        self._set.set()

    def read(self) -> int:
        return self.value

    def wait(self) -> int:
        self._set.wait()
        return self.value


def orders_of(kind: type, *calls: tuple[int, Operation]) -> SerialOrders:
    methods = {one.name: one for one in methods_of(kind)}
    return SerialOrders(Subject(lambda: kind, constructor_of(kind), methods), (), calls)


def write(value: int) -> Operation:
    return Operation("write", {"value": value})


READ, WAIT = Operation("read"), Operation("wait")
Times = tuple[int, int | None]


def judged(calls: list[tuple[Operation, Times, object]], final: int | None = None) -> bool:
    """Whether a serial order explains calls, each in a task of its own, with the value at the end (that of the
    serial run, where none is given)."""
    orders = orders_of(Register, *((task, operation) for task, (operation, _, _) in enumerate(calls)))
    made = [
        Call(number, number, operation, begun, ended, None if ended is None else came_to(result, THIS))
        for number, (operation, (begun, ended), result) in enumerate(calls)
    ]
    with controlled_session():
        if any(call.ended is None for call in made):
            return explains_results(orders, made)
        values = [final] if final is not None else [0, 1, 2]
        for value in values:
            world = orders.subject.world(())
            world.instance.value = value
            if value:
                world.instance._set.set()
            if explains(orders, made, orders.subject.final([call.came_to for call in made], world)):
                return True
        return False


def test_a_read_may_come_before_or_after_a_write_that_overlaps() -> None:
    assert judged([(write(1), (0, 3), None), (READ, (1, 2), 0)])
    assert judged([(write(1), (0, 3), None), (READ, (1, 2), 1)])
    assert not judged([(write(1), (0, 3), None), (READ, (1, 2), 2)])


def test_real_time_counts() -> None:
    assert judged([(write(1), (0, 1), None), (READ, (2, 3), 1)])
    assert not judged([(write(1), (0, 1), None), (READ, (2, 3), 0)])


def test_two_readers_may_not_disagree_about_the_order() -> None:
    both = [(write(1), (0, 9), None), (write(2), (1, 8), None)]
    assert judged([*both, (READ, (2, 3), 1), (READ, (4, 5), 2)])
    assert not judged([*both, (READ, (2, 3), 1), (READ, (4, 5), 0)])


def test_the_state_at_the_end_counts() -> None:
    both = [(write(1), (0, 3), None), (write(2), (1, 2), None)]
    assert judged(list(both), final=1)
    assert judged(list(both), final=2)
    assert not judged(list(both), final=0)
    assert not judged([(write(1), (0, 1), None), (write(2), (2, 3), None)], final=1)


def test_waiting_for_ever_is_right_where_a_serial_run_waits() -> None:
    assert judged([(READ, (0, 1), 0), (WAIT, (2, None), None)])
    assert not judged([(write(1), (0, 1), None), (WAIT, (2, None), None)])


def test_an_exception_that_no_order_raises_is_told_from_other_results() -> None:
    orders = orders_of(Register, (0, write(1)), (1, READ))
    made = [
        Call(0, 0, write(1), 0, 3, came_to(None, THIS)),
        Call(1, 1, READ, 1, 2, came_to(Raised(KeyError("value")), THIS)),
    ]
    with controlled_session():
        assert difference(orders, made) == "raises KeyError"
        made[1].came_to = came_to(7, THIS)
        assert difference(orders, made) == "results"
        made[1].came_to = came_to(1, THIS)
        assert difference(orders, made) == "state"


def test_who_waits_may_be_woken_by_a_later_call() -> None:
    assert judged([(WAIT, (0, 3), 1), (write(1), (1, 2), None)])
    assert not judged([(WAIT, (0, 3), 0), (write(1), (1, 2), None)])


def test_a_result_is_what_it_was_when_the_call_ended() -> None:
    kept: list[int] = []
    result = came_to(kept, THIS)
    kept.append(1)
    assert result.value != came_to(kept, THIS).value
    thing = Thing()
    assert combined([snapshot(thing), snapshot([thing])]) != combined([snapshot(thing), snapshot([Thing()])])


class Thing:
    __slots__ = ("part",)

    def __init__(self, part: object = None) -> None:
        self.part = part


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ([1, 2], [2, 1]),
        (1, True),
        (1, 1.0),
        (OrderedDict(a=1, b=2), OrderedDict(b=2, a=1)),
        (Thing(1), Thing(2)),
        ({1: Thing()}, {1: None}),
        (ValueError("a"), ValueError("b")),
        (ValueError("a"), KeyError("a")),
    ],
)
def test_other_values_have_other_shapes(one: object, other: object) -> None:
    assert Shaper().shape(one) != Shaper().shape(other)


@pytest.mark.parametrize(
    "make",
    [
        lambda: {"a": 1, "b": [2, {3}]},
        lambda: Thing(Thing(threading.Lock())),
        lambda: ValueError("a"),
        lambda: (object(), object()),
        lambda: iter([1]),
    ],
)
def test_equal_values_have_equal_shapes(make: Any) -> None:
    assert Shaper().shape(make()) == Shaper().shape(make())


def test_the_same_object_twice_is_told_from_two() -> None:
    thing = Thing()
    assert Shaper().shape([thing, thing]) != Shaper().shape([thing, Thing()])


@pytest.mark.parametrize("hold", [lambda parts: set(parts), lambda parts: dict.fromkeys(parts, 1)])
def test_a_circle_through_what_has_no_order_comes_to_an_end(hold: Any) -> None:
    def knot() -> list[Thing]:
        things = [Thing() for _ in range(3)]
        for number, thing in enumerate(things):
            thing.part = number, hold(things)
        return things

    assert Shaper().shape(knot()) == Shaper().shape(knot())


def test_many_that_hold_one_another_are_described_in_few_steps(monkeypatch: pytest.MonkeyPatch) -> None:
    users, rooms = [Thing() for _ in range(12)], [Thing() for _ in range(12)]
    for user in users:
        user.part = set(rooms)
    for room in rooms:
        room.part = set(users)
    steps, whole = itertools.count(), Shaper.shape

    def counted(shaper: Shaper, value: object, depth: int = 0) -> Shape:
        next(steps)
        return whole(shaper, value, depth)

    monkeypatch.setattr(Shaper, "shape", counted)
    counted(Shaper(), users)
    assert next(steps) < 50_000


def test_what_cannot_be_told_apart_within_bounds_has_no_order_by_chance() -> None:
    def many(numbers: Sequence[int]) -> dict[Thing, int]:
        # A dictionary goes over its keys as they came, whatever their addresses are.
        return {Thing([*([] for _ in range(30)), [number]]): 1 for number in numbers}

    assert Shaper().shape(many(range(60))) == Shaper().shape(many(range(59, -1, -1)))


def test_elements_of_a_set_are_told_apart_by_what_is_in_them() -> None:
    shapes = {Shaper().shape({Thing({Thing(one)}), Thing({Thing(other)})}) for one, other in ((1, 2), (2, 1))}
    assert len(shapes) == 1
    assert Shaper().shape({Thing({Thing(1)}), Thing({Thing(3)})}) not in shapes


def test_a_circle_comes_to_an_end() -> None:
    thing = Thing()
    thing.part = [thing]
    assert Shaper().shape(thing) == Shaper().shape(thing)
