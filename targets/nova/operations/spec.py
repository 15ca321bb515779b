"""One row of the table of operations."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from semafuzz.targets.nova.world.world import World

Arguments = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class OperationSpec:
    """One row of the operation table.

    ``arguments`` are names: ``instance`` (its number). ``before``: the role that the
    instance must have; ``after``: the role that it then has. ``weight``: how often
    programs contain it, relative to the others. ``far``: it reaches the other host. ``needs``:
    the method of the tracker without which there is no such operation. ``like``: the one that
    re-enacts what this one has the manager do. ``outside``: it begins outside of the host's
    process, which it enters by messages, if at all. ``follower``: as :class:`OperationInfo` has it.
    """

    name: str
    run: Callable[[World, Arguments], None]
    arguments: tuple[str, ...] = ()
    before: str = ""
    after: str = ""
    shared: bool = False
    weight: int = 2
    far: bool = False
    needs: str = ""
    like: str = ""
    outside: bool = False
    follower: str = ""
