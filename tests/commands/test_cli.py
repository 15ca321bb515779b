"""The command line as a person and a script meet it: answers, exit codes, refusals."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from collections.abc import Callable
from importlib.metadata import entry_points
from pathlib import Path
from typing import Any

import pytest

from semafuzz import __main__ as entry
from semafuzz.cli import run

Run = Callable[..., subprocess.CompletedProcess[str]]

BANK = """
import threading

LOCK = threading.Lock()


class Account:
    def __init__(self):
        self.balance = 0

    def add(self):
        self.balance += 1

    def add_safely(self):
        with LOCK:
            self.balance += 1


def _run(method):
    account = Account()
    threads = [threading.Thread(target=getattr(account, method)) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert account.balance == 2


def broken():
    _run("add")


def repaired():
    _run("add_safely")


def hangs():
    threading.Event().wait()


def takes(argument):
    pass
"""


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with a file to check, as the current one."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    (tmp_path / "bank.py").write_text(BANK)
    return tmp_path


def last_json(capsys: pytest.CaptureFixture[str]) -> dict[str, Any]:
    answer: dict[str, Any] = json.loads(capsys.readouterr().out.splitlines()[-1])
    return answer


def test_check_finds_and_replay_reproduces(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["check", "bank.py:broken", "--json"]) == 1
    answer = last_json(capsys)
    assert answer["verdict"] == "found"
    assert answer["first_failure"] == answer["schedules"]
    assert answer["exhausted"] is False
    assert set(answer["failures"][0]) >= {"kind", "message", "signature", "trace"}
    trace = answer["failures"][0]["trace"]
    assert Path(trace).is_file()
    assert run(["replay", trace]) == 1
    assert "the recorded one" in capsys.readouterr().out
    assert run(["replay", trace, "--program", "bank.py:broken", "--json"]) == 1
    assert last_json(capsys)["identical"] is True


def test_check_of_sound_code(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["check", "bank.py:repaired", "--scheduler", "random", "--schedules", "50", "--json"]) == 0
    answer = last_json(capsys)
    assert (answer["verdict"], answer["failures"], answer["schedules"]) == ("cut", [], 50)
    assert run(["check", "bank.py:repaired", "--json"]) == 0
    answer = last_json(capsys)
    assert (answer["verdict"], answer["exhausted"]) == ("complete", True)


def test_a_deadlock_is_a_failure(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["check", "bank.py:hangs", "--json"]) == 1
    assert last_json(capsys)["failures"][0]["kind"] == "deadlock"


def test_the_table_has_places_and_the_command_to_copy(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["check", "bank.py:broken"]) == 1
    out = capsys.readouterr().out
    assert "Account.add" in out
    command = next(line for line in out.splitlines() if "semafuzz replay " in line)
    assert run(command.split()[1:]) == 1
    assert shutil.which(command.split()[0]) is not None


def test_keep_going_goes_on(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["check", "bank.py:broken", "--keep-going", "--scheduler", "random", "--schedules", "60", "--json"]) == 1
    answer = last_json(capsys)
    assert answer["schedules"] == 60
    assert len(answer["failures"]) == 1


def test_a_mended_file_does_not_reproduce(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    run(["check", "bank.py:broken", "--json"])
    trace = last_json(capsys)["failures"][0]["trace"]
    file = here / "bank.py"
    file.write_text(BANK.replace('_run("add")', '_run("add_safely")'))
    assert run(["replay", trace]) in (0, 125)
    assert "has changed" in capsys.readouterr().err
    file.write_text(BANK.replace("self.balance += 1\n\n    def add_safely", "pass\n\n    def add_safely"))
    assert run(["replay", trace]) == 125
    assert "does not fit" in capsys.readouterr().err


def test_a_trace_from_elsewhere_asks_for_its_program(
    here: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    run(["check", "bank.py:broken", "--json"])
    trace = last_json(capsys)["failures"][0]["trace"]
    monkeypatch.setenv("XDG_STATE_HOME", str(here / "elsewhere"))
    assert run(["replay", trace]) == 4
    assert "--program FILE.py:broken" in capsys.readouterr().err
    assert run(["replay", trace, "--program", "bank.py:broken"]) == 1


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["check", "none.py:f"], "there is no file none.py"),
        (["check", "bank.py:none"], "has no function 'none'; it has broken"),
        (["check", "bank.py"], "not of the form"),
        (["check", "bank.py:a.b.c"], "not of the form"),
        (["check", "bank.py:takes"], "takes arguments"),
        (["check", "broken.py:f"], "does not parse, line 1"),
        (["check", "raises.py:f"], "cannot be imported (ZeroDivisionError"),
        (["check", "binary.py:f"], "cannot read"),
        (["check", "empty.py:f"], "no function at its top level"),
        (["check", "bank.py:broken", "--scheduler", "magic"], "unknown scheduler 'magic'"),
        (["check", "bank.py:broken", "--schedules", "0"], "Invalid value"),
        (["check", "bank.py:broken", "--instrument", "no.such"], "'no.such' cannot be imported"),
        (["check", "bank.py:broken", "--model", "processes"], "Invalid value"),
        (["check", "bank.py:broken", "--out", "bank.py"], "cannot write to bank.py"),
        (["replay", "none.json"], "there is no trace none.json"),
        (["replay", "bank.py"], "not a trace"),
        (["replay", "."], "is a folder"),
        (["fuzz", "pluto"], "unknown target 'pluto'"),
        (["fuzz", "--scheduler", "magic"], "unknown scheduler"),
        (["fuzz", "--release", "1.2.3"], "release '1.2.3' cannot be driven"),
        (["fuzz", "--seconds", "-1"], "Invalid value"),
        (["dance"], "No such command"),
        (["check"], "Missing argument"),
    ],
)
def test_bad_input_is_one_line_and_exit_code_4(
    here: Path, capsys: pytest.CaptureFixture[str], arguments: list[str], words: str
) -> None:
    (here / "broken.py").write_text("def f(:\n")
    (here / "raises.py").write_text("1 / 0\ndef f(): pass\n")
    (here / "binary.py").write_bytes(b"\xff\xfe\x00")
    (here / "empty.py").write_text("")
    before = sorted(path.name for path in here.iterdir())
    assert run(arguments) == 4
    err = capsys.readouterr().err
    assert words in err
    assert len(err.strip().splitlines()) == 1
    after = sorted(path.name for path in here.iterdir())
    assert [name for name in after if name not in (".semafuzz", "state")] == before


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_an_output_folder_that_cannot_be_written(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (here / "closed").mkdir(mode=0o500)
    assert run(["check", "bank.py:broken", "--out", "closed/deep"]) == 4
    assert "cannot write to closed/deep" in capsys.readouterr().err


@pytest.mark.parametrize(
    "program",
    [
        '{"type": "operations", "setup": [], "tasks": [[{"arguments": {}, "name": "explode"}]]}',
        '{"type": "operations", "setup": [], "tasks": [[{"arguments": {"instance": 9}, "name": "claim"}]]}',
    ],
)
@pytest.mark.nova
def test_traces_of_unknown_operations_and_targets(here: Path, capsys: pytest.CaptureFixture[str], program: str) -> None:
    import msgspec

    from semafuzz.harness.traces import codec
    from semafuzz.harness.traces.schema import Expected, Operations, Trace

    content = msgspec.json.decode(program, type=Operations)
    trace = Trace(
        1,
        "nova",
        "34.0.0",
        "threads",
        content,
        0,
        {},
        (),
        (),
        (),
        Expected("invariant", "x", "x", "0" * 64, 0),
        {},
        "0",
    )
    codec.write(trace, here / "odd.json")
    assert run(["replay", "odd.json"]) == 4
    assert len(capsys.readouterr().err.strip().splitlines()) == 1
    codec.write(msgspec.structs.replace(trace, target="pluto"), here / "pluto.json")
    assert run(["replay", "pluto.json"]) == 4
    assert "unknown target" in capsys.readouterr().err
    codec.write(msgspec.structs.replace(trace, release="0.1"), here / "old.json")
    assert run(["replay", "old.json"]) == 4
    assert "cannot be driven" in capsys.readouterr().err
    assert run(["replay", "odd.json", "--program", "bank.py:broken"]) == 4


def test_interrupts_and_faults_have_their_own_codes(
    here: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    from semafuzz.commands import listing

    def interrupted(what: str) -> int:
        raise KeyboardInterrupt

    def fault(what: str) -> int:
        raise RuntimeError("a fault")

    monkeypatch.setattr(listing, "run_list", interrupted)
    assert run(["list"]) == 2
    monkeypatch.setattr(listing, "run_list", fault)
    assert run(["list"]) == 3
    assert "please report" in capsys.readouterr().err


def test_help_teaches(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["--help"]) == 0
    assert "Start here" in capsys.readouterr().out
    for command in ("check", "fuzz", "replay", "list"):
        assert run([command, "--help"]) == 0
    assert "Examples" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("what", "words"), [("targets", "nova"), ("releases", "34.0.0"), ("schedulers", "pct3"), ("all", "portfolio")]
)
def test_list(capsys: pytest.CaptureFixture[str], what: str, words: str) -> None:
    assert run(["list", what]) == 0
    assert words in capsys.readouterr().out


def test_the_module_and_the_script_are_one() -> None:
    (script,) = entry_points(group="console_scripts", name="semafuzz")
    assert script.load() is entry.main


def test_another_hash_seed_changes_nothing(semafuzz: Run, tmp_path: Path) -> None:
    (tmp_path / "bank.py").write_text(BANK)
    digests = set()
    for seed in ("1", "2"):
        done = semafuzz("check", "bank.py:broken", "--json", PYTHONHASHSEED=seed)
        assert done.returncode == 1
        trace = json.loads(done.stdout.splitlines()[-1])["failures"][0]["trace"]
        again = semafuzz("replay", trace, "--json", PYTHONHASHSEED=seed)
        assert again.returncode == 1
        digests.add(json.loads(again.stdout)["digest"])
    assert len(digests) == 1


def test_progress_goes_to_standard_error_and_json_stands_alone(semafuzz: Run, tmp_path: Path) -> None:
    (tmp_path / "bank.py").write_text(BANK)
    done = semafuzz("check", "bank.py:repaired", "--schedules", "20", "--json")
    assert done.stderr == ""
    assert len(done.stdout.splitlines()) == 1
