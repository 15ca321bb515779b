"""Exploring a program: many executions, each under another schedule."""

from __future__ import annotations

import functools
import inspect
import sys
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from time import perf_counter
from types import ModuleType

from semafuzz.harness.detectors.protocol import Detector
from semafuzz.harness.detectors.registry import make_detectors
from semafuzz.harness.errors import NotDeterministic, UsageError
from semafuzz.harness.kernel import breakpoints
from semafuzz.harness.kernel.happens_before import happens_before_class
from semafuzz.harness.kernel.install import escapes
from semafuzz.harness.kernel.outcome import ADVICE, SEES_ACCESSES, LimitKind, Model, Outcome
from semafuzz.harness.kernel.sites import SITES
from semafuzz.harness.runs.budget import Deadline
from semafuzz.harness.runs.execution_config import ExecutionConfig
from semafuzz.harness.runs.imported_modules import first_party_of
from semafuzz.harness.runs.origin import Origin
from semafuzz.harness.runs.program import FunctionProgram, Program, execute
from semafuzz.harness.runs.replay_run import recheck
from semafuzz.harness.runs.session import ControlledSession, controlled_session
from semafuzz.harness.runs.time_outs import Timeouts
from semafuzz.harness.schedulers.every_access import EveryAccess
from semafuzz.harness.schedulers.protocol import Scheduler
from semafuzz.harness.schedulers.registry import make_scheduler
from semafuzz.harness.search.conclusion import conclude, give_verdict
from semafuzz.harness.search.finding import Finding
from semafuzz.harness.search.recorder import Recorder, matching
from semafuzz.harness.search.result import Result
from semafuzz.harness.search.unwatched_code import UnwatchedCode
from semafuzz.harness.traces.signature import failure_identity

Progress = Callable[["Exploration"], None]
FRUITLESS, LONGER = 300, 4
"""Schedules without a new order after which a search ends: at least so many, and so many times those before it."""
_SEEDS = 1 << 20
"""Sequences of random numbers that are tried; a seed has to fit into a trace."""


class Exploration:
    """One search over the schedules of one program, in an open laboratory.

    ``hot`` may be shared between explorations of one target: what one program
    taught about its scheduling points serves the next. ``detectors``
    see every execution, and may look while it happens. ``advised``
    may be shared likewise: the identities of advice (``ADVICE``) that was given before.
    ``seen`` may be shared as well: identities of failures that are no news.
    ``judge=False`` only learns scheduling points: what fails is skipped. ``timeouts``: ``idle``
    lets a time-out run out where nothing else can go on; ``any`` also earlier, in the second half
    of the search. ``only_stores``: what fails is named and stored, and neither confirmed nor minimised: most of what
    a search of many programs meets is no news, and the rest is run again by who works it out.
    """

    def __init__(
        self,
        program: Program,
        scheduler: Scheduler,
        laboratory: ControlledSession,
        *,
        schedules: int = 1000,
        seconds: float | None = None,
        seed: int = 0,
        model: Model = "threads",
        stop_on_first: bool = True,
        origin: Origin | None = None,
        folder: Path | None = None,
        progress: Progress | None = None,
        hot: bytearray | None = None,
        shrink_budget: int = 300,
        judge: bool = True,
        detectors: Sequence[Detector] = (),
        advised: set[tuple[str, ...]] | None = None,
        timeouts: Timeouts = "any",
        seen: set[tuple[str, ...]] | None = None,
        only_stores: bool = False,
    ) -> None:
        self.program = program
        self.scheduler = scheduler
        points = hot if hot is not None else bytearray(max(1 << 16, 2 * len(SITES)))
        self.setting = ExecutionConfig(points, model, seed, detectors=tuple(detectors), thorough=laboratory.thorough)
        self.result = Result(program.name, scheduler.name, seed)
        self._laboratory = laboratory
        self._schedules = schedules
        self._seconds = seconds
        self._stop_on_first = stop_on_first
        self._judges = judge
        self._progress = progress
        # Where an execution costs many times the usual, the program says how many it is worth.
        budget = shrink_budget if program.shrink_budget is None else program.shrink_budget
        self._recorder = Recorder(
            program,
            self.setting,
            origin,
            folder,
            shrink_budget=budget,
            between=laboratory.control.between_executions,
            only_stores=only_stores,
        )
        self._seen: set[tuple[str, ...]] = set() if seen is None else seen
        self._advised: set[tuple[str, ...]] = set() if advised is None else advised
        self._signatures: set[str] = set()
        self._classes: set[int] = set()
        self._paths: set[tuple[int, ...]] = set()
        self._cut_runs = 0
        self._single = True
        self._timeouts: Timeouts = timeouts
        self._withheld = False
        self._newest = 0
        self._draws = False
        self._late_phase = False
        self._limits: dict[tuple[LimitKind, str], int] = {}
        self._stretched: dict[int, str] = {}
        self._unwatched = UnwatchedCode(one_of_many=shrink_budget == 0)
        self._first: Outcome | None = None

    def record(self, outcome: Outcome, identity: tuple[str, ...]) -> Finding:
        """The finding of a failing run that was made elsewhere."""
        return self._recorder.record(outcome, matching(outcome, identity), self.result.schedules)

    def run(self) -> Result:
        """Search until something is found, all is covered, or the budget ends."""
        with self.program.session():
            return self._search()

    def _search(self) -> Result:
        result = self.result
        started = perf_counter()
        if self.setting.model == "threads":
            self.scheduler.use_points(self.setting.hot)
        if self._laboratory.uncontrolled_reason:
            result.notes.append(self._laboratory.uncontrolled_reason)
            result.verdict = "uncontrolled"
            return result
        self._limits.update({("closure", name): 0 for name in self._laboratory.unseen})
        deadline = self._recorder.deadline = Deadline(self._seconds)
        threads_before = escapes.threads_made()
        exhausted = False
        try:
            while result.schedules < self._schedules:
                if deadline.passed and result.schedules:
                    break
                self._allow_time_outs(result.schedules, started)
                if not self.scheduler.begin(result.schedules):
                    if self._begin_late_phase():
                        continue
                    exhausted = self._covers_all()
                    break
                if not self._step():
                    break
                if self._is_fruitless():
                    if self._begin_late_phase():
                        self._newest = result.schedules
                        continue
                    result.fruitless = result.schedules - self._newest
                    break
                if result.schedules == 2 and self._single and not self._draws and not self._begin_late_phase():
                    exhausted = not self._cut_runs
                    break
                if self._progress is not None:
                    result.seconds = perf_counter() - started
                    result.classes = len(self._classes)
                    self._progress(self)
        finally:
            result.seconds = perf_counter() - started
            result.classes = len(self._classes)
            unseen = escapes.unseen_threads(threads_before)
            if unseen and result.verdict != "uncontrolled":
                result.notes.append(unseen)
                result.verdict = "uncontrolled"
            result.notes += breakpoints.told()
            self._conclude(exhausted)
        return result

    def _is_fruitless(self) -> bool:
        """Whether nothing new has come for so long that no more is to be expected, where the user gave a number of
        schedules and no time. Who enumerates schedules is left to come to an end: a scheduler that does nothing else,
        and the part of the default one that does so under models without a reduction."""
        if self._seconds is not None or self.scheduler.covers_all or self.setting.model != "threads":
            return False
        return self.result.schedules - self._newest >= max(FRUITLESS, LONGER * self._newest)

    def _allow_time_outs(self, execution: int, started: float) -> None:
        """Whether time-outs may run out early in the next execution: late in every search, since most
        that they show needs a machine that stands still."""
        if not self._laboratory.thorough or self.setting.model == "eventlet":
            return
        late = self.scheduler.all_early = self._late_phase
        if not late and self._timeouts == "any" and self._withheld and not self.scheduler.covers_all:
            spent = (perf_counter() - started) / self._seconds if self._seconds else 0.0
            late = max(spent, execution / self._schedules) >= 0.5 and execution % 2 == 1
        self.setting.early_timeouts = self.scheduler.early_timeouts = late

    def _begin_late_phase(self) -> bool:
        """Start again with time-outs that may run out early, where that makes a difference."""
        if self._late_phase or not (self._withheld or self.scheduler.withheld) or self._timeouts == "idle":
            return False
        self._late_phase = True
        self._single = False
        self._paths.clear()
        self.scheduler.restart()
        return True

    def _covers_all(self) -> bool:
        """Whether a search that came to its end by itself has seen every schedule."""
        return self.scheduler.covers_all and not self._cut_runs

    def _step(self) -> bool:
        """One execution; False to end the search."""
        result, setting = self.result, self.setting
        if self._draws and not self.scheduler.covers_all:
            # Another sequence of random numbers for each; a trace has its seed.
            setting.seed = result.seed + (result.schedules % _SEEDS << 32)
        if self._laboratory.thorough and self._unwatched.due(result.schedules):
            with self._unwatched.noticing():
                outcome = self._execute()
            self._unwatched.looked_at(len(outcome.events))
        else:
            outcome = self._execute()
        self._withheld = self._withheld or outcome.withheld
        for limit, site in outcome.limits.items():
            self._limits.setdefault(limit, site)
            self._draws = self._draws or limit[0] == "random"
        self._stretched.update(outcome.stretched)
        if self._first is None and self._laboratory.thorough:
            self._first = outcome
        self._laboratory.control.between_executions()
        result.schedules += 1
        if outcome.uncontrolled:
            result.notes.append(outcome.uncontrolled)
            result.verdict = "uncontrolled"
            return False
        self.scheduler.end(outcome)
        if result.schedules == 1 and self.scheduler.static_points:
            # It had more choices than any will have.
            self.scheduler.restart()
        for watcher in setting.detectors:
            watcher.keep(outcome)
        if outcome.raw_decisions:
            self._single = False
        if self.scheduler.rechecks:
            recheck(self.program, outcome, setting)
        # Judged first: a failing run is shrunk under the points that it had.
        go_on = self._judge(outcome) if self._judges else True
        path = outcome.path()
        classes = len(self._classes)
        if path not in self._paths or self.scheduler.learns_points:
            self._learn(outcome)
            if len(self._paths) < 200_000:
                self._paths.add(path)
        is_new = len(self._classes) > classes
        self.scheduler.reward(new_class=is_new)
        if is_new or outcome.failures:
            self._newest = result.schedules
        return go_on

    def _execute(self) -> Outcome:
        """One execution; the first with a point at every access, since none is known to matter yet."""
        setting = self.setting
        if self.result.schedules or not self._laboratory.thorough or setting.model != "threads":
            return execute(self.program, self.scheduler, setting)
        if not self.scheduler.static_points or any(setting.hot):
            return execute(self.program, self.scheduler, setting)
        everywhere = EveryAccess(self.scheduler, len(setting.hot))
        outcome = execute(self.program, everywhere, replace(setting, hot=everywhere.points))
        # A failing run is shrunk under the points that matter.
        setting.learn(outcome, outcome.locations())
        return outcome

    def _learn(self, outcome: Outcome) -> None:
        """What a schedule that was not seen before teaches. Under the same
        scheduling points the same choices give the same run, so nothing else does."""
        table = outcome.locations()
        self._classes.add(happens_before_class(outcome.events, table))
        if self.scheduler.learns_points:
            return
        if self.setting.learn(outcome, table):
            self._single = False
            self._paths.clear()
            self.scheduler.restart()

    def _judge(self, outcome: Outcome) -> bool:
        for failure in outcome.failures:
            if failure.kind == "step-limit":
                self._cut_runs += 1
                if self._cut_runs == 1:
                    self.result.notes.append(failure.message)
                continue
            advice = failure.kind in ADVICE
            if self.result.first_failure is None and not advice:
                self.result.first_failure = self.result.schedules
            identity = failure_identity(failure)
            seen = self._advised if advice else self._seen
            if identity in seen:
                continue
            seen.add(identity)
            finding = self._recorder.record(outcome, failure, self.result.schedules)
            if finding.signature not in self._signatures:
                self._signatures.add(finding.signature)
                self.result.failures.append(finding)
        return not (self._stop_on_first and any(found.kind not in ADVICE for found in self.result.failures))

    def _conclude(self, exhausted: bool) -> None:
        limits = self._limits
        imported = self.program.imported
        watched = self.program.modules() if self.setting.model != "eventlet" else ()
        self.result.watched = sorted(
            {module.__name__ for module in watched}
            | set(imported.watched if imported else ())
            | set(self._laboratory.watched if watched else ())
        )
        if self.setting.model in SEES_ACCESSES:
            # Methods that dataclasses and their like generate run under the name of the module that is watched.
            known = {*self.result.watched, *self.program.stands_for_world}
            unwatched = [name for name in self._unwatched.in_two_tasks() if name not in known]
            limits.update({("code", name): 0 for name in unwatched})
        # Where nothing else could come between, it is all the same.
        hot = self.setting.hot
        limits.update({("torn", what): site for site, what in self._stretched.items() if hot[site]})
        if (self._withheld or self.scheduler.withheld) and self._timeouts == "idle":
            limits["time-out", ""] = 0
        if exhausted and not limits and self._first is not None and self.result.verdict != "uncontrolled":
            self._compare_with_the_first(self._first)
        give_verdict(self.result, limits, exhausted=exhausted)
        # Its events are many, and a search may be kept by what it has told.
        self._first = None

    def _compare_with_the_first(self, outcome: Outcome) -> None:
        """Whether the first run is the same when it is made again: or else something outlives an execution."""
        if not self._laboratory.thorough or self.setting.model not in SEES_ACCESSES:
            return
        try:
            recheck(self.program, outcome, replace(self.setting, detectors=()))
        except NotDeterministic as error:
            self._limits["state", str(error)] = 0


def explore(
    program: Program | Callable[[], object],
    *,
    scheduler: str | Scheduler = "portfolio",
    schedules: int = 1000,
    seconds: float | None = None,
    seed: int = 0,
    model: Model = "threads",
    instrument: Sequence[str | ModuleType] = (),
    stop_on_first: bool = True,
    detect: Sequence[str] = (),
    timeouts: Timeouts = "any",
) -> Result:
    """Run ``program`` under up to ``schedules`` schedules, for at most ``seconds``.

    ``program``: a function without arguments that uses ``threading``, or a
    :class:`~semafuzz.harness.runs.program.TaskProgram`. Its own module is instrumented, the first-party
    modules that it uses, and those in ``instrument`` (names of imported modules, or the modules). ``model``:
    ``threads`` (a switch is possible at every shared access), ``gil`` (at those before which CPython with the GIL
    gives way) or ``eventlet`` (only where a task blocks, sleeps or does I/O). ``stop_on_first``: end with the
    first failure. ``detect``: detectors of ``semafuzz.harness.detectors.registry`` to run
    beside. Raises UsageError for bad arguments.
    """
    if model not in ("threads", "gil", "eventlet"):
        raise UsageError(f"unknown model {model!r}; choose threads, gil or eventlet")
    if schedules < 1:
        raise UsageError("schedules must be at least 1")
    made = as_program(program, instrument)
    model = made.model or model
    chosen = make_scheduler(scheduler, seed) if isinstance(scheduler, str) else scheduler
    detectors = make_detectors(detect, model)
    with controlled_session(made.modules(), instrument=model != "eventlet", thorough=True) as laboratory:
        search = Exploration(
            made,
            chosen,
            laboratory,
            schedules=schedules,
            seconds=seconds,
            seed=seed,
            model=model,
            stop_on_first=stop_on_first,
            detectors=detectors,
            timeouts=timeouts,
        )
        result = search.run()
    conclude(result, detectors)
    return result


def as_program(program: Program | Callable[[], object], instrument: Sequence[str | ModuleType] = ()) -> Program:
    """``program`` itself, or a program that calls it."""
    extra = [_module(name) for name in instrument]
    if isinstance(program, Program):
        if extra:
            program.look_into(extra)
        return program
    if not callable(program):
        raise UsageError("explore takes a function without arguments, or a program")
    inner = program
    while isinstance(inner, functools.partial):
        inner = inner.func
    if inspect.iscoroutinefunction(inner):
        raise UsageError("explore takes no async function; semafuzz.explore_async takes those that use trio")
    own = sys.modules.get(getattr(inner, "__module__", "") or "")
    if own is None:
        raise UsageError("explore cannot tell the module of this callable; pass a plain function")
    modules = list(dict.fromkeys([*first_party_of(own), *extra])) or [own]
    return FunctionProgram(program, getattr(inner, "__qualname__", repr(inner)), modules)


def _module(name: str | ModuleType) -> ModuleType:
    if isinstance(name, ModuleType):
        return name
    found = sys.modules.get(name)
    if found is None:
        raise UsageError(f"module {name!r} is not imported, so it cannot be instrumented; import it first")
    return found
