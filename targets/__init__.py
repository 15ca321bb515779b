"""What is tested: the registry of targets, the only names that a trace may use."""

from __future__ import annotations

from targets.protocol import Target

TARGETS: dict[str, Target] = {}
