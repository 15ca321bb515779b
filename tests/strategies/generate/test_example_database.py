"""A damaged example database costs a warning that names what is damaged, and nothing else."""

from __future__ import annotations

import os
import subprocess
import sys
import warnings
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st
from hypothesis.database import DirectoryBasedExampleDatabase

from semafuzz.strategies.generate.example_database import DatabaseWarning, TolerantDatabase

Search = Callable[..., list[int]]


def search(folder: Path, *, reuse_only: bool = False) -> tuple[list[int], list[str]]:
    """Look for a number of at least 1000: what was tried, and the warnings."""
    tried: list[int] = []
    phases = [Phase.reuse] if reuse_only else [Phase.reuse, Phase.generate, Phase.shrink]

    @settings(database=TolerantDatabase(folder), max_examples=200, phases=phases, deadline=None, derandomize=False)
    @given(st.integers(0, 10**6))
    def run(number: int) -> None:
        tried.append(number)
        assert number < 1000

    with warnings.catch_warnings(record=True) as seen:
        warnings.simplefilter("always")
        try:
            run()
        except AssertionError:
            tried.append(-1)
    return tried, [str(one.message) for one in seen if issubclass(one.category, DatabaseWarning)]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A database with a failing example in it."""
    made = tmp_path / ".hypothesis" / "examples"
    tried, told = search(made)
    assert tried[-1] == -1
    assert told == []
    assert set(search(made, reuse_only=True)[0]) == {1000, -1}, "the shrunk example is kept"
    return made


def key_folder(folder: Path) -> Path:
    """Where the failing example is: the folder with one entry that holds its number."""
    for path in sorted(folder.glob("*/*")):
        if b"\x03\xe8" in path.read_bytes():
            return path.parent
    raise AssertionError("no such entry")


def test_an_undamaged_database_is_shared_with_hypothesis(folder: Path) -> None:
    key = b"a key"
    DirectoryBasedExampleDatabase(folder).save(key, b"\x01")
    TolerantDatabase(folder).save(key, b"\x02")
    found = set(DirectoryBasedExampleDatabase(folder).fetch(key))
    assert found == {b"\x01", b"\x02"}
    assert (folder.parent / ".gitignore").read_text() == "*\n"


@pytest.mark.parametrize("noise", [b"", b"\xff\x00noise" * 50, bytes(range(256))])
def test_entries_that_hold_no_example_are_passed_over(folder: Path, noise: bytes) -> None:
    damaged = key_folder(folder) / "0damaged"
    damaged.write_bytes(noise)
    tried, told = search(folder, reuse_only=True)
    assert {1000, -1} <= set(tried)
    # An empty file is an example without choices: something is tried for it.
    expected = [] if not noise else [f"the example database skips {damaged}: it holds no example"]
    assert [line.partition("; ")[0] for line in told] == expected


def test_a_folder_in_the_place_of_an_entry(folder: Path) -> None:
    (key_folder(folder) / "0folder").mkdir()
    tried, told = search(folder, reuse_only=True)
    assert set(tried) == {1000, -1}
    assert len(told) == 1
    assert "0folder" in told[0]


def test_a_file_in_the_place_of_a_key(folder: Path) -> None:
    place = key_folder(folder)
    for file in place.iterdir():
        file.unlink()
    place.rmdir()
    place.write_text("in the way")
    tried, told = search(folder)
    assert tried[-1] == -1, "found anew"
    assert told
    assert all(str(place) in line for line in told)


def test_a_file_in_the_place_of_the_whole(tmp_path: Path) -> None:
    place = tmp_path / "examples"
    place.write_text("in the way")
    tried, told = search(place)
    assert tried[-1] == -1
    assert [line for line in told if f"skips {place}: " in line] == told != []
    assert place.read_text() == "in the way"


AS_NOBODY = """
import os, sys, warnings
from pathlib import Path
from hypothesis import given, settings, strategies as st
from semafuzz.strategies.generate.example_database import TolerantDatabase
from hypothesis.database import DirectoryBasedExampleDatabase

os.setuid(65534)
kind = TolerantDatabase if sys.argv[2] == "ours" else DirectoryBasedExampleDatabase

@settings(database=kind(sys.argv[1]), max_examples=20)
@given(st.integers())
def run(number):
    pass

warnings.simplefilter("always")
run()
print("passed")
"""


@pytest.mark.skipif(not hasattr(os, "getuid") or os.getuid() != 0, reason="only the superuser can become somebody else")
def test_a_folder_without_permission(folder: Path) -> None:
    for above in folder.parents:
        if above.stat().st_uid == 0 and not above.stat().st_mode & 0o001 and len(above.parts) > 2:
            above.chmod(0o755)
    folder.chmod(0)

    def run(kind: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-c", AS_NOBODY, str(folder), kind],
            env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
            capture_output=True,
            text=True,
            check=False,
            timeout=240,
            cwd=folder.parent,
        )

    ours = run("ours")
    assert ours.stdout == "passed\n", ours.stderr
    assert "DatabaseWarning: the example database skips" in ours.stderr
    assert str(folder) in ours.stderr
    assert "PermissionError" in run("theirs").stderr, "Hypothesis does this by itself now"


def test_each_place_is_told_once(folder: Path) -> None:
    (key_folder(folder) / "0damaged").write_bytes(b"\xff" * 40)
    kept = TolerantDatabase(folder)
    keys = list(kept.fetch(kept._metakeys_name))
    with warnings.catch_warnings(record=True) as seen:
        warnings.simplefilter("always")
        for _ in range(3):
            for key in keys:
                list(kept.fetch(key))
    assert [one.category for one in seen] == [DatabaseWarning]
