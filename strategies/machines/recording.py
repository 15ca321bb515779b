"""From a failing example of a state machine to a trace that needs no Hypothesis."""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Iterator, Sequence
from contextlib import suppress
from pathlib import Path

from semafuzz.harness.kernel.hot_sites import mark_scheduling_points
from semafuzz.harness.kernel.outcome import Failure, Outcome
from semafuzz.harness.runs.budget import Deadline
from semafuzz.harness.runs.program import Program, execute
from semafuzz.harness.runs.replay_run import replay
from semafuzz.harness.schedulers.registry import make_scheduler
from semafuzz.harness.schedulers.replay.by_owner import DRIVER, ReplayByOwner
from semafuzz.harness.search.finding import Finding
from semafuzz.harness.search.recorder import Recorder, fails_serially, has_failure, matching
from semafuzz.harness.shrink.schedule import preemptions
from semafuzz.harness.traces.build import recorded_choices
from semafuzz.harness.traces.codec import read
from semafuzz.harness.traces.signature import failure_identity
from semafuzz.reports.run_view.turns import turns
from semafuzz.strategies.fuzz.program_shrinker import ProgramShrinker
from semafuzz.strategies.fuzz.reproducer import EFFORT, Reproducer
from semafuzz.strategies.generate.hypothesis_runs import generate
from semafuzz.strategies.generate.scenarios import scenarios
from semafuzz.strategies.machines.session import PATIENCE, Found, Identity, Session, Size
from semafuzz.targets.model.protocol import ImpossibleStartError, OpenTarget, Target
from semafuzz.targets.model.scenario import Scenario, describe
from semafuzz.targets.model.scenario_order import size_of
from semafuzz.targets.model.trace_origin import origin_of

LEARNING = 10
"""Programs by which a machine's scheduling points are learned, before Hypothesis starts."""
LEARNING_SCHEDULES = 8
SHRINKING = 600
"""Executions for the last shrinking of a schedule."""


def search(program: Program, session: Session, schedules: int) -> Iterator[Outcome]:
    """Runs of a program under that many schedules; they teach scheduling points."""
    setting = session.searching
    scheduler = make_scheduler("portfolio", 0)
    for number in range(schedules):
        scheduler.begin(number)
        outcome = execute(program, scheduler, setting)
        scheduler.end(outcome)
        if setting.model == "threads":
            mark_scheduling_points(outcome.events, setting.hot)
        yield outcome


def learn(target: Target, opened: OpenTarget, session: Session) -> None:
    """Find out which code places touch shared data: what is stepped stops there."""

    def consume(scenario: Scenario) -> bool:
        with suppress(ImpossibleStartError):
            deque(search(opened.program(scenario), session, LEARNING_SCHEDULES), maxlen=0)
        session.laboratory.control.between_executions()
        return True

    generate(scenarios(target), consume, seed=0, most=LEARNING)
    session.setting.hot[:] = session.searching.hot


class Recording:
    """The smallest failing scenario of each identity, and its trace file."""

    def __init__(self, target: Target, opened: OpenTarget, session: Session) -> None:
        self._target = target
        self._opened = opened
        self._session = session
        self._best: dict[Identity, tuple[Size, Scenario, Outcome, Finding]] = {}

    def keep(
        self,
        scenario: Scenario,
        outcome: Outcome,
        failure: Failure,
        wanted: Sequence[int] = (),
        whole: Scenario | None = None,
    ) -> Found:
        """Keep a failing run; the exception to raise. ``wanted``: for a stepped run,
        which task made each event (``semafuzz.harness.schedulers.replay.by_owner.owners``): it is run
        again as a program first. ``whole``: the program with what no operation is on, which may matter all the
        same."""
        identity = failure_identity(failure)
        again = outcome
        programs = [scenario] if whole is None or whole == scenario else [scenario, whole]
        for tried in programs if wanted else ():
            again = execute(self._opened.program(tried), ReplayByOwner(wanted), self._session.searching)
            if has_failure(identity)(again):
                scenario = tried
                break
        lines = [f"{failure.kind}: {failure.message}", describe(scenario)]
        size: Size = (*size_of(scenario, self._target), preemptions(again))
        if has_failure(identity)(again):
            self._store(identity, size, scenario, again)
        else:
            lines.append("(this run does not show again as a program, so there is no trace of it)")
        if not wanted:
            lines.append("under another schedule than the steps below, of the operations that they start:")
        lines += [f"  {line}" for line in turns(outcome, without=DRIVER)]
        return self._session.found(failure, "\n".join(lines), size)

    def _store(self, identity: Identity, size: Size, scenario: Scenario, outcome: Outcome) -> None:
        known = self._best.get(identity)
        if known is not None and known[0] <= size:
            return
        finding = self._recorder(scenario, 0).record(outcome, matching(outcome, identity), self._session.examples)
        if known is not None and known[3].trace and known[3].trace != finding.trace:
            Path(known[3].trace).unlink(missing_ok=True)
        self._best[identity] = (size, scenario, outcome, finding)

    def _recorder(self, scenario: Scenario, budget: int) -> Recorder:
        origin = origin_of(self._target, self._opened, scenario)
        program = self._opened.program(scenario)
        return Recorder(program, self._session.searching, origin, self._session.folder, shrink_budget=budget)

    def conclude(self, identity: Identity) -> list[str]:
        """Shrink the schedule of the smallest run; what to print."""
        known = self._best.get(identity)
        if known is None:
            return []
        _, scenario, outcome, raw = known
        session = self._session
        until = Deadline(PATIENCE)
        same, effort = has_failure(identity), EFFORT["error"]
        reproducer = Reproducer(self._target, self._opened, session.laboratory, session.searching, same, effort, until)
        outcome = reproducer.focus(scenario, outcome)
        scenario, outcome = ProgramShrinker(self._target, reproducer.try_reproduce, reproducer.enough).reduce(
            scenario, outcome, None
        )
        finding = self._recorder(scenario, SHRINKING).record(outcome, matching(outcome, identity), raw.schedule)
        self._session.findings.append(finding)
        if raw.trace and raw.trace != finding.trace:
            Path(raw.trace).unlink(missing_ok=True)
        lines = [f"Smallest program: {describe(scenario)}"]
        many = finding.preemptions
        lines.append(f"It takes {many} preemption{'' if many == 1 else 's'}; places: {', '.join(finding.places)}")
        program = self._opened.program(scenario)
        if fails_serially(program, len(scenario.content.tasks), self._session.searching, has_failure(identity)):
            lines.append("A serial order of the operations fails too: it is not a race.")
        if finding.trace:
            trace = read(Path(finding.trace))
            shown = replay(program, recorded_choices(trace), session.searching).outcome
            lines += [f"  {line}" for line in turns(shown)]
            near = os.path.relpath(finding.trace)
            lines.append(f"semafuzz replay {finding.trace if near.startswith(os.pardir) else near}")
        return lines
