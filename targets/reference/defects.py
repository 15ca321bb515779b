"""The seeded defects of the reference tracker: each a switch, off by default."""

from __future__ import annotations

from dataclasses import dataclass, fields

NONE = "none"


@dataclass(frozen=True, slots=True)
class Defects:
    """Which defects the tracker has.

    ``missing_lock``: usage is given back without the lock.
    ``early_release``: the lock is released between computing usage and storing it.
    ``torn_move``: whether a move fits is checked in another critical section than the
    one in which the room is taken.
    ``lost_rollback``: a claim whose save fails keeps its usage.
    ``double_drop``: whether there is a claim to drop is asked before the lock is taken.
    ``lost_wakeup``: an audit lets go of the lock between looking and waiting.
    ``lock_inversion``: a refusal takes the two locks in the other order.
    ``stale_check``: a claim decides by the free room that it read before the lock.
    ``stale_audit``: an audit stores a sum that it made in an earlier critical section.
    ``unlocked_counter``: refusals are counted without their lock.
    ``early_notify``: who waits is notified before the state that it waits for is there.
    ``forgotten_release``: an audit that fails keeps the lock.
    ``early_publication``: a node is in the table before it knows what is taken on it.
    ``timeout_race``: who has waited too long does not look whether it got room meanwhile.
    """

    missing_lock: bool = False
    early_release: bool = False
    torn_move: bool = False
    lost_rollback: bool = False
    double_drop: bool = False
    lost_wakeup: bool = False
    lock_inversion: bool = False
    stale_check: bool = False
    stale_audit: bool = False
    unlocked_counter: bool = False
    early_notify: bool = False
    forgotten_release: bool = False
    early_publication: bool = False
    timeout_race: bool = False


NAMES = tuple(field.name for field in fields(Defects))


def seeded(name: str) -> Defects:
    """The defect with this name alone, or none; KeyError for another name."""
    if name == NONE:
        return Defects()
    if name not in NAMES:
        raise KeyError(name)
    return Defects(**{name: True})
