"""Reads-from fuzzing (Wolff, Shi, Duck, Mathur, Roychoudhury, "Greybox fuzzing for concurrency testing",
ASPLOS 2024).

What a run shows depends on which write each read sees. An *abstract schedule* asks for some of these pairs, and
forbids others; a run follows it as far as it can, by leaving a read alone until its write was the last one, and a write
that would hide what a read is to see. Abstract schedules that led to pairs that nobody had seen are kept, and changed
a little for the next run.

Deviations: places stand for reads and writes in pairs, as those of the paper do, and an acquire reads from the
release before; what nothing is asked of has a random priority (:mod:`semafuzz.harness.schedulers.pos`); an abstract
schedule is taken the more often the newer it is, in place of the paper's power schedule.
"""

from __future__ import annotations

import random
from collections.abc import Sequence
from typing import Final

from semafuzz.harness.kernel import event_kinds as op
from semafuzz.harness.kernel.address import address
from semafuzz.harness.kernel.locations import CONTAINER
from semafuzz.harness.kernel.outcome import Outcome
from semafuzz.harness.kernel.task import Task
from semafuzz.harness.schedulers.pos import POS
from semafuzz.harness.schedulers.profile import READS, Pair, Profile

Abstract = dict[int, tuple[int, bool]]
"""By the site of a read: the site of a write (0: the start), and whether it is asked for or forbidden."""

_MOST: Final = 64


class RFF(POS):
    """Follows abstract schedules over reads-from pairs, and keeps those that showed a new one."""

    name = "rff"

    def __init__(self, seed: int = 0) -> None:
        super().__init__(seed)
        self._generator = random.Random(~seed)
        self._profile = Profile()
        self._kept: list[Abstract] = [{}]
        self._asked: Abstract = {}
        self._outcome = Outcome()
        self._read = 0
        self._written: dict[tuple[int, object], int] = {}

    def begin(self, execution: int) -> bool:
        """Take an abstract schedule that was kept, and change it."""
        draw = self._generator
        newest = len(self._kept) - 1
        asked = dict(self._kept[max(draw.randrange(newest + 1), draw.randrange(newest + 1))])
        pairs = self._possible()
        for _ in range(draw.choice((1, 1, 2))):
            if asked and draw.random() < 0.3:
                del asked[draw.choice(list(asked))]
            elif pairs:
                write, read = draw.choice(pairs)
                asked[read] = (write, draw.random() < 0.75)
        self._asked = asked
        return super().begin(execution)

    def _possible(self) -> list[Pair]:
        """Writes and reads that meet at one location, seen together or not."""
        pairs = self._profile.pairs
        writes, reads = {write for write, _ in pairs} - {0}, {read for _, read in pairs}
        return sorted(
            {
                (write, read)
                for group in self._profile.groups
                for read in group & reads
                for write in (*(group & writes), 0)
            }
        )

    def watch(self, outcome: Outcome) -> None:
        """The record of the execution: the last write of each location is read from it."""
        self._outcome, self._read, self._written = outcome, 0, {}

    def choose(self, enabled: Sequence[Task], current: Task | None, step: int) -> Task:
        """As POS among those that keep to the abstract schedule; among all where nobody does."""
        if not self._asked:
            return super().choose(enabled, current, step)
        self._read_on()
        keeping = [task for task in enabled if self._keeps(task)]
        return super().choose(keeping or enabled, current, step)

    def _read_on(self) -> None:
        events = self._outcome.events
        for kind, _, subject, name, site in events[self._read :]:
            if kind in op.WRITES or kind == op.RELEASE:
                self._written[address(subject), None if kind in CONTAINER else name] = site
        self._read = len(events)

    def _keeps(self, task: Task) -> bool:
        kind, subject, name, site = task.pending
        written = self._written.get((address(subject), None if kind in CONTAINER else name), 0)
        asked = self._asked.get(site)
        if asked is not None and kind in READS:
            return (written == asked[0]) == asked[1]
        if kind in op.WRITES and site != written:
            # Somebody is to read what is there now.
            return not any(write == written and wanted for write, wanted in self._asked.values())
        return True

    def end(self, outcome: Outcome) -> None:
        """Keep the abstract schedule where the execution showed a pair that is new."""
        if self._profile.add(outcome):
            self._kept.append(self._asked)
            del self._kept[1:-_MOST]
