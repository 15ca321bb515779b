"""Traces that name what is not there (any more): one clear line, the right exit code."""

from __future__ import annotations

from pathlib import Path

import msgspec
import pytest

from semafuzz.cli import run
from semafuzz.harness.traces import codec
from semafuzz.harness.traces.schema import FORMAT, Expected, Function, Operation, Operations, Trace

AUDIT = Operation("audit")


@pytest.fixture
def trace() -> Trace:
    """A trace of one audit; no run made it."""
    expected = Expected("invariant", "m", "0" * 12, "0" * 64, 0, identity=("invariant", "x"))
    program = Operations((), ((AUDIT,),))
    return Trace(FORMAT, "nova", "34.0.0", "threads", program, 0, {}, (), (), (), expected, {}, "0")


def answer(
    trace: Trace, folder: Path, capsys: pytest.CaptureFixture[str], command: str = "replay", *options: str
) -> tuple[int, str]:
    """The exit code, and the one line of the message."""
    path = codec.write(trace, folder / "trace.json")
    code = run([command, str(path), *options])
    lines = capsys.readouterr().err.strip().splitlines()
    assert len(lines) <= 1, lines
    return code, lines[0] if lines else ""


@pytest.mark.parametrize("command", ["replay", "shrink", "export"])
def test_a_target_that_is_not_there(
    trace: Trace, tmp_path: Path, capsys: pytest.CaptureFixture[str], command: str
) -> None:
    code, said = answer(msgspec.structs.replace(trace, target="pluto"), tmp_path, capsys, command)
    assert code == 4
    assert "unknown target 'pluto'" in said


@pytest.mark.parametrize("command", ["replay", "shrink"])
def test_a_release_that_is_none(trace: Trace, tmp_path: Path, capsys: pytest.CaptureFixture[str], command: str) -> None:
    for release, words in (
        ("0.1", "cannot be driven"),
        ("x; y", "is not a release of Nova"),
        ("source", "say which it is now with --source DIR"),
    ):
        code, said = answer(msgspec.structs.replace(trace, release=release), tmp_path, capsys, command)
        assert (code, words in said) == (4, True), said


def test_options_that_do_not_go_together(trace: Trace, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    function = msgspec.structs.replace(trace, target="function", program=Function("f.py", "f", "0" * 64))
    for made, options, words in (
        (trace, ("--release", "33.0.2", "--source", "."), "exclude each other"),
        (trace, ("--source", str(tmp_path)), "holds no Nova"),
        (trace, ("--program", "f.py:f"), "--program goes with"),
        (function, ("--source", "."), "go with traces of Nova"),
        (function, ("--release", "33.0.2"), "go with traces of Nova"),
        (function, (), "was not checked on this machine"),
    ):
        for command in ("replay", "shrink"):
            code, said = answer(made, tmp_path, capsys, command, *options)
            assert (code, words in said) == (4, True), said


@pytest.mark.nova
@pytest.mark.slow
def test_what_the_target_has_no_more(trace: Trace, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    replace = msgspec.structs.replace
    for made, words in (
        (replace(trace, program=Operations((), ((Operation("dance"),),))), "no operation 'dance'"),
        (replace(trace, configuration={"no_such_option": 1}), "no option 'no_such_option'"),
        (replace(trace, faults=(Operation("no_such_fault", {"task": 0, "call": 1}),)), "no fault 'no_such_fault'"),
        (replace(trace, program=Operations((Operation("instance", {"instance": 1}),), ((AUDIT,),))), "set-up"),
    ):
        code, said = answer(made, tmp_path, capsys)
        assert (code, words in said) == (4, True), said
    code, said = answer(trace, tmp_path, capsys)
    assert (code, "fits, but the run under it is not the recorded one" in said) == (125, True), "its digest is made up"


SETS = """
import threading

class Names:
    def __init__(self):
        self.count = 0
        self.seen = []

    def add(self):
        before = self.count
        self.seen.append(next(iter({"alpha", "beta", "gamma"})))
        self.count = before + 1

def lost():
    names = Names()
    threads = [threading.Thread(target=names.add) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert names.count == 2
"""


def test_a_trace_of_another_hash_seed_reproduces_where_the_failure_shows(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """As those are that pytest and unittest leave; its events need not be the recorded ones, then."""
    monkeypatch.setenv("PYTHONHASHSEED", "0")
    (tmp_path / "names.py").write_text(SETS)
    assert run(["check", f"{tmp_path / 'names.py'}:lost", "--schedules", "100", "--out", str(tmp_path / "out")]) == 1
    capsys.readouterr()
    (path,) = (tmp_path / "out").glob("*.json")
    made = codec.read(path)
    other = msgspec.structs.replace(made, expected=msgspec.structs.replace(made.expected, digest="0" * 64))
    for hash_seed, expected in (("random", 1), ("7", 1), ("0", 125)):
        codec.write(msgspec.structs.replace(other, hash_seed=hash_seed), path)
        assert run(["replay", str(path)]) == expected, hash_seed
        said = capsys.readouterr().out
        assert ("recorded with another hash seed" in said) == (expected == 1)
