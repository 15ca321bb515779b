"""The trio target: what it finds, what it leaves alone, and what it refuses."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
import trio

from semafuzz import explore
from semafuzz.harness.errors import UsageError
from semafuzz.harness.kernel import current
from semafuzz.harness.kernel.doubles import locks
from semafuzz.harness.kernel.naming import describe_pending, digest
from semafuzz.harness.kernel.outcome import Outcome
from semafuzz.harness.kernel.sites import SITES
from semafuzz.harness.kernel.task import Task
from semafuzz.harness.runs.execution_config import ExecutionConfig
from semafuzz.harness.runs.replay_run import recheck, replay
from semafuzz.harness.runs.session import controlled_session
from semafuzz.harness.schedulers.protocol import Scheduler
from semafuzz.harness.schedulers.random_walk import RandomWalk
from semafuzz.harness.schedulers.serial_order import SerialOrder
from semafuzz.harness.search.result import Result
from semafuzz.harness.traces.build import choices_of
from semafuzz.harness.trio_engine import (
    Cancellation,
    TrioProgram,
    cancellations,
    explore_async,
    loop,
    program,
    self_check,
)
from semafuzz.harness.trio_engine.tasks import CANCEL, TIME

sys.path.insert(0, str(Path(__file__).parent))
import trio_programs as programs

pytestmark = pytest.mark.filterwarnings("ignore:Async generator:ResourceWarning")


def check(function: Any, **options: Any) -> Result:
    """Explore a function, without the time that shrinking a long run takes."""
    return explore_async(function, **{"schedules": 200, **options})


def run_once(made: TrioProgram, scheduler: Any = None) -> Outcome:
    """One execution outside a search."""
    return made.execute(scheduler or RandomWalk(1), ExecutionConfig(bytearray(1 << 16)))


FOUND = [
    (programs.lost_update, "assertion", "AssertionError", 1),
    (programs.opposite_locks, "deadlock", "", 1),
    (programs.waits_for_nobody, "deadlock", "", 0),
    (programs.shielded_for_ever, "deadlock", "", 0),
    (programs.will_not_end, "deadlock", "", 0),
    (programs.lock_of_threading, "deadlock", "", 1),
    (programs.time_limit, "exception", "TooSlowError", 1),
    (programs.nested_groups, "exception", "ValueError", 0),
    (programs.misused_lock, "exception", "RuntimeError", 0),
    (programs.system_task, "assertion", "AssertionError", 1),
    (programs.failing_system_task, "exception", "KeyError", 0),
    (programs.leaves, "exception", "SystemExit", 0),
]

SILENT = [
    programs.locked_update,
    programs.between_checkpoints,
    programs.polls_the_clock,
    programs.polls_a_flag,
    programs.sleeps,
    programs.sleeps_in_order,
    programs.handled_error,
    programs.started,
    programs.abandoned_system_task,
    programs.generator,
    programs.posts_and_waits,
]


@pytest.mark.parametrize(("function", "kind", "error", "preemptions"), FOUND)
def test_it_is_found(function: Any, kind: str, error: str, preemptions: int) -> None:
    result = check(function)
    found = result.failures[0]
    assert (result.verdict, found.kind, found.preemptions) == ("found", kind, preemptions)
    assert found.message.startswith(error)
    assert found.confirmed
    assert found.places
    assert all(place.startswith("trio_programs:") for place in found.places)


@pytest.mark.parametrize("function", SILENT)
@pytest.mark.parametrize("scheduler", ["portfolio", "recheck"])
def test_it_is_left_alone(function: Any, scheduler: str) -> None:
    result = check(function, scheduler=scheduler, schedules=60)
    assert (result.failures, result.notes) == ([], [])
    assert result.verdict in ("cut", "complete")


@pytest.mark.slow
@pytest.mark.parametrize("function", [programs.spins, programs.polls_in_sleep])
def test_livelocks_are_found(function: Any) -> None:
    found = check(function).failures[0]
    assert found.kind == "livelock"
    assert found.confirmed
    assert "went round" in found.message


@pytest.mark.slow
def test_a_long_loop_is_no_livelock() -> None:
    result = check(programs.long_loop, schedules=3)
    assert (result.verdict, result.failures) == ("cut", [])
    assert "cut after 3000 steps" in result.notes[0]


@pytest.mark.parametrize("function", [programs.locked_update, programs.between_checkpoints])
def test_an_exhaustive_search_ends(function: Any) -> None:
    result = check(function, scheduler="exhaustive", schedules=20_000)
    assert (result.verdict, result.exhausted) == ("complete", True)
    assert 1 < result.schedules < 20_000


def test_a_deadlock_names_who_holds_what() -> None:
    message = check(programs.opposite_locks).failures[0].message
    assert message.startswith("tasks wait for each other")
    assert "take-1 waits in Lock.acquire at trio_programs:" in message
    assert "held by take-2" in message
    assert check(programs.waits_for_nobody).failures[0].message.startswith("nothing can wake")


def test_groups_are_opened() -> None:
    result = check(programs.two_errors, stop_on_first=False, schedules=20)
    assert sorted(finding.message for finding in result.failures) == [
        "KeyError: 'second' (in ExceptionGroup[ValueError, KeyError])",
        "ValueError: first (in ExceptionGroup[ValueError, KeyError])",
    ]
    assert {finding.task for finding in result.failures} == {"fail-1", "shielded-2"}


def test_both_racing_places_are_named() -> None:
    places = check(programs.lost_update).failures[0].places
    assert [place.partition("(")[2] for place in places] == ["Account.deposit)", "Account.deposit)", "lost_update)"]
    assert places[0] != places[1]


def test_a_patient_program_lets_no_deadline_pass_early() -> None:
    result = explore(TrioProgram(programs.time_limit, patient=True), schedules=100)
    assert (result.verdict, result.failures) == ("complete", [])


@pytest.mark.parametrize(
    ("function", "words"),
    [
        (programs.thread, "main waits for a thread at trio_programs:"),
        (programs.plain_thread, "a thread was started at trio_programs:"),
        (programs.process, "main waits for a thread at trio_programs:"),
        (programs.connection, "a network connection was made"),
        (programs.pair_of_sockets, "main waits for input or output of the operating system at trio_programs:"),
        (programs.loops_without_checkpoint, "main goes on without a checkpoint at trio_programs:"),
    ],
)
def test_what_escapes_is_named(function: Any, words: str) -> None:
    result = check(function)
    assert (result.verdict, result.failures) == ("uncontrolled", [])
    assert words in result.notes[0]


@pytest.mark.parametrize("function", [programs.calls_asyncio, programs.yields_like_asyncio])
def test_asyncio_is_refused_by_name(function: Any) -> None:
    with pytest.raises(UsageError, match=r"asyncio and other frameworks are no target"):
        check(function)


def test_only_async_functions_are_taken() -> None:
    with pytest.raises(UsageError, match="takes an async function"):
        explore_async(fully_sync)  # type: ignore[arg-type]
    with pytest.raises(UsageError, match=r"semafuzz\.explore_async"):
        explore(programs.lost_update)


def fully_sync() -> None:
    """Not async."""


def test_an_interrupt_gets_through() -> None:
    with pytest.raises(KeyboardInterrupt):
        check(programs.interrupts)
    assert current.execution is None
    assert locks.control_thread == [0]
    assert check(programs.locked_update, schedules=5).failures == []


# ------------------------------------------------------------------- cancellation


def test_a_chosen_cancellation_shows_a_leak() -> None:
    made = TrioProgram(programs.careless_bookings, check=programs.fully_booked, cancellations=1)
    found = explore(made, schedules=200).failures[0]
    assert (found.kind, found.confirmed) == ("invariant", True)
    made = TrioProgram(programs.careful_bookings, check=programs.fully_booked, cancellations=1)
    result = explore(made, scheduler="exhaustive", schedules=20_000)
    assert (result.verdict, result.failures) == ("complete", [])


def test_without_cancellations_there_is_no_leak() -> None:
    made = TrioProgram(programs.careless_bookings, check=programs.fully_booked)
    assert explore(made, scheduler="exhaustive", schedules=20_000).verdict == "complete"


@pytest.mark.parametrize(("checkpoint", "reserved", "guests"), [(1, 1, 1), (2, 2, 1), (3, 2, 2)])
def test_a_planned_cancellation_strikes_where_it_says(checkpoint: int, reserved: int, guests: int) -> None:
    hotels: list[programs.Hotel] = []
    plan = Cancellation(task=2, checkpoint=checkpoint)
    outcome = run_once(
        TrioProgram(programs.careless_bookings, check=hotels.append, faults=[plan]), SerialOrder([0, 1, 2])
    )
    assert (outcome.failures, outcome.uncontrolled) == ([], "")
    assert (hotels[0].reserved, hotels[0].guests) == (reserved, guests)
    assert cancellations(outcome) == ((plan,) if checkpoint < 3 else ())


class Recording(Scheduler):
    """Chooses a cancellation as soon as one is offered, and keeps what was."""

    def __init__(self) -> None:
        self.offered: list[tuple[int, str, str]] = []

    def choose(self, enabled: Sequence[Task], current: Task | None, step: int) -> Task:
        for task in enabled:
            if task.index not in (TIME, 0, 1, 2):
                self.offered.append((task.index, task.name, describe_pending(task.pending)))
                return task
        return enabled[0]


def test_a_cancellation_is_plain_data_and_happens_once() -> None:
    scheduler = Recording()
    made = TrioProgram(programs.careless_bookings, cancellations=1)
    outcome = run_once(made, scheduler)
    assert scheduler.offered == [(CANCEL + 1, "cancel book-1", "note task 1.cancel in Hotel.book")]
    assert cancellations(outcome) == (Cancellation(task=1, checkpoint=1),)
    planned = run_once(TrioProgram(programs.careless_bookings, faults=cancellations(outcome)), SerialOrder([0, 1, 2]))
    assert cancellations(planned) == cancellations(outcome)


# ------------------------------------------------------------------- the record


@pytest.mark.parametrize("seed", range(5))
def test_every_choice_is_followed_by_an_event_of_the_chosen(seed: int) -> None:
    made = TrioProgram(programs.sleeps_in_order, cancellations=2)
    outcome = run_once(made, RandomWalk(seed))
    assert len({decision.step for decision in outcome.decisions}) == len(outcome.decisions) > 5
    for decision in outcome.decisions:
        assert outcome.events[decision.step][1].index == decision.chosen
        assert len(decision.pending) == len(decision.enabled) == len(set(decision.enabled))
    assert [task.index for task in outcome.tasks] == [0, 1, 2, 3]


@pytest.mark.parametrize("function", [*SILENT, programs.lost_update, programs.opposite_locks, programs.two_errors])
def test_a_run_repeats_from_its_choices(function: Any) -> None:
    setting = ExecutionConfig(bytearray(1 << 16))
    with controlled_session((), instrument=False):
        for seed in range(5):
            outcome = run_once(TrioProgram(function), RandomWalk(seed))
            assert recheck(TrioProgram(function), outcome, setting).digest == digest(outcome.events)


def test_a_record_that_does_not_fit_is_told() -> None:
    outcome = run_once(TrioProgram(programs.lost_update))
    again = replay(TrioProgram(programs.opposite_locks), choices_of(outcome), ExecutionConfig(bytearray(1 << 16)))
    assert again.diverged is not None


def test_time_and_places_are_in_the_words() -> None:
    outcome = run_once(TrioProgram(programs.sleeps_in_order))
    words = {describe_pending(pending) for decision in outcome.decisions for pending in decision.pending}
    assert {"sleep to the next deadline", "sleep sleep in sleeps_in_order.<locals>.sleep"} <= words
    outcome = run_once(TrioProgram(programs.opposite_locks), SerialOrder([0, 1, 2]))
    kinds = {describe_pending(pending) for decision in outcome.decisions for pending in decision.pending}
    assert "io Lock.acquire in opposite_locks.<locals>.take" in kinds
    assert SITES[outcome.events[-3][4]].module in ("trio_programs", "")


def test_ended_runs_leave_nothing_behind() -> None:
    for function in (programs.shielded_for_ever, programs.will_not_end, programs.opposite_locks):
        outcome = run_once(TrioProgram(function))
        assert all(task.done for task in outcome.tasks), function.__name__
        assert current.execution is None
    assert not trio.lowlevel.in_trio_run()


# ------------------------------------------------------------------- the canary


def test_the_canary_is_silent_under_control() -> None:
    assert self_check.probe() == ""


def _not_gated(self: object, task: trio.lowlevel.Task) -> None:
    """A release of trio that shows tasks to nobody."""


def test_the_canary_sees_a_gate_that_is_passed_by(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(loop.Gatekeeper, "task_spawned", _not_gated)
    assert "does not happen as it is asked for" in self_check.probe()
    monkeypatch.setattr(program, "_heard", [])
    result = check(programs.lost_update)
    assert (result.verdict, result.failures) == ("uncontrolled", [])
    assert "is not under control" in result.notes[0]


# ------------------------------------------------------------ the loop between executions


@pytest.mark.parametrize(
    "function", [programs.lost_update, programs.sleeps_in_order, programs.started, programs.handled_error]
)
def test_a_kept_loop_is_as_good_as_new(function: Any) -> None:
    fresh, kept = TrioProgram(function), TrioProgram(function)
    apart = [digest(run_once(fresh, RandomWalk(seed)).events) for seed in range(20)]
    with kept.session():
        assert [digest(run_once(kept, RandomWalk(seed)).events) for seed in range(20)] == apart
    assert not trio.lowlevel.in_trio_run()


@pytest.mark.parametrize(
    ("function", "keeps"),
    [
        (programs.locked_update, True),
        (programs.handled_error, True),
        (programs.sets_a_run_variable, False),
        (programs.generator, False),
        (programs.abandoned_system_task, False),
        (programs.posts_to_itself, False),
        (programs.waits_for_nobody, False),
        (programs.misused_lock, False),
    ],
)
def test_a_loop_in_which_something_is_left_is_not_kept(function: Any, keeps: bool) -> None:
    made = TrioProgram(function)
    with made.session():
        run_once(made)
        assert trio.lowlevel.in_trio_run() == keeps
    assert not trio.lowlevel.in_trio_run()


def test_run_variables_start_anew() -> None:
    assert check(programs.sets_a_run_variable, schedules=20).failures == []


def test_a_check_may_run_trio_itself() -> None:
    made = TrioProgram(programs.careful_bookings, check=lambda hotel: trio.run(programs.locked_update))
    assert explore(made, schedules=20).failures == []
    assert check(programs.locked_update, schedules=20).failures == []
    trio.run(programs.locked_update)


def test_when_a_posted_callback_is_called_is_a_choice() -> None:
    """trio itself fails so in about half of its runs."""
    assert check(programs.posts_to_itself).verdict == "found"
