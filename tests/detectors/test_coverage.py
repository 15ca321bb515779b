"""What a search has covered is counted as it was, and the estimates are those of the papers."""

from __future__ import annotations

import pytest

from semafuzz.harness.detectors.coverage import EVERY, Discovery
from semafuzz.harness.kernel import event_kinds as op
from semafuzz.harness.kernel.outcome import Failure, Outcome
from semafuzz.harness.kernel.sites import SITES, Site
from semafuzz.harness.kernel.task import Task
from semafuzz.harness.sections.coverage import Coverage, joined_coverage, unseen_chance, unseen_kinds

A, B, C = (SITES.add(Site("discovered", "discovered.py", name, line)) for line, name in enumerate("abc", 1))
ONE, TWO = Task(0, "one", lambda: None), Task(1, "two", lambda: None)


def place(number: int) -> str:
    return SITES[number].place()


def outcome(*events: tuple[int, Task, object, object, int], failed: str = "") -> Outcome:
    made = Outcome()
    made.events = list(events)
    made.failures = [Failure("assertion", failed, error_type=failed)] if failed else []
    return made


def test_orders_and_reads_of_two_tasks_are_counted() -> None:
    discovery, shared = Discovery(), object()
    discovery.keep(
        outcome(
            (op.WRITE, ONE, shared, "x", A),
            (op.READ, TWO, shared, "x", B),
            (op.READ, ONE, shared, "x", C),
            (op.WRITE, TWO, shared, "y", C),
        )
    )
    coverage = discovery.coverage()
    assert coverage.orders == {f"{place(A)}\n{place(B)}": 1}, "two reads have no order, nor has another name"
    assert coverage.reads == {f"{place(A)}\n{place(B)}": 1}
    assert (coverage.pairs, coverage.both) == (1, 0)


def test_both_orders_of_a_pair() -> None:
    discovery, shared = Discovery(), object()
    for _ in range(EVERY):
        discovery.keep(outcome((op.WRITE, ONE, shared, "x", A), (op.WRITE, TWO, shared, "x", B)))
    discovery.keep(outcome((op.WRITE, TWO, shared, "x", B), (op.WRITE, ONE, shared, "x", A)))
    coverage = discovery.coverage()
    assert (coverage.pairs, coverage.both) == (1, 1)
    assert (coverage.executions, coverage.looked) == (EVERY + 1, 2)


def test_one_task_alone_has_no_orders() -> None:
    discovery, own = Discovery(), object()
    discovery.keep(outcome((op.WRITE, ONE, own, "x", A), (op.READ, ONE, own, "x", B)))
    assert discovery.coverage().orders == {}


def test_operations_that_overlap() -> None:
    discovery = Discovery()

    def note(task: Task, kind: int, text: str) -> tuple[int, Task, object, object, int]:
        return kind, task, None, text, 0

    discovery.keep(
        outcome(
            note(ONE, op.OPERATION, "claim(1)"),
            note(TWO, op.OPERATION, "audit()"),
            note(ONE, op.OPERATION_END, "claim(1)"),
            note(ONE, op.OPERATION, "drop(1)"),
            note(TWO, op.OPERATION_END, "audit()"),
            note(TWO, op.OPERATION, "late()"),
            failed="lost",
        )
    )
    coverage = discovery.coverage()
    assert coverage.overlaps == {"audit\nclaim": 1, "audit\ndrop": 1, "drop\nlate": 1}
    assert coverage.failing == coverage.overlaps
    assert list(coverage.failures.values()) == [1]


def test_the_estimates() -> None:
    assert unseen_chance({"a": 1, "b": 1, "c": 8}, 10) == pytest.approx(0.2)
    assert unseen_chance({"a": 5}, 10) == 0
    assert unseen_chance({}, 0) == 1
    assert unseen_kinds({"a": 1, "b": 1, "c": 2, "d": 9}) == pytest.approx(2 * 1 / (2 * 2))
    assert unseen_kinds({"a": 3}) == 0


def test_the_estimate_of_what_is_unseen_comes_near_the_truth() -> None:
    """Drawn from a known population, the chance of something new is what was estimated."""
    import random

    generator = random.Random(7)
    kinds = [f"k{number}" for number in range(200)]
    weights = [1 / (1 + number) for number in range(200)]
    counts: dict[str, int] = {}
    for one in generator.choices(kinds, weights, k=300):
        counts[one] = counts.get(one, 0) + 1
    truth = sum(weight for kind, weight in zip(kinds, weights, strict=True) if kind not in counts) / sum(weights)
    assert unseen_chance(counts, 300) == pytest.approx(truth, abs=0.05)
    assert unseen_kinds(counts) + len(counts) > len(counts) * 1.1


def test_a_curve_grows_with_the_search_and_ends_at_its_end() -> None:
    discovery = Discovery()
    for number in range(100):
        discovery.keep(outcome(failed=f"f{number % 3}" if number > 50 else ""))
    coverage = discovery.coverage()
    executions = [point[0] for point in coverage.curve]
    assert executions == sorted(set(executions))
    assert executions[-1] == 100
    assert len(executions) < 40
    assert [point[2] for point in coverage.curve] == sorted(point[2] for point in coverage.curve)
    assert coverage.curve[-1][2] == 3


def test_searches_are_joined() -> None:
    one = Coverage(10, 5, {"a": 1}, {"x\ny": 2}, {}, {}, {}, [(1, 0.1, 0, 1), (10, 1.0, 1, 1)])
    two = Coverage(20, 6, {"a": 1, "b": 3}, {"y\nx": 1}, {}, {}, {}, [(20, 2.0, 2, 1)])
    whole = joined_coverage([one, two])
    assert (whole.executions, whole.looked, whole.failures) == (30, 11, {"a": 2, "b": 3})
    assert whole.both == 1
    assert whole.curve[-1] == (30, 2.0, 2, 2)
    assert joined_coverage([]).curve == []
