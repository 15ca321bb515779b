"""A column of the table of ``semafuzz matrix``: the process that judges it, as far as it is."""

from __future__ import annotations

import contextlib
import signal
import subprocess
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import msgspec

from semafuzz.self_command import start_apart
from semafuzz.strategies.fuzz.defect_check import Cell, Judging

UNJUDGED = "this release could not be judged"
INTERRUPTED = "interrupted before it was judged"
GRACE = 10.0
"""Seconds that an interrupted process has to end by itself."""


@dataclass(slots=True)
class Column:
    """One release. ``cells``: the answers so far, in the order in which they were come to."""

    release: str
    cells: list[Cell] = field(default_factory=list)
    _process: subprocess.Popen[str] | None = None
    _interrupted: bool = False

    def judge(self, target: str, judging: Judging, look: Callable[[Column], None]) -> None:
        """Run the process to its end; ``look`` is called at its start and at every answer."""
        if self.is_interrupted():
            return
        self._process = start_apart(["matrix-column", target, "--release", self.release, *judging.options()])
        with self._process as process:
            if self.is_interrupted():
                self.interrupt()
            look(self)
            assert process.stdout is not None
            for line in process.stdout:
                # The target's own code may print as well.
                with contextlib.suppress(msgspec.DecodeError):
                    self.cells.append(msgspec.json.decode(line, type=Cell))
                    look(self)

    def is_interrupted(self) -> bool:
        """Whether it was to end before it was through."""
        return self._interrupted

    def interrupt(self) -> None:
        """End it, and do not begin it; the answers so far stay."""
        self._interrupted = True
        process = self._process
        if process is not None and process.poll() is None:
            process.send_signal(signal.SIGINT)
            # Where interrupts are ignored, as in the background of a shell without job control.
            killer = threading.Timer(GRACE, process.kill)
            killer.daemon = True
            killer.start()

    def filled(self, defects: Sequence[str]) -> list[Cell]:
        """An answer for each defect, in their order: "?" for those that it did not come to."""
        said = INTERRUPTED if self.is_interrupted() else UNJUDGED
        answers = {cell.defect: cell for cell in self.cells}
        return [answers.get(name) or Cell(name, "?", said=said) for name in defects]
