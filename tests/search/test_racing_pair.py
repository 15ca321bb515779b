"""The pair that is named is the pair that races."""

from __future__ import annotations

import sys
import threading
from collections.abc import Callable
from pathlib import Path

import pytest

from semafuzz import TaskProgram, explore

THIS = sys.modules[__name__]


class Box:
    def __init__(self) -> None:
        self.value = 0
        self.items: dict[str, int] = {}
        self.flag = False

    def increase(self) -> None:
        seen = self.value
        self.value = seen + 1  # stores

    def fill(self) -> None:
        if "k" not in self.items:
            self.items["k"] = self.items.get("n", 0) + 1
            self.items["n"] = self.items["k"]

    def raise_flag(self) -> None:
        self.flag = True

    def need_flag(self) -> None:
        if not self.flag:
            raise LookupError


def increased(box: Box) -> None:
    assert box.value == 2


def filled(box: Box) -> None:
    assert box.items["k"] == 1


def nothing(box: Box) -> None:
    return None


@pytest.mark.parametrize(
    ("tasks", "check", "function"),
    [
        ([Box.increase, Box.increase], increased, "Box.increase"),
        ([Box.fill, Box.fill], filled, "Box.fill"),
        ([Box.raise_flag, Box.need_flag], nothing, "Box.need_flag"),
    ],
)
def test_places_are_those_of_the_defect(
    tasks: list[Callable[[Box], None]], check: Callable[[Box], None], function: str
) -> None:
    program = TaskProgram(Box, tasks, check, under_test=[THIS])
    found = explore(program, scheduler="random", schedules=3000).failures[0]
    assert any(function in place for place in found.places[:2])
    assert all("test_racing_pair" in place for place in found.places)


def test_a_failure_of_one_task_alone_has_no_pair() -> None:
    def fail(box: Box) -> None:
        raise LookupError

    program = TaskProgram(Box, [fail], under_test=[THIS])
    found = explore(program, schedules=5).failures[0]
    assert len(found.places) == 1


class Claims:
    def __init__(self) -> None:
        self.claims: dict[str, int] = {}
        self.held = True

    def claim(self) -> None:
        self.claims["mine"] = 1  # claimed
        self.held = "mine" in self.claims  # looked at

    def clean(self) -> None:
        self.claims["other"] = 1
        self.claims.pop("mine", None)  # freed


def line_of(words: str) -> int:
    lines = Path(__file__).read_text().splitlines()
    return next(number for number, line in enumerate(lines, 1) if line.endswith(words))


def test_an_element_that_another_takes_away_is_the_cause_rather_than_one_that_is_added() -> None:
    def check(made: Claims) -> None:
        assert made.held

    program = TaskProgram(Claims, [Claims.claim, Claims.clean], check, under_test=[THIS])
    found = explore(program, scheduler="random", schedules=3000).failures[0]
    lines = [int(place.split(":")[1].split()[0]) for place in found.places]
    assert lines[0] in (line_of("# claimed"), line_of("# looked at"))
    assert lines[1] == line_of("# freed")


class Guarded:
    """An event that is asked for and set, and a count that is lost; only the count is the program's own."""

    def __init__(self) -> None:
        self.count = 0
        self.busy = threading.Event()

    def work(self) -> None:
        seen = self.count
        self.busy.is_set()
        self.count = seen + 1
        self.busy.set()


def test_the_standard_library_stands_for_the_cause_only_where_the_program_has_no_pair() -> None:
    def check(made: Guarded) -> None:
        assert made.count == 2

    program = TaskProgram(Guarded, [Guarded.work, Guarded.work], check, under_test=[THIS])
    for seed in range(5):
        found = explore(program, scheduler="random", schedules=3000, seed=seed).failures[0]
        assert "Guarded.work" in found.places[0]


class Cleared:
    def __init__(self) -> None:
        self.items = {"x": 1}
        self.seen: object = None

    def read(self) -> None:
        if "x" in self.items:
            self.seen = self.items["x"]

    def clear(self) -> None:
        self.items.clear()  # all of them
        self.items["y"] = 2


def test_who_changes_the_whole_container_is_named_rather_than_who_then_adds_to_it() -> None:
    program = TaskProgram(Cleared, [Cleared.read, Cleared.clear], lambda made: None, under_test=[THIS])
    found = next(
        one for one in explore(program, scheduler="random", schedules=3000).failures if "KeyError" in one.message
    )
    assert f":{line_of('# all of them')} " in found.places[1]
