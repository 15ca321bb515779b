"""Fewer preemptions: the schedule half of shrinking.

A schedule is rewritten as *directives*: exceptions from "the running task goes
on; when it cannot, the one with the lowest number does". Directives are removed,
many at a time and then singly, as long as the same failure shows. The value
under work is immutable, "simpler" means fewer preemptions and then fewer
directives, and a pass that removed nothing removes nothing when it is run again.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from harness.kernel.outcome import Decision, Outcome
from harness.kernel.task import Task
from harness.program import Program, Setting, execute

_ORDERS = 24
LONG = 2000
"""Events beyond which an execution counts for more than one of the budget."""

Directive = tuple[int, int, int]
"""``(task that announced, or -1; how manyth choice of its; task that runs instead)``"""


class Guided:
    """Follows directives and otherwise lets the running task go on.

    ``order``: task numbers; the first of them that is enabled follows a task that
    cannot go on. Without it the one with the lowest number does.
    """

    name = "guided"

    def __init__(self, directives: Sequence[Directive], order: Sequence[int] = ()) -> None:
        self._rank = {number: rank for rank, number in enumerate(order)}
        self._directives = {(task, number): target for task, number, target in directives}
        self._counts: dict[int, int] = {}

    def begin(self, execution: int) -> bool:
        """One execution."""
        self._counts = {}
        return execution == 0

    def choose(self, enabled: Sequence[Task], current: Task | None, step: int) -> Task:
        """The directive's task where there is one and it is enabled."""
        who = -1 if current is None else current.index
        number = self._counts[who] = self._counts.get(who, 0) + 1
        wanted = self._directives.get((who, number))
        rank = self._rank
        default = min(enabled, key=lambda task: rank.get(task.index, _ORDERS)) if rank else enabled[0]
        for task in enabled:
            if task.index == wanted:
                return task
            if task is current:
                default = task
        return default

    def end(self, outcome: Outcome) -> None:
        """Nothing to learn."""


def directives_of(outcome: Outcome) -> tuple[Directive, ...]:
    """The directives under which ``Guided`` makes the choices of ``outcome``."""
    counts: dict[int, int] = {}
    found: list[Directive] = []
    for decision in outcome.decisions:
        who = decision.current
        number = counts[who] = counts.get(who, 0) + 1
        default = who if who in decision.enabled else decision.enabled[0]
        if decision.chosen != default:
            found.append((who, number, decision.chosen))
    return tuple(found)


def preemptions(outcome: Outcome) -> int:
    """How often a task was left that could have gone on."""
    return sum(decision.preemption for decision in outcome.decisions)


def _put_off(decision: Decision) -> tuple[int, int, object, int]:
    """Which operation of which task waited through a preemption."""
    kind, _, name, site = decision.pending[decision.enabled.index(decision.current)]
    return (decision.current, kind, name if isinstance(name, str) else None, site)


def _single_preemptions(calm: Outcome, only: set[tuple[int, int, object, int]] | None) -> Iterator[Directive]:
    """Every way to interrupt a run once, or only at the operations ``only``."""
    counts: dict[int, int] = {}
    for decision in calm.decisions:
        who = decision.current
        number = counts[who] = counts.get(who, 0) + 1
        if who not in decision.enabled or (only is not None and _put_off(decision) not in only):
            continue
        for other in decision.enabled:
            if other != who:
                yield (who, number, other)


def _preempting(outcome: Outcome) -> set[tuple[int, int]]:
    """Which choices, by task and number, are preemptions."""
    counts: dict[int, int] = {}
    found: set[tuple[int, int]] = set()
    for decision in outcome.decisions:
        number = counts[decision.current] = counts.get(decision.current, 0) + 1
        if decision.preemption:
            found.add((decision.current, number))
    return found


@dataclass(slots=True)
class Shrunk:
    """The simplest failing run found and what it took."""

    outcome: Outcome
    executions: int


def shrink_schedule(
    program: Program,
    outcome: Outcome,
    setting: Setting,
    same: Callable[[Outcome], bool],
    *,
    budget: int = 300,
) -> Shrunk:
    """The failing run with the fewest preemptions that ``budget`` executions find;
    a long one counts for several.

    ``same`` says whether a run shows the failure. ``outcome`` itself comes back
    where the failure does not show again under its own directives.
    """
    best, best_directives, used = outcome, directives_of(outcome), 0

    def attempt(directives: Sequence[Directive], order: Sequence[int] = ()) -> bool:
        nonlocal best, best_directives, used
        if used >= budget:
            return False
        guided = Guided(directives, order)
        guided.begin(0)
        made = execute(program, guided, setting)
        used += 1 + len(made.events) // LONG
        if made.uncontrolled or not same(made):
            return False
        actual = directives_of(made)
        if (preemptions(made), len(actual)) >= (preemptions(best), len(best_directives)):
            return False
        best, best_directives = made, actual
        return True

    def attempt_single() -> None:
        """Every schedule with one preemption: what greedy removal can miss."""
        preempting = _preempting(best)
        waits = tuple(d for d in best_directives if d[:2] not in preempting)
        for base in dict.fromkeys((waits, ())):
            guided = Guided(base)
            guided.begin(0)
            calm = execute(program, guided, setting)
            wanted = {_put_off(d) for d in best.decisions if d.preemption}
            # First where the failing run itself was interrupted, then anywhere.
            for everywhere in (False, True):
                for single in _single_preemptions(calm, None if everywhere else wanted):
                    if attempt((*base, single)):
                        return

    for order in itertools.islice(itertools.permutations(range(len(outcome.tasks))), _ORDERS):
        # Whole tasks in another order: no preemption at all.
        if not preemptions(best) or attempt((), order):
            break
    size = max(1, len(best_directives) // 2)
    while best_directives and used < budget:
        progress = False
        start = 0
        while start < len(best_directives):
            if attempt(best_directives[:start] + best_directives[start + size :]):
                progress = True
            else:
                start += size
        if not progress:
            if size == 1:
                break
            size = max(1, size // 2)
    if preemptions(best) > 1:
        attempt_single()
    return Shrunk(best, used)
