"""From the failures that a search meets to its findings.

What is new is minimised (``semafuzz.strategies.fuzz.program_shrinker``), shown again where that can be asked
(``semafuzz.strategies.fuzz.cross_check``), and kept with its trace, when the search has time for it.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from time import perf_counter, process_time

from semafuzz.harness.kernel.outcome import ADVICE, Outcome, Severity
from semafuzz.harness.runs.budget import Deadline
from semafuzz.harness.runs.execution_config import ExecutionConfig
from semafuzz.harness.runs.program import execute
from semafuzz.harness.runs.replay_run import replay
from semafuzz.harness.runs.session import ControlledSession
from semafuzz.harness.schedulers.serial_order import SerialOrder
from semafuzz.harness.search.exploration import Exploration
from semafuzz.harness.search.finding import Finding
from semafuzz.harness.search.recorder import fails_serially, has_failure
from semafuzz.harness.search.result import Result
from semafuzz.harness.traces.build import recorded_choices
from semafuzz.harness.traces.codec import read
from semafuzz.harness.traces.schema import Trace
from semafuzz.strategies.fuzz.cross_check import CrossCheck, described
from semafuzz.strategies.fuzz.dedup import Dedup, Key
from semafuzz.strategies.fuzz.program_shrinker import ProgramShrinker, Source
from semafuzz.strategies.fuzz.reproducer import EFFORT, Reproducer
from semafuzz.targets.model.catalogue import recognised_in
from semafuzz.targets.model.configured_target import catalogue_of
from semafuzz.targets.model.legality import single_operations
from semafuzz.targets.model.protocol import ImpossibleStartError, OpenTarget, Target
from semafuzz.targets.model.scenario import Scenario, faults_of, parts_of, scenario_of
from semafuzz.targets.model.trace_origin import origin_of

Waiting = tuple[Scenario, Finding, Source | None]
"""What is to be worked out: a failure, its program, and where Hypothesis made that."""
FINAL_STEPS = 200
FINAL_EFFORT = {"error": 120_000, "warning": 40_000, "note": 40_000}
"""Executions for making a schedule small once its program is, and the events that they
may take together, by severity."""
SMALL = 5
"""Parts of programs, operations and faults, beyond which they are large."""
UNTIL_HALF_TIME, LATER = {0: 0.25, 1: 0.08}, {0: 0.3, 1: 0.15}
"""The part of the time that may go to working out, by the rank of what waits: errors of several tasks, and of one."""
LATER_FOR_WARNINGS = 0.05
"""The part of it from half-time on for what the next audit heals: there is most of it, each as dear as an error."""
LARGE = 4
"""The rank of large programs among what waits."""
LARGEST = 4
"""Operations of the programs from which warnings are worked out, where there is something
else to show: making larger ones small takes more than meeting the same in a small one."""
UNVERIFIED = "unverified"
"""The folder, beside the traces, for what the faithful world does not show."""


@dataclass(slots=True)
class Triage:
    """What one search has found. ``deadline``: when to end at the latest.
    ``folder``: for the traces. ``result`` gets the findings.

    ``waiting``: what is to be worked out, each with its scenario and where that came from.
    ``look`` is called before each of them is. ``began``: when the search began, by ``perf_counter``.
    """

    target: Target
    opened: OpenTarget
    laboratory: ControlledSession
    setting: ExecutionConfig
    folder: Path
    deadline: Deadline
    result: Result
    look: Callable[[], None] | None = None
    known: dict[str, Finding] = field(default_factory=dict)
    novelty: Dedup = field(default_factory=Dedup)
    unverified: list[Finding] = field(default_factory=list)
    began: float = field(default_factory=perf_counter)
    verification: CrossCheck = field(init=False)
    waiting: list[Waiting] = field(default_factory=list)
    _first: dict[Key, Waiting] = field(default_factory=dict)
    _held: int = 0
    _spent: float = 0.0

    def __post_init__(self) -> None:
        self.verification = CrossCheck(self.target, self.opened, self.laboratory, self.setting)

    @property
    def raw(self) -> Path:
        """The folder for traces of what is not worked out yet."""
        return self.folder / "raw"

    def recorder_of(self, scenario: Scenario, steps: int | None = None) -> Exploration:
        """Records runs of a scenario; confirms them and makes their schedules small in so many executions;
        without a number only stores them."""
        return Exploration(
            self.opened.program(scenario),
            SerialOrder((0,)),
            self.laboratory,
            schedules=0,
            seed=self.setting.seed,
            model=self.setting.model,
            origin=origin_of(self.target, self.opened, scenario),
            folder=self.raw,
            hot=self.setting.hot,
            shrink_budget=steps or 0,
            only_stores=steps is None,
            detectors=self.setting.detectors,
        )

    def tell(self) -> None:
        """Remark how findings were shown again, and what was not."""
        asked, notes = self.verification, self.result.notes
        if not asked.options:
            return
        if asked.refused:
            notes.append(f"no finding was tried with {described(asked.options)}: {asked.refused}")
        elif any(finding.verified for finding in self.result.failures):
            known = sum(1 for finding in self.result.failures if finding.known)
            besides = f", but for {known} that the catalogue knows, which were not tried" if known else ""
            notes.append(f"every finding showed again with {described(asked.options)}{besides}")
        if self.unverified:
            notes.append(
                f"{len(self.unverified)} more did not show again with {described(asked.options)}, so that they are "
                f"not listed: the search's own world is wrong there; traces in {self.folder / UNVERIFIED}"
            )

    def take(self, scenario: Scenario, failures: Sequence[Finding], source: Source | None) -> list[Finding]:
        """Take in what a search of one program has met; what is new waits until it is worked
        out, but for advice. ``source``: where Hypothesis made the scenario. Returns the new
        warnings."""
        for raw in failures:
            # The disk refused the trace, which went to standard error: it is a finding all the same.
            if not raw.trace:
                self._keep(raw)
        # All of them first: what one comes to can have the name that another has here.
        held = [self._hold(raw) for raw in failures if raw.trace]
        return [raw for raw in held if self._is_new_warning(scenario, raw, source)]

    def _hold(self, raw: Finding) -> Finding:
        self._held += 1
        file = Path(raw.trace)
        return replace(raw, trace=str(file.replace(file.with_name(f"waiting-{self._held}.json"))))

    def _is_new_warning(self, scenario: Scenario, raw: Finding, source: Source | None) -> bool:
        trace, faults = read(Path(raw.trace)), faults_of(scenario)
        key = self.novelty.key_of(trace.expected.identity, raw, faults)
        if self.novelty.seen_before(trace.expected.identity, raw, parts_of(scenario), faults):
            self._keep_smaller(key, (scenario, raw, source))
            return False
        if raw.kind in ADVICE:
            self._work_out(scenario, raw, trace, source)
            return False
        self._first[key] = (scenario, raw, source)
        self.waiting.append(self._first[key])
        return raw.severity == "warning"

    def _keep_smaller(self, key: Key, met: Waiting) -> None:
        """Of two that count as the same, that one waits whose turn comes earlier: what a large
        program has met first is shown by a small one soon enough."""
        first = self._first.get(key)
        place = next((place for place, one in enumerate(self.waiting) if one is first), None)
        gone = met
        if first is not None and place is not None and _turn(met) < _turn(first):
            self._first[key] = self.waiting[place] = met
            gone = first
        Path(gone[1].trace).unlink(missing_ok=True)

    def work_out_some(self) -> None:
        """Make findings of what waits, as long as its share of the time so far is not used up; nothing where
        there is no budget of time. Until half-time warnings and large programs wait."""
        now = perf_counter()
        if math.isinf(self.deadline.at):
            return
        is_late = now - self.began > (self.deadline.at - self.began) / 2
        while self.waiting and not self.deadline.passed:
            self.waiting.sort(key=_turn)
            rank = _turn(self.waiting[0])[0]
            share = LATER.get(rank, LATER_FOR_WARNINGS) if is_late else UNTIL_HALF_TIME.get(rank, 0.0)
            if self._spent >= share * (now - self.began):
                return
            self._work_out_first()
            self._spent += perf_counter() - now
            now = perf_counter()

    def work_out(self) -> None:
        """Make findings of all that waits."""
        self.waiting.sort(key=_turn)
        while self.waiting:
            if self.deadline.passed:
                # Their traces stay where they are; one is shown where there is nothing else.
                self.novelty.unworked += len(self.waiting)
                scenario, raw, _ = self.waiting[0]
                self.waiting.clear()
                if not self.result.failures:
                    self._keep(self._run_again(scenario, raw))
                return
            self._work_out_first()

    def _work_out_first(self) -> None:
        if self.look is not None:
            self.look()
        scenario, raw, source = self.waiting.pop(0)
        if raw.severity != "error" and len(parts_of(scenario)) > LARGEST and self.result.failures:
            self.novelty.large += 1
        else:
            self._work_out(scenario, raw, read(Path(raw.trace)), source)

    def _work_out(self, scenario: Scenario, raw: Finding, trace: Trace, source: Source | None) -> None:
        """Make the program small, then the schedule; keep what is worth it."""
        file = Path(raw.trace)
        identity = trace.expected.identity
        if not self.novelty.worth_shrinking(identity, raw, parts_of(scenario), faults_of(scenario)):
            file.unlink(missing_ok=True)
            return
        same = has_failure(identity)
        shown = self._again(scenario, trace)
        if not same(shown):
            finding, smallest = raw, scenario
        else:
            advice = raw.kind in ADVICE
            reproducer = self._seeking(same, raw.severity)
            alone = self._alone(scenario, same) if advice else None
            smallest, outcome = alone or self._reduce(scenario, shown, reproducer, source)
            steps = min(FINAL_STEPS, FINAL_EFFORT[raw.severity] // reproducer.cost_of(smallest, outcome))
            finding = self.recorder_of(smallest, steps).record(outcome, identity)
            program = self.opened.program(smallest)
            sequential = not advice and fails_serially(program, len(smallest.content.tasks), self.setting, same)
            finding = replace(finding, sequential=sequential, schedule=raw.schedule)
            if finding.trace and Path(finding.trace) != file:
                file.unlink(missing_ok=True)
        self.novelty.learn(identity, finding, parts_of(smallest))
        self._keep(finding)

    def _keep(self, finding: Finding) -> None:
        """Add a finding with its trace, if the faithful world shows it too; of two with
        one signature the first stays, in the list and on the disk."""
        if finding.signature in self.known:
            if finding.trace:
                Path(finding.trace).unlink(missing_ok=True)
            return
        known = self._known(finding)
        # What the catalogue knows was shown in the faithful world when it was entered, which takes most of the time
        # of working out.
        verified = "" if known else self._verified(finding)
        folder = self.folder if verified is not None else self.folder / UNVERIFIED
        if finding.trace:
            working = Path(finding.trace)
            folder.mkdir(parents=True, exist_ok=True)
            finding = replace(finding, trace=str(working.replace(folder / f"{finding.signature}.json")))
        self.known[finding.signature] = finding
        if verified is None:
            self.unverified.append(finding)
        else:
            told = replace(finding, verified=verified, known=known)
            self.result.failures.append(replace(told, seconds=perf_counter() - self.began, cpu_seconds=process_time()))

    def _known(self, finding: Finding) -> str:
        """The defect of the target's catalogue that a finding seems to be."""
        if not finding.trace:
            return ""
        trace = read(Path(finding.trace))
        identity, defects = trace.expected.identity, catalogue_of(self.target)
        release = self.opened.release
        found = recognised_in(defects, identity, scenario_of(trace), self.target, release, finding.pair)
        return found.name if found is not None else ""

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

    def _seeking(self, same: Callable[[Outcome], bool], severity: Severity) -> Reproducer:
        effort = EFFORT[severity]
        return Reproducer(self.target, self.opened, self.laboratory, self.setting, same, effort, self.deadline)

    def _run_again(self, scenario: Scenario, raw: Finding) -> Finding:
        """The finding, with whether its run repeats."""
        trace = read(Path(raw.trace))
        return replace(raw, confirmed=has_failure(trace.expected.identity)(self._again(scenario, trace)))

    def _again(self, scenario: Scenario, trace: Trace) -> Outcome:
        """The failing run itself."""
        return replay(self.opened.program(scenario), recorded_choices(trace), self.setting).outcome

    def _alone(self, scenario: Scenario, same: Callable[[Outcome], bool]) -> tuple[Scenario, Outcome] | None:
        """One operation that shows advice by itself, as most often one does: it seldom
        depends on the schedule."""
        for content in single_operations(scenario.content, self.target.operations()):
            try:
                made = execute(self.opened.program(Scenario(content)), SerialOrder((0,)), self.setting)
            except ImpossibleStartError:
                # It needs the configuration of the other program, which advice does without.
                continue
            if same(made):
                return Scenario(content), made
        return None

    def _reduce(
        self, scenario: Scenario, outcome: Outcome, reproducer: Reproducer, source: Source | None
    ) -> tuple[Scenario, Outcome]:
        """The smallest program found that fails alike, and a run of it."""
        outcome = reproducer.focus(scenario, outcome)
        reduction = ProgramShrinker(self.target, reproducer.try_reproduce, reproducer.enough)
        return reduction.reduce(scenario, outcome, source)


def _turn(waiting: Waiting) -> tuple[int, int, int]:
    """Errors of several tasks come first: they are what is searched for; then errors of one, with a fault
    later; then warnings. Large programs come last, since they take long and small ones may explain them."""
    scenario, raw, _ = waiting
    size, faults = len(parts_of(scenario)), len(scenario.faults)
    several = len(scenario.content.tasks) > 1
    warns = raw.severity != "error"
    if size > SMALL:
        return LARGE, int(warns), size
    return 2 * warns + (not several), faults, size
