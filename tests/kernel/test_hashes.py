"""Objects are numbered in place of hashed by address, and a program that looks closely is none the worse for it."""

from __future__ import annotations

from pathlib import Path

import pytest

from semafuzz.cli import run

BEGIN = """
import gc, queue, threading
from dataclasses import dataclass
from typing import Protocol, runtime_checkable
from unittest.mock import ANY

def meanwhile():
    thread = threading.Thread(target=lambda: None)
    thread.start()
    thread.join()

class Mixin:
    def describe(self): return "x"
"""
RIGHT: dict[str, str] = {
    "a text with a mixin": """
class Name(Mixin, str): pass
def f():
    table = {Name("a"): 1}
    meanwhile()
    assert table.get("a") == 1""",
    "a number with a mixin, which nothing can refer to weakly": """
class Number(Mixin, int): pass
def f():
    table = {Number(3): 1}
    meanwhile()
    assert table.get(3) == 1""",
    "a dict with a mixin has no hash": """
class Table(Mixin, dict): pass
def f():
    meanwhile()
    try: hash(Table())
    except TypeError: return
    assert False""",
    "a frozen value with a mixin": """
@dataclass(frozen=True)
class Key:
    number: int
class Described(Mixin, Key): pass
def f():
    meanwhile()
    assert Described(1) in {Described(1): 0}""",
    "a protocol": """
@runtime_checkable
class Sized(Protocol):
    def __len__(self) -> int: ...
def f():
    meanwhile()
    assert isinstance([], Sized)""",
    "a class that a call makes anew": """
class Point:
    x: int = 0
Point = dataclass(unsafe_hash=True)(Point)
def f():
    meanwhile()
    assert len({Point(1), Point(1)}) == 1""",
    "an object that is freed": """
left = []
class Node:
    def __init__(self): self.children, self.parent = set(), None
    def __del__(self):
        if self.parent is not None: left.append(self in self.parent.children)
def f():
    left.clear()
    parent, child = Node(), Node()
    parent.children.add(child)
    child.parent = parent
    meanwhile()
    del parent, child
    gc.collect()
    assert all(left)""",
    "a queue that gets another lock": """
def f():
    lines = queue.Queue()
    table = {lines: 1}
    lines.mutex = threading.Lock()
    meanwhile()
    assert lines in table""",
    "a lock that is not to be asked whether it is true": """
class Own:
    def __init__(self): self.inner = threading.Lock()
    def acquire(self, *given): return self.inner.acquire(*given)
    def release(self): self.inner.release()
    def __bool__(self): raise RuntimeError("asked for truth")
def f():
    table = {threading.Condition(Own()): 1}
    meanwhile()""",
    "a lock that equals anything": """
def f():
    lock = threading.Lock()
    meanwhile()
    assert lock == ANY""",
}


@pytest.mark.parametrize("kind", RIGHT)
def test_what_is_right_stays_so(kind: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    name = f"hashed_{abs(hash(kind)) % 10**8}.py"
    (tmp_path / name).write_text(BEGIN + RIGHT[kind])
    assert run(["check", f"{name}:f", "--schedules", "20"]) == 0
