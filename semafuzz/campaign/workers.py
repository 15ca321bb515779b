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
import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO

import trio

PID = "pid"
"""The file in a process's folder with its number."""
FOLLOWING = 0.2
"""Seconds between two looks at a process that is not a child of ours."""
LOOKING = 1.0
"""Seconds between two looks at how far everything is."""
FOLDER = "SEMAFUZZ_NIGHT_FOLDER"
"""The variable by which a process, and what it has started, is known."""
TAIL = 2000
"""Bytes of a process's last words that are kept."""
MOST = 32 << 20
"""Of what it has written, from the end."""


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
    OSError where these cannot be written."""
    with (folder / "output").open("wb+") as output, (folder / "errors").open("wb+") as errors:
        code, hung = await _run(command, folder, output, errors, limits)
        return Exit(code, hung, _text(output, MOST), _text(errors, TAIL).strip())


async def _run(
    command: Sequence[str], folder: Path, output: IO[bytes], errors: IO[bytes], limits: Limits
) -> tuple[int, bool]:
    environment = {**os.environ, FOLDER: str(folder.absolute())}
    process = await trio.lowlevel.open_process(
        command, stdin=subprocess.DEVNULL, stdout=output, stderr=errors, start_new_session=True, env=environment
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


def _text(file: IO[bytes], most: int) -> str:
    file.seek(max(0, file.seek(0, os.SEEK_END) - most))
    return file.read().decode("utf-8", "replace")


async def supervise(
    works: Sequence[Callable[[], Awaitable[None]]], jobs: int, look: Callable[[], None] | None = None
) -> None:
    """Do all works, ``jobs`` at once, in their order. What one of them raises ends all, and
    so do the signals by which systems end a program. ``look`` is called now and then."""
    limiter = trio.CapacityLimiter(jobs)

    async def do(work: Callable[[], Awaitable[None]]) -> None:
        try:
            await work()
        finally:
            limiter.release_on_behalf_of(work)

    try:
        async with trio.open_nursery() as watched:
            watched.start_soon(_heed_signals)
            if look is not None:
                watched.start_soon(_look, look)
            async with trio.open_nursery() as nursery:
                for work in works:
                    await limiter.acquire_on_behalf_of(work)
                    nursery.start_soon(do, work)
            watched.cancel_scope.cancel()
    except BaseExceptionGroup as group:
        raise _first(group) from None


async def _look(look: Callable[[], None]) -> None:
    while True:
        await trio.sleep(LOOKING)
        look()


async def _heed_signals() -> None:
    # Who has one of them ignored, as nohup does, wants to go on.
    heeded = [one for one in (signal.SIGTERM, signal.SIGHUP) if signal.getsignal(one) is not signal.SIG_IGN]
    if not heeded:
        return
    with trio.open_signal_receiver(*heeded) as received:
        async for _ in received:
            raise KeyboardInterrupt


def _first(group: BaseExceptionGroup[BaseException]) -> BaseException:
    """What began it: the others were ended by it."""
    found = group.exceptions[0]
    return _first(found) if isinstance(found, BaseExceptionGroup) else found


async def follow(folder: Path, limits: Limits) -> Exit | None:
    """Wait for a process that a supervisor began which was killed, and tell what it wrote; its
    exit code is not known, and is given as 0. None where nothing was begun in ``folder``."""
    try:
        begun = (folder / PID).stat().st_mtime
    except OSError:
        return None
    hung = False
    while (number := _left_over(folder)) is not None:
        if time.time() - begun > limits.seconds:
            hung = True
            _kill(number)
        await trio.sleep(FOLLOWING)
    try:
        with (folder / "output").open("rb") as output, (folder / "errors").open("rb") as errors:
            return Exit(0, hung, _text(output, MOST), _text(errors, TAIL).strip())
    except OSError:
        return None


def kill_left_over(folder: Path, names: str = "*") -> None:
    """End what a supervisor that was killed has left running in the folders in ``folder``.
    Where the system does not tell whose a process is, nothing is ended."""
    for file in folder.glob(f"{names}/{PID}"):
        number = _left_over(file.parent)
        if number is not None:
            _kill(number)


def _left_over(folder: Path) -> int | None:
    """The process that was begun in a folder, while it runs. It is known by its folder, which
    is in its environment: another process may have got its number."""
    with contextlib.suppress(OSError, ValueError):
        number = int((folder / PID).read_text())
        mark = os.fsencode(f"{FOLDER}={folder.absolute()}")
        if mark in Path(f"/proc/{number}/environ").read_bytes().split(b"\0"):
            return number
    return None


def _kill(number: int) -> None:
    with contextlib.suppress(OSError):
        os.killpg(number, signal.SIGKILL)
