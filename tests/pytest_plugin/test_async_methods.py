"""Async methods under the decorator: each execution has an object of its own, and fixtures come through."""

from __future__ import annotations

import subprocess
import sys

import pytest

from tests.pytest_plugin.conftest import Session
from tests.pytest_plugin.test_async import PROGRAMS

CASES = """
import unittest
import semafuzz


class TestCases(unittest.TestCase):
    def setUp(self):
        self.n = 0

    @semafuzz.interleave
    async def test_right(self):
        async def work():
            self.n += 1
            await trio.lowlevel.checkpoint()

        async with trio.open_nursery() as nursery:
            nursery.start_soon(work)
            nursery.start_soon(work)
        self.assertEqual(self.n, 2)

    @semafuzz.interleave(cancellations=1)
    def test_of_threads(self):
        pass


class TestAsyncio(unittest.IsolatedAsyncioTestCase):
    @semafuzz.interleave
    async def test_it(self):
        pass
"""


def test_a_case_of_unittest_is_made_for_each_execution(session: Session, pytester: pytest.Pytester) -> None:
    result = session(PROGRAMS + CASES)
    result.assert_outcomes(passed=1, failed=2)
    assert "cancellations and patient go with async tests" in result.stdout.str()
    assert "runs on asyncio, which is not controlled" in result.stdout.str()
    (pytester.path / "cases.py").write_text(PROGRAMS + CASES)
    done = subprocess.run(
        [sys.executable, "-m", "unittest", "cases.TestCases.test_right"], cwd=pytester.path, check=False
    )
    assert done.returncode == 0


def test_methods_of_plain_classes_have_fixtures_and_parameters(session: Session, pytester: pytest.Pytester) -> None:
    result = session(
        PROGRAMS
        + """
import semafuzz


@pytest.fixture
def box():
    return 5


class TestPlain:
    @semafuzz.interleave
    async def test_fixture(self, box):
        assert box == 5

    @pytest.mark.parametrize("k", [1, 2])
    @semafuzz.interleave
    async def test_parameter(self, k):
        assert k < 3

    @semafuzz.interleave
    async def test_lost(self):
        await lost()
"""
    )
    result.assert_outcomes(passed=3, failed=1)
    assert len(list((pytester.path / ".semafuzz").glob("*/*.json"))) == 1


def test_asyncio_is_no_target_and_no_finding(session: Session, pytester: pytest.Pytester) -> None:
    result = session(
        """
import asyncio


@pytest.mark.interleave
async def test_loop():
    asyncio.get_running_loop()


@pytest.mark.interleave
async def test_sleep():
    await asyncio.sleep(0)
"""
    )
    result.assert_outcomes(failed=2)
    assert "2 uncontrolled" in result.stdout.str()
    assert "Traceback" not in result.stdout.str()
    assert not (pytester.path / ".semafuzz").exists()


def test_a_task_may_skip_the_test(session: Session) -> None:
    source = "import trio\n\nasync def leave():\n    pytest.skip('not here')\n\n@pytest.mark.interleave\n"
    source += (
        "async def test_it():\n    async with trio.open_nursery() as nursery:\n        nursery.start_soon(leave)\n"
    )
    session(source).assert_outcomes(skipped=1)
