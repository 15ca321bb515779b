"""What a search has met, in the order in which it is worked out."""

from __future__ import annotations

import math
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from semafuzz.harness.kernel.outcome import LOCK_DISCIPLINE
from semafuzz.harness.runs.budget import Deadline
from semafuzz.harness.search.finding import Finding
from semafuzz.harness.search.result import Result
from semafuzz.harness.traces.schema import Operation, Operations
from semafuzz.strategies.fuzz import triage
from semafuzz.strategies.fuzz.triage import LARGEST, SMALL, Triage
from semafuzz.targets.model.protocol import ImpossibleStartError, Target
from semafuzz.targets.model.scenario import Scenario, parts_of


def scenario(*names: str) -> Scenario:
    return Scenario(Operations((), tuple((Operation(name),) for name in names)))


class Recording(Triage):
    """Only notes what it is asked to work out. A class of its own has a dict."""

    def _work_out(self, scenario: Scenario, raw: Finding, trace: Any, source: object) -> None:
        self.done.append(parts_of(scenario))
        self.result.failures.append(raw)

    def _run_again(self, scenario: Scenario, raw: Finding) -> Finding:
        return raw

    def _keep(self, finding: Finding) -> None:
        self.result.failures.append(finding)


def work(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, seconds: float = 60) -> Any:
    monkeypatch.setattr(
        triage, "read", lambda path: SimpleNamespace(expected=SimpleNamespace(identity=("x", path.read_text())))
    )
    made = Recording.__new__(Recording)
    made.done = []
    opened: Any = SimpleNamespace()
    Triage.__init__(made, Target(), opened, opened, opened, tmp_path, Deadline(seconds), Result("p", "portfolio", 0))
    return made


def met(made: Any, names: list[str], severity: str) -> bool:
    trace = made.raw / f"{'-'.join(names)}-{severity}.json"
    trace.parent.mkdir(exist_ok=True)
    trace.write_text(trace.name)
    raw = Finding("invariant", "", "s", str(trace), (), "", 0, 0, 0, True, severity=severity, operations=tuple(names))
    return bool(made.take(scenario(*names), [raw], None))


def test_errors_of_several_tasks_first_and_then_by_size(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    made = work(tmp_path, monkeypatch)
    assert met(made, ["a", "b"], "warning")
    assert not met(made, ["a", "b", "c"], "error")
    assert met(made, ["a"], "warning")
    assert not met(made, ["b"], "error")
    assert made.done == []
    seen: list[int] = []
    made.look = lambda: seen.append(len(made.waiting))
    made.work_out()
    assert seen == [4, 3, 2, 1]
    assert made.done == [["a", "b", "c"], ["b"], ["a", "b"], ["a"]]
    assert made.waiting == []


def test_what_was_met_before_does_not_wait_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    made = work(tmp_path, monkeypatch)
    assert met(made, ["a"], "warning")
    assert not met(made, ["a"], "warning")
    assert len(made.waiting) == 1
    assert len(list(made.raw.iterdir())) == 1


def test_a_small_program_takes_the_place_of_a_large_one_that_was_met_first(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = work(tmp_path, monkeypatch)
    made.raw.mkdir(exist_ok=True)

    def meet(*names: str) -> None:
        trace = made.raw / "met.json"
        trace.write_text("the same")
        raw = Finding("exception", "", "s", str(trace), (), "", 0, 0, 0, True, severity="error", operations=("a", "b"))
        made.take(scenario(*names), [raw], None)

    for names in (["a", "b", "c", "c", "c", "c"], ["a", "b"], ["a", "b", "c"]):
        meet(*names)
    assert [parts_of(one[0]) for one in made.waiting] == [["a", "b"]]
    # Of three traces the one is left that is worked out.
    assert [str(path) for path in made.raw.iterdir()] == [made.waiting[0][1].trace]
    made.work_out()
    assert made.done == [["a", "b"]]
    meet("a", "b")
    assert made.waiting == []


def test_small_errors_come_before_small_warnings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    made = work(tmp_path, monkeypatch)
    for names, severity in ((["a", "b", "c"], "warning"), (["a", "b", "c", "d"], "error"), (["a", "b"], "warning")):
        met(made, names, severity)
    made.work_out()
    assert made.done == [["a", "b", "c", "d"], ["a", "b"], ["a", "b", "c"]]


def test_some_is_worked_out_before_the_end_as_long_as_its_share_lasts(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = work(tmp_path, monkeypatch)
    met(made, ["a", "b"], "error")
    made.began -= 10
    made._spent = 10
    made.work_out_some()
    assert made.done == []
    made._spent = 1
    made.work_out_some()
    assert made.done == [["a", "b"]]
    met(made, ["c"], "error")
    made.work_out_some()
    assert len(made.done) == 1, "of one task: a smaller share"
    met(made, [f"o{number}" for number in range(SMALL + 1)], "error")
    met(made, ["d"], "warning")
    made._spent = 0.0
    made.work_out_some()
    assert made.done == [["a", "b"], ["c"]], "large programs and warnings wait until half-time"
    made.began -= 100
    made.work_out_some()
    assert len(made.done) == 4
    unlimited = work(tmp_path / "unlimited", monkeypatch, math.inf)
    (tmp_path / "unlimited").mkdir()
    met(unlimited, ["a", "b"], "error")
    unlimited.began -= 10
    unlimited.work_out_some()
    assert unlimited.done == [], "one seed, one search, where there is no budget of time"


def test_warnings_of_large_programs_only_where_there_is_nothing_else(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    large = [f"o{number}" for number in range(LARGEST + 1)]
    made = work(tmp_path, monkeypatch)
    met(made, large, "warning")
    met(made, large, "error")
    made.work_out()
    assert (len(made.done), made.novelty.large) == (1, 1)
    alone = work(tmp_path / "alone", monkeypatch)
    (tmp_path / "alone").mkdir()
    met(alone, large, "warning")
    alone.work_out()
    assert (len(alone.done), alone.novelty.large) == (1, 0)


def test_when_the_time_is_over_the_rest_is_counted_and_stays_on_the_disk(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = work(tmp_path, monkeypatch, seconds=-1)
    met(made, ["a"], "warning")
    met(made, ["b"], "error")
    made.work_out()
    assert (made.done, made.novelty.unworked) == ([], 2)
    assert [one.severity for one in made.result.failures] == ["error"]
    assert len(list(made.raw.iterdir())) == 2


def test_traces_are_out_of_the_way_before_anything_is_worked_out(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What the first comes to has the name under which the second was written, and moves it."""
    made = work(tmp_path, monkeypatch)
    made.raw.mkdir()
    files = [made.raw / "first.json", made.raw / "second.json"]
    raw = [
        Finding(kind, "", kind, str(file), (), "", 0, 0, 0, True, severity="warning", operations=("a",))
        for kind, file in zip((LOCK_DISCIPLINE, "invariant"), files, strict=True)
    ]
    for file in files:
        file.write_text(file.name)
    monkeypatch.setattr(Recording, "_work_out", lambda *_: files[1].unlink(missing_ok=True))
    (second,) = made.take(scenario("a"), raw, None)
    assert Path(second.trace).read_text() == "second.json"


def test_advice_whose_operation_cannot_start_by_itself_is_worked_out_as_it_is(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is looked for without the configuration of its program, which may leave no room for an instance."""

    def refuse(*_: object) -> None:
        raise ImpossibleStartError("no room")

    made = work(tmp_path, monkeypatch)
    made.opened.program = lambda one: one
    monkeypatch.setattr(triage, "execute", refuse)
    monkeypatch.setattr(triage, "single_operations", lambda content, table: [content])
    made.target.operations = tuple
    assert made._alone(scenario("a"), bool) is None
