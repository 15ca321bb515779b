"""The count of failed builds against every serial order of the operations.

``build_failed`` adds one, ``build_succeeded`` and ``remove_node`` set the count to
nothing. The final count must be that of some order of the operations that respects
the order within each task (linearizability of one register, decided by trying all
orders: programs have few such operations).
"""

from __future__ import annotations

from collections.abc import Sequence

ADDS = "build_failed"
CLEARS = frozenset({"build_succeeded", "remove_node"})


def possible_counts(start: int, tasks: Sequence[Sequence[str]]) -> set[int]:
    """The final counts of all interleavings of whole operations.

    ``start``: the count before. ``tasks``: names of operations, in program order;
    other names are ignored.
    """
    relevant = tuple(tuple(name for name in task if name == ADDS or name in CLEARS) for task in tasks)
    found: set[int] = set()
    states = {(tuple(0 for _ in relevant), start)}
    seen = set(states)
    while states:
        positions, count = states.pop()
        moved = False
        for number, task in enumerate(relevant):
            if positions[number] == len(task):
                continue
            moved = True
            after = count + 1 if task[positions[number]] == ADDS else 0
            state = ((*positions[:number], positions[number] + 1, *positions[number + 1 :]), after)
            if state not in seen:
                seen.add(state)
                states.add(state)
        if not moved:
            found.add(count)
    return found
