"""Processes under supervision: deadlines, memory limits, crashes and hangs contained.

A trio nursery has one task for each; at most ``jobs`` run at once. Each process leads a
group of its own, which is killed as a whole, also where the supervisor is interrupted.
"""

from __future__ import annotations

import contextlib
import os
import resource
import signal
import subprocess
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO

import trio

from harness.errors import UsageError

PID = "pid"
"""The file in a process's folder with its number."""
TAIL = 2000
"""Characters of a process's last words that are kept."""


@dataclass(frozen=True, slots=True)
class Limits:
    """``seconds``: that a process may take, then it counts as hung; ``memory``: bytes of
    address space, 0 for no limit."""

    seconds: float
    memory: int = 0


@dataclass(frozen=True, slots=True)
class Exit:
    """How a process ended. ``code``: negative for a signal; ``hung``: it was killed for its
    time; ``said``: the end of what it wrote to standard error."""

    code: int
    hung: bool
    output: str
    said: str

    def trouble(self) -> str:
        """In words what went wrong."""
        if self.hung:
            how = "hung, and was killed"
        elif self.code < 0:
            with contextlib.suppress(ValueError):
                return f"was ended by {signal.Signals(-self.code).name}: {self.said}".strip(": ")
            how = f"was ended by signal {-self.code}"
        else:
            how = f"ended with exit code {self.code}"
        return f"{how}: {self.said}".strip(": ")


async def run_process(command: Sequence[str], folder: Path, limits: Limits) -> Exit:
    """Run a command to its end or its limit; what it writes goes into files in ``folder``.
    UsageError where these cannot be written."""
    try:
        with (folder / "output").open("wb+") as output, (folder / "errors").open("wb+") as errors:
            code, hung = await _run(command, folder, output, errors, limits)
            return Exit(code, hung, _text(output), _text(errors)[-TAIL:].strip())
    except OSError as error:
        raise UsageError(f"cannot write to {folder} ({error.strerror}); make room, and run again") from None


async def _run(
    command: Sequence[str], folder: Path, output: IO[bytes], errors: IO[bytes], limits: Limits
) -> tuple[int, bool]:
    process = await trio.lowlevel.open_process(
        command, stdin=subprocess.DEVNULL, stdout=output, stderr=errors, start_new_session=True
    )
    try:
        (folder / PID).write_text(str(process.pid))
        if limits.memory and hasattr(resource, "prlimit"):
            # Elsewhere than on Linux there is no such limit for another process.
            with contextlib.suppress(OSError):
                resource.prlimit(process.pid, resource.RLIMIT_AS, (limits.memory, limits.memory))
        with trio.move_on_after(limits.seconds) as scope:
            await process.wait()
    finally:
        # What it has started may have outlived it.
        with contextlib.suppress(OSError):
            os.killpg(process.pid, signal.SIGKILL)
        with trio.CancelScope(shield=True):
            await process.wait()
    return process.returncode or 0, scope.cancelled_caught


def _text(file: IO[bytes]) -> str:
    file.seek(0)
    return file.read().decode("utf-8", "replace")


async def supervise(works: Sequence[Callable[[], Awaitable[None]]], jobs: int) -> None:
    """Do all works, ``jobs`` at once, in their order. What one of them raises ends all."""
    limiter = trio.CapacityLimiter(jobs)

    async def do(work: Callable[[], Awaitable[None]]) -> None:
        try:
            await work()
        finally:
            limiter.release_on_behalf_of(work)

    try:
        async with trio.open_nursery() as nursery:
            for work in works:
                await limiter.acquire_on_behalf_of(work)
                nursery.start_soon(do, work)
    except BaseExceptionGroup as group:
        raise _first(group) from None


def _first(group: BaseExceptionGroup[BaseException]) -> BaseException:
    """What began it: the others were ended by it."""
    found = group.exceptions[0]
    return _first(found) if isinstance(found, BaseExceptionGroup) else found


def kill_left_over(folder: Path) -> None:
    """End what a supervisor that was killed has left running in the folders in ``folder``.
    A process is known by its folder, which is among its arguments; where the system does not
    tell these, nothing is ended, and what is left ends by its own deadline."""
    for file in folder.glob(f"*/{PID}"):
        with contextlib.suppress(OSError, ValueError):
            number = int(file.read_text())
            if os.fsencode(file.parent.absolute()) in Path(f"/proc/{number}/cmdline").read_bytes():
                os.killpg(number, signal.SIGKILL)
