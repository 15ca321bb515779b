"""Code written for trio, under the same schedulers: switched at its checkpoints."""

from semafuzz.harness.trio_engine.cancellation import Cancellation, cancellations
from semafuzz.harness.trio_engine.program import TrioProgram, explore_async

__all__ = ["Cancellation", "TrioProgram", "cancellations", "explore_async"]
