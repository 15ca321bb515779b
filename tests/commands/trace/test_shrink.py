"""``semafuzz shrink``: smaller, and never over what was given."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from semafuzz.cli import run
from semafuzz.commands.trace.shrink import Size, _destination
from semafuzz.harness.runs.function_file import load
from semafuzz.harness.runs.origin import Origin
from semafuzz.harness.runs.session import controlled_session
from semafuzz.harness.schedulers.random_walk import RandomWalk
from semafuzz.harness.search.exploration import Exploration
from semafuzz.harness.traces import codec
from semafuzz.harness.traces.schema import Operation, Operations
from semafuzz.targets.model.scenario import Scenario

Run = Callable[..., subprocess.CompletedProcess[str]]
BANK = """
import threading


class Account:
    def __init__(self):
        self.balance = 0

    def add(self):
        for _ in range(3):
            self.balance += 1


def three():
    account = Account()
    threads = [threading.Thread(target=account.add) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert account.balance == 9
"""


@pytest.fixture
def large(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A failing run as a random walk made it."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    (tmp_path / "bank.py").write_text(BANK)
    sys.modules.pop("bank", None)
    checked = load("bank.py:three")
    sys.modules.pop("bank", None)
    with controlled_session(checked.program.modules()[1:]) as laboratory:
        search = Exploration(
            checked.program,
            RandomWalk(3),
            laboratory,
            origin=Origin("function", checked.identity),
            folder=tmp_path / "found",
            shrink_budget=0,
        )
        return Path(search.run().failures[0].trace)


def shrink(trace: Path, *options: str) -> int:
    sys.modules.pop("bank", None)
    return run(["shrink", str(trace), "--program", "bank.py:three", *options])


def test_a_random_run_becomes_one_preemption(large: Path, capsys: pytest.CaptureFixture[str]) -> None:
    given = large.read_bytes()
    assert shrink(large) == 1
    out = capsys.readouterr().out
    figures = {line.split()[0]: line.split()[1:] for line in out.splitlines() if len(line.split()) == 3}
    assert int(figures["preemptions"][0]) > 1
    assert figures["preemptions"][1] == "1"
    assert large.read_bytes() == given
    small = large.with_name(f"{large.stem}.small.json")
    assert sorted(large.parent.iterdir()) == sorted([large, small])
    command = next(line for line in out.splitlines() if " replay " in line)
    assert str(small) in command
    sys.modules.pop("bank", None)
    assert run(command.split()[1:]) == 1
    assert "the recorded one" in capsys.readouterr().out


def test_where_the_smaller_trace_goes(large: Path, capsys: pytest.CaptureFixture[str]) -> None:
    given = large.read_bytes()
    assert shrink(large, "--out", "elsewhere") == 1
    assert [one.suffix for one in Path("elsewhere").iterdir()] == [".json"]
    assert shrink(large, "--out", str(large.parent)) == 1
    assert large.read_bytes() == given
    assert shrink(large, "--in-place", "--out", "elsewhere") == 4
    assert shrink(large, "--in-place") == 1
    assert large.read_bytes() != given
    assert len(list(large.parent.iterdir())) == 2, "the one of --out"
    capsys.readouterr()
    assert shrink(large, "--in-place") == 1
    assert "nothing smaller was found" in capsys.readouterr().out


def test_what_does_not_reproduce_is_not_shrunk(large: Path, capsys: pytest.CaptureFixture[str]) -> None:
    Path("bank.py").write_text(BANK.replace("assert account.balance == 9", "assert account.balance"))
    assert shrink(large) == 0
    assert "nothing to shrink" in capsys.readouterr().out
    assert list(large.parent.iterdir()) == [large]
    Path("bank.py").write_text(BANK.replace("assert account.balance == 9", "raise KeyError"))
    assert shrink(large) == 125
    assert "another failure" in capsys.readouterr().err
    assert run(["shrink", "none.json"]) == 4
    assert run(["shrink", str(large), "--release", "33.0.2"]) == 4


def test_a_name_that_is_taken_by_the_given_trace(large: Path) -> None:
    trace = codec.read(large)
    same = large.with_name(f"{trace.expected.signature}.json")
    small = same.with_name(f"{trace.expected.signature}.small.json")
    assert _destination(same, same.parent, trace, beside=False) == small
    assert _destination(same, same.parent / "other", trace, beside=False) == same.parent / "other" / same.name


def test_sizes_compare_programs_before_schedules() -> None:
    assert Size(2, 2, 0, 0, 9, 90) < Size(2, 3, 0, 0, 1, 5) < Size(3, 3, 0, 0, 1, 5)


@pytest.mark.nova
@pytest.mark.slow
def test_a_program_of_nova_becomes_two_operations(semafuzz: Run, tmp_path: Path) -> None:
    from semafuzz.targets import find_target
    from semafuzz.targets.model.trace_origin import origin_of

    target = find_target("nova")
    setup = (Operation("instance", {"instance": 1, "role": "active", "flavor": 1}),)
    usage = Operation("update_usage", {"instance": 1})
    audit, failed = Operation("audit"), Operation("build_failed")
    scenario = Scenario(Operations(setup, ((audit, failed), (failed,), (usage, audit))))
    with target.open() as opened, controlled_session(opened.modules) as laboratory:
        origin = origin_of(target, opened, scenario)
        walk = RandomWalk(0)
        search = Exploration(
            opened.program(scenario), walk, laboratory, origin=origin, folder=tmp_path, shrink_budget=0, schedules=200
        )
        trace = Path(search.run().failures[0].trace)
    done = semafuzz("shrink", str(trace))
    assert done.returncode == 1, done.stderr
    small = codec.read(trace.with_name(f"{trace.stem}.small.json"))
    assert isinstance(small.program, Operations)
    assert small.program.setup == ()
    assert sorted(small.program.tasks, key=lambda task: task[0].name) == [(audit,), (failed,)]
    figures = {line.split()[0]: line.split()[1:] for line in done.stdout.splitlines() if len(line.split()) == 3}
    assert (figures["tasks"][1], figures["operations"][1], figures["preemptions"][1]) == ("2", "2", "1")
    assert semafuzz("replay", f"{trace.stem}.small.json").returncode == 1
