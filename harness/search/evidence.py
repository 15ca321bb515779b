"""What runs of a program have shown of one failure, and a search that goes on until they have."""

from __future__ import annotations

from dataclasses import dataclass, field

from semafuzz.harness.errors import CannotJudge
from semafuzz.harness.kernel.outcome import ADVICE, Failure, Outcome
from semafuzz.harness.runs.execution_config import ExecutionConfig
from semafuzz.harness.runs.program import Program
from semafuzz.harness.runs.session import ControlledSession
from semafuzz.harness.schedulers.dpor.scheduler import DPOR
from semafuzz.harness.schedulers.portfolio import Portfolio
from semafuzz.harness.schedulers.protocol import Scheduler
from semafuzz.harness.search.exploration import Exploration
from semafuzz.harness.search.recorder import has_failure

LEARNING = 20
"""Runs at random that teach the scheduling points of code before a recorded schedule is followed in it once more."""
_WALKING = 200
_HOPELESS = 40
"""Failing runs in a row after which a search that can no longer prove anything ends."""


@dataclass(slots=True)
class Evidence:
    """What the runs so far showed: the failure in question, others, or none."""

    identity: tuple[str, ...]
    runs: int = 0
    found: Outcome | None = None
    others: dict[str, None] = field(default_factory=dict)
    failing: int = 0

    def look(self, outcome: Outcome) -> None:
        """Take a run in. CannotJudge where control was lost in it."""
        if outcome.uncontrolled:
            raise CannotJudge(outcome.uncontrolled)
        self.runs += 1
        if self.found is None and has_failure(self.identity)(outcome):
            self.found = outcome
        failures = failures_of(outcome)
        self.failing = self.failing + 1 if failures else 0
        for failure in failures:
            self.others.setdefault(line_of(failure))

    def has_shown(self) -> bool:
        """Whether the failure in question has."""
        return self.found is not None


class UntilFound(Scheduler):
    """A scheduler that stops searching once the failure has shown."""

    def __init__(self, inner: Scheduler, seen: Evidence, exhaustive: bool) -> None:
        self.name = inner.name
        self.covers_all = exhaustive
        self._inner = inner
        self._seen = seen
        self._exhaustive = exhaustive
        self.choose = inner.choose  # type: ignore[method-assign]
        self.restart = inner.restart  # type: ignore[method-assign]
        self.watch = inner.watch  # type: ignore[method-assign]
        self.use_points = inner.use_points  # type: ignore[method-assign]
        self.reward = inner.reward  # type: ignore[method-assign]
        self.learns_points, self.static_points = inner.learns_points, inner.static_points

    def begin(self, execution: int) -> bool:
        """False as soon as nothing more can be learned."""
        seen = self._seen
        if seen.has_shown() or seen.failing >= _HOPELESS or (self._exhaustive and seen.others):
            return False
        self._inner.early_timeouts, self._inner.all_early = self.early_timeouts, self.all_early
        return self._inner.begin(execution)

    def end(self, outcome: Outcome) -> None:
        """Take the run in."""
        self._seen.look(outcome)
        self._inner.end(outcome)
        self.withheld, self.learns_points = self._inner.withheld, self._inner.learns_points


def failures_of(outcome: Outcome) -> list[Failure]:
    """What went wrong, without advice, which hides nothing and proves nothing."""
    return [failure for failure in outcome.failures if failure.kind not in ADVICE]


def line_of(failure: Failure) -> str:
    """A failure in one line."""
    return f"{failure.kind}: {failure.message.splitlines()[0] if failure.message else ''}"


def explore_until(
    seen: Evidence, program: Program, setting: ExecutionConfig, laboratory: ControlledSession, search: int
) -> bool:
    """Search for a failure in at most ``search`` schedules: a part at random, then one by one. True where every
    schedule was run, and nothing failed."""
    walking = min(_WALKING, search // 10)
    if search <= 0:
        return False
    exhausted = False
    for scheduler, schedules in ((Portfolio(setting.seed + 1), walking), (DPOR(), search - walking)):
        if not schedules:
            continue
        exploration = Exploration(
            program,
            UntilFound(scheduler, seen, isinstance(scheduler, DPOR)),
            laboratory,
            schedules=schedules,
            seed=setting.seed,
            model=setting.model,
            stop_on_first=False,
            hot=setting.hot,
            detectors=setting.detectors,
            judge=False,
        )
        result = exploration.run()
        if result.verdict == "uncontrolled":
            raise CannotJudge("; ".join(result.notes))
        if seen.has_shown() or seen.others:
            return False
        exhausted = result.exhausted
    return exhausted
