"""What stands before a call that may fail, at run time."""

from __future__ import annotations

from semafuzz.harness.kernel import event_kinds as op
from semafuzz.harness.kernel.doubles.locks import running
from semafuzz.harness.kernel.frames import calling_site


def call_point(call: str) -> None:
    """Announce the call: another task may run here, and a fault that is planned is raised from here."""
    execution = running()
    if execution is not None:
        execution.io(call, calling_site(op.IO))
