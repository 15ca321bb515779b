"""Wakeup trees: the sequences that are still to be explored from one point of an execution (Abdulla,
Aronsson, Jonsson, Sagonas, "Optimal dynamic partial order reduction", POPL 2014; "Source sets: a foundation
for optimal dynamic partial order reduction", JACM 2017).

Each branch is a step of one task, and its children what comes next. A sequence is put in where no branch
covers it: nobody will have to be stopped because another branch has seen it all.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from semafuzz.harness.schedulers.dpor.steps import Reach


@dataclass(slots=True)
class Branch:
    """A step of ``task`` that reaches ``reach``, by names; none after it: anything may follow."""

    task: int
    reach: Reach
    children: list[Branch] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Planned:
    """One step of a sequence. ``after``: the positions, in the sequence as it was made, of the steps in it
    that happen before this one."""

    task: int
    position: int
    reach: Reach
    after: frozenset[int]


Sequence_ = Sequence[Planned]


def first_of(task: int, sequence: Sequence_) -> Planned | None:
    """The first step of a task in a sequence."""
    return next((step for step in sequence if step.task == task), None)


def can_begin(task: int, reach: Reach, sequence: Sequence_) -> bool:
    """Whether the sequence, or something equivalent with more steps, can begin with the next step of ``task``
    (a weak initial), which reaches ``reach`` where the sequence does not have it."""
    own = first_of(task, sequence)
    if own is not None:
        return not any(step.position in own.after for step in sequence)
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
