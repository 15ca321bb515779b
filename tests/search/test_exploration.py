"""The Python entry point."""

from __future__ import annotations

import functools
import sys
import threading
from pathlib import Path
from types import SimpleNamespace

import pytest

from semafuzz import FunctionProgram, TaskProgram, explore
from semafuzz.harness.errors import UsageError
from semafuzz.harness.kernel.execution import Execution
from semafuzz.harness.kernel.outcome import Failure, Outcome
from semafuzz.harness.runs import self_check
from semafuzz.harness.runs.origin import Origin
from semafuzz.harness.runs.session import controlled_session
from semafuzz.harness.schedulers.random_walk import RandomWalk
from semafuzz.harness.search.exploration import Exploration
from semafuzz.harness.search.finding import Finding
from semafuzz.harness.traces.schema import Function

THIS = sys.modules[__name__]


class Counter:
    def __init__(self) -> None:
        self.value = 0
        self.items: dict[str, int] = {}

    def add(self) -> None:
        self.value += 1

    def store(self) -> None:
        self.items["k"] = len(self.items)


def lost() -> None:
    counter = Counter()
    threads = [threading.Thread(target=counter.add) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert counter.value == 2, "lost"


def test_the_fields_of_a_result() -> None:
    result = explore(lost, schedules=100, seed=3)
    assert (result.program, result.scheduler, result.seed) == ("lost", "portfolio", 3)
    assert result.verdict == "found"
    assert result.exhausted is False
    assert result.first_failure == result.schedules
    assert result.classes >= 1
    assert result.seconds > 0
    with pytest.raises(AssertionError, match="lost"):
        result.assert_holds()
    explore(lambda: None, schedules=3).assert_holds()


def test_going_on_after_a_failure_counts_it_once() -> None:
    result = explore(lost, scheduler="random", schedules=60, stop_on_first=False)
    assert result.schedules == 60
    assert len(result.failures) == 1


def test_what_is_only_stored_is_neither_run_again_nor_confirmed(tmp_path: Path) -> None:
    runs = []

    def counted() -> None:
        runs.append(0)
        lost()

    def search(only_stores: bool) -> Finding:
        runs.clear()
        origin = Origin("function", Function("a.py", "counted", "0" * 64))
        program = FunctionProgram(counted, "counted", [THIS])
        with controlled_session(program.modules(), thorough=True) as laboratory:
            made = Exploration(
                program,
                RandomWalk(0),
                laboratory,
                schedules=100,
                origin=origin,
                folder=tmp_path,
                only_stores=only_stores,
            ).run()
        (finding,) = made.failures
        assert Path(finding.trace).exists()
        assert (len(runs) == made.schedules) is only_stores
        return finding

    assert search(only_stores=False).confirmed
    assert not search(only_stores=True).confirmed


def test_a_program_without_threads_is_complete() -> None:
    result = explore(lambda: None)
    assert (result.verdict, result.exhausted, result.schedules) == ("complete", True, 2)


def test_time_is_a_budget() -> None:
    result = explore(TaskProgram(Counter, [Counter.add] * 6, under_test=[THIS]), schedules=10**9, seconds=0.2)
    assert result.verdict == "cut"


@pytest.mark.parametrize(
    "call",
    [
        lambda: explore(5),  # type: ignore[arg-type]
        lambda: explore(lost, model="processes"),
        lambda: explore(lost, schedules=0),
        lambda: explore(lost, scheduler="magic"),
        lambda: explore(lost, instrument=["not.imported"]),
        lambda: explore(print),
        lambda: explore(SimpleNamespace(__call__=1)),  # type: ignore[arg-type]
    ],
)
def test_bad_arguments(call: object) -> None:
    with pytest.raises(UsageError):
        call()  # type: ignore[operator]


def test_further_modules_are_instrumented() -> None:
    import statistics

    program = TaskProgram(Counter, [Counter.add], name="p")
    result = explore(program, instrument=["statistics", THIS], schedules=2)
    assert statistics in program.modules()
    assert result.failures == []
    assert explore(FunctionProgram(lost, "f"), schedules=5).verdict in ("cut", "found")


def test_a_partial_is_what_it_wraps() -> None:
    assert explore(functools.partial(lost), schedules=100).verdict == "found"


def test_the_eventlet_model_does_not_preempt() -> None:
    program = TaskProgram(Counter, [Counter.add, Counter.add], check=_two, under_test=[THIS])
    assert explore(program, model="eventlet", schedules=200).failures == []
    assert explore(program, model="threads", schedules=200).failures


def _two(counter: Counter) -> None:
    assert counter.value == 2


class Faulty:
    def begin(self) -> None:
        return None

    def judge(self, outcome: Outcome) -> list[Failure]:
        raise RuntimeError("a detector that raises")

    def keep(self, outcome: Outcome) -> None:
        """Nothing to learn."""


def test_the_fault_of_a_detector_is_not_hidden() -> None:
    program = TaskProgram(Counter, [Counter.add, Counter.store], under_test=[THIS])
    with controlled_session([THIS]) as laboratory, pytest.raises(RuntimeError, match="a detector that raises"):
        Exploration(program, RandomWalk(0), laboratory, schedules=2, detectors=[Faulty()]).run()


def test_a_dead_canary_means_uncontrolled(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(self_check, "probe", lambda instrumented: "no bird sings")
    result = explore(lost)
    assert (result.verdict, result.notes, result.schedules) == ("uncontrolled", ["no bird sings"], 0)


def test_the_canary_notices_what_is_not_under_control(monkeypatch: pytest.MonkeyPatch) -> None:
    assert "reports no access" in self_check.probe(instrumented=True)
    with controlled_session(()):
        assert self_check.probe(instrumented=True) == ""
        with monkeypatch.context() as patch:
            patch.setattr(Execution, "point", lambda *a: None)
            assert "did not happen" in self_check.probe(instrumented=True)
        with monkeypatch.context() as patch:
            patch.setattr(self_check.time, "sleep", lambda seconds: None)
            assert "real time" in self_check.probe(instrumented=False)
        with monkeypatch.context() as patch:
            patch.setattr(self_check._Subject, "hold", lambda subject: subject.lock.acquire())
            assert "not under control" in self_check.probe(instrumented=False)
        with monkeypatch.context() as patch:
            patch.setattr(self_check._Subject, "peek", lambda subject: True)
            assert "did not exclude" in self_check.probe(instrumented=False)
