"""The count of failed builds against every serial order of the operations.

``build_failed`` adds one, ``build_succeeded`` and ``remove_node`` set the count to
nothing; a build by the manager does one of these at its end. The final count must be
that of some order of the operations that respects the order within each task
(linearizability of one register, decided by trying all orders: programs have few such
operations).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

ADDS, CLEARS, LEAVES = "adds", "clears", "leaves"
EFFECTS: Mapping[str, Sequence[str]] = {
    "build_failed": (ADDS,),
    "build_succeeded": (CLEARS,),
    "remove_node": (CLEARS,),
    "restart": (CLEARS,),
    "restart_gracefully": (CLEARS,),
    # Refused, it leaves what is there.
    "device_vanishes": (CLEARS, LEAVES),
    "device_returns": (CLEARS, LEAVES),
    "devices_vanish": (CLEARS, LEAVES),
    "device_changes_type": (CLEARS, LEAVES),
    # One that finds no room has failed.
    "boot": (CLEARS, ADDS),
    "boot_fails": (ADDS,),
}
"""What an operation may do to the count."""
DISTURBED: Mapping[str, Sequence[str]] = {"boot": (CLEARS, ADDS, LEAVES), "boot_fails": (ADDS, LEAVES)}
"""Likewise where there are faults: one can end the manager's clean-up before it counts."""


def possible_counts(start: int, tasks: Sequence[Sequence[str]], *, disturbed: bool = False) -> set[int]:
    """The final counts of all interleavings of whole operations.

    ``start``: the count before. ``tasks``: names of operations, in program order; other names
    are ignored. ``disturbed``: there were faults.
    """
    effects = {**EFFECTS, **DISTURBED} if disturbed else EFFECTS
    relevant = tuple(tuple(effects[name] for name in task if name in effects) for task in tasks)
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
            after = (*positions[:number], positions[number] + 1, *positions[number + 1 :])
            for effect in task[positions[number]]:
                state = (after, {ADDS: count + 1, CLEARS: 0, LEAVES: count}[effect])
                if state not in seen:
                    seen.add(state)
                    states.add(state)
        if not moved:
            found.add(count)
    return found
