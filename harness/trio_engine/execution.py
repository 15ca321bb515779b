"""One controlled run of trio: every choice of who goes on is made here.

Each task of the code under test stands at its gate (``semafuzz.harness.trio_engine.gate``)
or waits in trio. When trio has nothing left to run, it asks the clock how long it
may sleep; the execution then offers the scheduler the tasks at their gates,
the passing of time where a deadline is near, and the cancellations that the program
allows, and lets the chosen one go on to its next checkpoint. Between two
checkpoints nothing can switch, so every checkpoint is a scheduling point and
none has to be learned.

Deviations from trio, all of them choices that trio could have made: the order of
runnable tasks is the scheduler's and not random; a deadline may pass while tasks
could run, as it may on a loaded machine.
"""

from __future__ import annotations

import threading
from bisect import insort
from collections import deque
from collections.abc import Awaitable, Callable, Coroutine, Iterator
from contextlib import contextmanager
from math import inf
from typing import Any, NoReturn

import trio

from semafuzz.harness.errors import UsageError
from semafuzz.harness.kernel import current as _current
from semafuzz.harness.kernel import event_kinds as op
from semafuzz.harness.kernel.address import address
from semafuzz.harness.kernel.clock import PATIENCE, TICK
from semafuzz.harness.kernel.doubles import locks
from semafuzz.harness.kernel.execution import Chooser, Execution
from semafuzz.harness.kernel.frames import calling_site
from semafuzz.harness.kernel.install import interrupts
from semafuzz.harness.kernel.lockable import Lockable
from semafuzz.harness.kernel.observed_execution import ObservedExecution
from semafuzz.harness.kernel.outcome import Failure, Outcome
from semafuzz.harness.kernel.sites import NOWHERE, SITES
from semafuzz.harness.kernel.task import Task
from semafuzz.harness.kernel.task_errors import Abort
from semafuzz.harness.runs.execution_config import ExecutionConfig
from semafuzz.harness.trio_engine import failures
from semafuzz.harness.trio_engine.await_sites import stand
from semafuzz.harness.trio_engine.cancellation import Cancellation, Faults
from semafuzz.harness.trio_engine.gate import gated, is_wait
from semafuzz.harness.trio_engine.idlers import idlers, wake_idler
from semafuzz.harness.trio_engine.loop import Loop, LoopKeeper
from semafuzz.harness.trio_engine.tasks import Interruption, Letter, Moment, TrioTask

QUANTUM = 200
"""Choices in a row of one task after which it must give way once."""

_LAST_STEPS = 1000
"""Steps that tasks may still make after a run has been given up."""

_ASYNCIO = "semafuzz runs async functions that use trio; asyncio and other frameworks are no target"
_MOMENT = Moment()


class TrioExecution(Execution):
    """Runs one async function under trio and a scheduler.

    It is the current execution while code under test runs, so accesses to shared
    data are recorded (they are no scheduling points), and clocks and randomness
    are those of the run. ``patient``: time passes only when no task can go on.
    ``steps``: how often tasks may go on before the run is cut.
    """

    begun = False
    over = False
    steps = 0
    posted = False
    closing = False
    _last_event = 0
    _passing = False
    _main: TrioTask | None = None
    _running: TrioTask | None = None
    _last_steps = 0
    _fault: BaseException | None = None

    def __init__(
        self,
        scheduler: Chooser,
        setting: ExecutionConfig,
        faults: Faults,
        forced: dict[int, bool] | None = None,
        *,
        patient: bool = False,
        steps: int = 3_000,
    ) -> None:
        super().__init__(
            scheduler,
            setting.hot,
            max_decisions=min(setting.max_decisions, steps),
            max_events=setting.max_events,
            seed=setting.seed,
        )
        self.known: list[TrioTask] = []
        self.standing: list[TrioTask] = []
        self.cancellable = faults.possible
        self._faults = faults
        self._recorded = forced
        self._patient = patient
        self._withholds = forced is None and not setting.early_timeouts
        self._thread = threading.get_ident()
        self._states: deque[failures.State] = deque(maxlen=failures.TAIL)
        self._turns: dict[int, int] = {}
        self._letters: deque[Letter] = deque()
        self._woken: set[trio.lowlevel.Task] = set()
        self._origins: dict[int, tuple[BaseException, str]] = {}

    # ---------------------------------------------------------- the run

    def run_function(
        self, function: Callable[[], Awaitable[object]], keeper: LoopKeeper | None = None
    ) -> tuple[Outcome, object]:
        """Run ``function`` as the main task; the outcome and what it returned.

        ``keeper`` lends the event loop. Raises KeyboardInterrupt where the run was
        interrupted, and UsageError where the function is not trio's.
        """
        self._result: object = None
        self._error: BaseException | None = None
        keeper = keeper or LoopKeeper()
        with real_locks():
            loop = keeper.take()
        try:
            self._use(loop, keeper, function)
        finally:
            _current.execution = None
        if interrupts.pressed:
            interrupts.heed()
        if self._fault is not None:
            raise self._fault
        if self.aborting:
            del self.events[self._last_event :]
        elif not self.outcome.failures and any(not task.begun for task in self.known):
            self.escape("trio ran a task past the gate: this release of it is not known to semafuzz")
        self.outcome.tasks.extend(self.known)
        self.outcome.now = self.clock.now
        return self.outcome, self._result

    def _use(self, loop: Loop, keeper: LoopKeeper, function: Callable[[], Awaitable[object]]) -> None:
        async def main() -> None:
            task = self.adopt(trio.lowlevel.current_task(), _call(function))
            self._main = task
            self.begun = True
            try:
                self._result = await gated(self, task)
            except BaseException as error:
                self._error = error
            finally:
                self.over = True
                while self._letters:
                    self._letters.popleft().deliver()

        errors: list[BaseException] = []
        try:
            loop.run(self, main)
        except BaseException as error:
            errors.append(error)
        if self._error is not None:
            errors.append(self._error)
        try:
            keeper.give_back(loop, clean=not errors and not self.unfinished and not self.stopped)
        except BaseException as error:
            errors.append(error)
        for one in errors:
            self._judge(one)

    def spawned(self, task: trio.lowlevel.Task) -> None:
        """Put the gate around a new task. Those that the loop makes for itself, before
        the main task begins and after it has ended, pass."""
        if self.begun and not self.over:
            task.coro = gated(self, self.adopt(task, task.coro))  # type: ignore[assignment]

    def adopt(self, trio_task: trio.lowlevel.Task, inner: Coroutine[Any, Any, Any]) -> TrioTask:
        """Know a task that trio has made and that has not begun."""
        index = len(self.known)
        task = TrioTask(index, _name(trio_task, index), inner, daemon=index > 0 and _is_system(trio_task))
        task.trio_task = trio_task
        task.ident = self._thread
        self.known.append(task)
        self.unfinished += 1
        if index and self._running is not None and not self.aborting:
            self.events.append((op.SPAWN, self._running, task, None, NOWHERE))
        self.standing.append(task)
        return task

    def _judge(self, error: BaseException) -> None:
        """Turn what left the run into failures."""
        found = list(failures.leaves(error))
        for leaf in found:
            if isinstance(leaf, KeyboardInterrupt):
                raise leaf
        if self.aborting or self._fault is not None or self.outcome.uncontrolled:
            return
        for leaf in found:
            self._refuse_asyncio(leaf)
            _, name = self._origins.get(address(leaf), (leaf, "main"))
            self.outcome.failures.append(failures.describe_error(leaf, name, error))

    def _refuse_asyncio(self, error: BaseException) -> None:
        trace = error.__traceback__
        while trace is not None:
            if str(trace.tb_frame.f_globals.get("__name__", "")).partition(".")[0] == "asyncio":
                raise UsageError(f"the function calls asyncio ({type(error).__name__}: {error}); {_ASYNCIO}") from error
            trace = trace.tb_next
        # Its functions in C leave no frame.
        if isinstance(error, RuntimeError) and str(error) == "no running event loop":
            raise UsageError(f"the function asks asyncio for its event loop ({error}); {_ASYNCIO}") from error

    def post(self, deliver: Callable[[], object], name: str) -> bool:
        """A callback is posted to the loop by a task; whether the execution says when it is called."""
        if not self.begun or self.over or self.aborting or threading.get_ident() != self._thread:
            return False
        self._letters.append(Letter(deliver, name))
        return True

    # ----------------------------------------------------- at the gates

    def enter(self, task: TrioTask) -> None:
        """``task`` goes on from its gate."""
        self.standing.remove(task)
        self._woken.discard(task.trio_task)
        kind, subject, name, site = task.pending
        if not task.begun:
            task.begun = True
            subject = task
        self.events.append((kind, task, subject, name, site))
        self.steps += 1
        task.steps += 1
        self.break_at = len(self.events) + self.max_events
        self._running = self.current = task
        _current.execution = self

    def pause(self, task: TrioTask) -> None:
        """``task`` has come to a checkpoint and could go on."""
        _current.execution = None
        self._stop_at(task, waits=False)
        insort(self.standing, task, key=_index)

    def block(self, task: TrioTask, trap: object) -> None:
        """``task`` waits for something."""
        _current.execution = None
        task.blocked = True
        if not is_wait(trap) and not self.aborting:
            place = SITES[stand(task.inner, waits=True).pending[3]].place()
            self._give_up(UsageError(f"what is awaited at {place} is not trio's; {_ASYNCIO}"))
            task.doomed = True
        self._stop_at(task, waits=True)

    def _stop_at(self, task: TrioTask, *, waits: bool) -> None:
        if self.aborting:
            return
        found = stand(task.inner, waits=waits)
        if found.outside:
            place = SITES[found.pending[3]].place()
            self.escape(f"{task.name} {found.outside} at {place}; replace that by a stand-in in memory")
        self._count_spins(task, waits or found.pending[3] != task.pending[3])
        task.pending = found.pending
        task.checkpoints += 1
        if self.cancellable and self._faults.is_planned(task):
            self._cancel(task)

    def _count_spins(self, task: TrioTask, moved: bool) -> None:
        """A loop that only looks (at a flag, at the time) makes time pass, faster
        and faster: one that waits for a moment would otherwise never see it."""
        task.spins = 0 if moved else task.spins + 1
        if task.spins > PATIENCE:
            self.clock.now += TICK * (1 << min((task.spins - PATIENCE) // 10, 30))

    def wake(self, task: TrioTask) -> None:
        """What ``task`` waited for has come: it stands at its gate again."""
        task.blocked = False
        insort(self.standing, task, key=_index)

    def end(self, task: TrioTask, error: BaseException | None = None) -> None:
        """``task`` has ended, by ``error`` or well."""
        _current.execution = None
        task.done = True
        self.unfinished -= 1
        if error is not None:
            task.error = error
            for leaf in failures.leaves(error):
                self._origins.setdefault(address(leaf), (leaf, task.name))
        if not self.aborting:
            self.events.append((op.END, task, task, None, NOWHERE))
        self._running = None

    # ----------------------------------------------------------- choices

    def idle(self, deadline: float) -> None:
        """trio has nothing to run: choose who goes on. ``deadline``: the next one, in seconds."""
        try:
            if self.over and not self.closing:
                # System tasks that are left are cancelled first, as at the end of any run of trio.
                return
            if self.aborting:
                self._end_next(deadline)
            elif self.stopped:
                self._end_all()
            elif self._passing:
                self._passing = False
                self.clock.advance_to(deadline)
            elif self.unfinished and deadline > self.clock.now and not (self.posted and _letters()):
                if not self.standing and self._wake_idlers(deadline):
                    return
                # What trio has still to do comes first: then who is chosen runs alone.
                chosen = self._take_turn(deadline < inf)
                if chosen is not None:
                    self._let(chosen, deadline)
        except BaseException as error:
            self._give_up(error)
            self._end_next(deadline)

    def _wake_idlers(self, deadline: float) -> bool:
        """Let those go on who wait until all others are blocked, of whom there may be none:
        the only moment in which they can, and so no choice. trio asks its clock about them,
        which has nothing to sleep for here, in ``trio._core._run.unrolled_run``. Those with the
        shortest cushion go, where no deadline comes before that is over, and take their next
        step before time passes or anybody else runs."""
        waiting = idlers()
        if not waiting:
            return False
        cushion = min(seconds for seconds, _ in waiting)
        if self.clock.now + cushion >= deadline:
            return False
        self.clock.advance_to(self.clock.now + cushion)
        for seconds, task in waiting:
            if seconds == cushion:
                self._woken.add(task)
                wake_idler(seconds, task)
        return True

    def be_patient(self) -> None:
        """Time passes only when no task can go on, from now on."""
        self._patient = True

    def stays(self, task: TrioTask) -> bool:
        """Whether ``task``, which has just paused, goes on at once: saves the way through
        trio where nobody else has anything to do first."""
        if self.aborting or self.stopped:
            return False
        trios = trio.lowlevel.current_statistics()
        left = trios.seconds_to_next_deadline
        if trios.tasks_runnable or trios.run_sync_soon_queue_size or left <= 0:
            return False
        try:
            chosen = self._take_turn(left < inf)
            if chosen is not None and chosen is not task:
                self._let(chosen, None)
        except BaseException as error:
            self._give_up(error)
            return False
        return chosen is task

    def _take_turn(self, deadlines: bool) -> Task | None:
        """Who goes on; None where the run is at its end. ``deadlines``: there are some."""
        if self.steps >= self.max_decisions or len(self.events) >= self.max_events:
            self._fail(failures.describe_endless(self.known, self._states, self.events, self.steps))
            return None
        if self.steps >= self.max_decisions - failures.TAIL and self._running is not None:
            self._states.append(failures.state_of(self._running))
        options: list[Task] = [task for task in self.standing if task.trio_task in self._woken]
        if not options:
            options += self.standing
            if self._letters:
                options.append(self._letters[0])
            if deadlines:
                self._offer_time(options)
            if self.cancellable:
                options += self._faults.offered(self.known, self._running)
        if not options:
            self._fail(failures.describe_deadlock(self.known))
            return None
        return options[0] if len(options) == 1 else self._ask(options)

    def _offer_time(self, options: list[Task]) -> None:
        """That time passes is a choice where nobody can go on, and elsewhere late in a search: it stands for a machine
        that stands still for so long."""
        if options and self._patient:
            return
        if options and self._withholds:
            self.outcome.withheld = True
            return
        if options and self._recorded is not None and len(self.events) not in self._recorded:
            # Recorded where it was withheld, so that there was nothing to choose.
            return
        options.append(_MOMENT)

    def _ask(self, options: list[Task]) -> Task:
        running = self._running
        stands = running is not None and not running.blocked
        step = len(self.events)
        late = 2 * self.steps >= self.max_decisions
        if self._recorded is not None:
            if step not in self._recorded and running is not None and stands:
                return running
            yielded = self._recorded.get(step, False)
        else:
            yielded = late or self.streak >= QUANTUM
        yielded = yielded and stands and len(options) > 1
        if yielded:
            options = [task for task in options if task is not running]
        if late:
            # Every task gets its turn: what does not end now does not end by bad luck.
            options.sort(key=lambda task: self._turns.get(task.index, 0))
        if late and self._recorded is None:
            chosen = options[0]
        else:
            chosen = self.choose(options, running, step)
        pending = tuple([task.pending for task in options])
        self.decisions.append(
            (step, -1 if running is None else running.index, chosen.index, tuple(options), pending, yielded)
        )
        self.streak = self.streak + 1 if chosen is running else 0
        self._turns[chosen.index] = step
        return chosen

    def _let(self, chosen: Task, deadline: float | None) -> None:
        if isinstance(chosen, TrioTask):
            assert chosen.trio_task is not None
            trio.lowlevel.reschedule(chosen.trio_task)
            return
        self._running = None
        if isinstance(chosen, Letter):
            self._letters.popleft()
            self.events.append((op.NOTE, chosen, None, chosen.pending[2], NOWHERE))
            chosen.deliver()
            return
        if isinstance(chosen, Interruption):
            self._faults.left -= 1
            self._cancel(chosen.victim, chosen)
            return
        self.events.append((op.SLEEP, chosen, None, None, NOWHERE))
        if deadline is None:
            # Its exact moment is known when trio asks the clock next.
            self._passing = True
        else:
            self.clock.advance_to(deadline)

    def _cancel(self, task: TrioTask, by: Task | None = None) -> None:
        assert task.scope is not None
        made = Cancellation(task.index, task.checkpoints)
        self.events.append((op.NOTE, by or task, task, made, task.pending[3]))
        task.scope.cancel()

    # ----------------------------------------------------------- endings

    def _fail(self, failure: Failure) -> None:
        self.outcome.failures.append(failure)
        self._end_all()

    def _give_up(self, error: BaseException) -> None:
        """The run cannot go on, and ``error`` is what its caller is told."""
        if self._fault is None:
            self._fault = error
        self.stopped = True

    def _end_all(self) -> None:
        """End all tasks; what they do meanwhile is no part of the run."""
        self.aborting = self.stopped = True
        self._last_event = len(self.events)
        if self._main is not None and not self._main.done:
            nursery = self._main.trio_task and self._main.trio_task.parent_nursery
            assert nursery is not None
            nursery.cancel_scope.cancel()

    def _end_next(self, deadline: float) -> None:
        """Let the youngest task go on that can; it is cancelled and should end.
        One that shields itself from that is thrown out."""
        if not self.aborting:
            self._end_all()
            return
        self._last_steps += 1
        left = [task for task in self.known if not task.done]
        if not left:
            return
        if self.standing:
            task = self.standing[-1]
        elif deadline < inf and self._last_steps < _LAST_STEPS:
            self.clock.advance_to(deadline)
            return
        else:
            task = left[-1]
            task.doomed = True
        if self._last_steps > _LAST_STEPS or not task.begun:
            task.doomed = True
        assert task.trio_task is not None
        trio.lowlevel.reschedule(task.trio_task)

    # ------------------------------------- what blocks the whole event loop

    def point(self, kind: int, subject: object, name: object, site: int) -> None:
        """An access is no scheduling point; one too many is a loop without any."""
        if self.aborting or self.stopped:
            raise Abort
        if len(self.events) >= self.break_at:
            self._block_loop(f"{self.current.name} goes on without a checkpoint at {SITES[site].place()}")

    def acquire(self, lock: Lockable, timeout: float | None, site: int) -> bool:
        """Take a lock of ``threading``. One that is held blocks the event loop."""
        if lock.owner is not None and timeout is None:
            self._block_for_ever(lock, site)
        if lock.owner is not None:
            self.clock.now += timeout or 0
            self.events.append((op.TRY, self.current, lock, None, site))
            return False
        lock.owner = self.current
        self.events.append((op.ACQUIRE, self.current, lock, None, site))
        return True

    def _block_for_ever(self, lock: Lockable, site: int) -> NoReturn:
        if not self.stopped:
            owner = lock.owner.name if lock.owner is not None else "nobody"
            words = (
                f"{self.current.name} blocks the event loop at {SITES[site].place()}: it waits there for a lock "
                f"of threading, held by {owner}, which can never go on to release it"
            )
            self.outcome.failures.append(Failure("deadlock", words, self.current.name, (site,) if site else ()))
        self.stopped = True
        raise Abort

    def release(self, lock: Lockable, site: int) -> None:
        """Give a lock of ``threading`` up."""
        lock.owner = None
        self.events.append((op.RELEASE, self.current, lock, None, site))

    def sleep(self, seconds: float, site: int) -> None:
        """``time.sleep``: time passes for all, and nobody can use it."""
        self.clock.now += max(0.0, seconds)
        self.events.append((op.SLEEP, self.current, None, None, site))

    def spawn(self, run: Callable[[], object], name: str, *, daemon: bool = False) -> Task:
        """A thread is started: it would run outside of trio's control and ours."""
        self._block_loop(f"a thread was started at {SITES[calling_site(op.SPAWN)].place()}; keep it out of the program")

    def _block_loop(self, words: str) -> NoReturn:
        self.escape(words)
        raise Abort


@contextmanager
def real_locks() -> Iterator[None]:
    """Locks made in the block are real: trio makes some for itself, and insists on that."""
    thread, locks.control_thread[0] = locks.control_thread[0], 0
    try:
        yield
    finally:
        locks.control_thread[0] = thread


class ObservedTrioExecution(ObservedExecution, TrioExecution):
    """Shows its events while they happen."""


def _letters() -> int:
    """Callbacks that were posted to the loop and not run yet."""
    return trio.lowlevel.current_statistics().run_sync_soon_queue_size


def _index(task: Task) -> int:
    return task.index


async def _call(function: Callable[[], Awaitable[object]]) -> object:
    return await function()


def _is_system(task: trio.lowlevel.Task) -> bool:
    nursery = task.parent_nursery
    return nursery is not None and nursery.parent_task is trio.lowlevel.current_root_task()


def _name(task: trio.lowlevel.Task, index: int) -> str:
    if not index:
        return "main"
    short = task.name.rpartition(".")[2]
    return f"{short if ' at 0x' not in short else 'task'}-{index}"
