"""Lock discipline: every write to guarded state happens under its lock.

A target states which objects are guarded by which lock (:class:`LockPolicy`); every
write that is seen to one of them, by a task that does not hold that lock, is a
warning: made directly, through an alias or in a callee. Whether an object belongs to
guarded state is decided at the moment of the write, by walking from the guarded
object; so one that is not published yet, or not any more, is nobody's business.

A warning says that the rule is broken, not that harm was done: harmless where the
value is written by one thread only, or before others can see it. What it misses:
writes by code that is not instrumented (C, other libraries), and objects published by
such code since the last walk. Reads without the lock are not reported. Serialising
several methods under one lock is not the same as making their sequence atomic.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple, Protocol

from semafuzz.harness.detectors.discipline.guarded_state import Spot, Surveyor, key_text
from semafuzz.harness.errors import UsageError
from semafuzz.harness.instrument.method_calls import public_methods
from semafuzz.harness.kernel import event_kinds as op
from semafuzz.harness.kernel.observed_execution import Look
from semafuzz.harness.kernel.outcome import LOCK_DISCIPLINE, Failure, Outcome
from semafuzz.harness.kernel.sites import SITES
from semafuzz.harness.kernel.task import RawEvent, Task

_WITH_READS = 10
"""Executions in which reads under the lock are remembered too; after these only while
a warning lacks its other side, because reads are most of the events."""
_WHOLE, _ITEMS = "[*]", "[...]"
_REMEMBERED = 20_000
"""Locations for which it is kept where they are used under the lock."""


class Owned(Protocol):
    """A lock that knows who holds it, as the doubles of ``threading``'s locks do."""

    owner: Task | None


class Guard(NamedTuple):
    """``root`` and what belongs to it may be written by whoever holds ``lock``: the
    name of a lock whose sections are events, or a lock (``threading``'s Lock, RLock or
    Condition) that was made under control."""

    lock: str | Owned
    root: object


@dataclass(frozen=True, slots=True)
class LockPolicy:
    """What a target says of its locking.

    ``guarded``: the class whose public methods make the table. ``lock``: the lock's
    name for people. ``guards``: which objects are guarded now, by which locks; asked
    once, as an execution begins. ``reach``: classes whose objects count as guarded where they are
    reached from there; containers always do. ``exempt``: attributes of the guarded
    object that may be written without the lock, each with the reason.
    """

    guarded: type
    lock: str
    guards: Callable[[], Sequence[Guard]] = tuple
    reach: tuple[type, ...] = ()
    exempt: Mapping[str, str] = field(default_factory=dict)

    def methods(self) -> tuple[str, ...]:
        """The methods of the table, as calls of them are noted."""
        return tuple(f"{self.guarded.__name__}.{name}" for name in public_methods(self.guarded))


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
    broken: dict[str, tuple[_Write, str]] = field(default_factory=dict)


class _Write(NamedTuple):
    """A write without the lock; ``where``: its location, and what else concerns it."""

    task: int
    step: int
    site: int
    where: tuple[str, ...]


class LockDiscipline:
    """Watches executions for writes that break a policy (a ``semafuzz.harness.runs.program.Watcher``).

    ``tally`` sums up the executions that were kept.
    """

    def __init__(self, policy: LockPolicy) -> None:
        self.policy = policy
        self.tally = Tally()
        self._surveyor = Surveyor((policy.guarded, *policy.reach), policy.exempt)
        self._run: _Run | None = None
        self._unexplained = False

    def begin(self) -> Look:
        """An execution begins; how it wants to be shown its events."""
        reads = self._unexplained or self.tally.executions < _WITH_READS
        self._run = _Run(self.policy, self._surveyor)
        return Look(self._run.look, reads)

    def noticed(self) -> bool:
        """Whether the execution has broken the policy by now; costs nothing."""
        return self._run is not None and bool(self._run.broken)

    def judge(self, outcome: Outcome) -> list[Failure]:
        """One warning for each place, method and attribute in whose state it writes."""
        run = self._run
        if run is None:
            return []
        run.settle()
        found = []
        for (site, method, attribute), write in run.broken.items():
            use = self._counterpart(run, write, method)
            what = write.where[0].removesuffix(_WHOLE)
            clause = f"{method or 'code outside its methods'} writes {what} without {self.policy.lock}"
            run.tally.broken[clause] = (write, method)
            found.append(
                Failure(
                    LOCK_DISCIPLINE,
                    clause if use is None else f"{clause}; {self.describe(use)}",
                    outcome.tasks[write.task].name,
                    (site,),
                    # Places count without their lines: one method may have equal ones.
                    f"{method}: {attribute}",
                    (clause, f"written without the lock: {SITES[site].place()}", *self._place(use)),
                    "warning",
                    steps=(write.step,),
                    related=() if use is None else (use.site,),
                )
            )
        return found

    def keep(self, outcome: Outcome) -> None:
        """The execution counts: add what was seen in it to the tally."""
        run, tally = self._run, self.tally
        if run is None:
            return
        run.settle()
        tally.executions += 1
        for total, seen in (
            (tally.calls, run.tally.calls),
            (tally.guarded, run.tally.guarded),
            (tally.unguarded, run.tally.unguarded),
        ):
            total.update(seen)
        for method, site in run.tally.first.items():
            tally.first.setdefault(method, site)
        tally.broken.update(run.tally.broken)
        self._unexplained = any(self.other_side(clause) is None for clause in tally.broken)
        for where, uses in run.tally.uses.items():
            if where in tally.uses or len(tally.uses) < _REMEMBERED:
                tally.uses.setdefault(where, {}).update(uses)

    def other_side(self, clause: str) -> Use | None:
        """Where the location of a warning is used under the lock, as far as was seen
        by now. ``clause``: the first line of the warning's detail."""
        known = self.tally.broken.get(clause)
        return None if known is None else _best(self.tally.uses, *known)

    def describe(self, use: Use) -> str:
        """``ResourceTracker.claim writes it under the lock (place)``."""
        verb = "writes" if use.write else "reads"
        return f"{use.method or 'other code'} {verb} it under {self.policy.lock} ({SITES[use.site].place()})"

    def _place(self, use: Use | None) -> tuple[str, ...]:
        if use is None:
            return ()
        return (f"{'written' if use.write else 'read'} under the lock: {SITES[use.site].place()}",)

    def _counterpart(self, run: _Run, write: _Write, method: str) -> Use | None:
        beside = {
            where: {use: None for use, task in run.users.get(where, {}).items() if task != write.task}
            for where in write.where
        }
        for uses in (beside, self.tally.uses, run.tally.uses):
            found = _best(uses, write, method)
            if found is not None:
                return found
        return None


def _best(uses: Mapping[str, Mapping[Use, None]], write: _Write, method: str) -> Use | None:
    """The most telling use: in another method if there is one, a write if there is one."""
    for where in write.where:
        if uses.get(where):
            return min(uses[where], key=lambda use: (use.method == method, not use.write))
    return None


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


class _Run:
    """One execution under a policy.

    Writes under the lock are only counted; one to an object that is not known yet
    waits for the end of the section. Writes without it are decided at once.
    """

    def __init__(self, policy: LockPolicy, surveyor: Surveyor) -> None:
        self.tally = Tally()
        self.broken: dict[tuple[int, str, str], _Write] = {}
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
            spot = region.spots.get(id(event[2]))
            if spot is not None:
                self._count_guarded(event, spot, methods)

    def _read(self, event: RawEvent) -> None:
        _, task, subject, _, _ = event
        for region in self._regions:
            if not region.holds(task):
                continue
            if not region.spots:
                self._survey(region)
            spot = region.spots.get(id(subject))
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
            spot = region.spots.get(id(subject))
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
        return region.spots.get(id(subject))

    def _report(self, event: RawEvent, step: int, spot: Spot, methods: tuple[str, ...]) -> None:
        _, task, _, _, site = event
        method = methods[0] if methods else ""
        write = _Write(task.index, step, site, _concerned(event, spot))
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
    if kind == op.READ or kind == op.WRITE:
        return (f"{spot.path}.{name}",)
    if kind == op.READ_ITEM or kind == op.WRITE_ITEM:
        return (f"{spot.path}[{key_text(name)}]", spot.path + _ITEMS)
    return (spot.path + _WHOLE,)


def _attribute(where: str) -> str:
    """The attribute of the guarded object in which a location lies."""
    return re.split(r"[.\[]", where)[1]


def _concerned(event: RawEvent, spot: Spot) -> tuple[str, ...]:
    """The locations whose uses a write concerns: its own, then those that overlap."""
    own = _entered(event, spot)[0]
    if event[0] == op.WRITE:
        return (own,)
    return (own, spot.path + (_ITEMS if event[0] == op.WRITE_ALL else _WHOLE))
