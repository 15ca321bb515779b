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

from collections.abc import Mapping, Sequence

from semafuzz.harness.detectors.discipline.guarded_state import Surveyor
from semafuzz.harness.detectors.discipline.policy import LockPolicy
from semafuzz.harness.detectors.discipline.run import WHOLE_PATH, PolicyRun, Tally, UnguardedWrite, Use
from semafuzz.harness.detectors.discipline.table import SECTION, discipline_section, merged_discipline
from semafuzz.harness.detectors.protocol import Completed, Detector
from semafuzz.harness.kernel.observed_execution import Probe
from semafuzz.harness.kernel.outcome import LOCK_DISCIPLINE, Failure, FailureKind, Outcome
from semafuzz.harness.kernel.sites import SITES
from semafuzz.harness.sections.section import Section

_WITH_READS = 10
"""Executions in which reads under the lock are remembered too; after these only while
a warning lacks its other side, because reads are most of the events."""
_REMEMBERED = 20_000
"""Locations for which it is kept where they are used under the lock."""


class LockDiscipline(Detector):
    """Watches executions for writes that break a policy.

    ``tally`` sums up the executions that were kept. ``subject``: target and release, for
    the heading of its section.
    """

    section = SECTION

    def __init__(self, policy: LockPolicy, subject: str = "") -> None:
        self.policy = policy
        self._subject = subject
        self.tally = Tally()
        self._surveyor = Surveyor((policy.guarded, *policy.reach), policy.exempt)
        self._run: PolicyRun | None = None
        self._unexplained = False

    def begin(self) -> Probe:
        """An execution begins; how it wants to be shown its events."""
        reads = self._unexplained or self.tally.executions < _WITH_READS
        self._run = PolicyRun(self.policy, self._surveyor)
        return Probe(self._run.look, reads)

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
            what = write.where[0].removesuffix(WHOLE_PATH)
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

    def complete(self, kind: FailureKind, detail: Sequence[str]) -> Completed | None:
        """The place where the lock is held, if any execution showed one."""
        use = self.other_side(detail[0]) if kind == LOCK_DISCIPLINE and detail else None
        if use is None:
            return None
        return Completed(f"{detail[0]}; {self.describe(use)}", (SITES[use.site].place(),))

    def report(self) -> Section:
        """The table of lock discipline by method."""
        return discipline_section(self.policy, self.tally, self._subject)

    @classmethod
    def merge(cls, sections: Sequence[Section]) -> Section:
        """What several searches of one target have seen together."""
        return merged_discipline(sections)

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

    def _counterpart(self, run: PolicyRun, write: UnguardedWrite, method: str) -> Use | None:
        beside = {
            where: {use: None for use, task in run.users.get(where, {}).items() if task != write.task}
            for where in write.where
        }
        for uses in (beside, self.tally.uses, run.tally.uses):
            found = _best(uses, write, method)
            if found is not None:
                return found
        return None


def _best(uses: Mapping[str, Mapping[Use, None]], write: UnguardedWrite, method: str) -> Use | None:
    """The most telling use: in another method if there is one, a write if there is one."""
    for where in write.where:
        if uses.get(where):
            return min(uses[where], key=lambda use: (use.method == method, not use.write))
    return None
