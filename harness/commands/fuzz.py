"""``semafuzz fuzz``: generated programs, each under many schedules."""

from __future__ import annotations

import itertools
import sys
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path
from time import perf_counter

from harness.commands.locking import Locking
from harness.commands.output import usable_folder
from harness.explore import Exploration, Result
from harness.findings import Finding, Origin, shows
from harness.kernel.outcome import ADVICE, Outcome
from harness.kernel.sites import SITES
from harness.laboratory import Laboratory, open_laboratory
from harness.program import Program, Setting, execute
from harness.schedulers.registry import make_scheduler
from harness.schedulers.serial import Serial
from harness.traces.codec import read
from reports.results import result_json
from reports.terminal import Progress, print_result
from strategies.feeding import feed
from strategies.scenarios import scenarios
from targets import choose_target
from targets.declared_stage import DECLARED
from targets.legality import single_operations, smaller_scenarios
from targets.protocol import OpenTarget, Target
from targets.scenario import Scenario

PER_PROGRAM = 40
"""Schedules for each program before the next one gets its turn."""
REDUCTION = 25
"""Schedules in which a smaller program has to show the failure again."""
ADVICE_RUNS = 3
"""The same for advice."""
FINAL_STEPS = 200
PATIENCE = 6.0
"""Seconds for making one program small."""
ALIKE = 3
"""Findings of one kind between the same operations that are worked out; what
lies behind further ones is most often the same."""


@dataclass(slots=True)
class Fuzzing:
    """One run of the command: what it has, and what it has found."""

    target: Target
    opened: OpenTarget
    laboratory: Laboratory
    scheduler: str
    setting: Setting
    folder: Path
    deadline: float
    most: int
    result: Result
    progress: Progress | None
    started: float = field(default_factory=perf_counter)
    known: dict[str, Finding] = field(default_factory=dict)
    seen: set[tuple[str, tuple[str, ...]]] = field(default_factory=set)
    alike: dict[tuple[str, ...], int] = field(default_factory=dict)
    advised: set[tuple[str, ...]] = field(default_factory=set)
    examples: int = 0
    passed_over: int = 0

    def consume(self, scenario: Scenario) -> bool:
        """Explore one generated program; False when the budget is used up."""
        left = self.most - self.result.schedules
        if left <= 0 or perf_counter() >= self.deadline:
            return False
        self.examples += 1
        search = self._search(scenario, min(PER_PROGRAM, left), self.folder / "raw")
        found = search.run()
        self._add(found)
        if found.verdict == "uncontrolled":
            self.result.verdict = "uncontrolled"
            self.result.notes += found.notes
            return False
        for finding in found.failures:
            self._refine(scenario, finding)
        return True

    def _search(self, scenario: Scenario, schedules: int, folder: Path | None, budget: int = 0) -> Exploration:
        program = self.opened.program(scenario)
        names = tuple(dict.fromkeys(one.name for task in scenario.content.tasks for one in task))
        origin = Origin(
            self.target.name,
            scenario.content,
            self.opened.release,
            scenario.configuration,
            self.opened.libraries,
            names,
            scenario.faults,
        )
        seconds = max(0.1, self.deadline - perf_counter())
        return Exploration(
            program,
            make_scheduler(self.scheduler, self.setting.seed + self.examples),
            self.laboratory,
            schedules=schedules,
            seconds=seconds,
            seed=self.setting.seed,
            model=self.setting.model,
            stop_on_first=False,
            origin=origin,
            folder=folder,
            progress=self._look,
            hot=self.setting.hot,
            shrink_budget=budget,
            watchers=self.setting.watchers,
            advised=self.advised,
        )

    def _look(self, search: Exploration) -> None:
        if self.progress is not None:
            schedules = self.result.schedules + search.result.schedules
            seconds = perf_counter() - self.started
            self.progress.say(schedules, seconds, len(self.known), f", {self.examples} programs")

    def _add(self, found: Result) -> None:
        self.result.schedules += found.schedules
        self.result.classes += found.classes
        if found.first_failure is not None and self.result.first_failure is None:
            self.result.first_failure = self.result.schedules - found.schedules + found.first_failure

    def _refine(self, scenario: Scenario, raw: Finding) -> None:
        """Make the program small, then the schedule; keep what is new."""
        if not raw.trace:
            return
        trace = read(Path(raw.trace))
        identity = trace.expected.identity
        names = tuple(sorted({name.partition("(")[0] for name in raw.operations}))
        key = (identity[0], identity[1:] + names)
        if key in self.seen:
            Path(raw.trace).unlink(missing_ok=True)
            return
        self.seen.add(key)
        group = (identity[0], *names)
        self.alike[group] = self.alike.get(group, 0) + 1
        if self.alike[group] > ALIKE and raw.kind not in ADVICE:
            self.passed_over += 1
            Path(raw.trace).unlink(missing_ok=True)
            return
        same = shows(identity)
        smallest, outcome = self._reduce(scenario, same, raw.kind in ADVICE)
        final = self._search(smallest, 0, self.folder, FINAL_STEPS)
        if outcome is None:
            finding = replace(raw, sequential=self._sequential(scenario, same, raw.kind))
            path = Path(raw.trace)
            kept = path.rename(self.folder / path.name)
            finding = replace(finding, trace=str(kept))
        else:
            finding = final.record(outcome, identity)
            sequential = self._sequential(smallest, same, raw.kind)
            finding = replace(finding, sequential=sequential, schedule=raw.schedule)
            Path(raw.trace).unlink(missing_ok=True)
        if finding.signature not in self.known:
            self.known[finding.signature] = finding
            self.result.failures.append(finding)

    def _reduce(
        self, scenario: Scenario, same: Callable[[Outcome], bool], advice: bool
    ) -> tuple[Scenario, Outcome | None]:
        """The smallest program found that fails alike, and a run of it. ``advice``
        seldom depends on the schedule, and most often one operation shows it."""
        table = self.target.operations()
        runs = ADVICE_RUNS if advice else REDUCTION
        for content in single_operations(scenario.content, table) if advice else ():
            outcome = self._seek(Scenario(content), same, 1)
            if outcome is not None:
                return Scenario(content), outcome
        best: Outcome | None = self._seek(scenario, same, runs)
        progress = True
        until = perf_counter() + PATIENCE
        while progress and perf_counter() < until:
            progress = False
            for smaller in smaller_scenarios(scenario, table):
                if perf_counter() >= until:
                    break
                outcome = self._seek(smaller, same, runs)
                if outcome is not None:
                    scenario, best, progress = smaller, outcome, True
                    break
        return scenario, best

    def _seek(self, scenario: Scenario, same: Callable[[Outcome], bool], runs: int) -> Outcome | None:
        program = self.opened.program(scenario)
        scheduler = make_scheduler("portfolio", self.setting.seed)
        for number in range(runs):
            scheduler.begin(number)
            outcome = execute(program, scheduler, self.setting)
            scheduler.end(outcome)
            self.laboratory.control.between_executions()
            if same(outcome):
                return outcome
        return None

    def _sequential(self, scenario: Scenario, same: Callable[[Outcome], bool], kind: str) -> bool:
        """Whether some serial order of the tasks fails alike; not asked of advice."""
        if kind in ADVICE:
            return False
        program: Program = self.opened.program(scenario)
        for order in itertools.permutations(range(len(scenario.content.tasks))):
            if same(execute(program, Serial(order), self.setting)):
                return True
        return False


def run_fuzz(
    name: str,
    release: str,
    scheduler: str,
    schedules: int,
    seconds: float,
    seed: int,
    model: str,
    detect: tuple[str, ...],
    out: Path,
    as_json: bool,
) -> int:
    """Fuzz a target; the exit code."""
    target = choose_target(name)
    make_scheduler(scheduler, seed)
    folder = usable_folder(out)
    result = Result(name, scheduler, seed)
    started = perf_counter()
    with target.open(release) as opened, open_laboratory(opened.modules, instrument=model == "threads") as laboratory:
        progress = None if as_json else Progress()
        locking = Locking(opened, model, detect)
        setting = Setting(bytearray(max(1 << 16, 2 * len(SITES))), model, seed, watchers=locking.watchers)
        fuzzing = Fuzzing(
            target, opened, laboratory, scheduler, setting, folder, started + seconds, schedules, result, progress
        )
        if laboratory.silence:
            result.verdict = "uncontrolled"
            result.notes.append(laboratory.silence)
        else:
            try:
                feed(scenarios(target), fuzzing.consume, seed=seed, most=1_000_000)
            finally:
                if progress is not None:
                    progress.clear()
        locking.conclude(result, " ".join(dict.fromkeys((name, opened.release))))
    result.seconds = perf_counter() - started
    result.notes.append(f"{fuzzing.examples} programs of {target.name} {opened.release}, {model} model")
    if fuzzing.passed_over:
        result.notes.append(
            f"{fuzzing.passed_over} more failures between the same operations were not worked out; fuzz again with "
            "another --seed once these are mended"
        )
    if result.verdict != "uncontrolled":
        result.verdict = "found" if result.failures else "cut"
    if as_json:
        sys.stdout.write(result_json(result) + "\n")
    else:
        print_result(result, program=name if target.name == DECLARED else "")
    if result.failures:
        return 1
    return 125 if result.verdict == "uncontrolled" else 0
