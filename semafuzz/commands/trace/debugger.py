"""Stopping in a replay: pdb at a step, in the task that makes it, with the run told above the prompt.

While somebody types, nothing else goes on and nothing is recorded: virtual time stands, no watchdog looks, and what is
evaluated at the prompt makes no events. So the run goes on as it was recorded.
"""

from __future__ import annotations

import pdb
import sys
from collections.abc import Callable
from types import FrameType

from semafuzz.harness.detectors.protocol import Detector
from semafuzz.harness.kernel import breakpoints, current
from semafuzz.harness.kernel import event_kinds as op
from semafuzz.harness.kernel.frames import is_machinery
from semafuzz.harness.kernel.observed_execution import Probe
from semafuzz.harness.kernel.outcome import Outcome
from semafuzz.harness.kernel.sites import SITES
from semafuzz.harness.kernel.task import RawEvent


class Breakpoint(Detector):
    """Stops once, at the first access from step ``at`` on. ``stop`` is called with the frame of the program, the
    step and what is done there."""

    def __init__(self, at: int, stop: Callable[[FrameType, int, str], object]) -> None:
        self._at = at
        self._stop = stop
        self.met = False

    def begin(self) -> Probe:
        """Look at every access."""
        return Probe(self._look, reads=True)

    def _look(self, event: RawEvent, number: int) -> None:
        if self.met or number < self._at:
            return
        frame: FrameType | None = sys._getframe(2)
        while frame is not None and is_machinery(frame.f_code.co_filename):
            frame = frame.f_back
        if frame is None:
            return
        self.met = True
        kind, task, _, name, site = event
        said = (
            f"{task.name} is about to {op.KIND_NAMES[kind]} {name if name is not None else ''} at {SITES[site].place()}"
        )
        execution = current.execution
        current.execution = None
        try:
            self._stop(frame, number, said)
        finally:
            current.execution = execution


def failing_step(outcome: Outcome) -> int:
    """The step at which a failure is to be looked at: the last access at one of its places, or the last one that a
    program made."""
    sites = {site for failure in outcome.failures for site in failure.sites}
    accesses = [(number, event[4]) for number, event in enumerate(outcome.events) if event[0] in op.MEMORY and event[4]]
    at_place = [number for number, site in accesses if site in sites]
    return max(at_place, default=max((number for number, _ in accesses), default=0))


def stop_at_breakpoint(frame: FrameType) -> None:
    """The prompt for a ``breakpoint()`` of the program."""
    if prompt(frame, None, f"breakpoint() at {frame.f_code.co_filename}:{frame.f_lineno}"):
        breakpoints.ignore()


def prompt(frame: FrameType, step: int | None, said: str) -> bool:
    """A prompt of pdb in this frame, on the terminal of the command; whether somebody wants no more of it."""
    debugger = pdb.Pdb(stdin=sys.__stdin__, stdout=sys.__stderr__, nosigint=True, readrc=False)
    debugger.use_rawinput = False
    where = said if step is None else f"step {step}: {said}"
    print(
        f"\n{where}\n(`c` goes on, `q` without further stops; what is typed here is no part of the run)",
        file=sys.__stderr__,
        flush=True,
    )
    debugger.reset()
    debugger.interaction(frame, None)
    return bool(debugger.quitting)
