"""semafuzz: runs concurrent Python under a scheduler that owns every switch."""

from __future__ import annotations

from harness.explore import Result, explore
from harness.program import FunctionProgram, TaskProgram

__version__ = "0.1.0"
__all__ = ["FunctionProgram", "Result", "TaskProgram", "explore"]
