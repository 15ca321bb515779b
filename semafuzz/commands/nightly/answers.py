"""What searches and replays of a night have said, read from what they wrote."""

from __future__ import annotations

from pathlib import Path
from typing import TypeVar

import msgspec

from semafuzz.campaign.workers import TAIL, Exit
from semafuzz.harness.search.result import Result
from semafuzz.reports.terminal.progress import Figures

Said = TypeVar("Said")


class ReplayAnswer(msgspec.Struct):
    """What ``replay --json`` says. Not ``judged``: nobody can tell, ``why`` says what was
    tried."""

    reproduces: bool
    judged: bool
    why: str
    schedules: int

    @property
    def tells(self) -> bool:
        """Whether it says anything."""
        return self.judged or bool(self.schedules)


def last_line(ended: Exit, kind: type[Said]) -> Said | None:
    """The last line that a process has written; None where it is no such record."""
    try:
        # Not splitlines, which cuts at characters that may stand in a text.
        return msgspec.json.decode(ended.output.rstrip("\n").rpartition("\n")[2], type=kind)
    except msgspec.DecodeError:
        return None


def concluded(ended: Exit) -> tuple[Result | None, str]:
    """What a search came to, or else why nothing can be said of it."""
    result = None if ended.hung or ended.code else last_line(ended, Result)
    trouble = ended.trouble() if result is None else _trouble(result)
    return (None if trouble else result), trouble


def _trouble(result: Result) -> str:
    """Why nothing can be said although the search has ended; "" where something can."""
    if result.verdict == "uncontrolled":
        return f"nothing can be said: {'; '.join(result.notes)}"
    if any(one.severity != "note" and not one.trace for one in result.failures):
        return "a trace could not be written"
    return ""


def figures_of(output: bytes) -> Figures:
    """The last figures in what a search has written."""
    lines = [line for line in output.split(b"\n") if line.startswith(b"[") and line.endswith(b"]")]
    try:
        return msgspec.json.decode(lines[-1], type=Figures) if lines else Figures()
    except msgspec.DecodeError:
        return Figures()


def figures_in(folder: Path) -> Figures:
    """The last figures that a search has written into its folder."""
    try:
        with (folder / "output").open("rb") as output:
            output.seek(max(0, output.seek(0, 2) - TAIL))
            return figures_of(output.read())
    except OSError:
        return Figures()
