"""All that is tried of one small program, in an order of worth; it can be left and gone on with.

Each task goes first to its end; then come the schedules with one change of priority
(:class:`~semafuzz.harness.schedulers.one_change_sweep.OneChangeSweep`), two for each torn read
(:class:`~semafuzz.harness.schedulers.stale_pairs.StalePairs`), and at the end, where tasks met in memory
without a lock that both held, some with switches at accesses, to which these are blind. Whose
tasks do not meet has but few.
"""

from __future__ import annotations

from collections.abc import Sequence

from semafuzz.harness.kernel.locations import Key
from semafuzz.harness.kernel.outcome import Outcome
from semafuzz.harness.kernel.task import RawEvent, Task
from semafuzz.harness.schedulers.one_change_sweep import OneChangeSweep
from semafuzz.harness.schedulers.protocol import Scheduler
from semafuzz.harness.schedulers.stale_pairs import StalePairs
from semafuzz.harness.schedulers.touches import Touch, touches_of

SWEEPS_PER_TEAR = 2
FOR_ACCESSES, FEWEST_ACCESSES, MOST_ACCESSES = 10_000, 6, 64
"""Events of all executions with switches at accesses together, and how many there are of these: of a short
program many cost nothing."""


class SmallProgram(Scheduler):
    """Counts its executions by itself, so that a search may end and the next one go on.

    ``accesses``: what switches at accesses. ``allowed``: executions that the systematic part has in this
    turn. ``done``: there is nothing left.
    """

    name = "small-program"

    def __init__(self, sweep: OneChangeSweep, tears: StalePairs, accesses: Scheduler) -> None:
        self.sweep, self._tears, self._accesses = sweep, tears, accesses
        self._now: Scheduler = sweep
        self._systematic = self._accessed = 0
        self._most_accesses = MOST_ACCESSES
        self._ended: set[Scheduler] = set()
        self.allowed = 0
        self.executions = 0
        self.done = False
        self._meet_in_memory = False

    @property
    def met(self) -> bool:
        """Whether the tasks can disturb one another, as far as was seen."""
        return self._meet_in_memory or self.sweep.met

    def begin(self, execution: int) -> bool:
        """The next execution, whatever its number; False where this turn is over or nothing is left."""
        chosen = self._next_systematic() if self.allowed > 0 else None
        if chosen is not None:
            self.allowed -= 1
            self._systematic += 1
        elif self.allowed > 0 and self._next_access():
            chosen = self._accesses
            self._accessed += 1
        self.done = chosen is None and self.allowed > 0
        if chosen is None:
            return False
        self._now = chosen
        self.executions += 1
        return True

    def _next_systematic(self) -> Scheduler | None:
        is_tears_turn = self._systematic % (SWEEPS_PER_TEAR + 1) == SWEEPS_PER_TEAR
        if is_tears_turn and self._begin_tear():
            return self._tears
        if self.sweep not in self._ended:
            if self.sweep.begin(min(self._systematic, 1)):
                return self.sweep
            self._ended.add(self.sweep)
        return self._tears if self._begin_tear() else None

    def _next_access(self) -> bool:
        return self._meet_in_memory and self._accessed < self._most_accesses and self._accesses.begin(self._accessed)

    def _begin_tear(self) -> bool:
        if self._tears in self._ended or not self.sweep.is_serial_done():
            return False
        if self._tears.tear():
            return True
        self._ended.add(self._tears)
        return False

    def watch(self, outcome: Outcome) -> None:
        """As the one that chooses."""
        self._now.watch(outcome)

    def choose(self, enabled: Sequence[Task], current: Task | None, step: int) -> Task:
        """As the one whose turn it is."""
        return self._now.choose(enabled, current, step)

    def end(self, outcome: Outcome) -> None:
        """Learn; what is seen of one task after the other serves the torn reads."""
        self._now.end(outcome)
        task = self.sweep.serial_task
        if self._now is self.sweep and task is not None:
            self._tears.learn(task, outcome)
        events = max(1, len(outcome.events))
        self._most_accesses = max(FEWEST_ACCESSES, min(MOST_ACCESSES, FOR_ACCESSES // events))
        if not self._meet_in_memory:
            self._meet_in_memory = meet_in_memory(outcome.events)

    def restart(self) -> None:
        """New points are accesses: only who switches there begins again."""
        self._accesses.restart()


def meet_in_memory(events: Sequence[RawEvent]) -> bool:
    """Whether two tasks touch one location, one of them to write it, without a lock that both hold:
    their order can change. Calls that leave the process are not looked at."""
    seen: dict[Key, set[tuple[int, Touch]]] = {}
    for _, index, touch in touches_of(events):
        found = seen.setdefault(touch.key, set())
        if (index, touch) in found:
            continue
        if any(other != index and touch.meets(theirs) for other, theirs in found):
            return True
        found.add((index, touch))
    return False
