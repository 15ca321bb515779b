"""The child's end of the pipe to :mod:`semafuzz.supervisor`.

In a process that nobody supervises (a test that calls a command as a function, a worker of a
campaign) everything here does nothing.
"""

from __future__ import annotations

import _thread
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress

from semafuzz.harness.errors import CannotJudge
from semafuzz.harness.kernel.install import builtin_names, watchdog
from semafuzz.harness.runs.program_output import own_errors
from semafuzz.supervisor import CHANNEL

_pipe = [-1]
_real_sleep = time.sleep
BEAT = 0.5
"""Seconds between two signs of life."""


def open_channel() -> None:
    """Take the pipe over. What the program starts does not get it."""
    number = os.environ.pop(CHANNEL, "")
    if number.isdigit():
        with suppress(OSError):
            os.set_inheritable(int(number), False)
            _pipe[0] = int(number)


def say(words: str) -> None:
    """Tell the parent."""
    if _pipe[0] >= 0:
        with suppress(OSError):
            os.write(_pipe[0], f"{words}\n".encode())


@contextmanager
def program_runs(seconds: float | None = None) -> Iterator[None]:
    """Code of the program under test runs in the block, for ``seconds`` at most where given.

    Raises CannotJudge where the search failed after the program had replaced builtins, which the search needs too."""
    if _pipe[0] < 0:
        yield
        return
    builtin_names.keep()
    builtin_names.replaced[0] = ""
    say("runs")
    if seconds is not None:
        say(f"seconds {seconds}")
    ended: list[bool] = []

    def beat() -> None:
        while not ended:
            say("lives")
            _real_sleep(BEAT)

    _thread.start_new_thread(beat, ())
    watchdog.when_lost.append(_end_lost)
    try:
        yield
    except Exception as error:
        name = builtin_names.put_back() or builtin_names.replaced[0]
        if not name:
            raise
        raise CannotJudge(f"{builtin_names.complaint(name)}; nothing can be said") from error
    finally:
        watchdog.when_lost.remove(_end_lost)
        ended.append(True)
        say("rests")


def _end_lost(what: str) -> None:
    """The run cannot be got back: say why where a person reads it, whoever has standard error now."""
    with suppress(OSError, ValueError):
        print(f"semafuzz: uncontrolled: {what}", file=own_errors(), flush=True)
    give_verdict(125)
    os._exit(125)


def give_verdict(code: int) -> None:
    """The exit code of this command."""
    say(f"verdict {code}")
