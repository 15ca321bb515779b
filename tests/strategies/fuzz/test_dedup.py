"""Which failures a search works out, and which it skips."""

from __future__ import annotations

from semafuzz.harness.kernel.outcome import LOCK_DISCIPLINE
from semafuzz.harness.search.finding import Finding
from semafuzz.strategies.fuzz.dedup import ALIKE, WIDESPREAD, Dedup


def finding(*operations: str, kind: str = "invariant", severity: str = "error", sequential: bool = False) -> Finding:
    return Finding(
        kind, "", "", "", (), "", 0, 0, 0, True, severity=severity, operations=operations, sequential=sequential
    )


def is_new(novelty: Dedup, identity: tuple[str, ...], raw: Finding, program: list[str]) -> bool:
    return not novelty.seen_before(identity, raw, program) and novelty.worth_shrinking(identity, raw, program)


def test_what_was_met_is_not_new() -> None:
    novelty = Dedup()
    assert is_new(novelty, ("invariant", "I1"), finding("a(1)", "b(2)"), ["a", "b"])
    assert not is_new(novelty, ("invariant", "I1"), finding("b(1)", "a(3)"), ["a", "b"])
    assert is_new(novelty, ("invariant", "I2"), finding("a(1)", "b(2)"), ["a", "b"])
    assert novelty.told() == {}


def test_of_one_kind_between_the_same_operations_some_are_enough() -> None:
    novelty = Dedup()
    new = [is_new(novelty, ("exception", f"E{number}"), finding("a", "b"), ["a", "b"]) for number in range(ALIKE + 2)]
    assert new == [True] * ALIKE + [False] * 2
    assert novelty.skipped == 2
    assert len(novelty.told()) == 1
    assert is_new(novelty, ("exception", "E"), finding("a", "c"), ["a", "c"])


def test_advice_is_always_worked_out() -> None:
    novelty = Dedup()
    new = [
        is_new(novelty, (LOCK_DISCIPLINE, f"D{number}"), finding("a", kind=LOCK_DISCIPLINE), ["a"])
        for number in range(9)
    ]
    assert all(new)


def test_what_an_operation_shows_alone_explains_warnings_beside_it() -> None:
    novelty = Dedup()
    alone = finding("a", severity="warning", sequential=True)
    novelty.learn(("invariant", "I1, I2"), alone, ["a"])
    beside = finding("a(1)", "b(2)", severity="warning")
    assert not is_new(novelty, ("invariant", "I1"), beside, ["a", "b"])
    assert novelty.explained == 1
    assert list(novelty.told().values()) == [1]
    # One part that it does not show; a program without it; an error.
    assert is_new(novelty, ("invariant", "I1, I3"), beside, ["a", "b"])
    assert is_new(novelty, ("invariant", "I2"), finding("b", severity="warning"), ["b"])
    assert is_new(novelty, ("invariant", "I2"), finding("a", "b"), ["a", "b"])


def test_what_two_operations_show_explains_warnings_where_both_are() -> None:
    novelty = Dedup()
    novelty.learn(("invariant", "I1"), finding("a", severity="warning"), ["a", "b"])
    assert is_new(novelty, ("invariant", "I1"), finding("a", "c", severity="warning"), ["a", "c"])
    assert not is_new(novelty, ("invariant", "I1"), finding("a", "c", severity="warning"), ["a", "b", "c"])
    novelty.learn(("invariant", "I2"), finding("a"), ["a"])
    assert is_new(novelty, ("invariant", "I2"), finding("a", "d", severity="warning"), ["a", "d"])


def test_an_exception_that_one_operation_makes_everywhere_is_worked_out_some_times() -> None:
    novelty = Dedup()
    for number in range(WIDESPREAD):
        raw = finding("remove", f"o{number}", kind="exception")
        assert is_new(novelty, ("exception", "KeyError", f"place {number}"), raw, ["remove", f"o{number}"])
        novelty.learn(("exception", "KeyError", f"place {number}"), raw, ["remove", f"o{number}"])
    more = finding("remove", "x", kind="exception")
    assert not is_new(novelty, ("exception", "KeyError", "place 9"), more, ["remove", "x"])
    other = finding("x", "y", kind="exception")
    assert is_new(novelty, ("exception", "KeyError", "place 9"), other, ["x", "y"])
    assert is_new(novelty, ("exception", "ValueError", "place 9"), more, ["remove", "x"])


def test_what_some_of_the_operations_have_shown_is_known() -> None:
    novelty = Dedup()
    novelty.seen_before(("invariant", "I9"), finding("a", "b"), ["a", "b"])
    assert novelty.is_known(("invariant", "I9"), ["a", "b", "c"])
    assert not novelty.is_known(("invariant", "I9"), ["a", "c"])
    assert not novelty.is_known(("invariant", "I8"), ["a", "b"])
    assert not novelty.is_known(("exception", "I9"), ["a", "b"])


def test_what_a_fault_brings_explains_nothing_without_it() -> None:
    novelty = Dedup()
    raw = finding("a", severity="warning")
    novelty.learn(("invariant", "I1"), raw, ["a", "timeout"])
    assert novelty.worth_shrinking(("invariant", "I1"), raw, ["a", "b"])
    assert not novelty.worth_shrinking(("invariant", "I1"), raw, ["a", "b", "timeout"])


def test_an_error_that_some_of_the_operations_show_is_explained() -> None:
    novelty = Dedup()
    novelty.learn(("exception", "KeyError", "here"), finding("a", "b"), ["a", "b"])
    assert not novelty.worth_shrinking(("exception", "KeyError", "here"), finding("a", "c"), ["a", "b", "c"])
    assert novelty.explained == 1
    assert novelty.worth_shrinking(("exception", "KeyError", "there"), finding("a", "c"), ["a", "b", "c"])
    assert novelty.worth_shrinking(("exception", "KeyError", "here"), finding("a", "c"), ["a", "c"])


def test_with_another_fault_it_is_another_failure() -> None:
    novelty = Dedup()
    raw = finding("a")
    assert not novelty.seen_before(("invariant", "I1"), raw, ["a", "timeout"], ["timeout"])
    assert not novelty.seen_before(("invariant", "I1"), raw, ["a", "deadlock"], ["deadlock"])
    assert novelty.seen_before(("invariant", "I1"), raw, ["a", "timeout"], ["timeout"])


def test_a_variant_is_explained_by_what_it_is_a_variant_of() -> None:
    for like, wanted in (({"boot": "claim"}, False), ({}, True)):
        novelty = Dedup(like=like)
        raw = finding("claim(1)")
        assert is_new(novelty, ("invariant", "I1"), raw, ["claim(1)"])
        novelty.learn(("invariant", "I1"), raw, ["claim(1)"])
        assert is_new(novelty, ("invariant", "I1"), finding("boot(1)"), ["boot(1)", "audit()"]) is wanted
