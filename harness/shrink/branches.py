"""One directive more: the schedules that grow from a run, each equivalent one once.

A task that is stopped before one operation or before the next leads to the same
execution, unless what runs meanwhile depends on the operation between. So the places
of a turn at which another task could run instead are taken from the last to the first:
once a run with the later place is made, it is known what the other task does there, and
the earlier places up to the first operation on which that depends need no run of their
own. Places where the failing run itself was interrupted are taken first of all.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

from semafuzz.harness.kernel.dependence import Summary
from semafuzz.harness.kernel.outcome import Decision, Outcome
from semafuzz.harness.schedulers.directed import Directive, Place
from semafuzz.harness.shrink.dependence import Order
from semafuzz.harness.shrink.size import gives_way, interrupted_operation
from semafuzz.harness.shrink.trials import Run

LIKELY, PLAIN = 2, 3
"""What a directive adds to the rank of a schedule: it interrupts what the failing
run interrupts, or it does not."""

Operation = tuple[int, int, object, int]
Bound = tuple[int, int, int]
"""Least preemptions, switches and directives of all that grows from a schedule."""


@dataclass(slots=True)
class Turn:
    """A stretch of a run in which one task goes on, place by place.

    ``others``: for each place the tasks that could run instead. ``steps``: for each
    place the events before it. ``least``: the preemptions and switches before it.
    ``states``: what was done before it. ``taken``: places with the task that runs instead for which there is a branch.
    """

    schedule: tuple[Directive, ...]
    places: list[Place] = field(default_factory=list)
    others: list[tuple[int, ...]] = field(default_factory=list)
    steps: list[int] = field(default_factory=list)
    least: list[tuple[int, int]] = field(default_factory=list)
    states: list[int] = field(default_factory=list)
    taken: set[tuple[int, int]] = field(default_factory=set)

    def earlier(self, number: int, other: int, order: Order, step: int) -> Iterator[Branch]:
        """The next earlier place at which running ``other`` is another execution.

        ``order``: of a run in which it runs from ``step`` on, where the place of this
        number is; before that it did the same as the run with this turn.
        """
        meanwhile = _influence(order, step, other, self.places[0].task)
        for place in range(number - 1, -1, -1):
            between = order.reaches[self.steps[place] : step]
            step = self.steps[place]
            if any(meanwhile.meets(one) for one in between):
                for earlier in range(place, -1, -1):
                    if other in self.others[earlier]:
                        yield from self.branch(earlier, other, PLAIN)
                        return
                return

    def branch(self, number: int, other: int, extra: int) -> Iterator[Branch]:
        """The branch of this place and task, where there is none yet."""
        if (number, other) not in self.taken:
            self.taken.add((number, other))
            preemptions, switches = self.least[number]
            bound = (preemptions + 1, switches + 1, len(self.schedule) + 1)
            schedule = (*self.schedule, Directive(self.places[number], other))
            yield Branch(schedule, bound, extra, self, number, self.states[number])


@dataclass(frozen=True, slots=True)
class Branch:
    """A schedule to run. ``number``: its last directive's place in ``turn``, or, where
    it stands at the end of that, the number of places in it. ``state``: what was done
    before it (``semafuzz.harness.shrink.dependence``); 0 for nothing."""

    schedule: tuple[Directive, ...]
    bound: Bound
    extra: int = 0
    turn: Turn | None = None
    number: int = 0
    state: int = 0

    def earlier(self, run: Run, order: Order) -> Iterator[Branch]:
        """What to run next in the same turn, now that ``run`` has been made."""
        if self.turn is not None:
            directive = self.schedule[-1]
            step = _step(run, directive.place)
            if step is not None:
                yield from self.turn.earlier(self.number, directive.chosen, order, step)

    def skipped(self) -> Iterator[Branch]:
        """What to run next in the same turn where this one needs no run of its own."""
        if self.turn is not None:
            other = self.schedule[-1].chosen
            for number in range(self.number - 1, -1, -1):
                if other in self.turn.others[number]:
                    yield from self.turn.branch(number, other, PLAIN)
                    return


def _step(run: Run, place: Place) -> int | None:
    for other, decision in zip(run.places, run.outcome.decisions, strict=False):
        if other == place:
            return decision.step
    return None


def _influence(order: Order, step: int, task: int, but: int) -> Summary:
    """What the task does from this step on as long as it alone runs, and all that
    depends on that later, without what the task ``but`` has a part in."""
    found = Summary()
    influenced: set[int] = set()
    first = True
    for number in range(step, len(order.events)):
        who = order.events[number][1].index
        first = first and who == task
        if who == but:
            continue
        one = order.reaches[number]
        if first or who in influenced or found.meets(one):
            influenced.add(who)
            found.add(one)
    return found


def branches(run: Run, order: Order, interrupted: set[Operation]) -> Iterator[Branch]:
    """Schedules with one directive more than ``run``, behind all that it has."""
    schedule = run.directives
    events = run.outcome.events
    states = order.states
    last = schedule[-1].place if schedule else None
    behind = last is None
    turn = Turn(schedule)
    preemptions = switches = read = 0
    task = None
    for place, decision in zip(run.places, run.outcome.decisions, strict=False):
        for event in events[read : decision.step]:
            if event[1] is not task:
                switches += task is not None
                if turn.places and event[1].index != turn.places[0].task:
                    yield from _ended(turn, event[1].index, order, read)
                    turn = Turn(schedule)
                task = event[1]
            read += 1
        goes_on = could_go_on(decision, run.outcome)
        if behind:
            if goes_on and decision.chosen == decision.current:
                if turn.places and turn.places[0].task != place.task:
                    turn = Turn(schedule)
                turn.places.append(place)
                turn.others.append(tuple(other for other in decision.enabled if other != decision.current))
                turn.steps.append(decision.step)
                turn.least.append((preemptions, switches))
                turn.states.append(states[decision.step])
                if interrupted_operation(decision) in interrupted:
                    for other in turn.others[-1]:
                        yield from turn.branch(len(turn.places) - 1, other, LIKELY)
            else:
                yield from _alternatives(turn, place, decision, (preemptions, switches), states[decision.step])
        behind = behind or place == last
        preemptions += goes_on and decision.chosen != decision.current
    yield from _ended(turn, -1, order, len(events))


def _alternatives(
    turn: Turn, place: Place, decision: Decision, before: tuple[int, int], state: int
) -> Iterator[Branch]:
    """All that could run where no task goes on."""
    preemptions, switches = before
    ended = turn if turn.places and turn.places[0].task == place.task else None
    for other in decision.enabled:
        if other != decision.chosen:
            stays = other == decision.current
            bound = (preemptions, switches + (decision.step > 0 and not stays), len(turn.schedule) + 1)
            schedule = (*turn.schedule, Directive(place, other))
            if ended is not None and not stays:
                ended.taken.add((len(ended.places), other))
                yield Branch(schedule, bound, PLAIN, ended, len(ended.places), state)
            else:
                yield Branch(schedule, bound, PLAIN, state=state)


def _ended(turn: Turn, follower: int, order: Order, step: int) -> Iterator[Branch]:
    """Where to begin in a turn that is over, for each task that could have run in it."""
    end = len(turn.places)
    for other in sorted({other for others in turn.others for other in others}):
        if other == follower:
            yield from turn.earlier(end, other, order, step)
        elif (end, other) not in turn.taken:
            number = max(number for number in range(end) if other in turn.others[number])
            yield from turn.branch(number, other, PLAIN)


def could_go_on(decision: Decision, outcome: Outcome) -> bool:
    """Whether leaving the task that ran is a preemption."""
    if decision.current not in decision.enabled:
        return False
    pending = decision.pending[decision.enabled.index(decision.current)]
    return not gives_way(pending, outcome.events, decision.step)
