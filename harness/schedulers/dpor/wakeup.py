"""Wakeup trees: the sequences that are still to be explored from one point of an execution (Abdulla,
Aronsson, Jonsson, Sagonas, "Optimal dynamic partial order reduction", POPL 2014; "Source sets: a foundation
for optimal dynamic partial order reduction", JACM 2017).

Each branch is a step of one task, and its children what comes next. A sequence is put in where no branch
covers it: nobody will have to be stopped because another branch has seen it all.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import takewhile

from semafuzz.harness.schedulers.dpor.races import HappensBefore
from semafuzz.harness.schedulers.dpor.steps import Reach


@dataclass(slots=True)
class Branch:
    """A step of ``task`` that reaches ``reach``, by names; none after it: anything may follow."""

    task: int
    reach: Reach
    children: list[Branch] = field(default_factory=list)


class Planned:
    """One step of a sequence. ``index``: its number in the execution that it comes from; ``order``: what
    happened before what there. ``after``: for the last step of a sequence, which did not come from there in
    this place, the indices of those that happen before it."""

    __slots__ = ("after", "index", "order", "reach", "task")

    def __init__(
        self, task: int, reach: Reach, index: int, order: HappensBefore, after: frozenset[int] | None = None
    ) -> None:
        self.task = task
        self.reach = reach
        self.index = index
        self.order = order
        self.after = after

    def follows(self, other: Planned) -> bool:
        """Whether another step of the sequence happens before this one."""
        if self.after is not None:
            return other.index in self.after
        return other.after is None and self.order.before(other.index, self.index)


Sequence_ = Sequence[Planned]


def first_of(task: int, sequence: Sequence_) -> Planned | None:
    """The first step of a task in a sequence."""
    return next((step for step in sequence if step.task == task), None)


def can_begin(task: int, reach: Reach, sequence: Sequence_) -> bool:
    """Whether the sequence, or something equivalent with more steps, can begin with the next step of ``task``
    (a weak initial), which reaches ``reach`` where the sequence does not have it."""
    own = first_of(task, sequence)
    if own is not None:
        return not any(own.follows(step) for step in takewhile(lambda step: step is not own, sequence))
    return not any(reach.meets(step.reach) for step in sequence)


def is_covered(asleep: Mapping[int, Reach], sequence: Sequence_) -> bool:
    """Whether a task that has been explored from here can begin the sequence."""
    return any(can_begin(task, reach, sequence) for task, reach in asleep.items())


def insert(branches: list[Branch], sequence: Sequence_) -> bool:
    """Put a sequence into a tree; False where the tree covers it already."""
    left = list(sequence)
    while left:
        for branch in branches:
            own = first_of(branch.task, left)
            if can_begin(branch.task, branch.reach, left):
                break
        else:
            branches.append(_chain(left))
            return True
        if not branch.children:
            return False
        if own is not None:
            left = [step for step in left if step is not own]
        branches = branch.children
    return False


def _chain(sequence: Sequence_) -> Branch:
    branch: Branch | None = None
    for step in reversed(sequence):
        branch = Branch(step.task, step.reach, [] if branch is None else [branch])
    assert branch is not None
    return branch
