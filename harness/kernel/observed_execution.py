"""An execution that shows what it records while it happens.

Most observers read the events of an execution when it is over. One that has to
look at the program's own objects as they are at that moment cannot wait: it is
shown each access, section and call here, recorded but not yet performed. A class
of its own, so that executions that nobody watches pay nothing.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

from semafuzz.harness.kernel import current as _current
from semafuzz.harness.kernel import event_kinds as op
from semafuzz.harness.kernel.execution import Execution
from semafuzz.harness.kernel.task import RawEvent, Task


class Probe(NamedTuple):
    """``show`` is called with events and their numbers in the execution: writes,
    sections, calls, and where ``reads`` is true also reads. It must neither run code
    of the program (which would make events) nor change anything that it is shown. ``failed`` is called with a task and
    the exception that ends it, ``ended`` when the last task has ended and nobody has judged yet."""

    show: Callable[[RawEvent, int], None]
    reads: bool = False
    failed: Callable[[Task, BaseException], None] | None = None
    ended: Callable[[], None] | None = None


SHOWN = frozenset({op.WRITE, op.ENTER, op.EXIT, op.CALL, op.RETURN})
"""Kinds that are shown among those recorded without a scheduling point. Of an access
that is recorded twice, for an item and for the whole container, one is enough."""


class ObservedExecution(Execution):
    """Shows its events to ``looks``."""

    def __init__(self, *args: Any, looks: tuple[Probe, ...], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._looks = [look.show for look in looks]
        self._readers = [look.show for look in looks if look.reads]
        self._failed = [look.failed for look in looks if look.failed is not None]
        self._ended = [look.ended for look in looks if look.ended is not None]

    def touch(self, kind: int, subject: object, name: object, site: int) -> None:
        """As :meth:`Execution.touch`; shown before the access is performed."""
        if self.hot[site] or len(self.events) >= self.break_at:
            self.point(kind, subject, name, site)
        event = (kind, self.current, subject, name, site)
        self.events.append(event)
        if kind <= op.WRITE_ALL and not self.aborting:
            self._show(self._looks if kind & 1 else self._readers, event)

    def _show(self, looks: list[Callable[[RawEvent, int], None]], event: RawEvent) -> None:
        """To the observers, whose own looks are no accesses."""
        before, _current.execution = _current.execution, None
        try:
            for show in looks:
                show(event, len(self.events) - 1)
        finally:
            _current.execution = before

    def fail_task(self, task: Task, error: BaseException) -> None:
        """As :meth:`Execution.fail_task`; shown while the frames of the failure are there."""
        if not self.aborting:
            before, _current.execution = _current.execution, None
            try:
                for failed in self._failed:
                    failed(task, error)
            finally:
                _current.execution = before
        super().fail_task(task, error)

    def _abort_rest(self) -> None:
        before, _current.execution = _current.execution, None
        try:
            for ended in self._ended:
                ended()
        finally:
            _current.execution = before
        super()._abort_rest()

    def note(self, kind: int, subject: object, name: object, site: int = 0) -> None:
        """As :meth:`Execution.note`."""
        if kind <= op.WRITE_ALL:
            self.outcome.noted.add(len(self.events))
        event = (kind, self.current, subject, name, site)
        self.events.append(event)
        if kind in SHOWN and not self.aborting:
            self._show(self._looks, event)
