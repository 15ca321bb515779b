"""The pairs of a target's operations: which of them may run at the same time.

Each program of a pair is run under the schedules of the reduction (``dpor``) until there is none left, or as many
as a round allows; pairs take turns, and each round allows ten times as many. What fails goes where all failures of
a search go. What is said of a pair is as strong as its weakest program.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import partial

from semafuzz.harness.runs.budget import Deadline
from semafuzz.harness.schedulers.registry import make_scheduler
from semafuzz.harness.search.exploration import Exploration
from semafuzz.harness.search.result import Result
from semafuzz.strategies.fuzz.triage import Triage
from semafuzz.strategies.pairs.faulty import CallsOf, faulty_pairs, faulty_singles
from semafuzz.strategies.pairs.programs import Pair, name_of, pairs_of, programs_of
from semafuzz.targets.model.protocol import ImpossibleStartError, LackingWorldError
from semafuzz.targets.model.scenario import Scenario
from semafuzz.targets.model.trace_origin import origin_of

FIRST, FACTOR, ROUNDS = 60, 10, 4
"""Schedules of a program in the first round, how many times as many in each further one, and rounds."""
LOOKED_AT, LOOK = 3, 16
"""Programs of each pair that are looked at before the rounds, and schedules of each."""


@dataclass(slots=True)
class PairProgram:
    """One program of a pair. ``traces``: happens-before classes that were met; ``exhausted``: all there are;
    ``limits``: what took part unseen; ``closed``: no more rounds, for that reason."""

    scenario: Scenario
    traces: int = 0
    schedules: int = 0
    exhausted: bool = False
    violated: bool = False
    impossible: bool = False
    limits: tuple[str, ...] = ()
    closed: bool = False


@dataclass(slots=True)
class PairOfOperations:
    """What was found out of one pair."""

    names: tuple[str, str]
    programs: list[PairProgram]

    @property
    def violated(self) -> bool:
        """Whether some program of the pair fails."""
        return any(one.violated for one in self.programs)

    @property
    def exhausted(self) -> bool:
        """Whether all programs were run under all schedules, and nothing took part unseen."""
        return all(one.exhausted for one in self.possible)

    @property
    def possible(self) -> list[PairProgram]:
        """The programs that can be run."""
        return [one for one in self.programs if not one.impossible]

    @property
    def traces(self) -> int:
        """Happens-before classes over all programs."""
        return sum(one.traces for one in self.programs)

    @property
    def schedules(self) -> int:
        """Executions over all programs."""
        return sum(one.schedules for one in self.programs)


@dataclass(slots=True)
class PairSearch:
    """Runs the pairs of a target. ``work``: the target, and what becomes of what is found; ``until``: when to end;
    ``most``: executions. ``look`` is called after executions, with the number that the result does not count yet,
    ``enter`` before each program. ``share``: of the pairs each ``share[1]``-th, from that with number ``share[0]``.
    ``calls_of``: says at which calls a program can meet a fault; without it there are none.
    """

    work: Triage
    until: Deadline
    most: int
    look: Callable[[int], None] | None = None
    enter: Callable[[Scenario], None] | None = None
    share: tuple[int, int] = (0, 1)
    calls_of: CallsOf | None = None
    pairs: list[PairOfOperations] = field(default_factory=list)
    advised: set[tuple[str, ...]] = field(default_factory=set)

    @property
    def exhausted(self) -> bool:
        """Whether every pair is verified."""
        return all(one.exhausted and one.possible for one in self.pairs)

    @property
    def result(self) -> Result:
        """What the search came to."""
        return self.work.result

    def run(self) -> None:
        """Rounds over all pairs, until each is decided or the budget ends."""
        seed = self.work.setting.seed
        made: list[tuple[Pair, PairOfOperations]] = [
            (pair, PairOfOperations((name_of(pair[0]), name_of(pair[1])), []))
            for pair in pairs_of(self.work.target, seed)[self.share[0] :: self.share[1]]
        ]
        self.pairs = [entry for _, entry in made]
        for pair, entry in made:
            entry.programs = [PairProgram(one) for one in programs_of(self.work.target, pair, seed)]
        if self.calls_of is not None and self.work.target.faults():
            self._run_faulty([pair for pair, _ in made], self.calls_of)
        longest = max((len(entry.programs) for entry in self.pairs), default=0)
        self._take_turns(min(longest, LOOKED_AT), self._look_at)
        allowed = FIRST
        for _ in range(ROUNDS):
            self._take_turns(longest, partial(self._go_on, allowed=allowed))
            allowed *= FACTOR

    def _take_turns(self, programs: int, run: Callable[[PairProgram], None]) -> None:
        """The first program of each pair, then the second of each: every pair has its turn early."""
        for number in range(programs):
            for entry in self.pairs:
                if self._is_over():
                    return
                if number < len(entry.programs) and not entry.violated:
                    run(entry.programs[number])

    def _look_at(self, program: PairProgram) -> None:
        """A few schedules of the reduction, which suffice for a small program, and where they do not a few of those
        that the default search would make: what goes wrong in a large one is seldom among the first of an order that
        covers all."""
        self._run(program, LOOK)
        if not program.violated:
            self._run(program, LOOK, "portfolio")

    def _run_faulty(self, pairs: Sequence[Pair], calls_of: CallsOf) -> None:
        """Every operation with each fault, alone and then beside another one."""
        target, seed = self.work.target, self.work.setting.seed
        beside = (one for pair in pairs for one in faulty_pairs(target, pair, calls_of, seed))
        for scenario in itertools.chain(faulty_singles(target, calls_of, seed), beside):
            if self._is_over():
                return
            self._run(PairProgram(scenario), FIRST if len(scenario.content.tasks) > 1 else 1)

    def _is_over(self) -> bool:
        result = self.result
        return self.until.passed or result.schedules >= self.most or result.verdict == "uncontrolled"

    def _go_on(self, program: PairProgram, allowed: int) -> None:
        """A round of a program. Where something takes part unseen a second one would decide no more."""
        if not program.closed:
            self._run(program, allowed)
            program.closed = bool(program.limits)

    def _run(self, program: PairProgram, allowed: int, scheduler: str = "dpor") -> None:
        if program.exhausted or program.impossible:
            return
        work, result = self.work, self.result
        if self.enter is not None:
            self.enter(program.scenario)
        try:
            found = self._explored(program.scenario, min(allowed, self.most - result.schedules), scheduler)
        except LackingWorldError as error:
            note = f"{error}: programs that ask for it were passed over"
            result.notes += [] if note in result.notes else [note]
            program.impossible = True
            return
        except ImpossibleStartError:
            program.impossible = True
            return
        result.schedules += found.schedules
        result.classes += found.classes
        if found.first_failure is not None and result.first_failure is None:
            result.first_failure = result.schedules - found.schedules + found.first_failure
        program.schedules += found.schedules
        program.traces = max(program.traces, found.classes)
        program.exhausted = program.exhausted or found.exhausted
        program.violated = program.violated or bool(found.failures)
        program.limits = program.limits or tuple(found.limits)
        if found.verdict == "uncontrolled":
            result.verdict = "uncontrolled"
            result.notes += found.notes
            return
        result.notes += [note for note in found.notes if note not in result.notes][:5]
        work.take(program.scenario, found.failures, None)
        work.work_out_some()

    def _explored(self, scenario: Scenario, schedules: int, scheduler: str) -> Result:
        work = self.work
        look = self.look
        return Exploration(
            work.opened.program(scenario),
            make_scheduler(scheduler if work.setting.model == "threads" else "all-schedules", work.setting.seed),
            work.laboratory,
            schedules=schedules,
            seconds=max(0.1, self.until.left),
            seed=work.setting.seed,
            model=work.setting.model,
            origin=origin_of(work.target, work.opened, scenario),
            folder=work.raw,
            progress=None if look is None else lambda search: look(search.result.schedules),
            hot=work.setting.hot,
            shrink_budget=0,
            only_stores=True,
            detectors=work.setting.detectors,
            advised=self.advised,
        ).run()
