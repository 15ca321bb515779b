"""From a failing execution to a finding: recorded, confirmed, made small, named."""

from __future__ import annotations

import itertools
import sys
from collections.abc import Callable
from pathlib import Path

from semafuzz.harness.errors import NotDeterministic, TraceError
from semafuzz.harness.kernel.outcome import Failure, Outcome
from semafuzz.harness.kernel.sites import SITES
from semafuzz.harness.runs.origin import Origin
from semafuzz.harness.runs.program import Program, execute
from semafuzz.harness.runs.replay_run import recheck
from semafuzz.harness.runs.setting import Setting
from semafuzz.harness.schedulers.serial_order import Serial
from semafuzz.harness.search.finding import Finding
from semafuzz.harness.search.racing_pair import RacingPair, operations_under_way, pair_of
from semafuzz.harness.shrink.schedule import Shrunk, shrink_schedule
from semafuzz.harness.shrink.size import preemptions
from semafuzz.harness.traces import codec
from semafuzz.harness.traces.build import build_trace
from semafuzz.harness.traces.schema import Function, Necessity, Trace
from semafuzz.harness.traces.signature import failure_identity, signature


def shows(identity: tuple[str, ...]) -> Callable[[Outcome], bool]:
    """A test for runs: does one of their failures have this identity?"""

    def same(outcome: Outcome) -> bool:
        return any(failure_identity(failure) == identity for failure in outcome.failures)

    return same


def shows_serially(program: Program, tasks: int, setting: Setting, same: Callable[[Outcome], bool]) -> bool:
    """Whether some serial order of the program's tasks fails alike: then it is no race."""
    return any(same(execute(program, Serial(order), setting)) for order in itertools.permutations(range(tasks)))


def matching(outcome: Outcome, identity: tuple[str, ...]) -> Failure:
    """The failure of ``outcome`` with this identity; ValueError for none."""
    for failure in outcome.failures:
        if failure_identity(failure) == identity:
            return failure
    raise ValueError("the run does not show the failure")


class Recorder:
    """Turns failing executions of one program into findings with trace files.

    The failing schedule is on the disk before it is run again, shrunk or shown.
    Where the disk refuses, the trace goes to standard error.
    """

    def __init__(
        self,
        program: Program,
        setting: Setting,
        origin: Origin | None,
        folder: Path | None,
        *,
        shrink_budget: int = 300,
        between: Callable[[], None] | None = None,
    ) -> None:
        self._program = program
        self._setting = setting
        self._origin = origin
        self._folder = folder
        self._budget = shrink_budget
        self._between = between

    def record(self, outcome: Outcome, failure: Failure, schedule: int) -> Finding:
        """The finding of ``failure`` in ``outcome``, the execution with this number."""
        identity = failure_identity(failure)
        pair = pair_of(outcome, failure)
        name = self._sign(outcome, failure, pair)
        raw = self._store(outcome, failure, name, pair)
        confirmed = self._confirm(outcome, identity)
        path = raw
        necessity: Necessity | None = None
        if confirmed:
            shrunk = self._shrink(outcome, identity)
            confirmed, necessity = shrunk.steady, shrunk.necessity
            if shrunk.outcome is not outcome or necessity is not None:
                outcome = shrunk.outcome
                failure = matching(outcome, identity)
                pair = pair_of(outcome, failure)
                name = self._sign(outcome, failure, pair)
                path = self._store(outcome, failure, name, pair, necessity)
                if raw is not None and path is not None and raw != path:
                    raw.unlink(missing_ok=True)
        places = tuple(dict.fromkeys(SITES[site].place() for site in (*pair.sites, *failure.sites, *failure.related)))
        return Finding(
            failure.kind,
            failure.message,
            name,
            str(path or ""),
            places,
            failure.task,
            schedule,
            preemptions(outcome),
            len(outcome.decisions),
            confirmed,
            severity=failure.severity,
            operations=self._operations(outcome, pair),
            detail=failure.detail,
            necessity=necessity,
        )

    def _confirm(self, outcome: Outcome, identity: tuple[str, ...]) -> bool:
        """Whether the schedule, run again, gives the same run with the same failure."""
        words = "the failing schedule does not repeat"
        try:
            again = recheck(self._program, outcome, self._setting)
        except NotDeterministic as error:
            print(f"semafuzz: {words}: {error}", file=sys.stderr)
            return False
        if not shows(identity)(again.outcome):
            print(f"semafuzz: {words}: the run is the same, but it does not fail so again", file=sys.stderr)
            return False
        return True

    def _shrink(self, outcome: Outcome, identity: tuple[str, ...]) -> Shrunk:
        origin = self._origin
        return shrink_schedule(
            self._program,
            outcome,
            self._setting,
            shows(identity),
            budget=self._budget,
            faults=len(origin.faults) if origin else 0,
            without_fault=origin.without_fault if origin else None,
            between=self._between,
        )

    def _operations(self, outcome: Outcome, pair: RacingPair) -> tuple[str, ...]:
        """The operations involved: those of the racing pair, or else all."""
        return operations_under_way(outcome, pair) or (tuple(self._origin.operations) if self._origin else ())

    def _sign(self, outcome: Outcome, failure: Failure, pair: RacingPair) -> str:
        names = sorted({name.partition("(")[0] for name in self._operations(outcome, pair)})
        return signature(failure, pair.sites, names)

    def build(
        self,
        outcome: Outcome,
        failure: Failure,
        name: str,
        pair: RacingPair,
        necessity: Necessity | None = None,
    ) -> Trace | None:
        """The trace of a run, where its origin is known."""
        origin = self._origin
        if origin is None:
            return None
        return build_trace(
            outcome,
            failure,
            target=origin.target,
            program=origin.program,
            signature=name,
            model=self._setting.model,
            seed=self._setting.seed,
            release=origin.release,
            places=pair.sites,
            configuration=origin.configuration,
            faults=origin.faults,
            libraries=origin.libraries,
            necessity=necessity,
        )

    def _store(
        self,
        outcome: Outcome,
        failure: Failure,
        name: str,
        pair: RacingPair,
        necessity: Necessity | None = None,
    ) -> Path | None:
        trace = self.build(outcome, failure, name, pair, necessity)
        if trace is None or self._folder is None:
            return None
        try:
            return codec.write(trace, _free(self._folder / f"{name}.json", trace))
        except OSError as error:
            print(f"semafuzz: cannot write to {self._folder} ({error.strerror}); the trace follows", file=sys.stderr)
            sys.stderr.write(codec.encode(trace).decode())
            return None


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
