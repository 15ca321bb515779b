"""Code written for trio, under the same schedulers: switched at its checkpoints."""

from targets.trio_tasks.cancel import Cancellation, cancellations
from targets.trio_tasks.program import TrioProgram, explore_async

__all__ = ["Cancellation", "TrioProgram", "cancellations", "explore_async"]
