"""Tasks that wait until all others are blocked: ``trio.testing.wait_all_tasks_blocked``.

trio tells nobody in public that there are any. They are read where it keeps them; the tests
say so where a release of trio keeps them elsewhere.
"""

from __future__ import annotations

from typing import Any

import trio
from trio._core import _run


def _waiting() -> Any:
    return _run.GLOBAL_RUN_CONTEXT.runner.waiting_for_idle


def idlers() -> list[tuple[float, trio.lowlevel.Task]]:
    """Each with its cushion: for how many seconds all others must have been blocked. In the
    order in which they were made."""
    waiting = [(cushion, task) for (cushion, _), task in _waiting().items()]
    return sorted(waiting, key=lambda one: one[1]._counter)


def wake_idler(cushion: float, task: trio.lowlevel.Task) -> None:
    """Let one go on, as trio does."""
    del _waiting()[cushion, id(task)]
    trio.lowlevel.reschedule(task)
