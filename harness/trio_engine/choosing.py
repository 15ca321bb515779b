"""What a search of an async function may choose beside the order of tasks: cancellations, and when deadlines pass."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from semafuzz.harness.errors import UsageError
from semafuzz.harness.runs.program import Program
from semafuzz.harness.traces.schema import Value
from semafuzz.harness.trio_engine.program import TrioProgram

CANCELLATIONS, PATIENT = "cancellations", "patient"
"""The names under which a trace's configuration has them."""


@dataclass(frozen=True, slots=True)
class TrioChoices:
    """``cancellations``: how many a scheduler may make in each execution, at any checkpoint of any task but the main
    one; ``patient``: deadlines pass only where no task can go on."""

    cancellations: int = 0
    patient: bool = False

    @staticmethod
    def of(configuration: Mapping[str, Value]) -> TrioChoices:
        """Those of a trace."""
        number = configuration.get(CANCELLATIONS, 0)
        return TrioChoices(number if isinstance(number, int) else 0, configuration.get(PATIENT) is True)

    def configuration(self) -> dict[str, Value]:
        """As a trace has them."""
        told: dict[str, Value] = {}
        if self.cancellations:
            told[CANCELLATIONS] = self.cancellations
        if self.patient:
            told[PATIENT] = True
        return told

    def settle(self, program: Program, name: str) -> None:
        """Set them on a program. UsageError where it is one of threads, which have none."""
        if not self.configuration():
            return
        if not isinstance(program, TrioProgram):
            raise UsageError(f"cancellations and patient go with async functions for trio; {name} runs threads")
        program.cancellations, program.patient = self.cancellations, self.patient
