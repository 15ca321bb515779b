"""An execution that is driven from outside, one step of one task at a time.

Everywhere else a scheduler decides and the execution runs to its end. Here the
caller decides between the steps: it starts a task, lets it go on to its next
scheduling point, starts another. Hypothesis's state machines need that.

The caller is represented by a task of its own, the *driver*, which is enabled
at all times: whenever a task reaches a point, blocks or ends, the driver is
chosen, and hands over to the caller's greenlet. So the kernel's own switching keeps
identities and thread-local values apart, and the caller runs outside control.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from greenlet import getcurrent, greenlet

from semafuzz.harness.errors import UsageError
from semafuzz.harness.kernel import current as _current
from semafuzz.harness.kernel import event_kinds as op
from semafuzz.harness.kernel import thread_identity
from semafuzz.harness.kernel.deadlock import describe_deadlock
from semafuzz.harness.kernel.doubles import hashes
from semafuzz.harness.kernel.install import interrupts
from semafuzz.harness.kernel.lockable import Lockable
from semafuzz.harness.kernel.outcome import Outcome
from semafuzz.harness.kernel.sites import NOWHERE
from semafuzz.harness.runs.execution_config import ExecutionConfig
from semafuzz.harness.schedulers.protocol import Scheduler
from semafuzz.harness.schedulers.replay.by_owner import DRIVER

if TYPE_CHECKING:
    from collections.abc import Sequence

    from semafuzz.harness.kernel.task import Task


class SteppedExecution(Scheduler):
    """One execution, from :meth:`start` of its first task to :meth:`close`.

    Not reusable. To be used on one thread, inside a laboratory; between two calls
    of its methods nothing of it runs.
    """

    def __init__(self, setting: ExecutionConfig, on_io: Callable[[str, Task], None] | None = None) -> None:
        _current.restore()
        hashes.restart()
        self.execution = setting.execution(self)
        self.execution.on_io = on_io
        # The execution lets go of it when it is over.
        self._outcome = self.execution.outcome
        self._driver = self.execution.add_task(self._drive, "driver")
        # It does not count as waiting for anything, and takes no number.
        self._driver.daemon = True
        self._driver.index = DRIVER
        self.execution.numbering = 1
        self._wanted: Task | None = None
        self._points = 0
        self._closing = False
        _current.wait_for.append(self.let_go)
        self._outer = getcurrent()
        self._hub = greenlet(self._run)
        self._resume(self._hub)

    # --------------------------------------------- what the caller asks for

    @property
    def outcome(self) -> Outcome:
        """The record so far."""
        return self._outcome

    @property
    def tasks(self) -> list[Task]:
        """The tasks started so far, in order."""
        return self._outcome.tasks[1:]

    def start(self, run: Callable[[], object], name: str) -> Task:
        """A new task, which has not begun."""
        task = self.execution.add_task(run, name)
        thread_identity.assign_identity(task, self._driver)
        thread_identity.register(task, thread_identity.thread_of(task.index))
        return task

    def step(self, task: Task, points: int = 1) -> None:
        """Let ``task`` go on until it has passed ``points`` scheduling points after
        the one where it stands, or blocks, or ends. A task whose time is running
        goes on by its time running out."""
        if self.over or task.done or not self.enabled(task):
            return
        self._wanted, self._points = task, points
        self._resume(self._driver_greenlet)
        self._wanted = None

    def finish(self, task: Task) -> None:
        """Let ``task`` go on until it ends or blocks."""
        self.step(task, 1 << 30)

    def settle(self) -> None:
        """Let every task go on until nothing can: those that have not begun first, so
        that the ones left in the midst of something are overtaken; timers last.

        Where tasks are left that wait for each other or for nothing, the outcome has
        a deadlock afterwards.
        """
        while not self.over:
            able = [task for task in self.tasks if not task.done and self.enabled(task) and not task.timed]
            able.sort(key=lambda task: (task.pending[0] != op.BEGIN, task.index))
            able = able or sorted(
                (task for task in self.tasks if task.timed), key=lambda task: (task.deadline or 0.0, task.index)
            )
            if not able:
                break
            self.finish(able[0])
        if not self.over and any(not task.done and not task.parked for task in self.tasks):
            self.outcome.failures.append(describe_deadlock(self.execution))

    def advance(self, seconds: float) -> None:
        """Let virtual time pass: tasks that are due become able to go on."""
        self.execution.pass_time(seconds)

    def enabled(self, task: Task) -> bool:
        """Whether a step of ``task`` would do anything."""
        return task in self.execution.ready or task.timed

    @property
    def over(self) -> bool:
        """Whether the execution has ended, because something escaped or was cut."""
        return bool(self._hub.dead)

    def close(self) -> Outcome:
        """End the execution, with the tasks that are left; the whole record."""
        if self.let_go in _current.wait_for:
            _current.wait_for.remove(self.let_go)
        if not self.over:
            self._closing = True
            self._resume(self._driver_greenlet)
        return self.outcome

    def let_go(self, lock: Lockable) -> None:
        """Code between the steps takes a lock that a task holds: it waits as any other would, so the
        task goes on until it has released the lock. UsageError where that is not to be."""
        tries = 0
        while lock.owner is not None:
            owner = lock.owner
            tries += 1
            if owner.done or not self.enabled(owner) or self.over or tries > 10_000:
                name = lock.label or type(lock).__name__
                raise UsageError(
                    f"{name} is held by the task {owner.name}, which waits itself or does not release it; code between "
                    "two steps (a rule, an invariant, a check) cannot take it now"
                )
            self.step(owner)

    # ------------------------------------------------------ the kernel's side

    def begin(self, execution: int) -> bool:
        """One execution."""
        return execution == 0

    def choose(self, enabled: Sequence[Task], current: Task | None, step: int) -> Task:
        """The task that the caller wants, until it has made its points; else the driver."""
        wanted = self._wanted
        if wanted is not None and wanted in enabled:
            if current is self._driver:
                return wanted
            if current is wanted and self._points > 1:
                self._points -= 1
                return wanted
        return self._driver if self._driver in enabled else enabled[0]

    def end(self, outcome: Outcome) -> None:
        """Nothing to learn."""

    @property
    def _driver_greenlet(self) -> greenlet:
        assert self._driver.greenlet is not None
        return self._driver.greenlet

    def _resume(self, where: greenlet) -> None:
        self._outer = getcurrent()
        where.switch()

    def _run(self) -> None:
        self.execution.run(inherit=self._driver)

    def _drive(self) -> None:
        """The driver's body: hand over to the caller, then let a task go on."""
        execution = self.execution
        while True:
            _current.execution = None
            interrupts.holding = False
            self._outer.switch()
            interrupts.holding = True
            _current.execution = execution
            if self._closing:
                execution.stopped = True
                return
            execution.point(op.YIELD, None, None, NOWHERE)
