"""Async tests, and tests that run trio: explored by its engine, replayed, and with their choices."""

from __future__ import annotations

import json
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

from tests.conftest import Run
from tests.pytest_plugin.conftest import Session

PROGRAMS = '''
import trio


async def lost():
    count = 0

    async def add():
        nonlocal count
        seen = count
        await trio.sleep(0)
        count = seen + 1

    async with trio.open_nursery() as nursery:
        nursery.start_soon(add)
        nursery.start_soon(add)
    assert count == 2


async def leaking():
    """Right, unless somebody is cancelled while it has the lock."""
    lock = trio.Lock()

    async def work():
        await lock.acquire()
        await trio.sleep(0)
        lock.release()

    async with trio.open_nursery() as nursery:
        nursery.start_soon(work)
        nursery.start_soon(work)
'''
KINDS = {
    "marker": "@pytest.mark.interleave\nasync def test_it():\n    await lost()\n",
    "decorator": "from semafuzz import interleave\n\n@interleave\nasync def test_it():\n    await lost()\n",
    "fixtures": "@pytest.fixture\ndef five():\n    return 5\n\n@pytest.mark.interleave\nasync def test_it(five):\n"
    "    assert five == 5\n    await lost()\n",
    "run": "@pytest.mark.interleave\ndef test_it():\n    trio.run(lost)\n",
    "helper": "def begin():\n    trio.run(lost)\n\n@pytest.mark.interleave\ndef test_it():\n    begin()\n",
    "alias": "import trio as t\n\n@pytest.mark.interleave\ndef test_it():\n    t.run(lost)\n",
    "from_run": "from trio import run as begin\n\n@pytest.mark.interleave\ndef test_it():\n    begin(lost)\n",
}


@pytest.mark.parametrize("kind", KINDS)
def test_a_lost_update_is_found_and_replays(session: Session, kind: str, pytester: pytest.Pytester) -> None:
    result = session(PROGRAMS + KINDS[kind])
    result.assert_outcomes(failed=1)
    [trace] = (pytester.path / ".semafuzz").glob("*/*.json")
    assert json.loads(trace.read_text())["model"] == "trio"
    told = result.outlines
    command = shlex.split(told[told.index("replay:") + 1])
    if kind == "fixtures":
        assert command[command.index("--interleave-replay") - 1] == "test_bank.py::test_it"
        session(PROGRAMS + KINDS[kind], f"--interleave-replay={trace}").assert_outcomes(failed=1)
        return
    done = subprocess.run(command, cwd=pytester.path, capture_output=True, text=True, check=False)
    assert done.returncode == 1, done.stdout + done.stderr


def test_what_is_right_is_complete(session: Session) -> None:
    result = session(PROGRAMS + "@pytest.mark.interleave\nasync def test_it():\n    await leaking()\n")
    result.assert_outcomes(passed=1)
    assert "1 complete" in result.stdout.str()


def test_cancellations_are_choices_where_they_are_asked_for(session: Session, pytester: pytest.Pytester) -> None:
    source = PROGRAMS + "@pytest.mark.interleave(cancellations=1)\nasync def test_it():\n    await leaking()\n"
    result = session(source)
    result.assert_outcomes(failed=1)
    assert "BrokenResourceError" in result.stdout.str()
    [trace] = (pytester.path / ".semafuzz").glob("*/*.json")
    assert json.loads(trace.read_text())["configuration"]["cancellations"] == 1
    session(source, f"--interleave-replay={trace}").assert_outcomes(failed=1)


def test_a_test_of_threads_has_no_cancellations(session: Session) -> None:
    result = session("@pytest.mark.interleave(cancellations=1)\ndef test_it():\n    pass\n")
    result.assert_outcomes(failed=1)
    assert "go with tests that run trio" in result.stdout.str()


def test_an_async_test_may_skip_itself(session: Session) -> None:
    session("@pytest.mark.interleave\nasync def test_it():\n    pytest.skip('not here')\n").assert_outcomes(skipped=1)


CASE = """
import unittest
import semafuzz


class TestIt(unittest.TestCase):
    @semafuzz.interleave
    async def test_it(self):
        await lost()
"""


def test_a_case_of_unittest_may_be_async(session: Session, pytester: pytest.Pytester) -> None:
    session(PROGRAMS + CASE).assert_outcomes(failed=1)
    (pytester.path / "cases.py").write_text(PROGRAMS + CASE)
    done = subprocess.run(
        [sys.executable, "-m", "unittest", "cases"], cwd=pytester.path, capture_output=True, text=True, check=False
    )
    assert "AssertionError: assertion in schedule" in done.stderr


def test_check_takes_them_too(semafuzz: Run, tmp_path: Path) -> None:
    (tmp_path / "service.py").write_text(PROGRAMS + "def plain():\n    pass\n")
    assert semafuzz("check", "service.py:leaking").returncode == 0
    found = semafuzz("check", "service.py:leaking", "--cancellations", "1", "--json")
    assert found.returncode == 1, found.stderr
    trace = json.loads(found.stdout)["failures"][0]["trace"]
    assert semafuzz("replay", trace).returncode == 1
    assert semafuzz("shrink", trace).returncode == 1
    refused = semafuzz("check", "service.py:plain", "--cancellations", "1")
    assert refused.returncode == 4
    assert "go with async functions" in refused.stderr
