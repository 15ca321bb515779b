"""Both ways of instrumenting: they are reversible and keep the lines."""

from __future__ import annotations

import importlib
import json
import os
import subprocess
import sys
import traceback
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

import pytest

from semafuzz.harness.instrument.apply import importing, instrumented
from semafuzz.harness.kernel import event_kinds as op
from semafuzz.harness.kernel.execution import Execution
from semafuzz.harness.kernel.install.control import installed
from semafuzz.harness.kernel.sites import SITES
from semafuzz.harness.schedulers.random_walk import RandomWalk

SOURCE = '''\
class Counter:
    def __init__(self):
        self.value = 0

    def add(self):
        """Adds."""
        self.value += 1
        return self.value

    def fail(self):
        self.add()
        return (
            self.value
            / 0
        )


def make():
    total = 0

    def add():
        nonlocal total
        total += 1
        return total

    return add


KEPT = make()


def run():
    counter = Counter()
    counter.add()
    return counter.add(), KEPT()
'''


@pytest.fixture
def module(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[ModuleType]:
    (tmp_path / "applied_module.py").write_text(SOURCE, encoding="utf-8")
    monkeypatch.syspath_prepend(str(tmp_path))
    yield importlib.import_module("applied_module")
    sys.modules.pop("applied_module", None)


def memory_events(module: ModuleType) -> list[str]:
    with installed(stall=0):
        execution = Execution(RandomWalk(0), bytearray(len(SITES) + 4096))
        execution.add_task(module.run, "one")
        outcome = execution.run()
    assert outcome.failures == []
    return [f"{op.KIND_NAMES[kind]} {name}" for kind, _, _, name, _ in outcome.events if kind in op.MEMORY]


EXPECTED = ["write value", "read value", "write value", "read value"]


def test_loaded_module_is_heard_inside_the_block_only(module: ModuleType) -> None:
    assert memory_events(module) == []
    with instrumented([module]) as applied:
        assert memory_events(module)[:4] == EXPECTED
        assert "applied_module.make.<locals>.add" in applied.left
    assert memory_events(module) == []


def test_loaded_module_is_put_back(module: ModuleType) -> None:
    names, code = sorted(vars(module)), module.Counter.add.__code__
    function = module.Counter.add
    with instrumented([module]):
        assert module.Counter.add is function
        assert module.Counter.add.__code__ is not code
        assert module.Counter.add.__doc__ == "Adds."
    assert module.Counter.add.__code__ is code
    assert sorted(vars(module)) == names


def test_module_is_heard_when_it_was_imported_in_the_block(module: ModuleType) -> None:
    del sys.modules["applied_module"]
    with importing(["applied_module"]):
        fresh = importlib.import_module("applied_module")
    assert memory_events(fresh)[:4] == EXPECTED
    del sys.modules["applied_module"]
    assert memory_events(importlib.import_module("applied_module")) == []


def test_import_hook_leaves_no_compiled_file_behind(tmp_path: Path, module: ModuleType) -> None:
    before = {path.name: path.read_bytes() for path in (tmp_path / "__pycache__").glob("applied_module*")}
    del sys.modules["applied_module"]
    with importing(["applied_module"]):
        importlib.import_module("applied_module")
    after = {path.name: path.read_bytes() for path in (tmp_path / "__pycache__").glob("applied_module*")}
    assert after == before


def lines_of_failure(module: ModuleType) -> list[int | None]:
    try:
        module.Counter().fail()
    except ZeroDivisionError as error:
        return [
            frame.lineno for frame in traceback.extract_tb(error.__traceback__) if "applied_module" in frame.filename
        ]
    return []


def test_lines_in_tracebacks_are_kept(module: ModuleType) -> None:
    expected = lines_of_failure(module)
    assert expected == [13]
    with instrumented([module]):
        assert lines_of_failure(module) == expected


def covered(folder: Path, *, instrument: bool) -> list[int]:
    script = (
        "import contextlib, applied_module\n"
        "from semafuzz.harness.instrument.apply import instrumented\n"
        f"with instrumented([applied_module]) if {instrument} else contextlib.nullcontext():\n"
        "    applied_module.run()\n"
    )
    (folder / "script.py").write_text(script, encoding="utf-8")
    data = folder / f"data_{instrument}"
    root = str(Path(__file__).parents[2])
    environment = {**os.environ, "COVERAGE_FILE": str(data), "PYTHONPATH": f"{root}{os.pathsep}{folder}"}
    environment.pop("COVERAGE_PROCESS_START", None)
    run = [sys.executable, "-m", "coverage"]
    include = ["--include", "*/applied_module.py"]
    subprocess.run(
        [*run, "run", "--rcfile", os.devnull, *include, "script.py"], cwd=folder, env=environment, check=True
    )
    out = folder / "out.json"
    subprocess.run(
        [*run, "json", "--rcfile", os.devnull, "-q", "-o", str(out)], cwd=folder, env=environment, check=True
    )
    (report,) = json.loads(out.read_text())["files"].values()
    lines: list[int] = report["executed_lines"]
    return lines


@pytest.mark.slow
def test_coverage_counts_the_same_lines_beside_us(module: ModuleType, tmp_path: Path) -> None:
    pytest.importorskip("coverage")
    assert covered(tmp_path, instrument=True) == covered(tmp_path, instrument=False)
