"""One controlled run: every switch between tasks is made here.

Tasks are greenlets of one OS thread. A task *announces* an operation, the
scheduler chooses among the enabled tasks, and the chosen task *performs* its
operation: so a scheduler always sees what each enabled task is about to do.
Where only one task is enabled nothing is asked.

An access becomes a scheduling point only where its site is *hot*: where, in
some execution of the program so far, it touched a location that two tasks
touched and one of them wrote (``semafuzz.harness.kernel.hot_sites`` learns that after
each execution; the set only grows). Cold accesses are recorded and commute
with everything that other tasks did, so nothing is lost by not switching there.

The execution knows no search strategy, no detector and no target.
"""

from __future__ import annotations

import contextvars
from bisect import bisect_left
from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import Protocol

from greenlet import getcurrent, greenlet

from semafuzz.harness.kernel import current as _current
from semafuzz.harness.kernel import event_kinds as op
from semafuzz.harness.kernel import thread_identity
from semafuzz.harness.kernel.clock import VirtualClock
from semafuzz.harness.kernel.deadlock import describe_deadlock, describe_endless
from semafuzz.harness.kernel.greenlet_pool import pool_of
from semafuzz.harness.kernel.install import builtin_names, executors, interrupts
from semafuzz.harness.kernel.outcome import Failure, LimitKind, Outcome, RawDecision
from semafuzz.harness.kernel.sites import NOWHERE
from semafuzz.harness.kernel.task import Pending, RawEvent, Task
from semafuzz.harness.kernel.task_errors import Abort, describe_exception, message_of
from semafuzz.harness.kernel.tokens import Tokens
from semafuzz.harness.kernel.waiting import Waiting

FOREVER = 1 << 60


class Chooser(Protocol):
    """What the execution asks of a scheduler; see ``semafuzz.harness.schedulers.protocol``."""

    def choose(self, enabled: Sequence[Task], current: Task | None, step: int) -> Task:
        """Return the member of ``enabled`` that runs next."""


class Execution(Waiting):
    """Runs tasks to quiescence under one scheduler.

    ``hot`` is the program's set of scheduling points by site number.
    ``forced`` (for replay) maps the steps at which a decision was recorded to
    whether the running task was left out; ``hot`` is then not consulted.
    ``preemptive`` is False for the eventlet model: only I/O, sleeping and
    blocking switch. ``thorough``: starting a thread, taking a lock and the end of the
    last task that is waited for are choices always, and not only where they were learned
    to matter; and code that is not looked into counts as touching what it is given.
    ``early_timeouts``: a time-out may run out while other tasks could go on; without,
    only where nothing else can run. ``quantum``: events after which a running task must give
    way once, so that a loop that waits for another task cannot hold the run.
    """

    # Start values stand on the class: setting them costs a tenth of a small execution.
    aborting = False
    stopped = False
    interrupt: BaseException | None = None
    random_seeded = False
    thread_numbers = 0
    numbering = 0
    hashes = 0
    generators = 0
    streak = 0
    unfinished = 0
    awaited = 0
    _refusals = 0
    _at_exit = False
    hub: greenlet | None = None
    _starting: Task | None = None
    _inheriting: Task | None = None
    _context: contextvars.Context | None = None
    _tokens: Tokens | None = None
    _overdue = False
    on_io: Callable[[str, Task], None] | None = None
    _forced: dict[int, bool] | None = None
    _steps: Sequence[int] = ()

    def __init__(
        self,
        scheduler: Chooser,
        hot: bytearray,
        *,
        preemptive: bool = True,
        thorough: bool = False,
        early_timeouts: bool = True,
        forced: dict[int, bool] | None = None,
        quantum: int = 1000,
        max_decisions: int = 50_000,
        max_events: int = 200_000,
        seed: int = 0,
    ) -> None:
        self.choose = scheduler.choose
        self.hot = hot
        self.preemptive = preemptive
        self.thorough = thorough
        self._ends = thorough and preemptive
        self._syncs = thorough and preemptive and forced is None
        self._early = early_timeouts or forced is not None
        self._stalled = 0.0
        self.quantum = quantum if preemptive else FOREVER
        self.max_decisions = max_decisions
        self.max_events = max_events
        self.seed = seed
        self.outcome = Outcome()
        self.events: list[RawEvent] = self.outcome.events
        self.decisions: list[RawDecision] = self.outcome.raw_decisions
        self.tasks: list[Task] = self.outcome.tasks
        self.ready: list[Task] = []
        self.timed: list[Task] = []
        self.current: Task = _NOBODY
        self.clock = VirtualClock()
        self._late = max_decisions >> 1
        if forced is not None:
            self._forced = forced
            self._steps = sorted(forced)
        self._quantum_at = self.quantum
        self.break_at = min(self.quantum, max_events) if forced is None else self._next_forced(0)

    # ------------------------------------------------------------ tasks

    def add_task(self, run: Callable[[], object], name: str, *, daemon: bool = False) -> Task:
        """Create an enabled task that has not begun."""
        task = Task(len(self.tasks) - self.numbering, name, run, daemon=daemon)
        self.tasks.append(task)
        self.ready.append(task)
        self.unfinished += 1
        if not daemon:
            self.awaited += 1
        return task

    def spawn(self, run: Callable[[], object], name: str, *, daemon: bool = False) -> Task:
        """Create a task from within a task, as starting a thread does."""
        parent = self.current
        if self.hot[NOWHERE] or len(self.events) >= self.break_at:
            self.point(op.SPAWN, None, name, NOWHERE)
        task = self.add_task(run, name, daemon=daemon)
        thread_identity.assign_identity(task, parent)
        self.events.append((op.SPAWN, parent, task, None, NOWHERE))
        if self._syncs:
            # What the starter does next is a point, wherever it stands.
            self.break_at = len(self.events)
        return task

    def run(self, inherit: Task | None = None) -> Outcome:
        """Run every task to its end, to a deadlock or to a limit.

        ``inherit`` names the task that stands for the calling thread: it sees
        that thread's identity, context variables and thread-local values.
        Raises KeyboardInterrupt where a task did, or where one came meanwhile.
        """
        self.hub = getcurrent()
        hosted = thread_identity.set_aside_caller(self, inherit)
        self._values = hosted.values
        self._workers = pool_of(self.hub)
        self._inheriting = inherit
        self._context = contextvars.copy_context() if inherit is not None else None
        _current.execution = self
        try:
            with suppress(Abort):
                self._loop()
            self._abort_rest()
        except Exception:
            # Ours, and so an error of ours, unless the program took from us what we call.
            replaced = builtin_names.put_back()
            if not replaced:
                raise
            self.escape(builtin_names.complaint(replaced))
            for task in self.tasks:
                if task.greenlet is not None and task.greenlet.dead:
                    task.greenlet = None
            self._abort_rest()
        finally:
            _current.execution = None
            if self._at_exit:
                executors.forget_exit()
            executors.forget_threads(self.tasks)
            thread_identity.restore_caller(self, hosted)
        if self.interrupt is not None:
            raise self.interrupt
        if interrupts.pressed:
            interrupts.heed()
        outcome = self.outcome
        outcome.now = self.clock.now
        self._take_apart(outcome)
        return outcome

    def _take_apart(self, outcome: Outcome) -> None:
        """Let go of the record: what the program made, locks above all, holds on to its execution, and the
        record to them, so that thousands of events would wait for the collector."""
        self.outcome = _OVER
        self.events, self.decisions, self.tasks = _OVER.events, _OVER.raw_decisions, _OVER.tasks
        self.ready, self.timed = [], []
        self.current = _NOBODY
        self._inheriting = self._context = None
        self.choose = _nobody_chooses
        for task in outcome.tasks:
            # A Thread and its task hold on to each other.
            task.run = _nothing_to_run
            task.thread = None

    def _loop(self) -> None:
        while not self.stopped:
            chosen = self._next(None)
            if chosen is None:
                return
            self._enter(chosen)
            while self._starting is not None:
                chosen, self._starting = self._starting, None
                self._enter(chosen)

    def _enter(self, task: Task) -> None:
        """Switch to ``task``; returns when something switches back here."""
        worker = task.greenlet
        if worker is None:
            # Not before it runs: a worker that waits would pass on what ends it.
            worker = task.greenlet = self._workers.take(self._context if task is self._inheriting else None)
        if self.current is not task:
            self._values.swap(self.current, task)
            self.current = task
        worker.switch(self)

    def run_task(self) -> None:
        """Run the current task to its end; called by its worker."""
        task = self.current
        if self.aborting:
            return
        self.events.append((op.BEGIN, task, task, None, NOWHERE))
        try:
            task.result = task.run()
        except Abort:
            return
        except BaseException as error:
            if isinstance(error, KeyboardInterrupt) and interrupts.was_raised():
                self.interrupt = error
                self.stopped = True
                return
            self.fail_task(task, error)
        self.finish(task)

    def fail_task(self, task: Task, error: BaseException) -> None:
        """Record an exception that nothing in ``task`` caught.

        One raised while the task is being ended is of our making.
        """
        if self.aborting:
            return
        if _is_locked_database(error):
            self.escape("a database was locked by another thread, for which code in C waited on the only thread of all")
            return
        task.error = error
        kind, sites, name, detail = describe_exception(error)
        self.outcome.failures.append(Failure(kind, message_of(error), task.name, sites, name, detail))

    def finish(self, task: Task) -> None:
        """``task`` is done: let those who join it go on."""
        if self.aborting:
            return
        if self._tokens is not None:
            self._tokens.let_go(all_of_them=True)
        if self._ends and self.awaited == 1 and not task.daemon and self.unfinished > 1:
            self.point(op.END, task, None, NOWHERE)
        self.events.append((op.END, task, task, None, NOWHERE))
        task.done = True
        self.ready.remove(task)
        if task.joiners:
            for waiting in task.joiners:
                self._enable(waiting)
            task.joiners = ()
        self.unfinished -= 1
        if not task.daemon:
            self.awaited -= 1
            if not self.awaited:
                self.stopped = True

    def _abort_rest(self) -> None:
        """End the tasks that are left (daemons, or all after a deadlock).

        What their ``finally`` blocks do is not part of the execution.
        """
        self.aborting = True
        if not self.unfinished:
            self._values.swap(self.current, _NOBODY)
            self.current = _NOBODY
            return
        self.hot = bytearray(len(self.hot))
        self.break_at = FOREVER
        recorded = len(self.events)
        for task in self.tasks:
            if task.greenlet is None:
                continue
            self._values.swap(self.current, task)
            self.current = task
            tries = 0
            while task.greenlet is not None and tries < 3:
                task.greenlet.throw(Abort)
                tries += 1
            if task.greenlet is not None:
                # It swallows what ends it; freeing it would try that again.
                _STUBBORN.append(task.greenlet)
        self._values.swap(self.current, _NOBODY)
        self.current = _NOBODY
        del self.events[recorded:]

    def hold_weakly(self) -> None:
        """Keep no object alive for the record: the program would notice."""
        tokens = self._tokens = Tokens()
        touch, note = self.touch, self.note

        def touch_weakly(kind: int, subject: object, name: object, site: int) -> None:
            tokens.let_go()
            touch(kind, tokens.of(subject), name, site)

        def note_weakly(kind: int, subject: object, name: object, site: int = NOWHERE) -> None:
            note(kind, tokens.of(subject), name, site)

        self.touch, self.note = touch_weakly, note_weakly  # type: ignore[method-assign]

    # -------------------------------------------------- scheduling points

    def touch(self, kind: int, subject: object, name: object, site: int) -> None:
        """Announce and record an access to data; the caller then performs it."""
        if self.hot[site] or len(self.events) >= self.break_at:
            self.point(kind, subject, name, site)
        self.events.append((kind, self.current, subject, name, site))

    def io(self, name: str, site: int = NOWHERE, subject: object = None) -> None:
        """A call that leaves the process: a scheduling point in every model.

        Raises what ``on_io`` raises: the call then fails so."""
        self.point(op.IO, subject, name, site)
        self.events.append((op.IO, self.current, subject, name, site))
        if self.on_io is not None and not self.aborting:
            self.on_io(name, self.current)

    def limit(self, kind: LimitKind, what: str, site: int) -> None:
        """Something took part whose state is not seen: nothing is proved by this search."""
        if not self.aborting:
            self.outcome.limits.setdefault((kind, what), site)

    def stretch(self, what: str, site: int) -> None:
        """What was announced here as one step is more than one: other tasks could come between."""
        self.outcome.stretched.setdefault(site, what)

    def reach_outside(self, what: str, site: int) -> None:
        """A call that reaches a file, a socket or a process: a choice, at one coarse location."""
        if self.aborting:
            return
        self.outcome.limits.setdefault(("outside", what), site)
        self.point(op.IO, None, what, site)
        self.events.append((op.IO, self.current, None, what, site))

    def note(self, kind: int, subject: object, name: object, site: int = NOWHERE) -> None:
        """Record an event that is never a scheduling point."""
        if kind <= op.WRITE_ALL:
            self.outcome.noted.add(len(self.events))
        self.events.append((kind, self.current, subject, name, site))

    def point(self, kind: int, subject: object, name: object, site: int) -> None:
        """Announce an operation and let the scheduler choose who goes on."""
        if self._tokens is not None:
            self._tokens.let_go(all_of_them=True)
        if self.aborting:
            self._refuse()
        if self.stopped:
            self._leave()
        task = self.current
        step = len(self.events)
        if self._forced is None:
            quantum_used = step >= self._quantum_at
            self.break_at = self._quantum_at = step + self.quantum
            if self.break_at > self.max_events:
                # A replay must be cut at the same step.
                self.break_at = self.max_events
        else:
            self.break_at = self._next_forced(step)
            if step != self.break_at and step < self.max_events:
                return
            quantum_used = self._forced.get(step, False)
        if step >= self.max_events:
            self._stop(describe_endless(self))
        if len(self.ready) == 1 and not (self.timed and self._may_wake()):
            self._overdue = quantum_used
            return
        task.pending = (kind, subject, name, site)
        if self._forced is None and self.streak >= 1000:
            quantum_used = True
        chosen = self._decide(task, yielded=quantum_used)
        if chosen is not task:
            self._switch(chosen)

    def _decide(self, running: Task | None, *, yielded: bool = False) -> Task:
        if not self.timed:
            enabled = self.ready
        else:
            enabled = self.ready + self._may_wake()
        if yielded and running is not None:
            others = [task for task in enabled if task is not running]
            if others:
                enabled = others
            else:
                yielded = False
        step = len(self.events)
        if self._forced is not None:
            self.break_at = self._next_forced(step + 1)
        decisions = self.decisions
        count = len(decisions)
        late = count >= self._late
        if late:
            self._near_the_end(count, step)
        if late and self._forced is None:
            chosen = enabled[count % len(enabled)]
        else:
            # A scheduler is not under test, wherever its code stands.
            _current.execution = None
            chosen = self.choose(enabled, running, step)
            _current.execution = self
        current = -1 if running is None else running.index
        pending = tuple([task.pending for task in enabled])
        decisions.append((step, current, chosen.index, tuple(enabled), pending, yielded))
        self.streak = self.streak + 1 if chosen is running else 0
        if chosen.timed:
            self._fire(chosen)
        return chosen

    def _near_the_end(self, count: int, step: int) -> None:
        """Cut the run after its last decision, where a replay of it, which is
        asked for nothing more, can be cut too."""
        if count >= self.max_decisions:
            self._stop(describe_endless(self))
        if count == self.max_decisions - 1:
            self.max_events = self.break_at = step + 1

    def _next(self, running: Task | None) -> Task | None:
        """Choose who runs when the running task cannot; None when all is done."""
        count = len(self.ready) + len(self.timed)
        if count > 1 and self.timed and self._forced is None:
            due = self._may_wake()
            count = len(self.ready) + len(due)
            if count == 1 and due:
                self._fire(due[0])
                return due[0]
        if count > 1:
            if self._forced is not None and len(self.events) not in self._forced:
                # Recorded where time-outs run out late, so that there was nothing to choose.
                if len(self.ready) == 1:
                    return self.ready[0]
                due = self._due()
                if not self.ready and len(due) == 1:
                    self._fire(due[0])
                    return due[0]
            return self._decide(running)
        if count == 0:
            if (
                not self.stopped
                and not self._at_exit
                and (waker := executors.executor_shutdown(self.tasks)) is not None
            ):
                self._at_exit = True
                closing = self.add_task(waker, "at-exit", daemon=True)
                thread_identity.assign_identity(closing, closing)
                return closing
            if not self.stopped:
                self.outcome.failures.append(describe_deadlock(self))
                self.stopped = True
            return None
        if self.ready:
            return self.ready[0]
        chosen = self.timed[0]
        self._fire(chosen)
        return chosen

    def _switch(self, task: Task) -> None:
        """Leave the running task for ``task``; returns when it is chosen again."""
        if _current.real_locks and any(lock._is_owned() for lock in _current.real_locks):
            self.escape("a real re-entrant lock is held while tasks take turns; the tuple that it is in keeps it real")
        values = self._values
        if task.local_values or len(values.state) != values.others:
            values.swap(self.current, task)
        self.current = task
        running = task.greenlet
        if running is None:
            if task.index < 4:
                running = task.greenlet = self._workers.take()
            else:
                # From the hub: a greenlet starts with the recursion depth of its
                # starter, so a long chain of starts would meet the recursion
                # limit. A short one does not, and is cheaper.
                self._starting = task
                running = self.hub
                assert running is not None
        running.switch(self)
        if self.aborting:
            raise Abort

    def _suspend(self, pending: Pending) -> None:
        """Leave the running task, which is not in ``ready``, until it is chosen."""
        if self.aborting:
            self._refuse()
        if self._tokens is not None:
            self._tokens.let_go(all_of_them=True)
        self.current.pending = pending
        chosen = self._next(self.current)
        if chosen is None:
            assert self.hub is not None
            self.hub.switch()
            raise Abort
        if chosen is not self.current:
            self._switch(chosen)

    def _stop(self, failure: Failure) -> None:
        """End the execution from within a task."""
        self.outcome.failures.append(failure)
        self.stopped = True
        self._leave()

    def _refuse(self) -> None:
        """A task that is being ended wants to go on: it is not to."""
        self._count_refusal()
        raise Abort

    def _count_refusal(self) -> None:
        """Leave a task for good that goes on for ever while it is being ended."""
        self._refusals += 1
        if self._refusals > 100:
            self._refusals = 0
            assert self.hub is not None
            self.hub.switch()

    def _leave(self) -> None:
        """Go back to the hub for good; the rest of the task is thrown away."""
        assert self.hub is not None
        if getcurrent() is not self.hub:
            self.hub.switch()
        raise Abort

    def escape(self, what: str) -> None:
        """Something is not under control: say so once, end the execution."""
        if not self.outcome.uncontrolled:
            self.outcome.uncontrolled = what
        self.stopped = True

    def _next_forced(self, step: int) -> int:
        position = bisect_left(self._steps, step)
        return self._steps[position] if position < len(self._steps) else self.max_events


def _is_locked_database(error: BaseException) -> bool:
    """The other thread could not go on while this one waited, as it would have in real threads."""
    kind = type(error)
    return kind.__name__ == "OperationalError" and kind.__module__ == "sqlite3" and "locked" in str(error)


_STUBBORN: list[greenlet] = []
_NOBODY = Task(-1, "nobody", lambda: None, daemon=True)
_OVER = Outcome()
"""The record of executions that were taken apart."""


def _nothing_to_run() -> None:
    raise RuntimeError("the execution is over")


def _nobody_chooses(enabled: Sequence[Task], current: Task | None, step: int) -> Task:
    raise RuntimeError("the execution is over")
