"""The defects that can be switched on, one by one."""

from __future__ import annotations

from dataclasses import dataclass, fields


@dataclass(frozen=True, slots=True)
class Defects:
    """What is wrong with a tracker; nothing by default.

    ``unlocked_claim``: looks for room and takes it without the lock, with a checkpoint
    between. ``torn_move``: leaves one node and reaches the other in two
    steps that the lock does not hold together. ``lost_rollback``: a claim that is
    cancelled before it is confirmed keeps its room. ``kept_lock``: the lock is taken by
    hand and stays taken when what it guards is cancelled. ``lock_order``: two nodes are
    locked in the order in which they were named. ``lost_wakeup``: the event to wait
    on is made a checkpoint after the look that decided to wait. ``start_order``:
    what is started first is taken to have run first. ``swallowed_cancel``: a worker
    catches its own cancellation and works on. ``full_channels``: two peers send to
    each other, and neither receives before its letters are gone. ``late_timeout``: a
    time-out strikes after the claim was made, and it is rolled back in part.
    """

    unlocked_claim: bool = False
    torn_move: bool = False
    lost_rollback: bool = False
    kept_lock: bool = False
    lock_order: bool = False
    lost_wakeup: bool = False
    start_order: bool = False
    swallowed_cancel: bool = False
    full_channels: bool = False
    late_timeout: bool = False


NAMES = tuple(field.name for field in fields(Defects))
"""The names of the defects, in the order in which they are described."""
