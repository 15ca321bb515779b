"""Ctrl-C in the midst of a run waits for its end, and leaves nothing halfway."""

from __future__ import annotations

import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path

import pytest
import trio

from semafuzz import explore
from semafuzz.harness.kernel import thread_identity
from semafuzz.harness.kernel.install import interrupts
from semafuzz.harness.trio_engine.program import explore_async
from tests.campaign.test_nightly import heed

Press = Callable[[], None]
values = threading.local()


def test_code_under_test_cannot_swallow_it(press: Press) -> None:
    ran = []

    def swallows() -> None:
        ran.append(True)
        try:
            press()
            threading.Thread(target=print).start()
        except KeyboardInterrupt:
            pass

    values.of = "the caller"
    before = signal.getsignal(signal.SIGINT)
    with pytest.raises(KeyboardInterrupt):
        explore(swallows, schedules=3)
    assert ran == [True], "not one more run"
    assert signal.getsignal(signal.SIGINT) is before
    assert values.of == "the caller"
    assert explore(lambda: None, schedules=3).verdict == "complete"


@pytest.mark.skipif(not thread_identity.IN_THREAD_STATE, reason="thread-local values are not exchanged there")
def test_it_waits_in_the_midst_of_a_switch(monkeypatch: pytest.MonkeyPatch, press: Press) -> None:
    """Without that, what the calling thread had in its thread-local values was lost."""
    values.of = "the caller"
    take = thread_identity._take

    def take_and_press(state: dict[str, object]) -> dict[str, object]:
        taken = take(state)
        press()
        return taken

    monkeypatch.setattr(thread_identity, "_take", take_and_press)
    with pytest.raises(KeyboardInterrupt):
        explore(lambda: None, schedules=3)
    assert values.of == "the caller"


def test_trio_runs_are_ended_alike(press: Press) -> None:
    ended = []

    async def main() -> None:
        press()
        await trio.lowlevel.checkpoint()
        ended.append(True)

    with pytest.raises(KeyboardInterrupt):
        explore_async(main, schedules=3)
    assert ended == [True]


def test_nothing_pressed_nothing_raised() -> None:
    assert explore(lambda: None, schedules=3).verdict == "complete"
    assert not interrupts.holding


def test_another_handler_is_left_alone(press: Press) -> None:
    heard: list[int] = []
    before = signal.signal(signal.SIGINT, lambda number, _: heard.append(number))
    try:
        explore(press, schedules=1)
    finally:
        signal.signal(signal.SIGINT, before)
    assert heard


ENDLESS = """
import threading
from semafuzz import explore

def waits():
    print("begun", flush=True)
    sum(number for number in iter(int, 1))

explore(waits, schedules=1)
"""


def test_the_second_ends_a_run_that_does_not_end(tmp_path: Path) -> None:
    script = tmp_path / "script.py"
    script.write_text(ENDLESS)
    process = subprocess.Popen(
        [sys.executable, script], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, preexec_fn=heed
    )
    try:
        assert process.stdout is not None
        assert process.stdout.readline() == "begun\n"
        process.send_signal(signal.SIGINT)
        time.sleep(interrupts.AGAIN + 0.2)
        assert process.poll() is None
        process.send_signal(signal.SIGINT)
        _, errors = process.communicate(timeout=20)
    finally:
        process.kill()
    assert "KeyboardInterrupt" in errors
    assert "uncontrolled" not in errors


def test_one_that_came_after_the_last_run_is_told_or_raised(press: Press) -> None:
    with pytest.raises(KeyboardInterrupt), interrupts.held():
        press()
    with interrupts.held():
        press()
        assert interrupts.forget()
        assert not interrupts.forget()


def test_two_at_once_are_one(press: Press) -> None:
    with interrupts.heard_once():
        with pytest.raises(KeyboardInterrupt):
            press()
        press()
