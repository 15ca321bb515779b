"""Optimal dynamic partial order reduction, with source sets and wakeup trees (Abdulla, Aronsson, Jonsson,
Sagonas, "Optimal dynamic partial order reduction", POPL 2014).

After each execution every race that it has is planned the other way round, unless what was explored, or is
planned, covers that. So each Mazurkiewicz trace is executed once.

Deviations:

- An operation is known when it was performed, and not before: a place becomes a scheduling point when
  a race shows that it matters (``points``), and the execution need not be made again for it.
- Objects are made anew by every execution, so steps of two executions are compared by names
  (:mod:`semafuzz.harness.schedulers.dpor.objects`). Where these take two objects for one, a trace may be
  executed more than once, never missed.
- A task that can be refused a lock, and one whose time runs out where nothing else can go on, are among the
  operations; what the paper calls blocking is a wait for a lock, a join, and the end of the program for daemons.
- Some programs do not keep to what is needed here: they ask whether a thread has ended without being seen
  to, mix sleeping with time-outs, or loop until they are made to give way. ``irregular`` says why; then all schedules
  are enumerated instead (:class:`~semafuzz.harness.schedulers.exhaustive.AllSchedules`).
"""

from __future__ import annotations

from collections.abc import Sequence

from semafuzz.harness.kernel import event_kinds as op
from semafuzz.harness.kernel.outcome import Outcome
from semafuzz.harness.kernel.task import Task
from semafuzz.harness.schedulers.dpor.objects import Paths
from semafuzz.harness.schedulers.dpor.races import HappensBefore, Race
from semafuzz.harness.schedulers.dpor.steps import Reach, Step, Steps
from semafuzz.harness.schedulers.dpor.wakeup import Branch, Planned, insert, is_covered
from semafuzz.harness.schedulers.exhaustive import AllSchedules
from semafuzz.harness.schedulers.protocol import Scheduler

_UNFOLLOWED = "what was planned could not be followed"


class _Node:
    """The state before one step: who makes it here, whom not to run, and what else is planned.

    ``asleep``: by task, the next step of those that were explored from here, or from further up with
    nothing since that depends on it.
    """

    __slots__ = ("asleep", "planned", "reach", "task")

    def __init__(self, task: int, reach: Reach, asleep: dict[int, Reach], planned: list[Branch]) -> None:
        self.task = task
        self.reach = reach
        self.asleep = asleep
        self.planned = planned


class DPOR(Scheduler):
    """One execution for each Mazurkiewicz trace; ends by itself.

    ``most_work``: races times steps of an execution beyond which it is given up; None for no limit.
    ``blocked``: executions that turned out to repeat what others had shown.
    """

    name = "dpor"
    covers_all = True
    learns_points = True

    def __init__(self, seed: int = 0, most_work: int | None = None) -> None:
        self.points = bytearray()
        self._most_work = most_work
        self.blocked = 0
        self.irregular = ""
        self.early_timeouts = False
        self.withheld = False
        self._enumeration: AllSchedules | None = None
        self._watch_time = False
        self._phase = False
        self._forget()

    def _forget(self) -> None:
        self._nodes: list[_Node] = []
        self._paths = Paths()
        self._steps = Steps(Outcome(), self._paths)
        self._position = 0
        self._plan: list[int] = []
        self._branch: Branch | None = None
        self._asleep: dict[int, Reach] = {}
        self._repeats = False
        self._first = True
        self._fork = 0

    def restart(self) -> None:
        """Nothing where traces are explored: what is planned does not go by scheduling points."""
        if self._enumeration is not None:
            self._enumeration.restart()

    def use_points(self, points: bytearray) -> None:
        """The scheduling points of the program, to which places of races are added."""
        self.points = points

    def begin(self, execution: int) -> bool:
        """Go to the deepest place where something is planned; False when nothing is."""
        if self._enumeration is None and not self.points:
            self._enumerate("places cannot be made scheduling points")
        if self._enumeration is not None:
            return self._enumeration.begin(execution)
        if self._phase != self.early_timeouts:
            self._phase = self.early_timeouts
            self._forget()
        self._repeats = False
        if self._first:
            self._first = False
            self._plan, self._position, self._asleep = [], 0, {}
            return True
        nodes = self._nodes
        while nodes:
            node = nodes.pop()
            node.asleep[node.task] = node.reach
            if node.planned:
                self._turn_to(node, node.planned.pop(0))
                return True
        return False

    def _enumerate(self, reason: str) -> None:
        self.irregular = reason
        self._enumeration = AllSchedules()
        self.learns_points = False
        self._forget()

    def _turn_to(self, node: _Node, branch: Branch) -> None:
        self._nodes.append(_Node(branch.task, branch.reach, node.asleep, node.planned))
        self._fork = len(self._nodes) - 1
        self._plan = [one.task for one in self._nodes]
        self._branch = branch
        following: Branch | None = branch
        while following is not None and following.children:
            following = following.children[0]
            self._plan.append(following.task)

    def watch(self, outcome: Outcome) -> None:
        """The record of the execution, read at every choice."""
        self._steps = Steps(outcome, self._paths, watch_time=self._watch_time, early_timeouts=self.early_timeouts)
        self._position = 0
        self._asleep = {}

    def choose(self, enabled: Sequence[Task], current: Task | None, step: int) -> Task:
        """What is planned, then whoever was running, unless it is asleep."""
        if self._enumeration is not None:
            return self._enumeration.choose(enabled, current, step)
        if current is not None and current.pending[0] == op.JOIN and current in enabled:
            self.irregular = "a thread is asked whether it has ended"
        self._read()
        if self._position < len(self._plan):
            wanted = self._plan[self._position]
            for task in enabled:
                if task.index == wanted:
                    return task
            # It has to wait for a lock all the same, or for a time-out that comes later.
            self._give_up()
        awake = [task for task in enabled if task.index not in self._asleep]
        if not awake:
            self._repeats = True
            awake = list(enabled)
        return current if current is not None and current in awake else awake[0]

    def _give_up(self) -> None:
        """Go on freely from here: what was planned cannot be."""
        self._repeats = True
        del self._plan[self._position :]

    def _read(self, *, all_of_them: bool = False) -> None:
        """Follow the steps that were made since the last choice."""
        steps = self._steps
        start = len(steps)
        steps.read_on(all_of_them=all_of_them)
        for step in steps[start:]:
            self._follow(step)

    def _follow(self, step: Step) -> None:
        plan, position = self._plan, self._position
        if position < len(plan):
            if plan[position] != step.task:
                # Performed together with the one before: it commutes with those that it overtakes.
                try:
                    found = plan.index(step.task, position)
                    del plan[found]
                except ValueError:
                    pass
                plan.insert(position, step.task)
            self._position += 1
        nodes = self._nodes
        if step.index >= len(nodes):
            if step.task in self._asleep:
                self._repeats = True
            nodes.append(_Node(step.task, step.named, self._asleep, self._planned_beside(step)))
        node = nodes[step.index]
        if node.task != step.task:
            if step.index != self._fork or not self._repeats:
                self.irregular = "an execution did not repeat"
                return
            # What was planned could not be.
            node.task = step.task
        expected = node.reach if step.index < self._fork else self._asleep.get(step.task, step.named)
        if not expected.alike(step.named):
            self.irregular = "objects cannot be told apart from one execution to the next"
        node.reach = step.named
        self._asleep = {
            task: reach for task, reach in node.asleep.items() if task != step.task and not reach.meets(step.named)
        }

    def _planned_beside(self, step: Step) -> list[Branch]:
        """The other branches of the wakeup tree at this step, where it is the first child of the one before."""
        branch = self._branch
        if branch is None or not branch.children:
            self._branch = None
            return []
        child = branch.children[0]
        if child.task != step.task:
            self._take_out(child, step.task)
            return []
        self._branch = child
        return branch.children[1:]

    def _take_out(self, branch: Branch, task: int) -> None:
        """A step that was planned for later has been made together with one before."""
        while branch.children:
            child = branch.children[0]
            if child.task == task:
                if len(branch.children) > 1:
                    self.irregular = _UNFOLLOWED
                branch.children = child.children
                return
            branch = child

    def _has_left_branches(self) -> bool:
        """Whether the execution ended before it came to where its tree has more than one branch."""
        branch = self._branch
        while branch is not None and branch.children:
            if len(branch.children) > 1:
                return True
            branch = branch.children[0]
        return False

    def end(self, outcome: Outcome) -> None:
        """Plan the races of the execution the other way round."""
        if self._enumeration is not None:
            self._enumeration.end(outcome)
            return
        self._read(all_of_them=True)
        steps = self._steps
        if steps.reads_clock and steps.sleeps and not self._watch_time:
            self._watch_time = True
            self._forget()
            return
        if any(step.kind == op.TIMEOUT for step in steps):
            if steps.sleeps and not self.early_timeouts:
                self.irregular = "it sleeps beside time-outs"
            elif steps.reads_clock and self.early_timeouts:
                self.irregular = "it reads a clock beside time-outs"
        if any(decision[5] for decision in outcome.raw_decisions):
            self.irregular = "a task goes on until it is made to give way"
        if not self._repeats and self._has_left_branches():
            self.irregular = _UNFOLLOWED
        if self.irregular:
            self._enumerate(self.irregular)
            return
        self.blocked += self._repeats
        for taken in steps.timed:
            if any(other.task != taken.task and other.reach.meets(taken.reach) for other in steps):
                self.withheld = True
        order = HappensBefore(steps)
        if self._most_work is not None and len(order.races) * len(steps) > self._most_work:
            self._enumerate("its executions are long")
            return
        for race in order.races:
            self._reverse(race, order)

    def _reverse(self, race: Race, order: HappensBefore) -> None:
        first, second = race
        steps = self._steps
        for site in (steps[first].site, second.site):
            if site < len(self.points):
                self.points[site] = 1
        node = self._nodes[first]
        included = [step for step in steps[first + 1 :] if step is not second and not order.before(first, step.index)]
        sequence = [Planned(step.task, step.named, step.index, order) for step in included]
        after = self._before(second, included, order)
        sequence.append(Planned(second.task, second.named, second.index, order, after))
        if is_covered(node.asleep, sequence):
            return
        insert(node.planned, sequence)

    @staticmethod
    def _before(second: Step, included: Sequence[Step], order: HappensBefore) -> frozenset[int]:
        """Which of the steps that are kept happen before the last one, now that the first of the race, and what
        came after that, do not."""
        direct = [
            step
            for step in included
            if step.task == second.task
            or (step.kind == op.SPAWN and step.other == second.task)
            or step.reach.meets(second.reach)
        ]
        return frozenset(
            step.index for step in included if any(step is one or order.before(step.index, one.index) for one in direct)
        )
