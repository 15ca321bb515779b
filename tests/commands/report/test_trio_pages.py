"""Pages of runs of trio, in which time and cancellations are tasks of their own."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.conftest import Run

PROGRAMS = {
    "time": """
import trio


async def main():
    done = []

    async def worker():
        await trio.sleep(1)
        done.append(1)

    async with trio.open_nursery() as nursery:
        nursery.start_soon(worker)
        with trio.move_on_after(1):
            await trio.sleep(5)
        assert done
""",
    "cancellation": """
import trio


async def main():
    held = []

    async def worker():
        held.append(1)
        await trio.lowlevel.checkpoint()
        held.pop()

    with trio.CancelScope() as scope:
        async with trio.open_nursery() as nursery:
            nursery.start_soon(worker)
            await trio.lowlevel.checkpoint()
            await trio.lowlevel.checkpoint()
            scope.cancel()
    assert not held
""",
}


@pytest.mark.parametrize("name", PROGRAMS)
def test_every_finding_has_its_picture_and_files(semafuzz: Run, tmp_path: Path, name: str) -> None:
    (tmp_path / "program.py").write_text(PROGRAMS[name])
    assert semafuzz("check", "program.py:main").returncode == 1
    done = semafuzz("report", ".semafuzz", "--json")
    assert done.returncode == 0, done.stderr
    told = json.loads(done.stdout)
    assert told["findings"] == told["drawn"] == 1
    assert list((tmp_path / ".semafuzz" / "report").rglob("*.perfetto.json"))
