"""Check of a catalogued defect against the code that is open now.

Its program is explored; nothing says at which place to switch, and a fault is tried at
every call that it fits. A defect *shows* where a failure of its name is met; else it
stays *silent* in so many schedules, which is no proof of its absence.
"""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from semafuzz.harness.errors import UsageError
from semafuzz.harness.kernel.outcome import Model
from semafuzz.harness.runs.budget import Deadline
from semafuzz.harness.runs.session import ControlledSession
from semafuzz.harness.schedulers.registry import make_scheduler
from semafuzz.harness.search.exploration import Exploration
from semafuzz.harness.search.finding import Finding
from semafuzz.harness.traces.codec import read
from semafuzz.harness.traces.schema import Operation
from semafuzz.strategies.fuzz.cross_check import options_of
from semafuzz.targets.model.catalogue import Defect
from semafuzz.targets.model.protocol import ImpossibleStartError, OpenTarget, Target
from semafuzz.targets.model.scenario import Scenario
from semafuzz.targets.model.trace_origin import origin_of

SHOWS, SILENT, IMPOSSIBLE = "shows", "silent", "-"
CALLS = 40
"""At so many calls of a task a fault is tried."""
PER_CALL = 4
"""Schedules for each of them, where there is more than one task."""
SHRINKING = 200


@dataclass(frozen=True, slots=True)
class Cell:
    """The answer for one defect: after how many schedules, in which fault's place, and
    what was said. ``trace``: where it was kept, "" where not."""

    defect: str
    answer: str
    schedules: int = 0
    said: str = ""
    trace: str = ""


@dataclass(frozen=True, slots=True)
class Judging:
    """How each cell is judged. ``only``: names of defects with commas between, "" for all;
    ``schedules`` and ``seconds``: at most, for each; ``real``: in the target's world that is
    close to reality; ``keep``: a folder for traces of what shows."""

    only: str = ""
    model: Model = "threads"
    schedules: int = 60
    seconds: float = 60.0
    real: bool = False
    keep: Path | None = None

    def options(self) -> list[str]:
        """The same for another process."""
        told = ["--model", self.model, "--schedules", str(self.schedules), "--seconds", str(self.seconds)]
        told += [*(["--only", self.only] if self.only else []), *(["--real"] if self.real else [])]
        return told + (["--keep", str(self.keep)] if self.keep is not None else [])


def scenarios_of(defect: Defect, target: Target, faithful: bool) -> Iterator[Scenario]:
    """What is explored for a defect, one after the other."""
    options = {**defect.configuration, **(options_of(target) if faithful else {})}
    if defect.fault is None:
        yield Scenario(defect.content, options)
        return
    name, task = defect.fault
    for call in range(1, CALLS + 1):
        yield Scenario(defect.content, options, (Operation(name, {"task": task, "call": call}),))


def judge_defect(
    defect: Defect, target: Target, opened: OpenTarget, laboratory: ControlledSession, judging: Judging
) -> Cell:
    """Explore one defect's program. A trace that is kept is minimised and named after the defect."""
    keep = judging.keep
    until = Deadline(judging.seconds)
    done = 0
    with tempfile.TemporaryDirectory(prefix="semafuzz-") as place:
        for scenario in scenarios_of(defect, target, judging.real):
            if until.passed:
                return Cell(defect.name, SILENT, done)
            try:
                search = Exploration(
                    opened.program(scenario), make_scheduler("portfolio", 0), laboratory,
                    origin=origin_of(target, opened, scenario), schedules=_many(defect, judging.schedules),
                    seconds=max(1.0, until.left), model=judging.model, stop_on_first=False,
                    folder=Path(place), hot=bytearray(1 << 17), shrink_budget=SHRINKING if keep else 0,
                )  # fmt: skip
                result = search.run()
            except (ImpossibleStartError, UsageError) as error:
                return Cell(defect.name, IMPOSSIBLE, done, str(error))
            done += result.schedules
            found = next((one for one in result.failures if _is(one, defect)), None)
            if found is not None:
                return Cell(defect.name, SHOWS, done, found.message, _kept(found, defect, keep))
    return Cell(defect.name, SILENT, done)


def _many(defect: Defect, schedules: int) -> int:
    """How many schedules a scenario is worth."""
    if defect.fault is None:
        return max(schedules, defect.schedules)
    return 1 if len(defect.content.tasks) == 1 else PER_CALL


def _is(finding: Finding, defect: Defect) -> bool:
    """Whether a failure is called what the defect's is."""
    if finding.severity != defect.severity or not finding.trace:
        return False
    return any(defect.shows in part for part in read(Path(finding.trace)).expected.identity)


def _kept(finding: Finding, defect: Defect, folder: Path | None) -> str:
    if folder is None:
        return ""
    folder.mkdir(parents=True, exist_ok=True)
    return str(shutil.copy(finding.trace, folder / f"{defect.name}.json"))
