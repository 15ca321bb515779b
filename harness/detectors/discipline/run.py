"""One execution under a lock policy: what was written under the lock, and what without it."""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass, field
from typing import NamedTuple

from semafuzz.harness.detectors.discipline.guarded_state import Spot, Surveyor, key_text
from semafuzz.harness.detectors.discipline.policy import Guard, LockPolicy, Owned
from semafuzz.harness.errors import UsageError
from semafuzz.harness.kernel import event_kinds as op
from semafuzz.harness.kernel.address import address
from semafuzz.harness.kernel.locations import ATTRIBUTE, ITEM
from semafuzz.harness.kernel.task import RawEvent, Task

WHOLE_PATH, ITEMS_PATH = "[*]", "[...]"
"""What follows the path of a container for all of it, and for its items taken together."""


class Use(NamedTuple):
    """One place that uses a location while its lock is held."""

    write: bool
    method: str
    site: int


@dataclass(slots=True)
class Tally:
    """What was seen of the policy in executions; by method where it is by name.

    ``uses``: where each location is used under the lock. ``first``: the site of the
    first write without the lock.
    """

    executions: int = 0
    calls: Counter[str] = field(default_factory=Counter)
    guarded: Counter[str] = field(default_factory=Counter)
    unguarded: Counter[str] = field(default_factory=Counter)
    first: dict[str, int] = field(default_factory=dict)
    uses: dict[str, dict[Use, None]] = field(default_factory=dict)
    broken: dict[str, tuple[UnguardedWrite, str]] = field(default_factory=dict)


class UnguardedWrite(NamedTuple):
    """A write without the lock; ``where``: its location, and what else concerns it."""

    task: int
    step: int
    site: int
    where: tuple[str, ...]


class _Region:
    """The state of one guard. ``current``: ``spots`` is as the state is now, as far as
    writes that were seen can tell."""

    def __init__(self, guard: Guard) -> None:
        self.guard = guard = Guard(_known_lock(guard.lock), guard.root)
        self.spots: dict[int, Spot] = {}
        self.current = False
        self.held: dict[int, int] = {}
        self.pending: list[tuple[RawEvent, tuple[str, ...]]] = []

    def holds(self, task: Task) -> bool:
        lock = self.guard.lock
        return self.held.get(task.index, 0) > 0 if isinstance(lock, str) else lock.owner is task


def _known_lock(lock: str | Owned) -> str | Owned:
    """The lock itself, of a condition the one inside; UsageError for anything else."""
    inner = lock if isinstance(lock, str) or hasattr(lock, "owner") else getattr(lock, "_lock", None)
    if inner is None or not (isinstance(inner, str) or hasattr(inner, "owner")):
        raise UsageError(
            f"a {type(lock).__name__} cannot guard anything; give the name of a lock whose sections are announced, or "
            "a Lock, RLock or Condition of threading that was made under control"
        )
    return inner


class PolicyRun:
    """One execution under a policy.

    Writes under the lock are only counted; one to an object that is not known yet
    waits for the end of the section. Writes without it are decided at once.
    """

    def __init__(self, policy: LockPolicy, surveyor: Surveyor) -> None:
        self.tally = Tally()
        self.broken: dict[tuple[int, str, str], UnguardedWrite] = {}
        self.users: dict[str, dict[Use, int]] = {}
        self._surveyor = surveyor
        self._exempt = policy.exempt
        self._regions = [_Region(guard) for guard in policy.guards()]
        self._methods: dict[int, tuple[str, ...]] = {}

    def look(self, event: RawEvent, step: int) -> None:
        """An event of the execution."""
        kind, task, _, name, _ = event
        if kind <= op.WRITE_ALL:
            if kind & 1:
                self._wrote(event, step)
            else:
                self._read(event)
        elif kind == op.ENTER or kind == op.EXIT:
            self._section(kind, task, name)
        elif kind == op.CALL:
            self.tally.calls[str(name)] += 1
            self._methods[task.index] = (*self._methods.get(task.index, ()), str(name))
        elif kind == op.RETURN:
            self._methods[task.index] = self._methods.get(task.index, ())[:-1]

    def settle(self) -> None:
        """Decide what is still open; nothing runs any more."""
        for region in self._regions:
            if region.pending:
                self._survey(region)

    def _section(self, kind: int, task: Task, name: object) -> None:
        for region in self._regions:
            if region.guard.lock == name:
                region.held[task.index] = region.held.get(task.index, 0) + (1 if kind == op.ENTER else -1)
                if region.pending and not region.holds(task):
                    self._survey(region)

    def _survey(self, region: _Region) -> None:
        region.spots = self._surveyor.survey(region.guard.root)
        region.current = True
        pending, region.pending = region.pending, []
        for event, methods in pending:
            spot = region.spots.get(address(event[2]))
            if spot is not None:
                self._count_guarded(event, spot, methods)

    def _read(self, event: RawEvent) -> None:
        _, task, subject, _, _ = event
        for region in self._regions:
            if not region.holds(task):
                continue
            if not region.spots:
                self._survey(region)
            spot = region.spots.get(address(subject))
            if spot is not None:
                self._use(event, spot, self._methods.get(task.index, ()))
                return

    def _wrote(self, event: RawEvent, step: int) -> None:
        _, task, subject, name, _ = event
        if not self._surveyor.can_belong(subject) or (name in self._exempt and self._is_root(subject)):
            return
        methods = self._methods.get(task.index, ())
        others: list[_Region] = []
        under: list[_Region] = []
        for region in self._regions:
            if not region.holds(task):
                others.append(region)
                continue
            spot = region.spots.get(address(subject))
            region.current = False
            if spot is not None:
                self._count_guarded(event, spot, methods)
                return
            under.append(region)
        for region in others:
            spot = self._reached(region, subject)
            if spot is None:
                continue
            region.current = False
            if not any(self._reached(held, subject) for held in under):
                self._report(event, step, spot, methods)
                return
        for region in under:
            region.pending.append((event, methods))

    def _is_root(self, subject: object) -> bool:
        return any(region.guard.root is subject for region in self._regions)

    def _reached(self, region: _Region, subject: object) -> Spot | None:
        """Whether the object belongs to the region's state now."""
        if not region.current:
            self._survey(region)
        return region.spots.get(address(subject))

    def _report(self, event: RawEvent, step: int, spot: Spot, methods: tuple[str, ...]) -> None:
        _, task, _, _, site = event
        method = methods[0] if methods else ""
        write = UnguardedWrite(task.index, step, site, _concerned(event, spot))
        self.broken.setdefault((site, method, _attribute(write.where[0])), write)
        for one in set(methods) or {""}:
            self.tally.unguarded[one] += 1
            self.tally.first.setdefault(one, site)

    def _count_guarded(self, event: RawEvent, spot: Spot, methods: tuple[str, ...]) -> None:
        for one in set(methods) or {""}:
            self.tally.guarded[one] += 1
        self._use(event, spot, methods)

    def _use(self, event: RawEvent, spot: Spot, methods: tuple[str, ...]) -> None:
        kind, task, _, _, site = event
        use = Use(bool(kind & 1), methods[0] if methods else "", site)
        for where in _entered(event, spot):
            self.tally.uses.setdefault(where, {})[use] = None
            self.users.setdefault(where, {}).setdefault(use, task.index)


def _entered(event: RawEvent, spot: Spot) -> tuple[str, ...]:
    """The locations under which a use is entered: ``Tracker.stats['n']['failed']``, or
    the container as a whole; for an item also all items together."""
    kind, _, _, name, _ = event
    if kind in ATTRIBUTE:
        return (f"{spot.path}.{name}",)
    if kind in ITEM:
        return (f"{spot.path}[{key_text(name)}]", spot.path + ITEMS_PATH)
    return (spot.path + WHOLE_PATH,)


def _attribute(where: str) -> str:
    """The attribute of the guarded object in which a location lies."""
    return re.split(r"[.\[]", where)[1]


def _concerned(event: RawEvent, spot: Spot) -> tuple[str, ...]:
    """The locations whose uses a write concerns: its own, then those that overlap."""
    own = _entered(event, spot)[0]
    if event[0] == op.WRITE:
        return (own,)
    return (own, spot.path + (ITEMS_PATH if event[0] == op.WRITE_ALL else WHOLE_PATH))
