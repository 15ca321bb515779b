"""The systematic half: all schedules with few directives, the likely ones first.

Removing what a failing run has cannot show that a quite different run with fewer
preemptions fails too. So schedules are enumerated from the natural one on, by the
number of directives (iterative deepening: what grows from a run has one directive more,
behind all of its own; ``semafuzz.harness.shrink.branches``). Among those with equally many the
ones come first that interrupt what the failing run interrupts; what grows from a run
that is equivalent to one met before comes later. A branch ends where all that grows from
it has more preemptions or switches than the simplest failing run known, so that small
programs are searched to the end: what is found then is the minimum, whatever failed first.

Musuvathi and Qadeer, "Iterative context bounding", PLDI 2007, bound the preemptions
alone; counting the choice of the next task too keeps programs of many tasks within reach
(Emmi, Qadeer and Rakamaric, POPL 2011).
"""

from __future__ import annotations

from heapq import heappop, heappush

from semafuzz.harness.shrink.branches import Bound, Branch, branches
from semafuzz.harness.shrink.dependence import Order
from semafuzz.harness.shrink.normal_form import in_normal_form, simpler_equivalent
from semafuzz.harness.shrink.size import interrupted_operation, interruptions
from semafuzz.harness.shrink.trials import Failing, Run, Trials

KNOWN = 6
"""What it adds to the rank of a schedule that the run it grows from is equivalent
to one met before."""
PATIENCE = 200
"""Executions in a row without a simpler failing run after which the enumeration is left,
and as many more for each preemption that could be saved."""


class Deepening:
    """One enumeration; it goes on where it was left when it is asked again.
    ``finished``: it came to its end."""

    def __init__(self, trials: Trials) -> None:
        self._trials = trials
        self._heap: list[tuple[int, int, Branch]] = []
        self._number = 0
        self._generation = -1
        self._known: set[int] = set()
        self._met: dict[tuple[int, int], list[Bound]] = {}
        self.finished = False

    def deepen(self, value: Failing, most: int | None = None) -> Failing:
        """The simplest failing run among ``value`` and the schedules that the budget covers. ``most``: runs, where
        not all that patience allows; the first that is simpler ends it then."""
        trials = self._trials
        interrupted = {interrupted_operation(decision) for decision in interruptions(value.run.outcome)}
        if trials.generation != self._generation:
            self._restart()
        since = trials.executions
        while self._heap and trials.steady:
            patience = PATIENCE * (1 + value.size.preemptions) if most is None else most
            if not trials.affords() or trials.executions - since > patience:
                return value
            rank, _, branch = heappop(self._heap)
            if branch.bound > value.size[:3]:
                continue
            if self._covered(branch):
                for other in branch.skipped():
                    self._push(rank - branch.extra + other.extra, other)
                continue
            run = trials.make(branch.schedule, learn=False)
            if run is None:
                continue
            order = Order(run.outcome.events)
            new = order.states[-1] not in self._known
            if new:
                # An equivalent run teaches nothing.
                trials.learn(run.outcome)
                if trials.generation != self._generation:
                    self._restart()
                    continue
            self._known.add(order.states[-1])
            if run.fails:
                simpler = self._taken(value, run, new)
                if simpler is not value:
                    value, since = simpler, trials.executions
                    if most is not None:
                        return value
            for other in branch.earlier(run, order):
                self._push(rank - branch.extra + other.extra, other)
            if run.directives == branch.schedule:
                for other in branches(run, order, interrupted):
                    if other.bound <= value.size[:3]:
                        self._push(rank + other.extra + (0 if new else KNOWN), other)
        self.finished = not self._heap
        return value

    def _covered(self, branch: Branch) -> bool:
        """Whether the same task was run in the same state before, at no more cost:
        all that grows from here has an equivalent that grows from there."""
        if not branch.schedule:
            return False
        met = self._met.setdefault((branch.state, branch.schedule[-1].chosen), [])
        if any(all(one <= other for one, other in zip(bound, branch.bound, strict=True)) for bound in met):
            return True
        met.append(branch.bound)
        return False

    def _taken(self, value: Failing, run: Run, new: bool) -> Failing:
        """The simpler one of two, ``run`` in its normal form."""
        trials = self._trials
        if run.size < value.size:
            found = trials.judge(run, value.size)
            if found is not None:
                return in_normal_form(found, trials)
        elif new:
            return simpler_equivalent(run, value.size, trials) or value
        return value

    def _restart(self) -> None:
        """The program has scheduling points that were not known: begin anew."""
        self._generation = self._trials.generation
        self._heap = []
        self._known = set()
        self._met = {}
        self._push(0, Branch((), (0, 0, 0)))

    def _push(self, rank: int, branch: Branch) -> None:
        self._number += 1
        heappush(self._heap, (rank, self._number, branch))
