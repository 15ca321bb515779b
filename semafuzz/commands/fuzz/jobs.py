"""Several searches at once, each in a process of its own, told as one.

They have one seed: the small programs are dealt out among them, and each draws generated
ones of its own. What they find is joined; where two found the same, the smaller program
stays.
"""

from __future__ import annotations

import contextlib
import signal
import subprocess
import threading
from collections.abc import Sequence
from dataclasses import replace
from math import inf
from pathlib import Path
from time import perf_counter, sleep

import msgspec

from semafuzz.commands.common.output_folder import usable_folder
from semafuzz.commands.fuzz.run import Search, show, target_of
from semafuzz.harness.errors import CannotJudge
from semafuzz.harness.search.finding import Finding
from semafuzz.harness.search.result import Result
from semafuzz.harness.search.result_sum import merge_results
from semafuzz.reports.terminal.progress import Figures
from semafuzz.reports.terminal.searches import LiveTable
from semafuzz.self_command import start_apart
from semafuzz.strategies.fuzz.dedup_across_runs import deduplicate

ENDING = 30.0
"""Seconds that a search which was interrupted may take to tell what it found."""
LOOK = 0.2
"""Seconds between two looks at the processes."""


def run_jobs(wanted: Search, jobs: int, source: Sequence[str], as_json: bool, shard: tuple[int, int] = (0, 1)) -> int:
    """Fuzz in ``jobs`` processes; the exit code, which is that of a process that failed
    if one did. ``source``: the arguments that name a source tree; ``shard``: which part of the
    search this is, of how many."""
    # What is wrong with the arguments is said once.
    target_of(wanted)
    folder = usable_folder(wanted.out)
    started = perf_counter()
    part, of = shard
    schedules = -(-wanted.schedules // jobs)
    each = [
        _Job(replace(wanted, out=folder / f"search-{number}", schedules=schedules), part * jobs + number, of * jobs)
        for number in range(jobs)
    ]
    _run_all(each, source, None if as_json else LiveTable(), started)
    interrupted = any(one.was_interrupted for one in each)
    if interrupted:
        each = [one for one in each if one.has_said()]
    failed = next((one.code for one in each if one.code), 0)
    if failed and not interrupted:
        # It has said why.
        return failed
    result = joined([one.result() for one in each], folder)
    result.seconds = perf_counter() - started
    return show(wanted, result, as_json, [folder / f"search-{number}" for number in range(jobs)])


def _run_all(each: Sequence[_Job], source: Sequence[str], progress: LiveTable | None, started: float) -> None:
    """Until all have ended, or until they have told what they found once somebody ends it."""
    try:
        for one in each:
            one.start(source)
        while any(one.is_running() for one in each):
            sleep(LOOK)
            if progress is not None:
                progress.tell([one.figures for one in each], perf_counter() - started)
    except KeyboardInterrupt:
        for one in each:
            one.interrupt()
        for one in each:
            one.wait(ENDING)
        if not any(one.has_said() for one in each):
            raise
    finally:
        if progress is not None:
            progress.clear()
        for one in each:
            one.stop()


class _Job:
    """One process and what it has said so far."""

    def __init__(self, wanted: Search, number: int, of: int) -> None:
        self._arguments = [*wanted.arguments(), "--share", f"{number}/{of}"]
        self._process: subprocess.Popen[str] | None = None
        self._reader: threading.Thread | None = None
        self._last = ""
        self.was_interrupted = False
        self.figures = Figures()

    def start(self, source: Sequence[str]) -> None:
        self._process = start_apart([*self._arguments, *source])
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def _read(self) -> None:
        assert self._process is not None
        assert self._process.stdout is not None
        with self._process.stdout as lines:
            for line in lines:
                if line.startswith("["):
                    self.figures = msgspec.json.decode(line, type=Figures)
                else:
                    self._last = line

    def is_running(self) -> bool:
        return self._process is not None and self._process.poll() is None

    @property
    def code(self) -> int:
        return 0 if self._process is None else self._process.returncode or 0

    def interrupt(self) -> None:
        """Ask the process to end, and to tell what it has found."""
        self.was_interrupted = True
        if self._process is not None and self.is_running():
            self._process.send_signal(signal.SIGINT)

    def wait(self, seconds: float) -> None:
        """Until it has ended, but not for ever."""
        if self._process is not None and self._reader is not None:
            with contextlib.suppress(subprocess.TimeoutExpired):
                self._process.wait(seconds)
                self._reader.join()

    def has_said(self) -> bool:
        """Whether it has told what it came to."""
        return self._last.startswith("{")

    def stop(self) -> None:
        """End the process where it has not ended; wait until all it said is read."""
        if self._process is None or self._reader is None:
            return
        if self.is_running():
            self._process.terminate()
            self._process.wait()
        self._reader.join()

    def result(self) -> Result:
        try:
            return msgspec.json.decode(self._last, type=Result)
        except msgspec.DecodeError:
            raise CannotJudge("one of the searches ended without a result; run with --jobs 1 to see why") from None


def joined(results: Sequence[Result], folder: Path) -> Result:
    """One result of several. The traces of what stays come into ``folder``."""
    failures = deduplicate([finding for one in results for finding in one.failures], alike=inf)
    return merge_results(results, [_in_folder(finding, folder) for finding in failures])


def _in_folder(finding: Finding, folder: Path) -> Finding:
    if not finding.trace:
        return finding
    moved = folder / Path(finding.trace).name
    with contextlib.suppress(OSError):
        # Where it cannot be moved it stays where it is, and is named there.
        return replace(finding, trace=str(Path(finding.trace).replace(moved)))
    return finding
