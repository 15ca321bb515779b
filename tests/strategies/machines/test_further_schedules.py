"""Each example's program runs under further schedules: defects whose window is one point wide."""

from __future__ import annotations

import threading

import pytest
from hypothesis import seed, settings
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, rule

from semafuzz.harness.errors import UsageError
from semafuzz.strategies.machines import session
from semafuzz.strategies.machines.base import ScheduledMachine
from semafuzz.strategies.machines.further_schedules import RuleCall, explore, smallest
from semafuzz.strategies.machines.session import Found, run_machine

USUAL = settings(max_examples=60, stateful_step_count=15, database=None)


class Settings:
    """Says that it is loaded before it is."""

    def __init__(self) -> None:
        self.lock = threading.Lock()
        self.loaded = False
        self.values: dict[str, str] | None = None

    def load(self) -> None:
        if not self.loaded:
            with self.lock:
                if not self.loaded:
                    self.loaded = True
                    self.values = {"colour": "red"}

    def get(self) -> str:
        self.load()
        assert self.values is not None
        return self.values["colour"]


class RightSettings(Settings):
    def load(self) -> None:
        with self.lock:
            if self.values is None:
                self.values = {"colour": "red"}


class Shelf:
    """Counts outside of the lock."""

    def __init__(self) -> None:
        self.lock = threading.Lock()
        self.items: list[int] = []
        self.size = 0

    def push(self, item: int) -> None:
        with self.lock:
            self.items.append(item)
        self.size = self.size + 1


class RightShelf(Shelf):
    def push(self, item: int) -> None:
        with self.lock:
            self.items.append(item)
            self.size = self.size + 1


class Gets(ScheduledMachine):
    made = Settings

    def begin(self) -> None:
        self.settings_ = self.made()

    @rule()
    def get(self) -> None:
        self.start(self.settings_.get)


class RightGets(Gets):
    made = RightSettings


class Pushes(ScheduledMachine):
    made = Shelf

    def begin(self) -> None:
        self.shelf = self.made()

    @rule(item=st.integers(0, 9))
    def push(self, item: int) -> None:
        self.start(self.shelf.push, item)

    def check(self) -> None:
        assert self.shelf.size == len(self.shelf.items)


class RightPushes(Pushes):
    made = RightShelf


@pytest.mark.parametrize("number", range(3))
@pytest.mark.parametrize("machine", [Gets, Pushes])
def test_a_narrow_window_is_found_and_shrunk_to_two_operations(
    machine: type[ScheduledMachine], number: int, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(Found) as found:
        seed(number)(lambda: run_machine(machine, USUAL))()
    assert "runs" in str(found.value)


@pytest.mark.parametrize("machine", [RightGets, RightPushes])
def test_the_repaired_class_is_silent_and_says_what_it_covered(
    machine: type[ScheduledMachine], capsys: pytest.CaptureFixture[str]
) -> None:
    run_machine(machine, USUAL)
    told = capsys.readouterr().err
    assert f"{machine.__name__}: " in told
    assert "schedules" in told
    assert session.covered_machines.pop()[0] == machine.__name__


class Pools(ScheduledMachine):
    """Bundles hold objects, which the next machine makes anew."""

    shelves = Bundle("shelves")

    @rule(target=shelves)
    def make(self) -> Shelf:
        self.made = Shelf()
        return self.made

    @rule(shelf=shelves)
    def push(self, shelf: Shelf) -> None:
        self.pushed = shelf
        self.start(shelf.push, 1)


def test_what_a_rule_gave_to_a_bundle_stands_for_what_it_gives_again() -> None:
    old = Shelf()
    calls = [
        RuleCall(vars(Pools)["make"].hypothesis_stateful_rule.function, {}, (old,)),
        *[RuleCall(vars(Pools)["push"].hypothesis_stateful_rule.function, {"shelf": old}, (None,))] * 2,
    ]
    machines: list[Pools] = []

    def make() -> Pools:
        made = Pools()
        made._further = True
        machines.append(made)
        return made

    with Pools.open():
        assert explore(make, calls, 3, Found) is None
    assert len(machines) == 3
    assert all(one.pushed is one.made and one.made is not old for one in machines)


def test_of_the_rules_those_are_kept_that_are_needed() -> None:
    function = vars(Pushes)["push"].hypothesis_stateful_rule.function
    calls = [RuleCall(function, {"item": number}, (None,)) for number in range(5)]

    def make() -> Pushes:
        made = Pushes()
        made._further = True
        return made

    with Pushes.open():
        kept, failure = smallest(make, calls, 40, Found)
    assert (len(kept), type(failure).__mro__[1]) == (2, Found)
    assert str(kept[0]).startswith("state.push(item=")


def test_a_rule_with_the_name_of_a_method_of_machines_is_refused() -> None:
    with pytest.raises(UsageError, match="settle would hide"):

        class Settles(Gets):
            @rule()
            def settle(self) -> None:
                """Nothing would be checked."""


def test_a_machine_that_starts_nothing_says_so(capsys: pytest.CaptureFixture[str]) -> None:
    class Idle(ScheduledMachine):
        @rule()
        def nothing(self) -> None:
            """No task."""

    run_machine(Idle, settings(USUAL, max_examples=5))
    assert "no task was ever started" in capsys.readouterr().err


def test_an_error_of_any_kind_in_a_check_is_told_with_the_interleaving() -> None:
    class Asks(Pushes):
        def check(self) -> None:
            raise KeyError("not an assertion")

    with pytest.raises(Found, match="KeyError"):
        run_machine(Asks, settings(USUAL, max_examples=5))


LEFT: list[int] = []


def test_state_that_outlives_an_example_is_hinted_at() -> None:
    class Leaves(ScheduledMachine):
        def begin(self) -> None:
            self.many = 0

        @rule()
        def add(self) -> None:
            self.many += 1
            self.start(LEFT.append, 1)

        def check(self) -> None:
            assert len(LEFT) == self.many

    with pytest.raises(Found) as found:
        run_machine(Leaves, settings(USUAL, max_examples=20))
    assert "outlives an example" in "\n".join(found.value.__notes__)
