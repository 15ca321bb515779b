"""From a failing execution to a finding: named, stored, confirmed, minimised, replaced."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

from semafuzz.harness.errors import NotDeterministic, TraceError
from semafuzz.harness.files.traces_folder import keep_out_of_git
from semafuzz.harness.kernel import event_kinds as op
from semafuzz.harness.kernel.outcome import EarlyTimeout, Failure, Outcome
from semafuzz.harness.kernel.sites import SITES
from semafuzz.harness.runs.budget import Deadline
from semafuzz.harness.runs.execution_config import ExecutionConfig
from semafuzz.harness.runs.origin import Origin
from semafuzz.harness.runs.program import Program, execute
from semafuzz.harness.runs.program_output import own_errors
from semafuzz.harness.runs.replay_run import recheck
from semafuzz.harness.schedulers.serial_order import SerialOrder
from semafuzz.harness.search.finding import Finding
from semafuzz.harness.search.racing_pair import RacingPair, operations_under_way, pair_of
from semafuzz.harness.shrink.schedule import shrink_schedule
from semafuzz.harness.shrink.size import preemptions
from semafuzz.harness.traces import codec
from semafuzz.harness.traces.build import Header, build_trace
from semafuzz.harness.traces.schema import Function, Necessity, Trace
from semafuzz.harness.traces.signature import failure_identity, signature, site_identity


def has_failure(identity: tuple[str, ...]) -> Callable[[Outcome], bool]:
    """A test for runs: does one of their failures have this identity?"""

    def same(outcome: Outcome) -> bool:
        return any(failure_identity(failure) == identity for failure in outcome.failures)

    return same


def fails_serially(program: Program, tasks: int, setting: ExecutionConfig, same: Callable[[Outcome], bool]) -> bool:
    """Whether some serial order of the program's tasks fails alike: then it is no race."""
    return any(same(execute(program, SerialOrder(order), setting)) for order in itertools.permutations(range(tasks)))


def matching(outcome: Outcome, identity: tuple[str, ...]) -> Failure:
    """The failure of ``outcome`` with this identity; ValueError for none."""
    for failure in outcome.failures:
        if failure_identity(failure) == identity:
            return failure
    raise ValueError("the run does not show the failure")


@dataclass(frozen=True, slots=True)
class _FailingRun:
    """A run that shows a failure, and what is said of it. ``necessity``: None where it was
    not checked."""

    outcome: Outcome
    failure: Failure
    pair: RacingPair
    operations: tuple[str, ...]
    signature: str
    necessity: Necessity | None = None

    @property
    def places(self) -> tuple[str, ...]:
        """Code places, the two racing ones first."""
        sites = (*self.pair.sites, *self.failure.sites, *self.failure.related)
        return tuple(dict.fromkeys(SITES[site].place() for site in sites))


class Recorder:
    """Turns failing executions of one program into findings with trace files.

    The failing schedule is on the disk before it is run again, minimised or shown.
    Where the disk refuses, the trace goes to standard error. ``only_stores``: nothing more is done; who goes
    on with the trace runs it again.
    """

    def __init__(
        self,
        program: Program,
        setting: ExecutionConfig,
        origin: Origin | None,
        folder: Path | None,
        *,
        shrink_budget: int = 300,
        between: Callable[[], None] | None = None,
        only_stores: bool = False,
    ) -> None:
        self._program = program
        self._setting = setting
        self._origin = origin
        self._folder = folder
        self._budget = shrink_budget
        self._between = between
        self._only_stores = only_stores
        self.deadline: Deadline | None = None
        """After which nothing is made smaller any more."""

    def record(self, outcome: Outcome, failure: Failure, schedule: int) -> Finding:
        """The finding of ``failure`` in ``outcome``, the execution with this number."""
        run = self._name(outcome, failure)
        path = self._store(run)
        steady = not self._only_stores and self._confirm(run)
        if steady:
            smaller, steady = self._shrink(run)
            path = self._replace(path, run, smaller)
            run = smaller
        return Finding(
            run.failure.kind,
            run.failure.message,
            run.signature,
            str(path or ""),
            run.places,
            run.failure.task,
            schedule,
            preemptions(run.outcome),
            len(run.outcome.decisions),
            steady,
            severity=run.failure.severity,
            operations=run.operations,
            detail=run.failure.detail,
            necessity=run.necessity,
            time_outs=tuple(_time_out_line(one) for one in run.outcome.early_timeouts),
            pair=tuple(sorted(map(site_identity, run.pair.sites))),
        )

    def _name(self, outcome: Outcome, failure: Failure) -> _FailingRun:
        """What the run is called: by the failure, the racing pair and the operations
        involved, which are those of the pair, or else all."""
        pair = pair_of(outcome, failure)
        operations = operations_under_way(outcome, pair) or (tuple(self._origin.operations) if self._origin else ())
        names = sorted({name.partition("(")[0] for name in operations})
        return _FailingRun(outcome, failure, pair, operations, signature(failure, pair.sites, names))

    def _store(self, run: _FailingRun) -> Path | None:
        trace = self._trace(run)
        if trace is None or self._folder is None:
            return None
        try:
            path = codec.write(trace, _free(self._folder / f"{run.signature}.json", trace))
            # Tests have a folder each in that of all.
            for folder in (self._folder, self._folder.parent):
                keep_out_of_git(folder)
            return path
        except OSError as error:
            print(f"semafuzz: cannot write to {self._folder} ({error.strerror}); the trace follows", file=own_errors())
            own_errors().write(codec.encode(trace).decode())
            return None

    def _confirm(self, run: _FailingRun) -> bool:
        """Whether the schedule, run again, gives the same run with the same failure."""
        words = "the failing schedule does not repeat"
        try:
            again = recheck(self._program, run.outcome, self._setting)
        except NotDeterministic as error:
            print(f"semafuzz: {words}: {error}", file=own_errors())
            return False
        if not has_failure(failure_identity(run.failure))(again.outcome):
            print(f"semafuzz: {words}: the run is the same, but it does not fail so again", file=own_errors())
            return False
        return True

    def _shrink(self, run: _FailingRun) -> tuple[_FailingRun, bool]:
        """A simpler run with the same failure, or the same run; and whether the failure showed
        whenever the same choices were made."""
        identity, origin = failure_identity(run.failure), self._origin
        shrunk = shrink_schedule(
            self._program,
            run.outcome,
            self._setting,
            has_failure(identity),
            budget=self._budget,
            faults=len(origin.faults) if origin else 0,
            without_fault=origin.without_fault if origin else None,
            between=self._between,
            deadline=self.deadline,
        )
        if shrunk.outcome is run.outcome and shrunk.necessity is None:
            return run, shrunk.steady
        named = self._name(shrunk.outcome, matching(shrunk.outcome, identity))
        return replace(named, necessity=shrunk.necessity), shrunk.steady

    def _replace(self, path: Path | None, run: _FailingRun, smaller: _FailingRun) -> Path | None:
        """Store the simpler run in the place of the first one, which goes only when the other
        is on the disk."""
        if smaller is run:
            return path
        stored = self._store(smaller)
        if path is not None and stored is not None and path != stored:
            path.unlink(missing_ok=True)
        return stored

    def _trace(self, run: _FailingRun) -> Trace | None:
        """The trace of a run, where its origin is known."""
        origin = self._origin
        if origin is None:
            return None
        header = Header(
            origin.target,
            origin.program,
            self._setting.model,
            self._setting.seed,
            release=origin.release,
            configuration=origin.configuration,
            faults=origin.faults,
            libraries=origin.libraries,
            thorough=self._setting.thorough,
        )
        return build_trace(
            run.outcome, run.failure, header, run.signature, places=run.pair.sites, necessity=run.necessity
        )


def _time_out_line(one: EarlyTimeout) -> str:
    _, task, (kind, _, _, site), seconds, others = one
    what = "join" if kind == op.JOIN else "wait"
    length = "" if seconds is None else f"(timeout={seconds:g})"
    return f"{what}{length} of {task.name} at {SITES[site].place()} runs out while {', '.join(others)} could go on"


def _free(path: Path, trace: Trace) -> Path:
    """The path, or another one where it has the trace of another function of the same file:
    these can fail alike, at the same places."""
    program = trace.program
    if isinstance(program, Function) and path.exists():
        try:
            there = codec.read(path).program
        except TraceError:
            return path
        if isinstance(there, Function) and (there.file, there.function) != (program.file, program.function):
            word = "".join(one if one.isalnum() else "_" for one in program.function)[:60]
            return path.with_name(f"{path.stem}-{word}.json")
    return path
