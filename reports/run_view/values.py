"""What accesses found and left, and what stood in assertions that failed, noted while a run is made again."""

from __future__ import annotations

import sys
from types import FrameType
from typing import NamedTuple

from semafuzz.harness.detectors.protocol import Detector
from semafuzz.harness.kernel import event_kinds as op
from semafuzz.harness.kernel.observed_execution import Probe
from semafuzz.harness.kernel.outcome import Outcome
from semafuzz.harness.kernel.sites import SITES
from semafuzz.harness.kernel.task import RawEvent, Task
from semafuzz.reports.run_view.assertion import assertion_values
from semafuzz.reports.run_view.standard_library import is_of_standard_library
from semafuzz.reports.run_view.stored_values import peek


class Seen(NamedTuple):
    """What an access found and left, as texts; ``after`` is "" for a read. ``caller``: the number of the place that
    called the module of Python's own in which the access stands, 0 for one that stands elsewhere."""

    before: str
    after: str
    caller: int = 0


class Values(Detector):
    """Notes what each access found and what each write left, and on whose behalf where Python's own code made it.

    ``seen``: by the number of the event. A write's value is looked at when the next event shows that it is there, or
    the end of the run: judges may go on with the program's objects. ``assertions``: by the number of the task, the
    assertion that ended it with what stood in it.
    """

    def __init__(self) -> None:
        self.seen: dict[int, Seen] = {}
        self.assertions: dict[int, str] = {}
        self._written: tuple[int, RawEvent] | None = None
        self._library: dict[int, bool] = {}

    def begin(self) -> Probe:
        """An execution begins."""
        self.seen, self.assertions = {}, {}
        self._written = None
        return Probe(self._show, reads=True, failed=self._failed, ended=self._settle)

    def _failed(self, task: Task, error: BaseException) -> None:
        words = assertion_values(error)
        if words:
            self.assertions[task.index] = words

    def _show(self, event: RawEvent, number: int) -> None:
        self._settle()
        if event[0] in op.MEMORY:
            self.seen[number] = Seen(peek(event), "", _caller(event[0]) if self._is_library(event[4]) else 0)
            if event[0] in op.WRITES:
                self._written = number, event

    def _is_library(self, site: int) -> bool:
        found = self._library.get(site)
        if found is None:
            found = self._library[site] = bool(site) and is_of_standard_library(SITES[site].place())
        return found

    def _settle(self) -> None:
        if self._written is not None:
            number, event = self._written
            self.seen[number] = self.seen[number]._replace(after=peek(event))
            self._written = None

    def keep(self, outcome: Outcome) -> None:
        """Nothing to learn."""


def _caller(kind: int) -> int:
    """The place of the nearest caller of the running access that is neither Python's own code nor ours; 0 for none."""
    frame: FrameType | None = sys._getframe(2)
    while frame is not None:
        module = str(frame.f_globals.get("__name__", ""))
        if not module.startswith("semafuzz.") and not is_of_standard_library(module):
            return SITES.of_frame(frame.f_code, frame.f_lasti, frame.f_lineno or 0, module, kind)
        frame = frame.f_back
    return 0
