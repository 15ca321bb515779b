"""What accesses found and left, and what stood in assertions that failed, noted while a run is made again."""

from __future__ import annotations

from semafuzz.harness.detectors.protocol import Detector
from semafuzz.harness.kernel import event_kinds as op
from semafuzz.harness.kernel.observed_execution import Probe
from semafuzz.harness.kernel.outcome import Outcome
from semafuzz.harness.kernel.task import RawEvent, Task
from semafuzz.reports.run_view.assertion import assertion_values
from semafuzz.reports.run_view.stored_values import peek


class Values(Detector):
    """Notes what each access found and what each write left.

    ``seen``: by the number of the event, the texts before and after; after is "" for a
    read. A write's value is looked at when the next event shows that it is there, or the end of the run: judges
    may go on with the program's objects. ``assertions``: by the number
    of the task, the assertion that ended it with what stood in it.
    """

    def __init__(self) -> None:
        self.seen: dict[int, tuple[str, str]] = {}
        self.assertions: dict[int, str] = {}
        self._written: tuple[int, RawEvent] | None = None

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
            self.seen[number] = (peek(event), "")
            if event[0] in op.WRITES:
                self._written = number, event

    def _settle(self) -> None:
        if self._written is not None:
            number, event = self._written
            self.seen[number] = (self.seen[number][0], peek(event))
            self._written = None

    def keep(self, outcome: Outcome) -> None:
        """Nothing to learn."""
