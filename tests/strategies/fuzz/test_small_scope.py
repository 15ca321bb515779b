"""The small programs: all of them, legal, each once."""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from semafuzz.strategies.fuzz.small_scope import FIRSTS_PER_REPEAT, TIMES, SmallScope
from semafuzz.targets.model.legality import is_legal
from semafuzz.targets.model.protocol import FaultInfo, OperationInfo, Plain
from semafuzz.targets.model.scenario import Scenario, describe
from semafuzz.targets.model.scenario_order import key_of

TABLE = (
    OperationInfo("make", True, "new", "made", weight=1),
    OperationInfo("look", True, "made", "made", shared=True, weight=1),
    OperationInfo("drop", True, "made", "gone", weight=1),
    OperationInfo("audit", weight=1, arguments={"full": (False, True)}),
)
CALLS: dict[str, list[str]] = {
    "make": ["disk read", "disk write", "net send"],
    "look": ["disk read"],
    "drop": [],
    "audit": ["net send"],
    **{f"light{number}": [] for number in range(9)},
    "heavy": [],
}


@dataclass
class Small:
    """As much of a target as is asked."""

    table: Sequence[OperationInfo] = TABLE
    described: Mapping[str, Sequence[Plain]] = field(default_factory=lambda: {"size": (1, 2)})

    def operations(self) -> Sequence[OperationInfo]:
        return self.table

    def roles(self) -> Sequence[str]:
        return ("new", "made") if self.described else ()

    def setup_arguments(self) -> Mapping[str, Sequence[Plain]]:
        return self.described

    def faults(self) -> Sequence[FaultInfo]:
        return (FaultInfo("full", "", ("disk write",), OSError), FaultInfo("slow", "", ("disk", "net"), OSError))


def calls_of(scenario: Scenario) -> list[str]:
    return CALLS[scenario.content.tasks[0][0].name]


def scope(seed: int = 0, target: Small | None = None) -> SmallScope:
    return SmallScope(target or Small(), calls_of, seed)  # type: ignore[arg-type]


def small(seed: int = 0, target: Small | None = None) -> list[Scenario]:
    made = scope(seed, target)
    return [*made.essentials(), *made.singles(), *(one for _, one in made.pairs())]


def names(scenario: Scenario) -> list[str]:
    return [one.name for task in scenario.content.tasks for one in task]


def test_the_essentials_are_every_operation_on_the_richest_and_the_simplest_instance() -> None:
    target = Small(described={"size": (1, 2, 3)})
    found = [(names(one)[0], one.content.setup[0].arguments["size"]) for one in scope(target=target).essentials()]
    assert found == [(name, size) for size in (3, 1) for name in ("make", "look", "drop", "audit", "audit")]


def test_a_fault_beside_another_operation() -> None:
    found = list(itertools.islice(scope().failing_pairs(), 60))
    assert all(len(one.content.tasks) == 2 and len(one.faults) == 1 for one in found)
    assert {one.faults[0].arguments["task"] for one in found} == {0}
    assert {(names(one)[0], one.faults[0].name) for one in found} == {
        ("make", "full"), ("make", "slow"), ("look", "slow"), ("audit", "slow"),
    }  # fmt: skip
    assert {names(one)[1] for one in found} == {"make", "look", "drop", "audit"}


def test_one_kind_may_be_ahead_of_another() -> None:
    ahead, in_turn = scope(), scope()
    singles = list(ahead.singles())
    pairs = [(number, describe(one)) for number, one in ahead.pairs()]
    assert pairs == [(number, describe(one)) for number, one in in_turn.pairs()]
    assert [describe(one) for one in singles] == [describe(one) for one in in_turn.singles()]


def test_every_operation_alone_with_each_description() -> None:
    alone = [one for one in small() if len(names(one)) == 1 and not one.faults]
    found = [(names(one)[0], one.content.setup[0].arguments["size"]) for one in alone]
    assert found[:5] == [("make", 2), ("look", 2), ("drop", 2), ("audit", 2), ("audit", 2)]
    # An operation on no instance comes beside one in another role as well.
    assert set(found[5:]) - {("audit", 2)} == {("make", 1), ("look", 1), ("drop", 1), ("audit", 1)}


def test_every_chain_on_one_instance() -> None:
    chains = {describe(one) for one in small() if len(one.content.tasks) == 1 and len(names(one)) == 2}
    after = ("look(1) ; look(1)", "look(1) ; drop(1)", "make(1) ; look(1)", "make(1) ; drop(1)")
    assert chains == set(after)


def test_every_fault_at_each_call_that_it_fits_and_no_other() -> None:
    found = {(names(one)[0], one.faults[0].name, one.faults[0].arguments["call"]) for one in small() if one.faults}
    assert found == {
        ("make", "full", 1),
        *(("make", "slow", call) for call in (1, 2, 3)),
        ("look", "slow", 1),
        ("audit", "slow", 1),
    }


def test_every_pair_and_on_one_instance_where_that_is_legal() -> None:
    pairs = [one for one in small() if len(one.content.tasks) == 2]
    expected = {
        tuple(sorted(pair)) for pair in itertools.combinations_with_replacement([info.name for info in TABLE], 2)
    }
    assert {tuple(sorted(names(one))) for one in pairs} == expected
    assert any(describe(one) == "look(1) || drop(1)" for one in pairs)
    assert any(describe(one) == "drop(1) || drop(2)" for one in pairs)


def test_there_is_an_instance_where_no_operation_is_on_one() -> None:
    pairs = [[one for one in small(seed) if names(one) == ["audit", "audit"]] for seed in range(8)]
    roles = [[one.content.setup[0].arguments["role"] for one in found] for found in pairs]
    # At first in the role that most operations begin with, then in any.
    assert {found[0] for found in roles} == {"made"}
    assert {role for found in roles for role in found} == {"new", "made"}
    assert all(len(one.content.setup) == 1 for found in pairs for one in found)
    assert all(not one.content.setup for one in small(target=Small(TABLE[3:], {})))


def test_each_is_legal_and_comes_once() -> None:
    found = small()
    assert all(is_legal(one.content, TABLE) for one in found)
    assert len({key_of(one) for one in found}) == len(found)
    assert [describe(one) for one in found] == [describe(one) for one in small()]
    assert [describe(one) for one in found] != [describe(one) for one in small(1)]


def test_what_weighs_more_comes_earlier() -> None:
    heavy = OperationInfo("heavy", weight=50)
    table = (*(OperationInfo(f"light{number}") for number in range(9)), heavy)
    pairs = [one for one in small(target=Small(table, {})) if len(one.content.tasks) == 2]
    places = [place for place, one in enumerate(pairs) if "heavy" in names(one)]
    assert places[:10] == list(range(10)), "each of its pairs before any other"


def test_first_instances_have_most_parts_at_first_and_then_half_of_them() -> None:
    table = [OperationInfo(f"make{number}", True, "new", "made") for number in range(20)]
    CALLS.update({info.name: [] for info in table})
    pairs = list(scope(target=Small(table, {"size": range(20)})).pairs())
    assert {one.content.setup[0].arguments["size"] for number, one in pairs if not number} == {19}
    sizes = [one.content.setup[0].arguments["size"] for number, one in pairs if number == 1]
    assert 0.35 < (sizes.count(18) + sizes.count(19)) / len(sizes) < 0.65
    assert len(set(sizes)) > 10


def test_it_ends_where_nothing_is_drawn() -> None:
    assert len(small(target=Small(TABLE[3:], {}))) <= 3 * TIMES


def test_shares_of_pairs_are_disjoint_and_together_all() -> None:
    def first_times(share: tuple[int, int]) -> list[list[str]]:
        return [names(one) for number, one in scope().pairs(share) if number == 0]

    shares = [first_times((number, 3)) for number in range(3)]
    assert sorted(itertools.chain(*shares)) == sorted(first_times((0, 1)))
    assert sum(scope().count_pairs((number, 3)) for number in range(3)) == scope().count_pairs() == 10


def test_the_likelier_comes_more_often() -> None:
    table = (OperationInfo("heavy", weight=4), *(OperationInfo(f"light{number}", weight=1) for number in range(9)))
    target = Small(table, {"size": range(20)})
    made = [(number, names(one)) for number, one in scope(target=target).pairs()]
    repeats = [(number, "heavy" in pair) for number, pair in made if number]
    again = [number for number, _ in itertools.takewhile(lambda one: one[1], repeats)]
    assert set(again) == {1, 2, 3}, "four times before any other comes a second time"
    assert again == sorted(again)


def test_what_came_before_comes_again_between_pairs_that_come_for_the_first_time() -> None:
    numbers = [number for number, _ in scope().pairs()]
    first_pass = numbers[: max(place for place, number in enumerate(numbers) if not number)]
    assert 0 < sum(1 for number in first_pass if number) <= len(first_pass) / FIRSTS_PER_REPEAT


def test_an_operation_goes_on_with_its_follower_on_an_instance_of_its_own() -> None:
    audit = OperationInfo("audit", weight=6, follower="make")
    target = Small((*TABLE[:3], audit))
    found = {describe(one): one for number, one in scope(target=target).pairs() if not number}
    assert {"look(1) || audit() ; make(2)", "drop(1) || audit() ; make(2)"} <= set(found)
    beside = next(one for text, one in found.items() if text == "audit() ; make(2) || audit() ; make(3)")
    assert [one.arguments["role"] for one in beside.content.setup] == ["made", "new", "new"]
    faults = [describe(one) for one in scope(target=target).singles() if one.faults and "; make" in describe(one)]
    assert len(faults) == len(CALLS["audit"])


def test_later_turns_have_instances_with_which_an_operation_comes_to_other_code() -> None:
    sizes = (1, 2, 3, 4, 5)
    code = {1: {0}, 2: {0, 1, 2}, 3: {0, 1}, 4: {0, 3}, 5: {0, 4}}

    def places_of(scenario: Scenario) -> set[int]:
        return code[int(scenario.content.setup[0].arguments["size"])]  # type: ignore[arg-type]

    made = SmallScope(Small(TABLE[1:3], {"size": sizes}), calls_of, 0, places_of)  # type: ignore[arg-type]
    found: dict[int, set[object]] = {}
    for number, one in made.pairs():
        found.setdefault(number, set()).add(one.content.setup[0].arguments["size"])
    # That of most parts; then what adds most, and what adds the rest. 3 adds nothing to 2.
    assert [found[number] for number in range(3)] == [{5}, {2}, {4}]
