"""Searching a target: generated scenarios, each under many schedules.

What fails is made small at once, then the search goes on. One seed, one search, as
long as the budget is one of schedules; a budget of seconds ends it earlier.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path
from time import perf_counter

from harness.explore import Exploration, Result
from harness.findings import Finding, shows, shows_serially
from harness.kernel.outcome import ADVICE, Outcome
from harness.laboratory import Laboratory
from harness.program import Setting, execute
from harness.replaying import replay
from harness.schedulers.registry import make_scheduler
from harness.schedulers.serial import Serial
from harness.traces.build import recorded_choices
from harness.traces.codec import read
from harness.traces.schema import Trace
from strategies.feeding import feed
from strategies.novelty import Novelty
from strategies.reduction import Reduction, Source
from strategies.scenarios import scenarios
from strategies.seeking import EFFORT, Seeking
from strategies.verification import Verification, described
from targets.legality import single_operations
from targets.origin import origin_of
from targets.protocol import ImpossibleStartError, OpenTarget, Target
from targets.scenario import Scenario, scenario_of
from targets.sizes import key_of

ROUND = 50
"""Examples that Hypothesis generates in one run; shrinking one generates those before
it again."""
PER_PROGRAM, ALONE = 15, 2
"""Schedules for each program before the next one gets its turn: there are not many for a
task alone."""
FINAL_STEPS = 200
FINAL_EFFORT = {"error": 400_000, "warning": 60_000, "note": 60_000}
"""Executions for making a schedule small once its program is, and the events that they
may take together, by severity."""
UNVERIFIED = "unverified"
"""The folder, beside the traces, for what the faithful world does not show."""
FOR_WARNINGS = 0.4
"""The part of the time that is left for working out warnings, once there are any: errors
are worked out as they are met."""
NOTES = 5
"""Remarks taken over from the search of one program."""


@dataclass(slots=True)
class Fuzzing:
    """One search: what it has, and what it has found.

    ``most``: schedules at most. ``deadline``: when to end at the latest, by
    ``perf_counter``. ``folder``: for the traces. ``look`` is called after every
    execution.
    """

    target: Target
    opened: OpenTarget
    laboratory: Laboratory
    scheduler: str
    setting: Setting
    folder: Path
    most: int
    deadline: float
    result: Result
    look: Callable[[Fuzzing, Exploration], None] | None = None
    known: dict[str, Finding] = field(default_factory=dict)
    novelty: Novelty = field(default_factory=Novelty)
    advised: set[tuple[str, ...]] = field(default_factory=set)
    met: set[bytes] = field(default_factory=set)
    unverified: list[Finding] = field(default_factory=list)
    verification: Verification = field(init=False)
    warnings: list[tuple[Scenario, Finding, Source]] = field(default_factory=list)
    explore_until: float = 0.0
    examples: int = 0
    _rounds: int = 0
    _number: int = 0

    def __post_init__(self) -> None:
        self.verification = Verification(self.target, self.opened, self.laboratory, self.setting)

    def run(self) -> None:
        """Search until the budget is used up or something escapes control."""
        if self.laboratory.silence:
            self.result.verdict = "uncontrolled"
            self.result.notes.append(self.laboratory.silence)
            return
        while self._left() > 0 and self.result.verdict != "uncontrolled":
            left = self.deadline - perf_counter()
            self.explore_until = self.deadline - FOR_WARNINGS * left
            self._explore()
            self._work_out_warnings()
        if self.result.verdict != "uncontrolled":
            self.result.verdict = "found" if self.result.failures else "cut"
            self._tell_verification()
            if not self.result.schedules:
                self.result.notes.append("no execution ended within the budget; give it more with --seconds")
                self.result.verdict = "uncontrolled"

    def _explore(self) -> None:
        """Generated programs, until it is time for the warnings that were met."""
        while self._left() > 0 and self.result.verdict != "uncontrolled":
            self._number = 0
            feed(scenarios(self.target), self._consume, seed=self._seed(), most=ROUND)
            self._rounds += 1

    def _tell_verification(self) -> None:
        asked, notes = self.verification, self.result.notes
        if not asked.options:
            return
        if asked.refused:
            notes.append(f"no finding was tried with {described(asked.options)}: {asked.refused}")
        elif self.result.failures:
            notes.append(f"every finding showed again with {described(asked.options)}")
        if self.unverified:
            notes.append(
                f"{len(self.unverified)} more did not show again with {described(asked.options)}, so that they are "
                f"not listed: the search's own world is wrong there; traces in {self.folder / UNVERIFIED}"
            )

    def _seed(self) -> str:
        return f"{self.setting.seed}/{self._rounds}"

    def _left(self) -> int:
        until = self.explore_until if self.warnings else self.deadline
        return self.most - self.result.schedules if perf_counter() < until else 0

    def _consume(self, scenario: Scenario) -> bool:
        """Explore one generated program; False when the search is over."""
        self._number += 1
        if self._number == 1 and self._rounds:
            # Every round begins with the simplest program there is.
            return True
        left = self._left()
        if left <= 0:
            return False
        key = key_of(scenario)
        if key in self.met:
            # Hypothesis makes some of its examples by repeating parts of earlier ones.
            return True
        self.met.add(key)
        self.examples += 1
        most = PER_PROGRAM if len(scenario.content.tasks) > 1 else ALONE
        search = self._search(scenario, min(most, left), self.folder / "raw")
        try:
            found = search.run()
        except ImpossibleStartError:
            return True
        self._add(found)
        if found.verdict == "uncontrolled":
            self.result.verdict = "uncontrolled"
            self.result.notes += found.notes
            return False
        for finding in found.failures:
            self._refine(scenario, finding)
        return True

    def _search(self, scenario: Scenario, schedules: int, folder: Path, budget: int = 0) -> Exploration:
        return Exploration(
            self.opened.program(scenario),
            make_scheduler(self.scheduler, self.setting.seed + self.examples),
            self.laboratory,
            schedules=schedules,
            seconds=max(0.1, self.deadline - perf_counter()),
            seed=self.setting.seed,
            model=self.setting.model,
            stop_on_first=False,
            origin=origin_of(self.target, self.opened, scenario),
            folder=folder,
            progress=None if self.look is None else self._look,
            hot=self.setting.hot,
            shrink_budget=budget,
            watchers=self.setting.watchers,
            advised=self.advised,
        )

    def _look(self, search: Exploration) -> None:
        assert self.look is not None
        self.look(self, search)

    def _add(self, found: Result) -> None:
        self.result.schedules += found.schedules
        self.result.classes += found.classes
        if found.verdict != "uncontrolled":
            # That runs were cut, or that accesses are not seen, must not get lost.
            self.result.notes += [note for note in found.notes if note not in self.result.notes][:NOTES]
        if found.first_failure is not None and self.result.first_failure is None:
            self.result.first_failure = self.result.schedules - found.schedules + found.first_failure

    def _refine(self, scenario: Scenario, raw: Finding) -> None:
        """Work out what is new: errors and advice at once, warnings when it is their turn."""
        if not raw.trace:
            return
        identity = read(Path(raw.trace)).expected.identity
        if self.novelty.is_met(identity, raw):
            Path(raw.trace).unlink(missing_ok=True)
        elif raw.severity == "warning" and raw.kind not in ADVICE:
            # Another program can show what has the same name meanwhile.
            waiting = Path(raw.trace).with_name(f"waiting-{self.examples}-{len(self.warnings)}.json")
            waiting = Path(raw.trace).replace(waiting)
            self.warnings.append((scenario, replace(raw, trace=str(waiting)), self._source()))
        else:
            self._work_out(scenario, raw, self._source())

    def _work_out_warnings(self) -> None:
        """The smallest programs first: what an operation shows alone explains others."""
        waiting = sorted(self.warnings, key=lambda one: len(_operations(one[0])))
        self.warnings = []
        for number, (scenario, raw, source) in enumerate(waiting):
            if perf_counter() >= self.deadline:
                # Their traces stay where they are; one is shown where there is nothing else.
                self.novelty.unworked += len(waiting) - number
                if not self.result.failures:
                    self._keep(raw)
                return
            self._work_out(scenario, raw, source)

    def _source(self) -> Source:
        return Source(self._seed(), ROUND, self._number)

    def _work_out(self, scenario: Scenario, raw: Finding, source: Source) -> None:
        """Make the program small, then the schedule; keep what is worth it. ``source``:
        where the program came from."""
        file = Path(raw.trace)
        trace = read(file)
        identity = trace.expected.identity
        if not self.novelty.is_worth(identity, raw, _operations(scenario)):
            file.unlink(missing_ok=True)
            return
        same = shows(identity)
        shown = self._again(scenario, trace)
        if not same(shown):
            finding, smallest = raw, scenario
        else:
            advice = raw.kind in ADVICE
            seeking = self._seeking(same, raw.severity)
            reduce = self._alone if advice else self._reduce
            smallest, outcome = reduce(scenario, shown, same, seeking, source)
            steps = min(FINAL_STEPS, FINAL_EFFORT[raw.severity] // seeking.cost_of(smallest, outcome))
            finding = self._search(smallest, 0, file.parent, steps).record(outcome, identity)
            program = self.opened.program(smallest)
            sequential = not advice and shows_serially(program, len(smallest.content.tasks), self.setting, same)
            finding = replace(finding, sequential=sequential, schedule=raw.schedule)
            if finding.trace and Path(finding.trace) != file:
                file.unlink(missing_ok=True)
        self.novelty.learn(identity, finding, _operations(smallest))
        self._keep(finding)

    def _keep(self, finding: Finding) -> None:
        """Add a finding with its trace, if the faithful world shows it too; of two with
        one signature the first stays, in the list and on the disk."""
        if finding.signature in self.known:
            if finding.trace:
                Path(finding.trace).unlink(missing_ok=True)
            return
        verified = self._verified(finding)
        folder = self.folder if verified is not None else self.folder / UNVERIFIED
        if finding.trace:
            working = Path(finding.trace)
            folder.mkdir(parents=True, exist_ok=True)
            finding = replace(finding, trace=str(working.replace(folder / f"{finding.signature}.json")))
        self.known[finding.signature] = finding
        if verified is None:
            self.unverified.append(finding)
        else:
            self.result.failures.append(replace(finding, verified=verified))

    def _verified(self, finding: Finding) -> str | None:
        """The options under which a finding showed again, "" where there is nothing to
        ask; None where it did not show."""
        asked = self.verification
        if not asked.possible or not finding.trace:
            return ""
        trace = read(Path(finding.trace))
        shown = asked.verify(scenario_of(trace), trace)
        if asked.refused:
            return ""
        return described(asked.options) if shown else None

    def _seeking(self, same: Callable[[Outcome], bool], severity: str) -> Seeking:
        effort = EFFORT[severity]
        return Seeking(self.target, self.opened, self.laboratory, self.setting, same, effort, self.deadline)

    def _again(self, scenario: Scenario, trace: Trace) -> Outcome:
        """The failing run itself."""
        return replay(self.opened.program(scenario), recorded_choices(trace), self.setting).outcome

    def _alone(
        self, scenario: Scenario, outcome: Outcome, same: Callable[[Outcome], bool], seeking: Seeking, source: Source
    ) -> tuple[Scenario, Outcome]:
        """One operation that shows advice by itself, as most often one does: it seldom
        depends on the schedule. Otherwise the smallest program."""
        for content in single_operations(scenario.content, self.target.operations()):
            made = execute(self.opened.program(Scenario(content)), Serial((0,)), self.setting)
            if same(made):
                return Scenario(content), made
        return self._reduce(scenario, outcome, same, seeking, source)

    def _reduce(
        self, scenario: Scenario, outcome: Outcome, same: Callable[[Outcome], bool], seeking: Seeking, source: Source
    ) -> tuple[Scenario, Outcome]:
        """The smallest program found that fails alike, and a run of it."""
        outcome = seeking.focus(scenario, outcome)
        reduction = Reduction(self.target, seeking.seek, seeking.enough)
        return reduction.reduce(scenario, outcome, source)


def _operations(scenario: Scenario) -> list[str]:
    return [operation.name for task in scenario.content.tasks for operation in task]
