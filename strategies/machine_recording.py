"""From a failing example of a state machine to a trace that needs no Hypothesis."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from time import perf_counter

from harness.findings import Finding, Recorder, matching, shows, shows_serially
from harness.kernel.conflicts import heat
from harness.kernel.outcome import Failure, Outcome
from harness.program import execute
from harness.schedulers.registry import make_scheduler
from harness.shrink.schedule import preemptions
from harness.stepping import DRIVER, Following
from harness.traces.signature import failure_identity
from reports.story import story
from strategies.feeding import feed
from strategies.machine_session import PATIENCE, Found, Identity, Session
from strategies.scenarios import scenarios
from targets.legality import smaller_scenarios
from targets.origin import origin_of
from targets.protocol import ImpossibleStartError, OpenTarget, Target
from targets.scenario import Scenario, describe

LEARNING = 10
"""Programs by which a machine's scheduling points are learned, before Hypothesis starts."""
LEARNING_SCHEDULES = 8
REDUCTION = 40
"""Schedules in which a smaller scenario has to show the failure again."""
SHRINKING = 600
"""Executions for the last shrinking of a schedule."""


def learn(target: Target, opened: OpenTarget, session: Session) -> None:
    """Find out which code places touch shared data. They stay the machine's
    scheduling points: an example has to take the same steps each time."""

    def consume(scenario: Scenario) -> bool:
        program = opened.program(scenario)
        scheduler = make_scheduler("portfolio", 0)
        with suppress(ImpossibleStartError):
            for number in range(LEARNING_SCHEDULES):
                scheduler.begin(number)
                outcome = execute(program, scheduler, session.setting)
                scheduler.end(outcome)
                if session.setting.model == "threads":
                    heat(outcome.events, session.setting.hot)
        session.laboratory.control.between_executions()
        return True

    feed(scenarios(target), consume, seed=0, most=LEARNING)


class Recording:
    """The smallest failing scenario of each identity, and its trace file."""

    def __init__(self, target: Target, opened: OpenTarget, session: Session) -> None:
        self._target = target
        self._opened = opened
        self._session = session
        self._best: dict[Identity, tuple[tuple[int, ...], Scenario, Outcome, Finding]] = {}

    def keep(self, scenario: Scenario, outcome: Outcome, failure: Failure, wanted: Sequence[int] = ()) -> Found:
        """Keep a failing run; the exception to raise. ``wanted``: for a stepped run,
        which task made each event (``harness.stepping.owners``): it is run
        again as a program first."""
        identity = failure_identity(failure)
        lines = [f"{failure.kind}: {failure.message}", describe(scenario)]
        again = outcome
        if wanted:
            program = self._opened.program(scenario)
            again = execute(program, Following(wanted), self._session.setting)
        if shows(identity)(again):
            self._store(identity, scenario, again)
        else:
            lines.append("(this run does not show again as a program, so there is no trace of it)")
        lines += [f"  {line}" for line in story(outcome, without=DRIVER)]
        return self._session.found(failure, "\n".join(lines))

    def _store(self, identity: Identity, scenario: Scenario, outcome: Outcome) -> None:
        size = _size(scenario, outcome)
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
        return Recorder(program, self._session.setting, origin, self._session.folder, shrink_budget=budget)

    def conclude(self, identity: Identity) -> list[str]:
        """Shrink the schedule of the smallest run; what to print."""
        known = self._best.get(identity)
        if known is None:
            return []
        _, scenario, outcome, raw = known
        scenario, outcome = self._reduce(scenario, outcome, identity)
        finding = self._recorder(scenario, SHRINKING).record(outcome, matching(outcome, identity), raw.schedule)
        self._session.findings.append(finding)
        if raw.trace and raw.trace != finding.trace:
            Path(raw.trace).unlink(missing_ok=True)
        lines = [f"Smallest program: {describe(scenario)}"]
        many = finding.preemptions
        lines.append(f"It takes {many} preemption{'' if many == 1 else 's'}; places: {', '.join(finding.places)}")
        program = self._opened.program(scenario)
        if shows_serially(program, len(scenario.content.tasks), self._session.setting, shows(identity)):
            lines.append("A serial order of the operations fails too: it is not a race.")
        if finding.trace:
            lines.append(f"semafuzz replay {finding.trace}")
        return lines

    def _reduce(self, scenario: Scenario, outcome: Outcome, identity: Identity) -> tuple[Scenario, Outcome]:
        """Leave out what Hypothesis left in: part after part, as long as it fails alike."""
        until = perf_counter() + PATIENCE
        table = self._target.operations()
        smaller = iter(smaller_scenarios(scenario, table))
        while perf_counter() < until:
            candidate = next(smaller, None)
            if candidate is None:
                break
            found = self._seek(candidate, identity)
            if found is not None:
                scenario, outcome = candidate, found
                smaller = iter(smaller_scenarios(scenario, table))
        return scenario, outcome

    def _seek(self, scenario: Scenario, identity: Identity) -> Outcome | None:
        with suppress(ImpossibleStartError):
            return self._sought(scenario, identity)
        return None

    def _sought(self, scenario: Scenario, identity: Identity) -> Outcome | None:
        program = self._opened.program(scenario)
        scheduler = make_scheduler("portfolio", 0)
        for number in range(REDUCTION):
            scheduler.begin(number)
            outcome = execute(program, scheduler, self._session.setting)
            scheduler.end(outcome)
            if shows(identity)(outcome):
                return outcome
        return None


def _size(scenario: Scenario, outcome: Outcome) -> tuple[int, ...]:
    tasks = scenario.content.tasks
    operations = sum(len(task) for task in tasks)
    return (
        len(scenario.faults) + len(scenario.configuration) + operations,
        len(tasks),
        len(scenario.content.setup),
        preemptions(outcome),
    )
