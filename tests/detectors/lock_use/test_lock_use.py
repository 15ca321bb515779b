"""How locks and conditions are used: each pattern fires on one program, and is silent on its twin."""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable
from pathlib import Path
from time import sleep

import pytest

from semafuzz.cli import run
from semafuzz.harness.detectors.lock_use.detector import LockUse
from semafuzz.harness.runs.session import controlled_session
from semafuzz.harness.schedulers.registry import make_scheduler
from semafuzz.harness.search.exploration import Exploration, as_program
from semafuzz.harness.sections.section import Row


def in_threads(*bodies: Callable[[], object]) -> None:
    threads = [threading.Thread(target=body, daemon=True) for body in bodies]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


class Box:
    def __init__(self) -> None:
        self.items: list[int] = []
        self.full = threading.Condition()

    def put(self) -> None:
        with self.full:
            self.items.append(1)
            self.full.notify_all()

    def take_once_woken(self) -> None:
        with self.full:
            if not self.items:
                self.full.wait()
            self.items.pop()

    def take_in_a_loop(self) -> None:
        with self.full:
            while not self.items:
                self.full.wait()
            self.items.pop()

    def take_with_wait_for(self) -> None:
        with self.full:
            self.full.wait_for(lambda: self.items)
            self.items.pop()

    def take_by_trying_again(self) -> None:
        while True:
            with self.full:
                if self.items:
                    self.items.pop()
                    return
                self.full.wait()


class Doors:
    def __init__(self) -> None:
        self.lock = threading.Lock()
        self.opened = threading.Event()

    def wait_inside(self) -> None:
        with self.lock:
            self.opened.wait()

    def wait_outside(self) -> None:
        self.opened.wait()
        with self.lock:
            pass

    def sleep_inside(self) -> None:
        with self.lock:
            sleep(1)

    def sleep_outside(self) -> None:
        sleep(1)
        with self.lock:
            pass

    def join_inside(self) -> None:
        thread = threading.Thread(target=lambda: None)
        thread.start()
        with self.lock:
            thread.join()

    def start_inside(self) -> None:
        with self.lock:
            thread = threading.Thread(target=lambda: None)
            thread.start()
        thread.join()

    def enter(self) -> None:
        self.opened.set()
        with self.lock:
            pass

    def leave_it_locked(self) -> None:
        try:
            self.lock.acquire()
            int("no number")
            self.lock.release()
        except ValueError:
            pass

    def lock_in_a_block(self) -> None:
        try:
            with self.lock:
                int("no number")
        except ValueError:
            pass

    def lock_for_another(self) -> None:
        self.lock.acquire()
        self.opened.set()

    def unlock_for_another(self) -> None:
        self.opened.wait()
        self.lock.release()


class Bell:
    def __init__(self) -> None:
        self.rung = threading.Condition()
        self.rings = 0

    def ring(self) -> None:
        with self.rung:
            self.rings += 1
            self.rung.notify_all()

    def wait_blindly(self) -> None:
        with self.rung:
            self.rung.wait(5)

    def wait_seeing(self) -> None:
        with self.rung:
            while not self.rings:
                self.rung.wait(5)


def rows_of(program: Callable[[], None], schedules: int = 400) -> tuple[Row, ...]:
    program.__module__ = __name__
    made, detector = as_program(program), LockUse()
    with controlled_session(made.modules(), thorough=True) as laboratory:
        Exploration(
            made, make_scheduler("portfolio", 0), laboratory, schedules=schedules, detectors=[detector],
            shrink_budget=0, stop_on_first=False,
        ).run()  # fmt: skip
    return detector.report().rows


def kinds_of(kind: type, *methods: str) -> set[str]:
    def program() -> None:
        made = kind()
        in_threads(*(getattr(made, method) for method in methods))

    return {str(row.data["kind"]) for row in rows_of(program)}


@pytest.mark.parametrize(
    ("kind", "methods", "expected"),
    [
        (Doors, ("wait_inside", "enter"), {"wait"}),
        (Doors, ("wait_outside", "enter"), set()),
        (Doors, ("sleep_inside", "enter"), {"wait"}),
        (Doors, ("sleep_outside", "enter"), set()),
        (Doors, ("join_inside", "enter"), {"wait"}),
        (Doors, ("start_inside", "enter"), set()),
        (Doors, ("leave_it_locked", "enter"), {"left"}),
        (Doors, ("lock_in_a_block", "enter"), set()),
        (Doors, ("leave_it_locked",), set()),
        (Doors, ("lock_for_another", "unlock_for_another"), set()),
        (Box, ("take_once_woken", "put"), {"not-looked-again"}),
        (Box, ("take_in_a_loop", "put"), set()),
        (Box, ("take_with_wait_for", "put"), set()),
        (Box, ("take_by_trying_again", "put"), set()),
        (Bell, ("wait_blindly", "ring"), {"not-looked"}),
        (Bell, ("wait_seeing", "ring"), set()),
    ],
)
def test_each_use_is_told_and_its_twin_is_not(kind: type, methods: tuple[str, ...], expected: set[str]) -> None:
    assert kinds_of(kind, *methods) == expected


def test_what_the_standard_library_does_is_its_own_matter() -> None:
    def program() -> None:
        lines: queue.Queue[int] = queue.Queue(1)
        permits = threading.BoundedSemaphore(1)
        together = threading.Barrier(2)

        def send() -> None:
            for number in range(2):
                with permits:
                    pass
                lines.put(number)
            together.wait()

        def receive() -> None:
            for _ in range(2):
                lines.get()
            together.wait()

        in_threads(send, receive)

    assert rows_of(program) == ()


def test_harm_makes_a_warning_of_it() -> None:
    def left() -> None:
        doors = Doors()
        in_threads(doors.leave_it_locked, doors.enter)

    def twice() -> None:
        box = Box()
        in_threads(box.take_once_woken, box.take_once_woken, box.put, box.put)

    (row,) = rows_of(left)
    assert row.severity == "warning"
    assert "waits for ever for that lock" in row.details[0]
    assert "Doors.lock (taken at" in str(row.cells[0])
    rows = rows_of(twice)
    assert [row.severity for row in rows] == ["warning"]
    assert "no execution without it" in rows[0].details[0]
    assert "Box.full" in str(rows[0].cells[0])


def test_what_every_execution_does_is_not_charged_with_a_failure() -> None:
    def program() -> None:
        bell, count = Bell(), [0]

        def ring() -> None:
            bell.ring()
            count[0] += 1

        thread = threading.Thread(target=ring)
        with bell.rung:
            thread.start()
            if not bell.rings:
                bell.rung.wait()
            bell.rings = 0
        count[0] += 1
        thread.join()
        assert count[0] == 2

    assert [row.severity for row in rows_of(program)] == ["note"]


PATIENT = """
import threading
import time


class Patient:
    def __init__(self):
        self.lock = threading.Lock()
        self.count = 0

    def work(self):
        for _ in range(3):
            with self.lock:
                time.sleep(1)
                self.count += 1


def together():
    patient = Patient()
    threads = [threading.Thread(target=patient.work) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert patient.count == 9
"""


@pytest.mark.parametrize(("asked", "told"), [((), 1), (("--detect", "none"), 0), (("--detect", "lock-use"), 0)])
def test_check_mentions_what_nobody_asked_for_in_one_line(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    asked: tuple[str, ...],
    told: int,
) -> None:
    (tmp_path / "patient.py").write_text(PATIENT, encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(tmp_path)
    assert run(["check", "patient.py::together", "--schedules", "20", "--scheduler", "random", *asked]) == 0
    printed = capsys.readouterr().out
    assert printed.count("lock-use: 1 note; --detect lock-use shows it\n") == told
    assert printed.count("sleeps while it holds Patient.lock") == ("lock-use" in asked)
