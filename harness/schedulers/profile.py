"""What executions of a program taught schedulers that draw by it: how often each task comes to each
place, which places meet at one location, and which write each read has read from."""

from __future__ import annotations

from typing import Final

from semafuzz.harness.kernel import event_kinds as op
from semafuzz.harness.kernel.address import address
from semafuzz.harness.kernel.locations import ANY_ITEM, CONTAINER, WHOLE_CONTAINER
from semafuzz.harness.kernel.outcome import Outcome

READS: Final = frozenset({op.READ, op.READ_ITEM, op.READ_ALL, op.ACQUIRE, op.TRY, op.TIMEOUT})
_ALWAYS: Final = 32
"""Executions that are looked at in full; of those after them every eighth is, because what is
new gets rare and looking costs as much as a small execution."""

Pair = tuple[int, int]
"""Sites of a write and of the read that saw it; of a release and the acquire after it. Site 0: the start."""


class Profile:
    """Counts and meeting places of one program, kept up to date by its executions.

    ``counts``: events by task number and site, as the newest execution looked at had them; ``most``: the
    most that any had. ``entries``: the first site of each task. ``groups``: for each location that two tasks
    can touch at a time with a write among them, the sites that touch it so (one entry for all locations
    with the same sites); ``meeting``: all of these sites. ``pairs``: every reads-from pair so far.
    ``version``: grows where a task comes to a
    place for the first time, and with each group.
    """

    def __init__(self) -> None:
        self.counts: dict[int, dict[int, int]] = {}
        self.most: dict[int, dict[int, int]] = {}
        self.entries: dict[int, int] = {}
        self.groups: list[frozenset[int]] = []
        self.meeting: set[int] = set()
        self.pairs: set[Pair] = set()
        self.version = 0
        self._known: set[frozenset[int]] = set()
        self._heard = 0

    def add(self, outcome: Outcome) -> bool:
        """Learn from an execution; True where it showed a reads-from pair that is new."""
        self._heard += 1
        if self._heard > _ALWAYS and self._heard & 7:
            return False
        before = len(self.pairs)
        self._look(outcome)
        return len(self.pairs) > before

    def kinds(self) -> dict[int, list[int]]:
        """Task numbers by the place where they begin: tasks of one kind do alike. Those that come to no
        meeting place are left out."""
        found: dict[int, list[int]] = {}
        for task, sites in self.most.items():
            if not self.meeting.isdisjoint(sites):
                found.setdefault(self.entries[task], []).append(task)
        return found

    def _look(self, outcome: Outcome) -> None:
        counts: dict[int, dict[int, int]] = {}
        entries: dict[int, int] = {}
        written: dict[tuple[int, object], int] = {}
        pairs = self.pairs
        for kind, task, subject, name, site in outcome.events:
            if kind > op.TRY and kind != op.TIMEOUT:
                continue
            number = task.index
            of_task = counts.get(number)
            if of_task is None:
                of_task = counts[number] = {}
                entries[number] = site
            of_task[site] = of_task.get(site, 0) + 1
            key = (address(subject), None if kind in CONTAINER else name)
            if kind in READS:
                pairs.add((written.get(key, 0), site))
            elif kind in op.WRITES or kind == op.RELEASE:
                written[key] = site
        self.counts = counts
        for number, site in entries.items():
            self.entries.setdefault(number, site)
        for number, of_task in counts.items():
            known = self.most.setdefault(number, {})
            for site, times in of_task.items():
                if site not in known:
                    self.version += 1
                if known.get(site, 0) < times:
                    known[site] = times
        table = outcome.locations()
        for key, location in table.items():
            if key[1] is not ANY_ITEM and (location.conflicting or key[1] is WHOLE_CONTAINER):
                group = frozenset(table.meeting_sites(key))
                if group and group not in self._known:
                    self._known.add(group)
                    self.groups.append(group)
                    self.meeting |= group
                    self.version += 1
