"""What a command on a trace works on: which code is asked for, and the program in an open session."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from semafuzz.harness.errors import CannotJudge
from semafuzz.harness.kernel.sites import SITES
from semafuzz.harness.runs.execution_config import ExecutionConfig
from semafuzz.harness.runs.origin import Origin
from semafuzz.harness.runs.program import Program
from semafuzz.harness.runs.session import ControlledSession
from semafuzz.harness.traces.schema import Trace

if TYPE_CHECKING:
    from semafuzz.targets.model.protocol import OpenTarget, Target
    from semafuzz.targets.model.scenario import Scenario


class Code(NamedTuple):
    """On which code a trace is to be run. ``program``: FILE.py:NAME, for a checked function or a
    target of one's own. ``release`` and ``source``: which Nova, for traces of its operations; by
    default the one that made the trace. ``settings``: options of the target, as ``NAME=VALUE``,
    in place of those recorded. ``instrument``: modules that the trace may have imported. ``patient``: somebody types
    meanwhile, so that no run counts as stuck."""

    program: str | None = None
    release: str = ""
    source: Path | None = None
    settings: Sequence[str] = ()
    instrument: Sequence[str] = ()
    patient: bool = False


@dataclass(slots=True)
class OpenedTrace:
    """A trace's program in an open laboratory.

    ``recorded``: it is the code that made the trace, as far as names and digests tell.
    ``code``: what it is, for a person. ``target``, ``opened`` and ``scenario`` are
    None for a checked function. ``program_option``: what a replay has to be given.
    """

    trace: Trace
    program: Program
    laboratory: ControlledSession
    setting: ExecutionConfig
    origin: Origin
    code: str
    recorded: bool
    target: Target | None = None
    opened: OpenTarget | None = None
    scenario: Scenario | None = None
    program_option: str = ""


def controlled(laboratory: ControlledSession) -> ControlledSession:
    """The session, where control works in it; CannotJudge where it does not."""
    if laboratory.uncontrolled_reason:
        raise CannotJudge(laboratory.uncontrolled_reason)
    return laboratory


def stall_of(asked: Code) -> float:
    """Seconds without a step after which a run counts as stuck; 0 for never."""
    return 0.0 if asked.patient else 5.0


def no_points() -> bytearray:
    """Scheduling points of which none is known yet."""
    return bytearray(max(1 << 16, 2 * len(SITES)))
