"""Orders of locks: cycles that could become a deadlock, those that cannot, and what comes of trying them."""

from __future__ import annotations

import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from semafuzz import explore
from semafuzz.cli import run
from semafuzz.harness.detectors.lock_order.detector import LockOrders
from semafuzz.harness.runs.session import controlled_session
from semafuzz.harness.schedulers.registry import make_scheduler
from semafuzz.harness.schedulers.serial_order import SerialOrder
from semafuzz.harness.search.exploration import Exploration, as_program
from semafuzz.harness.search.suspects import try_suspects


class Locks:
    def __init__(self) -> None:
        self.a = threading.Lock()
        self.b = threading.Lock()
        self.c = threading.Lock()
        self.gate = threading.Lock()
        self.again = threading.RLock()
        self.event = threading.Event()

    def a_then_b(self) -> None:
        with self.a, self.b:
            pass

    def b_then_a(self) -> None:
        with self.b, self.a:
            pass

    def b_then_c(self) -> None:
        with self.b, self.c:
            pass

    def c_then_a(self) -> None:
        with self.c, self.a:
            pass

    def gated_a_then_b(self) -> None:
        with self.gate, self.a, self.b:
            pass

    def gated_b_then_a(self) -> None:
        with self.gate, self.b, self.a:
            pass

    def b_then_try_a(self) -> None:
        with self.b:
            if self.a.acquire(blocking=False):
                self.a.release()

    def b_then_a_for_a_while(self) -> None:
        with self.b:
            if self.a.acquire(timeout=1):
                self.a.release()

    def twice(self) -> None:
        with self.again, self.a, self.again:
            pass

    def a_then_b_then_set(self) -> None:
        with self.a, self.b:
            pass
        self.event.set()

    def wait_then_b_then_a(self) -> None:
        self.event.wait()
        with self.b, self.a:
            pass


def program_of(*methods: str, joined: bool = False) -> Callable[[], None]:
    def program() -> None:
        locks = Locks()
        threads = [threading.Thread(target=getattr(locks, method)) for method in methods]
        for thread in threads:
            thread.start()
            if joined:
                thread.join()
        for thread in threads:
            thread.join()

    program.__module__ = __name__
    return program


def seen_serially(program: Callable[[], None]) -> tuple[LockOrders, Any, Any]:
    """What one execution without a switch shows, and what comes of trying it."""
    made, detector = as_program(program), LockOrders()
    with controlled_session(made.modules(), thorough=True) as laboratory:

        def search(scheduler: Any, schedules: int) -> Any:
            return Exploration(
                made, scheduler, laboratory, schedules=schedules, detectors=[detector], shrink_budget=0
            ).run()

        result = search(SerialOrder(tuple(range(8))), 1)
        assert not result.failures
        before = len(detector.found)
        try_suspects(result, [detector], search)
    return detector, result, before


@pytest.mark.parametrize(
    "methods", [("a_then_b", "b_then_a"), ("a_then_b", "b_then_c", "c_then_a"), ("a_then_b", "gated_b_then_a")]
)
def test_a_cycle_is_seen_where_it_did_not_happen_and_becomes_a_deadlock(methods: tuple[str, ...]) -> None:
    detector, result, seen = seen_serially(program_of(*methods))
    assert seen == 1
    assert [failure.kind for failure in result.failures] == ["deadlock"]
    (row,) = detector.report().rows
    assert row.severity == "warning"
    assert row.data["deadlocks"] == 1


@pytest.mark.parametrize(
    "methods",
    [
        ("a_then_b", "a_then_b"),
        ("gated_a_then_b", "gated_b_then_a"),
        ("a_then_b", "b_then_try_a"),
        ("a_then_b", "b_then_a_for_a_while"),
        ("twice", "twice"),
        ("a_then_b", "b_then_c"),
    ],
)
def test_what_cannot_deadlock_is_no_cycle(methods: tuple[str, ...]) -> None:
    detector, result, _ = seen_serially(program_of(*methods))
    assert detector.report().rows == ()
    assert not result.failures


def test_threads_one_after_the_other_make_no_cycle() -> None:
    detector, _, _ = seen_serially(program_of("a_then_b", "b_then_a", joined=True))
    assert detector.report().rows == ()


def test_one_that_something_else_keeps_apart_is_tried_and_stays_a_note() -> None:
    detector, result, seen = seen_serially(program_of("a_then_b_then_set", "wait_then_b_then_a"))
    assert seen == 1
    assert not result.failures
    (row,) = detector.report().rows
    assert row.severity == "note"
    assert row.data["tried"] == 50


def test_where_all_was_covered_nothing_is_tried() -> None:
    program = program_of("a_then_b_then_set", "wait_then_b_then_a")
    found = explore(program, scheduler="dpor", schedules=2000, detect=["lock-order"])
    assert found.verdict == "complete"
    made = as_program(program)
    detector = LockOrders()
    with controlled_session(made.modules(), thorough=True) as laboratory:
        result = Exploration(made, make_scheduler("dpor", 0), laboratory, schedules=2000, detectors=[detector]).run()
    assert result.verdict == "complete"
    assert detector.suspects(covered=True) == []
    assert "every schedule was covered" in detector.report().rows[0].details[0]


def test_check_makes_a_finding_of_it(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "mine.py"
    file.write_text(
        "import threading\n"
        "def program():\n"
        "    a, b = threading.Lock(), threading.Lock()\n"
        "    def one():\n"
        "        with a:\n"
        "            with b: pass\n"
        "    def two():\n"
        "        with b:\n"
        "            with a: pass\n"
        "    threads = [threading.Thread(target=f) for f in (one, two)]\n"
        "    for t in threads: t.start()\n"
        "    for t in threads: t.join()\n"
    )
    arguments = [
        "check",
        f"{file}:program",
        "--scheduler",
        "random",
        "--schedules",
        "1",
        "--out",
        str(tmp_path / "out"),
    ]
    assert run([*arguments, "--detect", "none"]) == 0
    # Nobody has to ask for it.
    assert run(arguments) == 1
    capsys.readouterr()
    assert run([*arguments, "--detect", "lock-order"]) == 1
    shown = capsys.readouterr().out
    assert "deadlock" in shown
    assert "it deadlocks" in shown
