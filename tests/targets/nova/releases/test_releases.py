"""Older releases on libraries of their time: a defect that is known, and its first fix.

Needs the package index, or what was fetched before; skipped where neither is there.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import textwrap
from pathlib import Path
from typing import Any

import pytest

from semafuzz.harness.errors import UsageError
from semafuzz.targets.nova.releases import environments, library_sets
from semafuzz.targets.nova.releases.library_sets import LibrarySet

ROOT = Path(__file__).resolve().parents[4]
EXPLORE = """
    import json, sys, warnings

    warnings.simplefilter("ignore")
    from semafuzz.harness.search.exploration import Exploration
    from semafuzz.harness.runs.session import controlled_session
    from semafuzz.harness.schedulers.portfolio import Portfolio
    from semafuzz.harness.traces.schema import Operation, Operations
    from semafuzz.targets import find_target
    from semafuzz.targets.model.scenario import Scenario

    release, operation, role, flavor, schedules = sys.argv[1:6]
    setup = (Operation("instance", {"instance": 1, "role": role, "flavor": int(flavor)}),)
    tasks = ((Operation(operation, {"instance": 1}),), (Operation("audit"),))
    with find_target("nova").open(release) as opened, controlled_session(opened.modules) as laboratory:
        program = opened.program(Scenario(Operations(setup, tasks)))
        search = Exploration(
            program, Portfolio(0), laboratory, schedules=int(schedules), stop_on_first=False, shrink_budget=0
        )
        failures = search.run().failures
    print(json.dumps([[one.severity, one.kind, one.message] for one in failures]))
"""


ALONE = """
    import json, sys, warnings

    warnings.simplefilter("ignore")
    from semafuzz.harness.runs.session import controlled_session
    from semafuzz.harness.runs.program import execute
    from semafuzz.harness.runs.execution_config import ExecutionConfig
    from semafuzz.harness.schedulers.serial_order import SerialOrder
    from semafuzz.harness.traces.schema import Operation, Operations
    from semafuzz.targets import find_target
    from semafuzz.targets.model.protocol import ImpossibleStartError
    from semafuzz.targets.model.scenario import Scenario

    found, target = set(), find_target("nova")
    with target.open(sys.argv[1]) as opened, controlled_session(opened.modules, instrument=False) as laboratory:
        for info in target.operations():
            for flavor in (1, 11):
                setup = (Operation("instance", {"instance": 1, "role": info.before or "active", "flavor": flavor}),)
                task = (Operation(info.name, {"instance": 1} if info.on_instance else {}),)
                try:
                    program = opened.program(Scenario(Operations(setup, (task,))))
                    outcome = execute(program, SerialOrder((0,)), ExecutionConfig(bytearray(1 << 17), "eventlet"))
                except ImpossibleStartError:
                    continue
                laboratory.control.between_executions()
                found |= {(info.name, one.error_type) for one in outcome.failures if one.kind == "exception"}
    print(json.dumps(sorted(found)))
"""


def explore(release: str, operation: str, role: str, schedules: int = 40, flavor: int = 3) -> Any:
    """What an operation beside an audit shows in a release, in an environment of its own."""
    return told(EXPLORE, release, operation, role, str(flavor), str(schedules))


def told(script: str, release: str, *arguments: str) -> Any:
    """What a script prints in the environment of a release."""
    try:
        python = environments.of_release(release).python
    except UsageError as error:
        pytest.skip(f"Nova {release} cannot be had here: {error}")
    done = subprocess.run(
        [python, "-c", textwrap.dedent(script), release, *arguments],
        capture_output=True, text=True, check=False, timeout=900,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
    )  # fmt: skip
    assert done.returncode == 0, done.stderr[-2000:]
    return json.loads(done.stdout.splitlines()[-1])


@pytest.mark.nova
@pytest.mark.slow
def test_a_confirmed_resize_that_is_dropped_twice_was_fixed_in_21_1_1() -> None:
    """Launchpad 1879878: the migration is saved as confirmed before the lock is taken."""
    found = explore("21.1.0", "drop_move_claim_at_source", "leaving")
    assert {(severity, message.partition(":")[0]) for severity, _, message in found} == {
        ("error", "CPUUnpinningInvalid")
    }
    assert explore("21.1.1", "drop_move_claim_at_source", "leaving") == []


@pytest.mark.nova
@pytest.mark.slow
@pytest.mark.parametrize(
    "release",
    ["16.1.8", "17.0.13", "18.3.0", "19.3.2", "20.6.1", "22.4.0", "25.3.0", "26.3.0", "27.5.1", "28.3.1", "31.3.1"],
)
def test_a_release_of_each_kind_runs_and_its_claims_are_sound(release: str) -> None:
    found = explore(release, "claim", "new", schedules=8, flavor=1)
    assert [one for one in found if one[0] == "error"] == []


@pytest.mark.nova
@pytest.mark.slow
@pytest.mark.parametrize("release", ["16.1.8", "17.0.13", "18.0.3", "22.4.0", "23.2.2", "27.5.1"])
def test_no_operation_alone_fails_for_a_reason_of_ours(release: str) -> None:
    """What is left is Nova's own, and in the catalogue: lp1860555, attach-without-devices."""
    found = {tuple(one) for one in told(ALONE, release)}
    left = {(name, "LeftDevicesError") for name in ("claim_abort", "boot_fails")}
    assert found == ({("attach_port", "IndexError")} if release == "27.5.1" else left)


# --------------------------------------------------------- library sets


def test_which_libraries_a_release_runs_on() -> None:
    names = {release: library_sets.set_for(release) for release in ("34.0.0", "26.0.0", "25.3.0", "16.0.0")}
    assert {release: one and one.name for release, one in names.items()} == {
        "34.0.0": None, "26.0.0": None, "25.3.0": "2023-01", "16.0.0": "2023-01",
    }  # fmt: skip
    with pytest.raises(UsageError, match=r"'15\.1\.5' cannot be driven yet: 16\.0\.0 is the oldest"):
        library_sets.set_for("15.1.5")


def test_every_lock_pins_with_hashes() -> None:
    for one in library_sets.SETS:
        lines = one.lock.read_text().splitlines()
        pins = [line for line in lines if line and not line.startswith((" ", "#"))]
        assert all("==" in line and line.endswith("\\") for line in pins)
        assert {"greenlet", "msgspec", "hypothesis", "openstack-placement"} <= {
            line.partition("==")[0] for line in pins
        }


@pytest.fixture
def small(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> LibrarySet:
    """A set without libraries, in a cache of its own."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    monkeypatch.setattr(library_sets, "LOCKS", tmp_path)
    monkeypatch.setattr(library_sets, "PYTHON", sys.version_info[:2])
    (tmp_path / "2000-01.txt").write_text("")
    return LibrarySet("2000-01", "1", "2")


def test_an_environment_is_made_once(
    small: LibrarySet, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    asked: list[Path] = []

    def install(self: LibrarySet, folder: Path) -> None:
        asked.append(folder)
        (folder / "bin").mkdir()
        (folder / "bin" / "python").write_text("")

    monkeypatch.setattr(LibrarySet, "_install", install)
    assert not small.is_made()
    assert small.make() == small.python
    assert small.python.exists()
    assert "making an environment with the libraries of 2000-01" in capsys.readouterr().err
    assert small.make() == small.python
    assert len(asked) == 1
    assert [one.name for one in small.folder.parent.iterdir()] == [small.folder.name]


def test_what_cannot_be_installed_leaves_nothing(small: LibrarySet, monkeypatch: pytest.MonkeyPatch) -> None:
    failing = [sys.executable, "-c", "import sys; sys.exit('error: no such package')"]
    monkeypatch.setattr(LibrarySet, "_commands", lambda self, folder: iter([failing]))
    with pytest.raises(UsageError, match=r"cannot be installed \(error: no such package\)"):
        small.make()
    assert list(small.folder.parent.iterdir()) == []
    monkeypatch.setattr(library_sets, "PYTHON", (2, 7))
    with pytest.raises(UsageError, match=r"run on Python 2\.7 only"):
        small.make()
