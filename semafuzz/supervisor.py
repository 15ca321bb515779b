"""The parent of a search: a process that sees the verdict and gives the exit code.

The program under test runs in a child and can do to it whatever it likes: end it, replace it, crash
it, never return from C, close its streams, leave processes behind. Nothing of that may look like an
answer. The child says on a pipe of its own what it is at and, last, its verdict; where the verdict
does not come, the parent says in one line what became of the child.

Imports next to nothing: this process is started with every command.
"""

from __future__ import annotations

import os
import select
import signal
import sys
import time
from types import FrameType

CHANNEL = "SEMAFUZZ_CHANNEL"
"""The environment variable with the number of the child's end of the pipe."""
RUN = "SEMAFUZZ_RUN"
"""The environment variable that marks the child and all processes that come of it."""

SILENCE = 12.0
"""Seconds without a sign of life, while the program runs, after which the child is ended: its code is
in a call that never comes back, and nothing else of it can run. Longer than the child itself waits
for a step."""
GRACE = 2.0
"""Seconds that a child is given after its time, and after its verdict, to end by itself."""

INTERRUPTED, INTERNAL, CANNOT_JUDGE = 2, 3, 125


class _Said:
    """What the child said so far."""

    def __init__(self) -> None:
        self.runs = False
        self.verdict: int | None = None
        self.until = float("inf")
        self.heard = time.monotonic()
        self._rest = b""

    def hear(self, data: bytes) -> None:
        self.heard = time.monotonic()
        *lines, self._rest = (self._rest + data).split(b"\n")
        for line in lines:
            word, _, value = line.partition(b" ")
            if word == b"runs":
                self.runs = True
            elif word == b"rests":
                self.runs, self.until = False, float("inf")
            elif word == b"seconds":
                self.until = self.heard + float(value) + GRACE
            elif word == b"verdict":
                self.verdict = int(value)


def supervise(command: list[str], environment: dict[str, str]) -> int:
    """Run the command in a child; the exit code."""
    mine, its = os.pipe()
    os.set_inheritable(its, True)
    mark = f"{os.getpid()}-{time.time_ns()}"
    environment = {**environment, CHANNEL: str(its), RUN: mark}
    sys.stdout.flush()
    child = os.posix_spawn(command[0], command, environment)
    os.close(its)
    interrupts = _PassedOn(child)
    said = _Said()
    try:
        ended, why = _follow(child, mine, said)
    finally:
        interrupts.end()
        os.close(mine)
        left = _end_what_is_left(mark)
    if left:
        _tell(f"{left} process{'es' if left > 1 else ''} that the program under test had left were ended")
    if said.verdict is not None:
        if why:
            _tell("the program under test held on to its process after the verdict; it was ended")
        return said.verdict
    return _without_verdict(ended, why, said, interrupted=interrupts.seen)


def _follow(child: int, pipe: int, said: _Said) -> tuple[int, str]:
    """Listen until the child has ended: its status, and why it was ended by us, or empty."""
    verdict_at = closed_at = 0.0
    poll = select.poll()
    poll.register(pipe, select.POLLIN | select.POLLHUP)
    while True:
        if closed_at:
            time.sleep(0.005)
        else:
            for _, _event in poll.poll(100):
                data = os.read(pipe, 65536)
                if data:
                    said.hear(data)
                else:
                    closed_at = time.monotonic()
        done, status = os.waitpid(child, os.WNOHANG)
        if done:
            if not closed_at:
                said.hear(_rest_of(pipe))
            return os.waitstatus_to_exitcode(status), ""
        now = time.monotonic()
        if said.verdict is not None and not verdict_at:
            verdict_at = now
        if verdict_at and now - verdict_at > GRACE:
            return _end(child), "held on"
        if closed_at and said.verdict is None and now - closed_at > 0.2:
            return _end(child), "the program under test replaced the process by another one"
        if not verdict_at and said.runs and now - said.heard > SILENCE:
            return _end(child), (
                f"the program under test is in a call that does not return; it was ended after {SILENCE:.0f} seconds"
            )
        if not verdict_at and now > said.until:
            return _end(child), "the time was over and the program under test did not come to an end of its run"


def _rest_of(pipe: int) -> bytes:
    os.set_blocking(pipe, False)
    found = b""
    try:
        while data := os.read(pipe, 65536):
            found += data
    except BlockingIOError:
        pass
    return found


def _end(child: int) -> int:
    os.kill(child, signal.SIGKILL)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])


def _without_verdict(ended: int, why: str, said: _Said, *, interrupted: bool) -> int:
    if why:
        _tell(f"uncontrolled: {why}, so nothing can be said")
        return CANNOT_JUDGE
    if interrupted and ended in (-signal.SIGINT, 128 + signal.SIGINT, INTERRUPTED, -signal.SIGTERM, -signal.SIGHUP):
        # Somebody asked for it.
        return INTERRUPTED
    if ended < 0:
        try:
            name = signal.Signals(-ended).name
        except ValueError:
            name = str(-ended)
        how = f"was ended by signal {name}"
    else:
        how = f"ended with exit code {ended}"
    if said.runs:
        _tell(f"uncontrolled: the process of the program under test {how} before there was a verdict")
        return CANNOT_JUDGE
    _tell(f"internal error: the process {how} before there was a verdict; please report this")
    return INTERNAL


class _PassedOn:
    """Interrupts and requests to end are the child's to answer."""

    _SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)

    def __init__(self, child: int) -> None:
        self.seen = False
        self._child = child
        self._before = {number: signal.signal(number, self._pass_on) for number in self._SIGNALS}

    def _pass_on(self, number: int, _: FrameType | None) -> None:
        self.seen = True
        try:
            # The terminal has told the child already; two interrupts at once are one.
            os.kill(self._child, number)
        except ProcessLookupError:
            pass

    def end(self) -> None:
        for number, handler in self._before.items():
            signal.signal(number, handler)


def _end_what_is_left(mark: str) -> int:
    """End the processes that came of the child and outlived it; how many there were."""
    wanted = f"{RUN}={mark}".encode()
    ended = 0
    try:
        processes = [name for name in os.listdir("/proc") if name.isdigit()]
    except OSError:
        return 0
    for name in processes:
        try:
            with open(f"/proc/{name}/environ", "rb") as file:
                found = wanted in file.read().split(b"\0")
            if found:
                os.kill(int(name), signal.SIGKILL)
                ended += 1
        except OSError:
            continue
    return ended


def _tell(words: str) -> None:
    print(f"semafuzz: {words}", file=sys.stderr)
