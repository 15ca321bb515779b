"""Traces made before the name of a thread that is to start was left out of what a task is about to do."""

from __future__ import annotations

from pathlib import Path

import msgspec
import pytest

from semafuzz.cli import FOUND, run
from semafuzz.harness.traces import codec

PROGRAM = """
import threading
def f():
    box = {"n": 0}
    def add():
        box["n"] = box["n"] + 1
    a, b = threading.Thread(target=add), threading.Thread(target=add)
    a.start(); b.start(); a.join(); b.join()
    assert box["n"] == 2
"""


def test_a_trace_with_names_of_threads_replays(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("named_threads.py").write_text(PROGRAM)
    assert run(["check", "named_threads.py:f", "--out", "out"]) == FOUND
    path = next(Path("out").glob("*.json"))
    trace = codec.read(path)
    assert "spawn" in trace.words
    words = ["spawn Thread-2 (add)" if word == "spawn" else word for word in trace.words]
    codec.write(msgspec.structs.replace(trace, words=type(trace.words)(words)), path)
    assert run(["replay", str(path), "--program", "named_threads.py:f"]) == FOUND
