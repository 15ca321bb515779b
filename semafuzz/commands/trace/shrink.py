"""``semafuzz shrink``: the smallest trace of the same failure that a budget finds."""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from semafuzz.commands.common.counted_runs import CountedRuns
from semafuzz.commands.common.output_folder import usable_folder
from semafuzz.commands.trace.opened_trace import Code, OpenedTrace, opened_trace
from semafuzz.harness.errors import CannotJudge, UsageError, documentation
from semafuzz.harness.kernel.outcome import SEES_ACCESSES, Outcome
from semafuzz.harness.runs.budget import Deadline
from semafuzz.harness.runs.origin import Origin
from semafuzz.harness.runs.program import Program, execute
from semafuzz.harness.schedulers.portfolio import Portfolio
from semafuzz.harness.schedulers.replay.by_step import ReplayByStep
from semafuzz.harness.search.exploration import Exploration
from semafuzz.harness.search.finding import Finding
from semafuzz.harness.search.recorder import has_failure
from semafuzz.harness.search.reproduction import SEARCH, check_reproduces
from semafuzz.harness.shrink.schedule import preemptions
from semafuzz.harness.traces import codec
from semafuzz.harness.traces.schema import Operations, Trace
from semafuzz.reports.terminal.plain_text import plain, replay_command
from semafuzz.strategies.fuzz.program_shrinker import ProgramShrinker
from semafuzz.strategies.fuzz.reproducer import Reproducer
from semafuzz.targets.model.protocol import OpenTarget, Target
from semafuzz.targets.model.scenario import Scenario, describe
from semafuzz.targets.model.trace_origin import origin_of


@dataclass(frozen=True, slots=True, order=True)
class Size:
    """How large a trace is; the smaller one comes first."""

    tasks: int
    operations: int
    faults: int
    options: int
    preemptions: int
    choices: int

    @staticmethod
    def of(trace: Trace, switches: int) -> Size:
        """``switches``: its preemptions, which only a run tells for sure."""
        program = trace.program
        if isinstance(program, Operations):
            tasks, operations = len(program.tasks), sum(map(len, program.tasks))
        else:
            # What a function starts is its own: only its schedule is made smaller.
            tasks, operations = 0, 0
        return Size(tasks, operations, len(trace.faults), len(trace.configuration), switches, len(trace.choices))


@dataclass(slots=True)
class _Shrinking:
    """One trace being minimised within a budget of executions."""

    subject: OpenedTrace
    budget: int
    same: Callable[[Outcome], bool] = field(init=False)

    def __post_init__(self) -> None:
        self.same = has_failure(self.subject.trace.expected.identity)

    def run(self, outcome: Outcome, folder: Path) -> Finding:
        """The finding of the smallest run, with its trace in ``folder``."""
        subject = self.subject
        program, origin, spent = subject.program, subject.origin, 0
        outcome = self._warm(program, outcome)
        if subject.target is not None and subject.scenario is not None and subject.opened is not None:
            reproducer = self._seeking(subject.target, subject.opened, subject.scenario, outcome)
            outcome = reproducer.focus(subject.scenario, outcome)
            reduction = ProgramShrinker(
                subject.target, reproducer.try_reproduce, lambda: reproducer.enough() or self._half(reproducer)
            )
            scenario, outcome = reduction.reduce(subject.scenario, outcome, None)
            spent = reproducer.executions
            program, origin = subject.opened.program(scenario), origin_of(subject.target, subject.opened, scenario)
        return self._record(program, origin, outcome, folder, self.budget - spent)

    def _seeking(self, target: Target, opened: OpenTarget, scenario: Scenario, outcome: Outcome) -> Reproducer:
        subject = self.subject
        reproducer = Reproducer(target, opened, subject.laboratory, subject.setting, self.same, 0, Deadline())
        # What the whole budget would cost if nothing became smaller.
        reproducer.effort = self.budget * reproducer.cost_of(scenario, outcome)
        return reproducer

    def _half(self, reproducer: Reproducer) -> bool:
        """Whether the half of the budget that is not for the schedule is used up."""
        return 2 * reproducer.executions >= self.budget

    def _warm(self, program: Program, outcome: Outcome) -> Outcome:
        """The recorded run again, with every scheduling point that it has: the
        shrinker moves between those."""
        setting = self.subject.setting
        if setting.model in SEES_ACCESSES:
            for decision in outcome.decisions:
                if decision.current in decision.enabled:
                    setting.hot[decision.pending[decision.enabled.index(decision.current)][3]] = 1
            setting.hot[0] = 0
            setting.learn(outcome)
        again = execute(program, ReplayByStep(outcome.decisions), setting)
        self.subject.laboratory.control.between_executions()
        return again if self.same(again) else outcome

    def _record(self, program: Program, origin: Origin, outcome: Outcome, folder: Path, left: int) -> Finding:
        subject = self.subject
        search = Exploration(
            program,
            Portfolio(subject.setting.seed),
            subject.laboratory,
            seed=subject.setting.seed,
            model=subject.setting.model,
            origin=origin,
            folder=folder,
            hot=subject.setting.hot,
            detectors=subject.setting.detectors,
            shrink_budget=max(1, left),
        )
        finding = search.record(outcome, subject.trace.expected.identity)
        if not finding.confirmed:
            raise CannotJudge(f"the run does not repeat; see {documentation('determinism')}")
        return finding


def run_shrink(path: Path, code: Code, out: Path | None, *, budget: int, in_place: bool) -> int:
    """Shrink a trace and write the smaller one; the exit code.

    ``out``: the folder for it; by default it stands beside the given one, as
    ``NAME.small.json``. ``in_place``: it takes the place of the given one.
    """
    if in_place and out is not None:
        raise UsageError("--in-place and --out exclude each other; give one of them")
    trace = codec.read(path)
    folder = usable_folder(path.parent if out is None else out)
    with opened_trace(trace, code) as subject:
        tries = 0 if subject.recorded else SEARCH
        judgement = check_reproduces(trace, subject.program, subject.setting, subject.laboratory, search=tries)
        if judgement.reproduces is None:
            raise CannotJudge(plain(judgement.why, 1000))
        if judgement.outcome is None:
            why = plain(judgement.why, 1000)
            print(f"{plain(trace.expected.signature)} does not reproduce, so there is nothing to shrink: {why}")
            return 0
        before = Size.of(trace, preemptions(judgement.outcome))
        counted = CountedRuns("making it smaller", budget)
        subject.setting.detectors = (*subject.setting.detectors, counted)
        try:
            with tempfile.TemporaryDirectory(prefix=".shrink-", dir=folder) as working:
                finding = _Shrinking(subject, budget).run(judgement.outcome, Path(working))
                small = codec.read(Path(finding.trace))
        finally:
            counted.clear()
        after = Size.of(small, finding.preemptions)
    target = path
    if after < before:
        target = path if in_place else _destination(path, folder, small, beside=out is None)
        codec.write(small, target)
    _tell(small if after < before else trace, before, min(before, after))
    print(replay_command(str(target), program=subject.program_option, source=str(code.source or "")))
    return 1


def _destination(path: Path, folder: Path, small: Trace, *, beside: bool) -> Path:
    """Where the smaller trace goes: never over the given one."""
    name = f"{path.name.removesuffix('.json')}.small.json" if beside else f"{small.expected.signature}.json"
    target = folder / name
    return folder / f"{target.stem}.small.json" if target.resolve() == path.resolve() else target


def _tell(small: Trace, before: Size, after: Size) -> None:
    """The table of what became smaller."""
    print(f"{plain(small.expected.signature)} {small.expected.kind}: {plain(small.expected.message, 300)}")
    if isinstance(small.program, Operations):
        print(plain(describe(Scenario(small.program, dict(small.configuration), small.faults))))
    print(f"{'':<12} before  after")
    for name in ("tasks", "operations", "faults", "options", "preemptions", "choices"):
        old, new = getattr(before, name), getattr(after, name)
        if old or new:
            print(f"{name:<12} {old:>6} {new:>6}")
    if after == before:
        print("nothing smaller was found; the trace stays as it is")
