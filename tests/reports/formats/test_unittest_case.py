"""A trace as a unittest file: run for real, and safe whatever the trace says."""

from __future__ import annotations

import ast
import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import msgspec
import pytest

from semafuzz.cli import run
from semafuzz.harness.traces import codec
from semafuzz.harness.traces.schema import FORMAT, Expected, Function, Operation, Operations, Trace
from semafuzz.reports.formats.unittest_case import module_name, unittest_file

BANK = """
import threading

LOCK = threading.Lock()


class Account:
    def __init__(self):
        self.balance = 0

    def add(self):
        self.balance += 1


def two():
    account = Account()
    threads = [threading.Thread(target=account.add) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert account.balance == 2
"""
Exported = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture
def exported(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Exported:
    """Exports a trace of a lost update; gives what runs the file on a changed program."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    (tmp_path / "bank.py").write_text(BANK)
    sys.modules.pop("bank", None)
    assert run(["check", "bank.py:two", "--json"]) == 1
    trace = json.loads(capsys.readouterr().out.splitlines()[-1])["failures"][0]["trace"]
    assert run(["export", trace, "--out", "tests/test_bank.py"]) == 0
    assert "python -m unittest" in capsys.readouterr().out

    def test(old: str = "two", new: str = "two", *options: str, **environment: str) -> subprocess.CompletedProcess[str]:
        assert old in BANK
        (tmp_path / "bank.py").write_text(BANK.replace(old, new))
        return subprocess.run(
            [sys.executable, *options, "-m", "unittest", "-v", "tests/test_bank.py"],
            cwd=tmp_path,
            env={**os.environ, **environment},
            capture_output=True,
            text=True,
            check=False,
        )

    return test


@pytest.mark.slow
def test_it_fails_passes_and_is_skipped(exported: Exported) -> None:
    there = exported()
    assert there.returncode == 1
    assert "AssertionError: assertion: AssertionError" in there.stderr
    assert "under the recorded schedule, on " in there.stderr
    mended = exported("        self.balance += 1", "        with LOCK:\n            self.balance += 1")
    assert mended.returncode == 0, mended.stderr
    assert mended.stderr.rstrip().endswith("OK")
    gone = exported("def add(", "def add_no_more(")
    assert gone.returncode == 0
    assert "OK (skipped=1)" in gone.stderr
    assert "recorded at step" in gone.stderr


@pytest.mark.slow
def test_it_never_passes_or_fails_for_another_reason(exported: Exported, tmp_path: Path) -> None:
    broken = exported("import threading\n", "import no_such_module\n")
    assert "OK (skipped=1)" in broken.stderr, "code that does not run cannot be judged"
    assert "no_such_module" in broken.stderr
    (tmp_path / "other" / "semafuzz").mkdir(parents=True)
    (tmp_path / "other" / "semafuzz" / "__init__.py").write_text("")
    other = exported(PYTHONPATH=str(tmp_path / "other"))
    assert "FAILED (errors=1)" in other.stderr, "another package of this name exits with 1 too"


@pytest.mark.slow
def test_without_semafuzz_it_is_skipped(exported: Exported) -> None:
    done = exported("two", "two", "-S", PYTHONPATH="")
    assert "OK (skipped=1)" in done.stderr
    assert "semafuzz is not installed" in done.stderr


def trace_of(program: Function | Operations, signature: str, message: str) -> Trace:
    expected = Expected("invariant", message, signature, "0" * 64, 0, places=(message[:100],))
    target = "function" if isinstance(program, Function) else "nova"
    return Trace(FORMAT, target, "34.0.0", "threads", program, 0, {}, (), (), (), expected, {}, "0")


HOSTILE = '"""\n\'\'\'\nimport os; os._exit(3)\n#\\" {SUMMARY} {0} %s \u2028 \x0c \N{PILE OF POO} \r\n'


def shape(source: str) -> str:
    """The code of a file without its constants and the name of its class."""
    tree = ast.parse(source)
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant):
            node.value = None
        if isinstance(node, ast.ClassDef):
            node.name = "Test"
    return ast.dump(tree)


@pytest.mark.parametrize("kind", ["function", "operations"])
def test_no_text_of_a_trace_becomes_code(kind: str) -> None:
    def made(text: str) -> Trace:
        name = text[:150]
        function = Function(text, name, "0" * 64)
        program = function if kind == "function" else Operations((), ((Operation(name),),))
        return trace_of(program, name, text)

    def written(text: str) -> str:
        return unittest_file(made(text), program=(text, text) if kind == "function" else None)

    hostile, plain = written(HOSTILE), written("plain")
    assert shape(hostile) == shape(plain)
    assert hostile.isascii()
    values = {
        node.targets[0].id: ast.literal_eval(node.value)
        for node in ast.parse(hostile).body
        if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name)
    }
    assert values["TRACE"].encode() == codec.encode(made(HOSTILE))
    assert HOSTILE in values["SUMMARY"]


def test_the_shape_check_can_fail() -> None:
    assert shape("x = 'a'") == shape("x = 'b'")
    assert shape("x = 'a'") != shape("x = 'a'; import os")


def test_names_are_made_of_plain_letters() -> None:
    trace = trace_of(Operations((), ((Operation("audit"),),)), "../a-B'9", "m")
    assert module_name(trace) == "test_ab9"
    assert (
        module_name(msgspec.structs.replace(trace, expected=Expected("k", "m", "../", "0" * 64, 0))) == "test_finding"
    )


def test_export_refuses_what_it_cannot_do(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    codec.write(trace_of(Operations((), ((Operation("audit"),),)), "abc", "m"), tmp_path / "nova.json")
    codec.write(trace_of(Function("f.py", "f", "0" * 64), "abc", "m"), tmp_path / "function.json")
    pluto = msgspec.structs.replace(codec.read(tmp_path / "nova.json"), target="pluto")
    codec.write(pluto, tmp_path / "pluto.json")
    for arguments, words in (
        (["none.json"], "there is no trace"),
        (["pluto.json"], "unknown target"),
        (["nova.json", "--program", "f.py:f"], "--program goes with"),
        (["function.json"], "was not run on this machine"),
        (["function.json", "--program", "f.py:f"], "f.py:f is not it"),
        (["nova.json", "--as", "poem"], "poem"),
    ):
        assert run(["export", *arguments]) == 4
        assert words in capsys.readouterr().err
    assert run(["export", "nova.json"]) == 0
    assert run(["export", "nova.json"]) == 4
    assert "test_abc.py is there already" in capsys.readouterr().err
