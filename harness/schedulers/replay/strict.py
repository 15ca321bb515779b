"""Replay: follow recorded choices and stop at the first difference."""

from __future__ import annotations

from collections.abc import Sequence

from semafuzz.harness.errors import CannotJudge
from semafuzz.harness.kernel.naming import describe_pending
from semafuzz.harness.kernel.outcome import Outcome
from semafuzz.harness.kernel.task import Task
from semafuzz.harness.schedulers.protocol import Scheduler
from semafuzz.harness.traces.choices import RecordedChoice


class Diverged(CannotJudge):
    """The run does not fit the recorded choices; ``step`` is where."""

    def __init__(self, step: int, message: str) -> None:
        super().__init__(message)
        self.step = step


class StrictReplay(Scheduler):
    """Follows ``choices``; compares the enabled tasks and pending operations."""

    name = "replay"

    def __init__(self, choices: Sequence[RecordedChoice]) -> None:
        self._choices = choices
        self._next = 0
        self.diverged: Diverged | None = None

    def begin(self, execution: int) -> bool:
        """One execution only."""
        self._next = 0
        self.diverged = None
        return execution == 0

    def choose(self, enabled: Sequence[Task], current: Task | None, step: int) -> Task:
        """The recorded task, or the first enabled one once the run has diverged."""
        if self.diverged is not None:
            return enabled[0]
        number = self._next
        if number >= len(self._choices):
            return self._diverge(enabled, step, f"a choice is due at step {step}, but the trace has no more")
        choice = self._choices[number]
        self._next += 1
        if choice.step != step:
            return self._diverge(
                enabled, step, f"a choice is due at step {step}, the trace has it at step {choice.step}"
            )
        have = tuple(task.index for task in enabled)
        if have != choice.enabled:
            # Recorded where a time-out could not run out yet: who waits with one was not offered.
            enabled = [task for task in enabled if not task.timed or task.index in choice.enabled]
            have = tuple(task.index for task in enabled)
        if have != choice.enabled:
            return self._diverge(
                enabled, step, f"at step {step} tasks {have} are enabled, in the trace {choice.enabled}"
            )
        for task, recorded in zip(enabled, choice.pending, strict=True):
            found = describe_pending(task.pending)
            if found != recorded:
                return self._diverge(
                    enabled, step, f"at step {step} task {task.name} is about to {found}, in the trace to {recorded}"
                )
        for task in enabled:
            if task.index == choice.chosen:
                return task
        return self._diverge(
            enabled, step, f"at step {step} the trace chooses task {choice.chosen}, which is not enabled"
        )

    def _diverge(self, enabled: Sequence[Task], step: int, message: str) -> Task:
        self.diverged = Diverged(step, message)
        return enabled[0]

    def end(self, outcome: Outcome) -> None:
        """A trace that goes on after the run ended does not fit either."""
        if self.diverged is None and self._next < len(self._choices):
            left = self._choices[self._next]
            self.diverged = Diverged(left.step, f"the run ended, the trace goes on with a choice at step {left.step}")
