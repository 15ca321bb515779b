"""Fixtures that several folders of tests share."""

from __future__ import annotations

import hashlib
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import coverage
import pytest

pytest_plugins = ["pytester"]
ROOT = Path(__file__).resolve().parent.parent
Run = Callable[..., subprocess.CompletedProcess[str]]
UNMEASURED = ("quality/", "soundness/", "targets/", "trio_engine/", "examples/", "strategies/machines/")
"""Tests that run thousands of schedules through lines which the other tests
reach as well. Measured, they would take four times as long. Single ones are marked so."""

FAST = ("kernel", "schedulers", "shrink", "traces", "instrument")
"""Folders of the fast tier, with the tests of the layers: what a change of the engine breaks
shows there, within a minute on two cores. Of a test that is marked as wide the first case."""


def pytest_ignore_collect(collection_path: Path, config: pytest.Config) -> bool | None:
    """Where only the fast tier is asked for, other folders need not be imported."""
    if config.option.markexpr != "fast" or not collection_path.is_relative_to(ROOT / "tests"):
        return None
    parts = collection_path.relative_to(ROOT / "tests").parts
    wanted = not parts or parts[0] in FAST or parts[0] == "conftest.py"
    return None if wanted or (parts[:1] == ("repo",) and parts[1:] in ((), ("test_layering.py",))) else True


PARTS = 20
"""Into how many parts the slow tests are divided; CI runs one for each commit."""


def pytest_addoption(parser: pytest.Parser) -> None:
    """Which part of the slow tests to run."""
    parser.addoption(
        "--slow-part", type=int, default=None, help=f"of the slow tests those of this part, modulo {PARTS}"
    )


def in_part(nodeid: str, part: int) -> bool:
    """Whether a slow test is in this part. By its name, so that a new test moves no other."""
    number = int(hashlib.sha256(nodeid.encode()).hexdigest()[:8], 16)
    return number % PARTS == part % PARTS


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Mark the fast tier, and leave out the slow tests of other parts."""
    part = config.option.slow_part
    if part is not None:
        others = [item for item in items if item.get_closest_marker("slow") and not in_part(item.nodeid, part)]
        config.hook.pytest_deselected(items=others)
        items[:] = [item for item in items if item not in set(others)]
    met: set[tuple[Path, str]] = set()
    for item in items:
        folder = item.path.relative_to(ROOT / "tests").parts[0]
        if folder not in FAST and item.path.name != "test_layering.py":
            continue
        if item.get_closest_marker("slow") is not None:
            continue
        function = (item.path, getattr(item, "originalname", item.name))
        wide = item.get_closest_marker("wide")
        first = "[" in item.name and function not in met
        if wide is None or (first and wide.kwargs.get("first", True)):
            item.add_marker(pytest.mark.fast)
        met.add(function)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_protocol(item: pytest.Item) -> Iterator[None]:
    """Coverage is measured by the tests that look at single parts, and in the processes
    that they begin."""
    measuring = coverage.Coverage.current()
    measured = not item.path.relative_to(ROOT / "tests").as_posix().startswith(UNMEASURED)
    if measuring is None or (measured and item.get_closest_marker("unmeasured") is None):
        return (yield)
    hidden = {name: os.environ.pop(name) for name in list(os.environ) if name.startswith("COVERAGE")}
    measuring.stop()
    try:
        return (yield)
    finally:
        measuring.start()
        os.environ.update(hidden)


@pytest.fixture
def press() -> Iterator[Callable[[], None]]:
    """Sends this process what Ctrl-C sends, as in a shell that somebody sits at: what was
    begun in the background may ignore it."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        yield lambda: os.kill(os.getpid(), signal.SIGINT)
    finally:
        signal.signal(signal.SIGINT, before)


@pytest.fixture
def semafuzz(tmp_path: Path) -> Run:
    """Runs the command line in a process and folder of its own."""

    def run(*arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-m", "semafuzz", *arguments],
            cwd=tmp_path,
            env={**os.environ, "XDG_STATE_HOME": str(tmp_path / "state"), "COLUMNS": "160", **environment},
            capture_output=True,
            text=True,
            timeout=600,
            check=False,
        )

    return run
