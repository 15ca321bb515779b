"""Every write to guarded state without its lock is noticed, and nothing else is."""

from __future__ import annotations

import re
import sys
import threading
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager

import pytest

from semafuzz.harness.detectors.discipline.detector import LockDiscipline
from semafuzz.harness.detectors.discipline.policy import Guard, LockPolicy
from semafuzz.harness.detectors.discipline.table import GUARDED, NEVER, READS, UNGUARDED
from semafuzz.harness.instrument.method_calls import visible_calls
from semafuzz.harness.kernel import current
from semafuzz.harness.kernel import event_kinds as op
from semafuzz.harness.kernel.outcome import Failure, Outcome
from semafuzz.harness.runs.execution_config import ExecutionConfig
from semafuzz.harness.runs.program import TaskProgram, execute
from semafuzz.harness.runs.replay_run import recheck
from semafuzz.harness.runs.session import controlled_session
from semafuzz.harness.schedulers.random_walk import RandomWalk
from semafuzz.harness.schedulers.serial_order import SerialOrder
from semafuzz.harness.search.exploration import Exploration

THIS = sys.modules[__name__]


@contextmanager
def section(name: str, lock: threading.Lock) -> Iterator[None]:
    """A section under a named lock, announced as a target announces it."""
    with lock:
        note(op.ENTER, name)
        try:
            yield
        finally:
            note(op.EXIT, name)


def note(kind: int, name: str) -> None:
    execution = current.execution
    if execution is not None:
        execution.note(kind, None, name)


class Row:
    """An object of guarded state; ``__slots__`` are attributes too."""

    __slots__ = ("used",)

    def __init__(self) -> None:
        self.used = 0

    def add(self) -> None:
        self.used += 1


class Stranger:
    """Something that the shop only keeps; its state is its owner's business."""

    def __init__(self) -> None:
        self.state = "new"


class Shop:
    """What is guarded: by the lock ``shop`` of its host."""

    def __init__(self, host: str = "host1") -> None:
        self.host = host
        self.lock = threading.Lock()
        self.other = threading.Lock()
        self.stock: dict[str, list[int]] = {"a": [1]}
        self.rows = {"r": Row()}
        self.kept = {"s": Stranger()}
        self.queue: deque[int] = deque()
        self.total = 0
        self.label = ""

    def under(self, name: str = "shop") -> AbstractContextManager[None]:
        return section(f"{self.host}/{name}", self.lock if name == "shop" else self.other)

    # ------------------------------------------------ these keep the rule

    def guarded(self) -> None:
        with self.under():
            self.total += 1
            self.stock["b"] = [2]
            self.rows["r"].add()
            self.nested()

    def nested(self) -> None:
        self.queue.append(1)

    def entrance(self) -> None:
        with self.under():
            self.stock["a"].append(2)

    def reads(self) -> int:
        return self.total + len(self.stock["a"])

    def exempt(self) -> None:
        self.label = "x"

    def local(self) -> int:
        seen: dict[str, int] = {}
        for number in range(5):
            seen[str(number)] = number
        row = Row()
        row.add()
        return len(seen)

    def publishes(self) -> None:
        fresh: list[int] = []
        fresh.append(1)
        row = Row()
        row.used = 7
        with self.under():
            self.stock["new"] = fresh
            self.rows["new"] = row

    def hands_over(self) -> None:
        with self.under():
            batch, self.stock = self.stock, {}
        batch["a"].append(5)
        batch.clear()

    def changes_a_stranger(self) -> None:
        self.kept["s"].state = "changed"

    # ------------------------------------------------ these break it

    def direct(self) -> None:
        self.total += 1

    def alias(self) -> None:
        stock = self.stock["a"]
        stock.append(3)

    def callee(self) -> None:
        self.rows["r"].add()

    def replaced(self) -> None:
        with self.under():
            self.stock = {"a": []}
        found = self.stock
        found["a"].append(4)

    def early(self) -> None:
        with self.under():
            self.total += 1
        self.total += 1

    def wrong_lock(self) -> None:
        with self.under("storeroom"):
            self.total += 1

    def other_host(self) -> None:
        with section("host2/shop", self.other):
            self.total += 1

    def published_too_early(self) -> None:
        fresh: list[int] = []
        with self.under():
            self.stock["new"] = fresh
        fresh.append(1)

    def takes_one_away(self) -> None:
        del self.stock["a"]

    def empties(self) -> None:
        self.stock.clear()

    def by_name(self) -> None:
        setattr(self, "total", 5)  # noqa: B010

    def by_dictionary(self) -> None:
        vars(self)["total"] = 5

    def appends(self) -> None:
        self.queue.append(1)


FIRING = [
    *("direct", "alias", "callee", "replaced", "early", "wrong_lock", "other_host", "published_too_early"),
    *("takes_one_away", "empties", "by_name", "by_dictionary", "appends"),
]
SILENT = ["guarded", "reads", "exempt", "local", "publishes", "hands_over", "changes_a_stranger"]


class Shops:
    """Two hosts; tasks work on the first."""

    def __init__(self) -> None:
        self.first = Shop()
        self.second = Shop("host2")
        SHOPS[:] = [self.first, self.second]


SHOPS: list[Shop] = []


def policy(lock: Callable[[Shop], object] | None = None) -> LockPolicy:
    def guards() -> Sequence[Guard]:
        return [Guard(f"{shop.host}/shop" if lock is None else lock(shop), shop) for shop in SHOPS]  # type: ignore[arg-type]

    return LockPolicy(Shop, "shop", guards, (Row,), {"label": "set by one thread only"})


def program(*methods: str | Callable[[Shops], object]) -> TaskProgram[Shops]:
    tasks = [
        (lambda shops, name=name: getattr(shops.first, name)()) if isinstance(name, str) else name for name in methods
    ]
    return TaskProgram(Shops, tasks, under_test=[THIS])


def watched(
    *methods: str | Callable[[Shops], object], rule: LockPolicy | None = None
) -> tuple[Outcome, LockDiscipline]:
    """The methods one after the other, each in a task of its own."""
    discipline = LockDiscipline(rule or policy())
    with visible_calls(Shop), controlled_session([THIS]):
        setting = ExecutionConfig(bytearray(1 << 17), detectors=(discipline,))
        outcome = execute(program(*methods), SerialOrder(tuple(range(len(methods)))), setting)
        discipline.keep(outcome)
    return outcome, discipline


def warnings(outcome: Outcome) -> list[Failure]:
    assert all(failure.kind == "lock-discipline" for failure in outcome.failures)
    return outcome.failures


@pytest.mark.parametrize("method", FIRING)
def test_it_fires(method: str) -> None:
    found = warnings(watched(method)[0])
    assert found
    assert {one.severity for one in found} == {"warning"}
    assert all(one.error_type.startswith(f"Shop.{method}: ") for one in found)
    assert all(re.match(rf"Shop\.{method} writes Shop\.\w+.* without shop", one.message) for one in found)


@pytest.mark.parametrize("method", SILENT)
def test_it_stays_silent(method: str) -> None:
    assert warnings(watched(method)[0]) == []


def test_unguarded_beside_guarded_is_seen_wherever_it_stands() -> None:
    found = warnings(watched("guarded", "callee", "guarded")[0])
    assert [(one.task, one.error_type) for one in found] == [("task-1", "Shop.callee: rows")]
    assert "Shop.rows['r'].used" in found[0].message


def test_a_section_of_another_task_is_nobody_elses() -> None:
    def hold(shops: Shops) -> None:
        with shops.first.under():
            current.execution.io("stay")  # type: ignore[union-attr]
            shops.first.total = 9

    discipline = LockDiscipline(policy())
    with visible_calls(Shop), controlled_session([THIS]):
        setting = ExecutionConfig(bytearray(1 << 17), detectors=(discipline,))
        for number in range(20):
            walk = RandomWalk(number)
            walk.begin(0)
            outcome = execute(program(hold, "direct"), walk, setting)
            assert [one.task for one in warnings(outcome)] == ["task-1"]


def test_both_places_are_named_and_the_other_side_is_one_under_the_lock() -> None:
    outcome, discipline = watched("guarded", "direct")
    (found,) = warnings(outcome)
    assert len(found.sites) == len(found.related) == 1
    unguarded, guarded = found.detail[1:]
    assert "(Shop.direct)" in unguarded
    assert "(Shop.guarded)" in guarded
    assert "Shop.guarded writes it under shop" in found.message
    assert outcome.events[found.steps[0]][0] == op.WRITE
    assert outcome.events[found.steps[0]][4] == found.sites[0]
    assert discipline.other_side(found.detail[0]) is not None


def test_a_read_under_the_lock_will_do_as_the_other_side() -> None:
    def look(shops: Shops) -> None:
        with shops.first.under():
            shops.first.total.bit_length()

    (found,) = warnings(watched(look, "direct")[0])
    assert "read under the lock" in found.detail[2]


def test_an_other_side_that_another_execution_shows_is_remembered() -> None:
    discipline = LockDiscipline(policy())
    with visible_calls(Shop), controlled_session([THIS]):
        setting = ExecutionConfig(bytearray(1 << 17), detectors=(discipline,))
        messages = []
        for methods in (["direct"], ["guarded"], ["direct"]):
            outcome = execute(program(*methods), SerialOrder((0,)), setting)
            discipline.keep(outcome)
            messages += [one.message for one in outcome.failures]
    assert messages[0].endswith("without shop")
    assert "Shop.guarded writes it" in messages[1]


def test_a_lock_that_is_an_object_guards_too() -> None:
    rule = policy(lambda shop: shop.lock)
    assert warnings(watched("guarded", "publishes", rule=rule)[0]) == []
    found = warnings(watched("direct", "wrong_lock", rule=rule)[0])
    assert [one.error_type for one in found] == ["Shop.direct: total", "Shop.wrong_lock: total"]


def test_a_method_reached_through_a_locked_one_is_guarded_then() -> None:
    outcome, discipline = watched("guarded", "nested")
    assert [one.error_type for one in warnings(outcome)] == ["Shop.nested: queue"]
    rows = {row.data["method"]: row.data for row in discipline.report().rows}
    assert (rows["nested"]["writes"], rows["nested"]["unguarded"]) == (2, 1)


def test_code_outside_the_methods_is_seen_and_named_so() -> None:
    def meddle(shops: Shops) -> None:
        shops.first.total = 3

    outcome, discipline = watched(meddle)
    assert warnings(outcome)[0].message.startswith("code outside its methods writes Shop.total")
    assert discipline.report().rows[0].data["method"] == "(outside its methods)"


def test_the_table_says_what_was_seen_of_each_method() -> None:
    discipline = watched("guarded", "direct", "reads", "entrance")[1]
    table = discipline.report()
    status = {row.data["method"]: row.data["status"] for row in table.rows}
    assert table.executions == 1
    assert (status["direct"], status["guarded"], status["entrance"]) == (UNGUARDED, GUARDED, GUARDED)
    assert (status["reads"], status["alias"]) == (READS, NEVER)
    order = [row.data["status"] for row in table.rows]
    assert order == sorted(order, key=[UNGUARDED, GUARDED, READS, NEVER].index)
    assert "(Shop.direct)" in table.rows[0].details[-1]


def test_only_kept_executions_count() -> None:
    discipline = LockDiscipline(policy())
    with visible_calls(Shop), controlled_session([THIS]):
        setting = ExecutionConfig(bytearray(1 << 17), detectors=(discipline,))
        outcome = execute(program("direct"), SerialOrder((0,)), setting)
        recheck(program("direct"), outcome, setting)
    assert discipline.tally.executions == 0
    assert discipline.report().rows[0].data["status"] == NEVER


def test_an_error_of_the_same_execution_is_not_hidden_and_ends_the_search() -> None:
    def fail(shops: Shops) -> None:
        shops.first.direct()
        raise LookupError

    with visible_calls(Shop), controlled_session([THIS]) as laboratory:
        search = Exploration(
            program(fail), RandomWalk(0), laboratory, schedules=9, detectors=[LockDiscipline(policy())]
        )
        result = search.run()
    assert [one.kind for one in result.failures] == ["exception", "lock-discipline"]
    assert (result.schedules, result.first_failure) == (1, 1)


def test_a_warning_ends_no_search_and_is_reported_once() -> None:
    advised: set[tuple[str, ...]] = set()
    with visible_calls(Shop), controlled_session([THIS]) as laboratory:
        results = [
            Exploration(
                program("direct", "direct"),
                RandomWalk(0),
                laboratory,
                schedules=30,
                detectors=[LockDiscipline(policy())],
                advised=advised,
            ).run()
            for _ in range(2)
        ]
    assert [result.schedules for result in results] == [30, 30]
    assert [len(result.failures) for result in results] == [1, 0]
    (found,) = results[0].failures
    assert (found.kind, found.severity, found.preemptions, found.confirmed) == ("lock-discipline", "warning", 0, True)
    assert results[0].first_failure is None


def test_watching_changes_no_event() -> None:
    def events(watch: bool) -> list[tuple[int, int, object, int]]:
        discipline = LockDiscipline(policy())
        with visible_calls(Shop), controlled_session([THIS]):
            setting = ExecutionConfig(bytearray(1 << 17), detectors=(discipline,) if watch else ())
            walk = RandomWalk(3)
            walk.begin(0)
            outcome = execute(program("guarded", "direct", "replaced"), walk, setting)
        return [(kind, task.index, name, site) for kind, task, _, name, site in outcome.events]

    assert events(True) == events(False)


def test_calls_are_noted_only_while_asked_for_and_the_class_is_put_back() -> None:
    before = dict(vars(Shop))
    with visible_calls(Shop):
        assert Shop().reads() == 1
        assert Shop.reads.__wrapped__ is before["reads"]  # type: ignore[attr-defined]
    assert dict(vars(Shop)) == before


def test_a_call_that_raises_has_returned() -> None:
    def trip(shops: Shops) -> None:
        shops.first.takes_one_away()
        with pytest.raises(KeyError):
            shops.first.takes_one_away()
        shops.first.total = 1

    found = warnings(watched(trip)[0])
    assert {one.error_type for one in found} == {"Shop.takes_one_away: stock", ": total"}
