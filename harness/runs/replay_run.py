"""Running recorded choices again, and comparing."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from semafuzz.harness.errors import NotDeterministic
from semafuzz.harness.kernel import event_kinds as op
from semafuzz.harness.kernel.naming import Namer, digest, name_text
from semafuzz.harness.kernel.outcome import Outcome
from semafuzz.harness.kernel.sites import SITES
from semafuzz.harness.kernel.task import Task
from semafuzz.harness.runs.execution_config import ExecutionConfig
from semafuzz.harness.runs.program import Program, execute
from semafuzz.harness.schedulers.protocol import OneExecution, Scheduler
from semafuzz.harness.schedulers.random_walk import RandomWalk
from semafuzz.harness.schedulers.replay.strict import Diverged, StrictReplay
from semafuzz.harness.traces.build import choices_of
from semafuzz.harness.traces.choices import RecordedChoice


@dataclass(slots=True)
class Replayed:
    """A replay: its outcome and where it left the record."""

    outcome: Outcome
    diverged: Diverged | None

    @property
    def digest(self) -> str:
        """The event digest; made when asked for, since a run can be long."""
        return digest(self.outcome.events)


def replay(program: Program, choices: Sequence[RecordedChoice], setting: ExecutionConfig) -> Replayed:
    """Run ``program`` under recorded choices.

    Scheduling points are those of the record, whatever was learned since.
    """
    scheduler = StrictReplay(choices)
    scheduler.begin(0)
    cold = replace(setting, hot=bytearray(len(setting.hot)))
    forced = {choice.step: choice.yielded for choice in choices}
    outcome = execute(program, scheduler, cold, forced)
    scheduler.end(outcome)
    return Replayed(outcome, scheduler.diverged)


class _ByPosition(OneExecution):
    """Whoever stands at one end of those that can go on."""

    def __init__(self, position: int) -> None:
        self._position = position

    def choose(self, enabled: Sequence[Task], current: Task | None, step: int) -> Task:
        return enabled[self._position]


def warm_up(program: Program, setting: ExecutionConfig, times: int) -> None:
    """Run the program before a replay, where its failure needs that: what it imports is imported
    then, and what it keeps for good is there. Under other schedules each time, since what it comes
    by differs: the natural order first, then the opposite one, then random walks."""
    cold = replace(setting, hot=bytearray(len(setting.hot)), detectors=())
    for number in range(times):
        scheduler: Scheduler = _ByPosition(-number) if number < 2 else RandomWalk(number)
        execute(program, scheduler, cold)


def recheck(program: Program, outcome: Outcome, setting: ExecutionConfig) -> Replayed:
    """Run the schedule of ``outcome`` once more.

    Raises NotDeterministic, which names the first step at which the two differ
    and what each did there.
    """
    again = replay(program, choices_of(outcome), setting)
    for step, (first, second) in enumerate(zip(_words(outcome), _words(again.outcome), strict=False)):
        if first != second:
            raise NotDeterministic(f"two runs of one schedule differ at step {step}: {first} against {second}")
    if len(outcome.events) != len(again.outcome.events):
        step = min(len(outcome.events), len(again.outcome.events))
        raise NotDeterministic(f"two runs of one schedule differ at step {step}: one of them ends there")
    if again.diverged is not None:
        raise NotDeterministic(f"two runs of one schedule differ: {again.diverged}")
    return again


def _words(outcome: Outcome) -> list[str]:
    namer = Namer()
    return [
        f"task {task.index}: {op.KIND_NAMES[kind]} {namer.name(subject)} {name_text(name)} "
        f"in {SITES[site].function or 'the kernel'}"
        for kind, task, subject, name, site in outcome.events
    ]
