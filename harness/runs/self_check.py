"""A proof of control, made before every search.

Success reported while nothing was under control is the worst failure of tools of
this kind. Before a search the canary runs a lost update, a lock that must block
and a sleep that must cost nothing, under choices made for the purpose, and says
what did not happen as asked.
"""

from __future__ import annotations

import sys
import threading
import time
from collections.abc import Sequence
from types import ModuleType

from semafuzz.harness.kernel import event_kinds as op
from semafuzz.harness.kernel.execution import Execution
from semafuzz.harness.kernel.sites import SITES
from semafuzz.harness.kernel.task import Task


class _Subject:
    def __init__(self) -> None:
        self.count = 0
        self.lock = threading.Lock()
        self.nested = False

    def add(self) -> None:
        self.count = self.count + 1

    def hold(self) -> None:
        with self.lock:
            self.nested = True
            time.sleep(3600)
            self.nested = False

    def peek(self) -> bool:
        with self.lock:
            return self.nested


class _Alternate:
    """Leaves the running task at every chance."""

    def choose(self, enabled: Sequence[Task], current: Task | None, step: int) -> Task:
        others = [task for task in enabled if task is not current]
        return others[0] if others else enabled[0]


def module() -> ModuleType:
    """This module, to be instrumented with the others."""
    return sys.modules[__name__]


def probe(*, instrumented: bool) -> str:
    """Run the canary; empty, or what is not under control."""
    hot = bytearray(b"\1") * (len(SITES) + 4096)
    if instrumented:
        subject = _Subject()
        execution = Execution(_Alternate(), hot)
        for number in range(2):
            execution.add_task(subject.add, f"canary-{number}")
        outcome = execution.run()
        if not any(event[0] == op.READ for event in outcome.events):
            return "the instrumentation reports no access: rewritten code is not what runs"
        if subject.count != 1:
            return "a switch was asked for between a read and a write and did not happen"
    subject = _Subject()
    seen: list[bool] = []
    execution = Execution(_Alternate(), hot)
    execution.add_task(subject.hold, "canary-hold")
    execution.add_task(lambda: seen.append(subject.peek()), "canary-peek")
    started = time.perf_counter()
    outcome = execution.run()
    if outcome.failures:
        return f"a lock or a clock is not under control: {outcome.failures[0].message}"
    if seen != [False]:
        return "a lock did not exclude a second task"
    if outcome.now < 3600 or time.perf_counter() - started > 60:
        return "sleeping took real time"
    return ""
