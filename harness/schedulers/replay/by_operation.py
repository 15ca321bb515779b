"""Follow: recorded choices on code that is not quite the recorded one.

``Replay`` demands that every choice comes after the same number of events. Here a
choice is known by what it decides between: the same enabled tasks, each about to do
the same (kind of operation, object, name, function; no line number and no count).
"""

from __future__ import annotations

from collections.abc import Sequence

from semafuzz.harness.kernel.naming import describe_pending
from semafuzz.harness.kernel.task import Task
from semafuzz.harness.schedulers.protocol import Scheduler
from semafuzz.harness.traces.choices import RecordedChoice


class ReplayByOperation(Scheduler):
    """Makes each recorded choice where it is due next; between them the running task
    goes on, and when it cannot, the one with the lowest number does.

    ``followed``: how many of the choices were met, in order. ``extra``: decisions that
    the record does not have. After a run in which all were met and none was extra the
    schedule fitted entirely.
    """

    name = "follow"

    def __init__(self, choices: Sequence[RecordedChoice]) -> None:
        self._choices = choices
        self._met_instead = ""
        self.followed = 0
        self.extra = 0

    def begin(self, execution: int) -> bool:
        """One execution."""
        self.followed = self.extra = 0
        self._met_instead = ""
        return execution == 0

    @property
    def fits(self) -> bool:
        """Whether the record and the run have the same choices, one by one."""
        return self.followed == len(self._choices) and not self.extra

    def choose(self, enabled: Sequence[Task], current: Task | None, step: int) -> Task:
        """The recorded task where the next recorded choice is due."""
        if self.followed < len(self._choices):
            due = self._choices[self.followed]
            if tuple(task.index for task in enabled) == due.enabled:
                pending = tuple(describe_pending(task.pending) for task in enabled)
                if pending == due.pending:
                    self.followed += 1
                    self._met_instead = ""
                    return next(task for task in enabled if task.index == due.chosen)
        if not self._met_instead:
            self._met_instead = self._words(enabled, step)
        self.extra += 1
        return current if current is not None and current in enabled else enabled[0]

    @staticmethod
    def _words(enabled: Sequence[Task], step: int) -> str:
        acts = ", ".join(f"task {task.index} is about to {describe_pending(task.pending)}" for task in enabled)
        return f"at step {step} here {acts}"

    def stopped(self) -> str:
        """Where the record and the run part, and what differs; empty where they do not."""
        if self.followed == len(self._choices):
            return f"the record is at its end, but {self._met_instead}" if self._met_instead else ""
        due = self._choices[self.followed]
        recorded = ", ".join(
            f"task {number} is about to {words}" for number, words in zip(due.enabled, due.pending, strict=True)
        )
        here = self._met_instead or "here no choice is left to make"
        return f"choice {self.followed + 1} of {len(self._choices)}, recorded at step {due.step}: {recorded}; {here}"
