"""Thread pools that nobody shuts down.

When a program ends, the interpreter tells the workers of every ThreadPoolExecutor
to end too. Without that, a pool that is still referenced would look like a deadlock.
"""

from __future__ import annotations

import concurrent.futures.thread as pool_module
from collections.abc import Callable, Sequence

from semafuzz.harness.kernel import current
from semafuzz.harness.kernel.task import Task

_MODULE = vars(pool_module)


def executor_shutdown(tasks: Sequence[Task]) -> Callable[[], None] | None:
    """What the interpreter would do now: a function that wakes the workers which
    are all that is left, or None where something else is left too."""
    left = [task for task in tasks if not task.done and not task.daemon]
    # The register is a dictionary of ``weakref``, which may be looked into: this look is none of the program's.
    execution, current.execution = current.execution, None
    try:
        queues = [_MODULE["_threads_queues"].get(task.thread) for task in left]
    finally:
        current.execution = execution
    if not queues or any(queue is None for queue in queues):
        return None

    def wake() -> None:
        _MODULE["_shutdown"] = True
        for queue in queues:
            queue.put(None)

    return wake


def forget_threads(tasks: Sequence[Task]) -> None:
    """The threads of an execution that is over are no pool's any more: the register would keep each
    alive by its queue, and with it all that the execution recorded."""
    queues = _MODULE["_threads_queues"]
    if queues:
        for task in tasks:
            if task.thread is not None:
                queues.pop(task.thread, None)


def forget_exit() -> None:
    """The program may run again: pools take work once more."""
    _MODULE["_shutdown"] = False
