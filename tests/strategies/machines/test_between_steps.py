"""What runs between two steps of a machine: rules, invariants and checks beside tasks that stand still."""

from __future__ import annotations

import threading

import pytest
from hypothesis import settings
from hypothesis.stateful import initialize, invariant, rule

from semafuzz.harness.errors import UsageError
from semafuzz.harness.kernel.outcome import Failure
from semafuzz.strategies.machines import session
from semafuzz.strategies.machines.base import ScheduledMachine
from semafuzz.strategies.machines.session import Found, run_machine, the_session

QUICK = settings(max_examples=60, stateful_step_count=8, database=None, derandomize=True)


class Pair:
    """Two sums that belong together, always under the lock."""

    def __init__(self) -> None:
        self.lock = threading.RLock()
        self.left, self.right = 10, 0

    def move(self) -> None:
        with self.lock:
            self.left = self.left - 1
            self.right = self.right + 1

    def total(self) -> int:
        with self.lock:
            return self.left + self.right


class Careless(Pair):
    def move(self) -> None:
        self.left = self.left - 1
        with self.lock:
            self.right = self.right + 1


class Moves(ScheduledMachine):
    made = Pair

    def begin(self) -> None:
        self.pair = self.made()

    @rule()
    def move(self) -> None:
        self.start(self.pair.move)


class Invariant(Moves):
    @invariant()
    def nothing_is_lost(self) -> None:
        assert self.pair.total() == 10


class Direct(Moves):
    @rule()
    def move_at_once(self) -> None:
        self.pair.move()

    def check(self) -> None:
        assert self.pair.total() == 10


class Forgets(Pair):
    def move(self) -> None:
        self.lock.acquire()
        self.left = self.left - 1


@pytest.mark.parametrize("machine", [Invariant, Direct])
def test_a_lock_that_a_task_holds_is_respected(machine: type[Moves]) -> None:
    run_machine(machine, QUICK)


def test_an_invariant_that_fails_tells_the_interleaving() -> None:
    class Broken(Invariant):
        made = Careless

    with pytest.raises(Found, match=r"Careless\.move"):
        run_machine(Broken, QUICK)


def test_a_lock_that_is_never_released_is_named() -> None:
    class Stuck(Direct):
        made = Forgets

        def check(self) -> None:
            """Nothing is asked of what is left half done."""

    with pytest.raises((UsageError, Found), match=r"is held by the task|nothing can wake|tasks wait"):
        run_machine(Stuck, QUICK)


def test_its_own_module_is_looked_into_where_none_is_named() -> None:
    class Count(ScheduledMachine):
        @initialize()
        def make(self) -> None:
            self.pair = Careless()

        @rule()
        def move(self) -> None:
            self.start(self.pair.move)

        def check(self) -> None:
            moved = len(self.stepped.tasks)
            assert self.pair.left == 10 - moved

    with pytest.raises(Found, match=r"invariant|assert"):
        run_machine(Count, settings(QUICK, max_examples=300))


def test_what_is_found_while_an_example_ends_is_not_lost(monkeypatch: pytest.MonkeyPatch) -> None:
    """Hypothesis discards an exception of a teardown in an example that it cuts short."""

    def discards(machine: type[Moves], **_: object) -> None:
        the_session(machine).found(Failure("invariant", "found at the end"), "found at the end")

    monkeypatch.setattr(session, "run_state_machine_as_test", discards)
    with pytest.raises(Found, match="found at the end"):
        run_machine(Moves, QUICK)
