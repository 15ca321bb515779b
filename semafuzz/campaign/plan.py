"""Plan of a night: shards, each a pure function of its data."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from typing import Annotated

import msgspec
from msgspec import Meta

from semafuzz.harness.errors import UsageError
from semafuzz.harness.kernel.outcome import Model

Short = Annotated[str, Meta(max_length=200)]


class Shard(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One search: number ``number`` of ``of`` with this root. Equal data, equal search, as
    far as its budget is one of ``schedules`` and not of ``seconds``."""

    target: Short
    release: Short
    number: Annotated[int, Meta(ge=0)]
    of: Annotated[int, Meta(ge=1)]
    root: int
    schedules: Annotated[int, Meta(ge=1)]
    seconds: Annotated[float, Meta(gt=0)]

    @property
    def name(self) -> str:
        """The name of its folder."""
        return f"shard-{self.number:03d}"

    @property
    def seed(self) -> int:
        """Its own seed. Shards of one release have the same, since they share its small
        programs; other releases have others."""
        return (
            int.from_bytes(hashlib.sha256(f"{self.root}/{self.target}/{self.release}".encode()).digest()[:4], "big")
            >> 1
        )

    @property
    def share(self) -> str:
        """Which of the searches of its release it is, for ``fuzz --share``."""
        return f"{self.number % self.of}/{self.of}"


class Plan(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A night. ``night``: its name; ``model``: ``threads`` or ``eventlet``; ``settings``:
    of the target, as ``NAME=VALUE``; ``date``: on which it began, in UTC."""

    night: Annotated[str, Meta(pattern="^[0-9a-f]{12}$")]
    root: int
    model: Short
    settings: Annotated[tuple[Short, ...], Meta(max_length=64)]
    shards: Annotated[tuple[Shard, ...], Meta(max_length=100_000)]
    date: Short = ""


def make_plan(
    night: str,
    target: str,
    releases: Sequence[str],
    root: int,
    *,
    each: int,
    schedules: int,
    seconds: float,
    model: Model = "threads",
    settings: Sequence[str] = (),
    date: str = "",
) -> Plan:
    """A night of ``each`` searches of every release, which share ``schedules``; ``seconds``
    are for each of them. Releases come in turn, so that a night that is cut has seen all."""
    shards = []
    for share in range(each):
        for place, release in enumerate(releases):
            number = place * each + share
            shards.append(Shard(target, release, number, each, root, -(-schedules // each), seconds))
    plan = Plan(night, root, model, tuple(settings), tuple(shards), date)
    try:
        # Made here it is not checked; read back it would be refused.
        return msgspec.convert(msgspec.to_builtins(plan), Plan)
    except msgspec.ValidationError as error:
        raise UsageError(f"such a night cannot be planned: {error}; give shorter or fewer arguments") from None
