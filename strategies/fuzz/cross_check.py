"""Showing a finding again in a world that is closer to reality, before it is reported.

A target may search in a world that is fast and name, as its ``verification``, the
options of one that is faithful. A finding that the faithful world does not show is the
fast world's own: it is not reported, and its trace is kept apart.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from semafuzz.harness.errors import CannotJudge, UsageError
from semafuzz.harness.runs.execution_config import ExecutionConfig
from semafuzz.harness.runs.session import ControlledSession
from semafuzz.harness.search.reproduction import check_reproduces
from semafuzz.harness.traces.schema import Trace, Value
from semafuzz.targets.model.protocol import ImpossibleStartError, OpenTarget, Target
from semafuzz.targets.model.scenario import Scenario

TRIES = 300
"""Schedules to try where the recorded one does not fit the faithful world."""


def options_of(target: Target) -> Mapping[str, Value]:
    """The options under which a target's findings have to show again; none for most."""
    return target.verification


def described(options: Mapping[str, Value]) -> str:
    """``world=real``"""
    return ", ".join(f"{name}={value}" for name, value in sorted(options.items()))


@dataclass(slots=True)
class CrossCheck:
    """Shows the findings of one search again. ``refused``: why it cannot, where the
    faithful world cannot be had here."""

    target: Target
    opened: OpenTarget
    laboratory: ControlledSession
    setting: ExecutionConfig
    refused: str = ""
    options: Mapping[str, Value] = field(init=False)

    def __post_init__(self) -> None:
        self.options = options_of(self.target)

    @property
    def possible(self) -> bool:
        """Whether there is a faithful world to ask."""
        return bool(self.options) and not self.refused

    def verify(self, scenario: Scenario, trace: Trace) -> bool:
        """Whether the finding of ``trace``, a run of ``scenario``, shows again. Where the
        faithful world cannot be had, False, and :attr:`refused` says why."""
        again = Scenario(scenario.content, {**scenario.configuration, **self.options}, scenario.faults)
        try:
            program = self.opened.program(again)
            return check_reproduces(trace, program, self.setting, self.laboratory, search=TRIES).reproduces is True
        except (CannotJudge, ImpossibleStartError):
            return False
        except UsageError as error:
            self.refused = str(error)
            return False
