"""Findings as patches for Nova's own tests."""

from __future__ import annotations

import importlib.util
import re
import shutil
import subprocess
from pathlib import Path

import pytest

from semafuzz.targets import find_target
from semafuzz.targets.model.configured_target import catalogue_of
from semafuzz.targets.nova.patches import FIX, TEST, patches_of, reproduced
from tests.conftest import Run

TESTS = "nova/tests/functional/regressions"


def test_each_is_of_a_finding_of_the_catalogue() -> None:
    assert {*reproduced()} <= {defect.name for defect in catalogue_of(find_target("nova"))}
    assert len(reproduced()) >= 11
    assert any(FIX in patches_of(name) for name in reproduced())


@pytest.mark.nova
@pytest.mark.parametrize("name", reproduced())
def test_they_apply_to_the_release(name: str, semafuzz: Run, tmp_path: Path) -> None:
    """The test is a file of its own, and whole; a fix fits the released code."""
    spec = importlib.util.find_spec("nova")
    assert spec is not None
    assert spec.submodule_search_locations is not None
    released = Path(spec.submodule_search_locations[0])
    done = semafuzz("export", "--for", "nova", name)
    assert done.returncode == 0, done.stderr
    checkout = tmp_path / "checkout"
    (checkout / TESTS).mkdir(parents=True)
    for file in re.findall(r"^--- a/(\S+)", done.stdout, flags=re.MULTILINE):
        (checkout / file).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(released.parent / file, checkout / file)
    subprocess.run(["git", "init", "-q", "."], cwd=checkout, check=True)
    subprocess.run(["git", "apply", "-"], cwd=checkout, check=True, input=done.stdout, text=True)
    (made,) = (checkout / TESTS).glob("test_*.py")
    code = made.read_text()
    compile(code, str(made), "exec")
    assert made.stem == f"test_{name.replace('-', '_')}"
    assert all(len(line) < 80 for line in code.splitlines())
    assert "semafuzz" not in code


def test_it_is_never_written_over_a_file(semafuzz: Run, tmp_path: Path) -> None:
    assert semafuzz("export", "--for", "nova", "resize-confirmed-twice", "--out", "it.patch").returncode == 0
    again = semafuzz("export", "--for", "nova", "resize-confirmed-twice", "--out", "it.patch")
    assert again.returncode == 4
    assert "is there already" in again.stderr


@pytest.mark.parametrize(
    ("name", "said"),
    [("nothing-like-it", "neither a trace nor a name"), ("half-saved-resize", "there are for attach-without-devices")],
)
def test_what_has_none_is_told(semafuzz: Run, name: str, said: str) -> None:
    done = semafuzz("export", "--for", "nova", name)
    assert done.returncode == 4
    assert said in done.stderr
    assert TEST not in done.stdout
