"""The traceback of an exception that ended a task."""

from __future__ import annotations

import sys
import threading

from semafuzz import TaskProgram, explore

THIS = sys.modules[__name__]


class Shelf:
    def __init__(self) -> None:
        self.things: dict[str, int] = {}
        self.lock = threading.Lock()

    def take(self) -> int:
        with self.lock:
            return self._found("book")

    def _found(self, name: str) -> int:
        try:
            return self.things[name]
        except KeyError as error:
            raise LookupError(f"no {name}") from error


def nothing(shelf: Shelf) -> None:
    return None


def test_a_traceback_shows_the_program_and_none_of_our_frames() -> None:
    program = TaskProgram(Shelf, [Shelf.take], nothing, under_test=[THIS])
    (found,) = explore(program, schedules=3).failures
    text = "\n".join(found.detail)
    assert "self._found(" in text
    assert "LookupError: no book" in text
    assert "The above exception was the direct cause" in text
    assert "KeyError: 'book'" in text
    places = [line for line in found.detail if line.lstrip().startswith("File ")]
    assert len(places) == 2
    assert all("test_task_errors.py" in place for place in places)
