"""The state machine of Nova's resource tracker.

Instances are built and run here; migrations are instances on their way from or to
here. The rules are those of every target's machine, made from the operation table.
"""

from __future__ import annotations

from semafuzz.strategies.machines.target import machine_of
from semafuzz.targets import find_target

NovaMachine = machine_of(find_target("nova"), "NovaMachine", known="skip")
"""The state machine of Nova's tracker. It goes on past what the catalogue has;
``machine_of(find_target("nova"), known="report")`` does not."""
