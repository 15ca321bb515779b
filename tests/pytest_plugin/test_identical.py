"""A shrunk trace replays identically, in whatever process of whatever session."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from xml.etree import ElementTree

import pytest

pytest.importorskip("xdist")
Session = Callable[..., pytest.RunResult]
Keep = Callable[..., Path]
SOURCE = """
@pytest.mark.interleave
def test_two(make_account):
    accounts = [make_account() for _ in range(3)]
    names = {"a", "b", "c"}
    def move(source, target):
        for account in accounts:
            account.deposit()
        seen.update(sorted(names))
    seen = set()
    together(lambda: move(0, 1), lambda: move(1, 2), lambda: move(2, 0))
    assert [account.balance for account in accounts] == [3, 3, 3]
"""
ITEMS = 4
"""Items of the one trace in each session, so that two workers have something to do."""


@pytest.fixture
def replay(kept_trace: Keep, pytester: pytest.Pytester, loaded: tuple[str, ...]) -> Callable[[str, bool], None]:
    """Replays the kept trace in a session of its own: the same failure, event for event."""
    path = kept_trace(SOURCE)
    for number in range(1, ITEMS):
        path.with_name(f"copy{number}.json").write_bytes(path.read_bytes())
    (pytester.path / ".coveragerc").write_text("[run]\nbranch = true\nparallel = true\npatch = subprocess\n")
    kept = {name: value for name, value in os.environ.items() if not name.startswith("COVERAGE_")}

    def run(workers: str, covered: bool) -> None:
        start = ["-m", "coverage", "run", "-m", "pytest"] if covered else ["-m", "pytest"]
        options = ["-k", "replay", "-n", workers, "--junitxml=out.xml", "-p", "no:cacheprovider"]
        done = subprocess.run(
            [sys.executable, *start, *loaded, *options, "--interleave-traces", "kept"],
            cwd=pytester.path,
            env=kept,
            capture_output=True,
            text=True,
            timeout=240,
            check=False,
        )
        assert done.returncode == 1, done.stdout + done.stderr
        assert bool(list(pytester.path.glob(".coverage.*"))) == covered
        for file in pytester.path.glob(".coverage.*"):
            file.unlink()
        cases = list(ElementTree.parse(pytester.path / "out.xml").iter("testcase"))
        assert len(cases) == ITEMS
        for case in cases:
            found = {one.attrib["name"]: one.attrib["value"] for one in case.iter("property")}
            assert (found["semafuzz_identical"], found["semafuzz_signature"]) == ("true", path.stem)

    return run


@pytest.mark.parametrize(("workers", "covered"), [("1", False), pytest.param("2", True, marks=pytest.mark.slow)])
def test_a_trace_replays_identically(replay: Callable[[str, bool], None], workers: str, covered: bool) -> None:
    replay(workers, covered)


@pytest.mark.slow
def test_a_trace_replays_identically_a_hundred_times(replay: Callable[[str, bool], None]) -> None:
    for number in range(100 // ITEMS):
        replay("12"[number % 2], number % 4 > 1)


def test_identical_is_not_always_said(session: Session, kept_trace: Keep) -> None:
    """The same choices, and one access more after the last of them."""
    kept_trace(SOURCE)
    more = SOURCE.replace("    assert [", "    accounts[0].balance\n    assert [")
    result = session(more, "--interleave-traces", "kept", "-k", "replay", "--junitxml=o.xml")
    result.assert_outcomes(failed=1, deselected=1)
    assert 'name="semafuzz_identical" value="false"' in Path("o.xml").read_text()
