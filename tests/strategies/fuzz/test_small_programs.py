"""Each kind of small programs has its share, and each pair its turn."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from semafuzz.harness.schedulers.protocol import Scheduler
from semafuzz.harness.traces.schema import Operation, Operations
from semafuzz.strategies.fuzz.small_programs import FIRST_TURN, FOR_ONE_TASK, SmallPrograms
from semafuzz.targets.model.scenario import Scenario


def named(kind: str, number: int, tasks: int = 1) -> Scenario:
    return Scenario(Operations((), ((Operation(f"{kind}{number}"),),) * tasks))


class Scope:
    """So many programs of each kind."""

    def essentials(self) -> Iterator[Scenario]:
        return (named("e", number) for number in range(4))

    def singles(self) -> Iterator[Scenario]:
        return (named("s", number) for number in range(100))

    def pairs(self, share: tuple[int, int]) -> Iterator[tuple[int, Scenario]]:
        mine = [number for number in range(6) if number % share[1] == share[0]]
        return ((time, named(f"p{time}-", number, 2)) for time in range(3) for number in mine)

    def count_pairs(self, share: tuple[int, int]) -> int:
        return len(range(share[0], 6, share[1]))

    def plainer(self, scenario: Scenario) -> Scenario | None:
        (first, *_), *_ = scenario.content.tasks
        return None if first.name.endswith("plain") else named(f"{first.name}-plain", 0, 2)

    def failing_pairs(self) -> Iterator[Scenario]:
        return (named("f", number, 2) for number in range(3))


class Tried:
    """Stands for what is tried of a pair: so many executions there are."""

    def __init__(self, there_are: int, met: bool = True) -> None:
        self.left, self.met, self.done, self.executions, self.allowed = there_are, met, False, 0, 0


def searched(there_are: int, share: tuple[int, int] = (0, 1), met: bool = True) -> tuple[SmallPrograms, list[str]]:
    log: list[str] = []
    scope: Any = Scope()
    made = SmallPrograms(scope, share, lambda: Tried(there_are, met))  # type: ignore[arg-type,return-value]

    def explore(scenario: Scenario, scheduler: Scheduler, most: int) -> int:
        name = scenario.content.tasks[0][0].name
        if not isinstance(scheduler, Tried):
            log.append(name)
            return 1
        tried: Any = scheduler
        made_now = min(tried.allowed, tried.left)
        tried.left -= made_now
        tried.executions += made_now
        tried.done = tried.left == 0 and made_now < tried.allowed
        log.append(f"{name}:{made_now}")
        return made_now

    while made.step(explore):
        pass
    return made, log


def test_essentials_come_first_and_pairs_before_most_of_what_is_of_one_task() -> None:
    made, log = searched(5)
    assert log[:4] == ["e0", "e1", "e2", "e3"]
    pairs = [place for place, name in enumerate(log) if name.startswith("p0")]
    before = [name for name in log[4 : pairs[-1]] if name.startswith("s")]
    assert len(before) <= FOR_ONE_TASK * 6 * 5 + 1
    assert made.had_their_turn
    assert (made.begun, made.swept, made.apart) == (6, 6, 0)
    assert sum(name.startswith("s") for name in log) == 100, "what is left comes at the end"


def test_a_pair_that_is_cut_goes_on_once_all_had_their_turn_with_twice_as_many() -> None:
    made, log = searched(2 * FIRST_TURN)
    first = [name for name in log if name.startswith("p0-0")]
    assert first == [f"p0-0:{FIRST_TURN}", f"p0-0:{FIRST_TURN}"], "what it had left is less than it might have"
    turns = [name for name in log if name[0] == "p" or name[0] == "f"]
    assert [name.partition(":")[0] for name in turns[:6]] == [f"p0-{number}" for number in range(6)]
    assert {name[:2] for name in turns[6:9]} == {"p0", "p1", "f0"}, "unfinished, described otherwise, with a fault"
    assert made.swept == 6


def test_what_does_not_meet_is_counted_and_what_was_not_begun() -> None:
    made, _ = searched(2, met=False)
    assert set(made.told().values()) == {6}
    assert (made.swept, made.apart) == (6, 6)
    scope: Any = Scope()
    cut = SmallPrograms(scope, (0, 1), lambda: Tried(2))  # type: ignore[arg-type,return-value]
    assert list(cut.told().values()) == [6]


def test_a_pair_that_cannot_start_is_not_tried_for_ever() -> None:
    scope: Any = Scope()
    made = SmallPrograms(scope, (0, 1), lambda: Tried(9))  # type: ignore[arg-type,return-value]
    asked: list[str] = []

    def explore(scenario: Scenario, scheduler: Scheduler, most: int) -> int:
        asked.append(scenario.content.tasks[0][0].name)
        return 0 if len(scenario.content.tasks) > 1 else 1

    while made.step(explore):
        assert len(asked) < 1000
    assert (made.begun, made.swept) == (0, 0)
    assert len(asked) == len(set(asked))


def test_a_pair_that_cannot_start_on_rich_instances_has_its_turn_on_plain_ones() -> None:
    scope: Any = Scope()
    made = SmallPrograms(scope, (0, 1), lambda: Tried(9))  # type: ignore[arg-type,return-value]
    asked: list[str] = []

    def explore(scenario: Scenario, scheduler: Scheduler, most: int) -> int:
        asked.append(scenario.content.tasks[0][0].name)
        return int(len(scenario.content.tasks) == 1 or "plain" in asked[-1])

    for _ in range(200):
        made.step(explore)
    assert made.begun == 6
    assert "p0-0-plain0" in asked
    assert not any("plain" in name for name in asked if name.startswith("p1"))


def test_shares_are_disjoint_and_together_all() -> None:
    logs = [searched(5, (number, 2))[1] for number in range(2)]
    assert not set(logs[0]) & set(logs[1])
    assert set(logs[0]) | set(logs[1]) == set(searched(5)[1])
