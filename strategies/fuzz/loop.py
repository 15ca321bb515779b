"""Searching a target: small programs one after the other, and generated ones.

Both have turns, by the executions that they took, and each program is run under many
schedules.
What fails is minimised after a while, then the search goes on. One seed, one search, as long as the
budget is one of schedules; a budget of seconds ends it earlier.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from semafuzz.harness.kernel import event_kinds as op
from semafuzz.harness.kernel.task import RawEvent
from semafuzz.harness.runs.budget import Deadline
from semafuzz.harness.runs.program import execute
from semafuzz.harness.runs.replay_run import replay
from semafuzz.harness.schedulers.one_change_sweep import OneChangeSweep
from semafuzz.harness.schedulers.protocol import Scheduler
from semafuzz.harness.schedulers.registry import make_scheduler
from semafuzz.harness.schedulers.serial_order import SerialOrder
from semafuzz.harness.schedulers.small_program import SmallProgram
from semafuzz.harness.schedulers.stale_pairs import StalePairs
from semafuzz.harness.search.conclusion import give_verdict
from semafuzz.harness.search.exploration import Exploration
from semafuzz.harness.search.finding import Finding
from semafuzz.harness.search.result import Result
from semafuzz.harness.traces.build import recorded_choices
from semafuzz.harness.traces.codec import read
from semafuzz.harness.traces.schema import Trace
from semafuzz.harness.traces.signature import failure_identity
from semafuzz.strategies.fuzz.follow_up import consequences
from semafuzz.strategies.fuzz.program_shrinker import Source
from semafuzz.strategies.fuzz.small_programs import SmallPrograms
from semafuzz.strategies.fuzz.small_scope import SmallScope
from semafuzz.strategies.fuzz.triage import Triage
from semafuzz.strategies.generate.hypothesis_runs import generate
from semafuzz.strategies.generate.scenarios import scenarios
from semafuzz.strategies.pairs.search import PairSearch
from semafuzz.targets.model.protocol import ImpossibleStartError, LackingWorldError
from semafuzz.targets.model.scenario import Scenario, parts_of
from semafuzz.targets.model.scenario_order import key_of
from semafuzz.targets.model.trace_origin import origin_of

ROUND = 50
"""Examples that Hypothesis generates in one run; shrinking one generates those before
it again."""
PER_PROGRAM, ALONE = 15, 2
"""Schedules for each program before the next one gets its turn: there are not many for a
task alone."""
FOR_SMALL, UNTIL_ALL_PAIRS = 2 / 3, 0.85
"""The part of the executions that goes to small programs, also until each pair had its turn."""
FOR_FINDINGS = 0.12
"""The part of the time that is left for working out what was met, once there is any."""
FOR_CONSEQUENCES = 0.04
"""The part of the executions that goes to what wrong states lead to; they cost more than others."""
ENDED = object()
NOTES = 5
"""Remarks taken over from the search of one program."""


@dataclass(slots=True)
class FuzzLoop:
    """One search. ``refinement``: the target, and what becomes of what is found.

    ``most``: schedules at most. ``share``: this search takes of the small programs
    each ``share[1]``-th, from the one with number ``share[0]``. ``look`` is called after
    executions, with the number of those that the result does not count yet; ``enter`` before
    each program. ``pairs``: where the pairs of operations are to be decided one by one, which comes first then;
    ``only_pairs``: and nothing after it.
    """

    refinement: Triage
    scheduler: str
    most: int
    share: tuple[int, int] = (0, 1)
    look: Callable[[int], None] | None = None
    enter: Callable[[Scenario], None] | None = None
    pairs: PairSearch | None = None
    only_pairs: bool = False
    advised: set[tuple[str, ...]] = field(default_factory=set)
    met: set[bytes] = field(default_factory=set)
    explore_until: Deadline = field(default_factory=Deadline)
    examples: int = 0
    _small: SmallPrograms | None = None
    _small_ended: bool = False
    _follow_ups: deque[Iterator[object]] = field(default_factory=deque)
    _continued: int = 0
    _extended: set[tuple[str, ...]] = field(default_factory=set)
    _rounds: int = 0
    _number: int = 0

    @property
    def result(self) -> Result:
        """What the search came to."""
        return self.refinement.result

    def run(self) -> None:
        """Search until the budget is used up or something escapes control."""
        work, result = self.refinement, self.result
        if work.laboratory.uncontrolled_reason:
            result.verdict = "uncontrolled"
            result.notes.append(work.laboratory.uncontrolled_reason)
            return
        scope = SmallScope(work.target, self.calls_of, work.setting.seed, self.places_of)
        self._small = SmallPrograms(scope, self.share, self._schedules_of_pair)
        if self.pairs is not None:
            self.pairs.run()
            self._small_ended = True
            work.work_out()
        while not self.only_pairs and self._left() > 0 and result.verdict != "uncontrolled":
            self.explore_until = work.deadline.before(FOR_FINDINGS)
            self._explore()
            work.work_out()
        self.conclude()

    def conclude(self) -> None:
        """Say what it came to, also where somebody has ended it."""
        work, result = self.refinement, self.result
        if result.verdict != "uncontrolled":
            done = self.only_pairs and self.pairs is not None and self.pairs.exhausted
            give_verdict(result, {}, exhausted=done)
            work.tell()
            result.pairs = self._small.told() if self._small is not None and self.pairs is None else {}
            work.novelty.unworked += len(work.waiting)
            if not result.schedules and not result.interrupted:
                result.notes.append("no execution ended within the budget; give it more with --seconds")
                result.verdict = "uncontrolled"

    def _explore(self) -> None:
        """Programs of both kinds, until it is time for what was met."""
        while self._left() > 0 and self.result.verdict != "uncontrolled":
            self._number = 0
            before = self.result.schedules
            generate(scenarios(self.refinement.target), self._consume, seed=self._seed(), most=ROUND)
            self._rounds += 1
            if self.result.schedules == before:
                # There is nothing new to run.
                self._follow_up(1.0)

    def _seed(self) -> str:
        # Searches that share the small programs draw others.
        return "/".join(
            map(str, (self.refinement.setting.seed, self._rounds, *([self.share[0]] if self.share[0] else [])))
        )

    def _left(self) -> int:
        until = self.explore_until if self.refinement.waiting else self.refinement.deadline
        return 0 if until.passed else self.most - self.result.schedules

    def _consume(self, scenario: Scenario) -> bool:
        """Explore one generated program, and small ones; False when the search is over."""
        self._number += 1
        if self._number == 1 and self._rounds:
            # Every round begins with the simplest program there is.
            return True
        key = key_of(scenario)
        if key not in self.met:
            # Hypothesis makes some of its examples by repeating parts of earlier ones.
            self.met.add(key)
            many = PER_PROGRAM if len(scenario.content.tasks) > 1 else ALONE
            self._try(scenario, make_scheduler(self.scheduler, self._seed_of_program()), many, self._source())
        while self._small_is_due() and self._goes_on():
            self._step_of_small()
        return self._goes_on()

    def _small_is_due(self) -> bool:
        small = self._small
        if small is None or self._small_ended:
            return False
        return small.executions < (FOR_SMALL if small.had_their_turn else UNTIL_ALL_PAIRS) * self.result.schedules

    def _goes_on(self) -> bool:
        return self._left() > 0 and self.result.verdict != "uncontrolled"

    def _step_of_small(self) -> None:
        assert self._small is not None
        self._small_ended = not self._small.step(self._explored)

    def _explored(self, scenario: Scenario, scheduler: Scheduler, most: int) -> int:
        before = self.result.schedules
        self._try(scenario, scheduler, most, None)
        return self.result.schedules - before

    def _schedules_of_pair(self) -> SmallProgram:
        target = self.refinement.target
        sees_memory = self.refinement.setting.model == "threads" and not self.refinement.laboratory.unseen
        return SmallProgram(
            OneChangeSweep(target.changes_nothing_for_others, sees_memory),
            StalePairs(target.changes_nothing_for_others, target.may_write, target.may_read),
            make_scheduler(self.scheduler, self._seed_of_program()),
        )

    def _try(self, scenario: Scenario, scheduler: Scheduler, most: int, source: Source | None) -> None:
        """Explore one program and take in what it shows."""
        left = self._left()
        if left <= 0:
            return
        self.examples += 1
        if self.enter is not None:
            self.enter(scenario)
        work = self.refinement
        try:
            search = Exploration(
                work.opened.program(scenario),
                scheduler,
                work.laboratory,
                schedules=min(most, left),
                seconds=max(0.1, work.deadline.left),
                seed=work.setting.seed,
                model=work.setting.model,
                stop_on_first=False,
                origin=origin_of(work.target, work.opened, scenario),
                folder=work.raw,
                progress=None if self.look is None else self._look,
                hot=work.setting.hot,
                shrink_budget=0,
                only_stores=True,
                detectors=work.setting.detectors,
                advised=self.advised,
            )
            found = search.run()
        except LackingWorldError as error:
            self._note(f"{error}: programs that ask for it were passed over")
            return
        except ImpossibleStartError:
            return
        self._add(found)
        if found.verdict == "uncontrolled":
            self.result.verdict = "uncontrolled"
            self.result.notes += found.notes
            return
        warnings = work.take(scenario, found.failures, source)
        for warning in warnings if len(scenario.content.tasks) > 1 else ():
            self._note_follow_up(scenario, warning)
        self._follow_up(FOR_CONSEQUENCES)
        work.work_out_some()

    def _note(self, text: str) -> None:
        if text not in self.result.notes:
            self.result.notes.append(text)

    def _follow_up(self, share: float) -> None:
        """See what warnings lead to, as long as this part of the executions went to that."""
        while self._follow_ups and self._continued <= share * self.result.schedules and self._goes_on():
            if next(self._follow_ups[0], ENDED) is ENDED:
                self._follow_ups.popleft()

    def _note_follow_up(self, scenario: Scenario, warning: Finding) -> None:
        """Have it seen what a new warning leads to where the target works on."""
        trace = read(Path(warning.trace))
        if trace.expected.identity not in self._extended:
            self._extended.add(trace.expected.identity)
            self._follow_ups.append(self._extended_with_one_operation(scenario, trace))

    def _extended_with_one_operation(self, scenario: Scenario, trace: Trace) -> Iterator[object]:
        """One execution after the other."""
        work = self.refinement
        outcome = replay(work.opened.program(scenario), recorded_choices(trace), work.setting).outcome
        for longer, made in consequences(scenario, outcome, work.target, work.opened, work.setting):
            work.laboratory.control.between_executions()
            if made.uncontrolled:
                self.result.notes.append(made.uncontrolled)
                self.result.verdict = "uncontrolled"
                return
            self._continued += 1
            self.result.schedules += 1
            if self.look is not None:
                self.look(0)
            for watcher in work.setting.detectors:
                watcher.keep(made)
            for failure in made.failures:
                if failure.severity == "error" and not work.novelty.is_known(
                    failure_identity(failure), parts_of(longer)
                ):
                    raw = work.recorder_of(longer).record(made, failure_identity(failure))
                    work.take(longer, [raw], None)
            yield None

    def calls_of(self, scenario: Scenario) -> list[str]:
        """The calls that leave the process in a run without a switch; none where it cannot start."""
        return [str(name) for kind, _, _, name, _ in self._events_of(scenario) if kind == op.IO]

    def places_of(self, scenario: Scenario) -> frozenset[int]:
        """The places in the code at which such a run leaves an event."""
        return frozenset(site for *_, site in self._events_of(scenario))

    def _events_of(self, scenario: Scenario) -> Sequence[RawEvent]:
        work = self.refinement
        try:
            outcome = execute(work.opened.program(scenario), SerialOrder((0,)), work.setting)
        except ImpossibleStartError:
            return ()
        work.laboratory.control.between_executions()
        return outcome.events

    def _seed_of_program(self) -> int:
        return self.refinement.setting.seed + self.examples

    def _look(self, search: Exploration) -> None:
        assert self.look is not None
        self.look(search.result.schedules)

    def _add(self, found: Result) -> None:
        result = self.result
        result.schedules += found.schedules
        result.classes += found.classes
        if found.verdict != "uncontrolled":
            # That runs were cut, or that accesses are not seen, must not get lost.
            result.notes += [note for note in found.notes if note not in result.notes][:NOTES]
        if found.first_failure is not None and result.first_failure is None:
            result.first_failure = result.schedules - found.schedules + found.first_failure

    def _source(self) -> Source:
        return Source(self._seed(), ROUND, self._number)
