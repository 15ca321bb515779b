"""Configuration of an execution: model, seed, limits and the detectors that watch it."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import partial

from semafuzz.harness.detectors.protocol import Detector
from semafuzz.harness.kernel.execution import Execution
from semafuzz.harness.kernel.gil import mark_block_heads
from semafuzz.harness.kernel.hot_sites import mark_scheduling_points
from semafuzz.harness.kernel.locations import Locations
from semafuzz.harness.kernel.observed_execution import ObservedExecution
from semafuzz.harness.kernel.outcome import SEES_ACCESSES, Model, Outcome
from semafuzz.harness.schedulers.protocol import Scheduler


@dataclass(slots=True)
class ExecutionConfig:
    """How to run an execution; the fields are those of ``Execution``. ``detectors``
    see every execution, also those of shrinking and replay."""

    hot: bytearray
    model: Model = "threads"
    seed: int = 0
    max_decisions: int = 50_000
    max_events: int = 200_000
    detectors: tuple[Detector, ...] = ()
    thorough: bool = False
    early_timeouts: bool = True

    def execution(self, scheduler: Scheduler, forced: dict[int, bool] | None = None) -> Execution:
        """An execution in this setting. ``forced``: the steps with a recorded
        choice, for replay. The scheduler is told the outcome as it comes into being."""
        looks = tuple(look for watcher in self.detectors if (look := watcher.begin()) is not None)
        kind = partial(ObservedExecution, looks=looks) if looks else Execution
        made = kind(
            scheduler,
            self.hot,
            preemptive=self.model in SEES_ACCESSES,
            thorough=self.thorough,
            early_timeouts=self.early_timeouts,
            forced=forced,
            max_decisions=self.max_decisions,
            max_events=self.max_events,
            seed=self.seed,
        )
        scheduler.watch(made.outcome)
        return made

    def learn(self, outcome: Outcome, table: Locations | None = None) -> bool:
        """Mark the scheduling points that a run teaches under this model; True where there are more than before."""
        if self.model == "gil":
            return mark_block_heads(outcome, self.hot, table)
        return self.model == "threads" and mark_scheduling_points(outcome.events, self.hot, table)

    def watched_by(self, detector: Detector) -> ExecutionConfig:
        """The same, with one more detector."""
        return replace(self, detectors=(*self.detectors, detector))

    def judge(self, outcome: Outcome) -> None:
        """Add what the detectors noticed in the execution that has just been made."""
        if not outcome.uncontrolled:
            for watcher in self.detectors:
                outcome.failures.extend(watcher.judge(outcome))
