"""Kinds of accesses that a hostile trial found unseen: each is looked at twice, and changed once by another thread."""

from __future__ import annotations

import pytest

from tests.rotation import in_turn
from tests.soundness.conftest import Check

EXHAUSTIVE = ("--scheduler", "exhaustive", "--schedules", "500")

TWO_LOOKS = """
import collections, ctypes, functools, logging, operator, struct, sys, threading, traceback, types, unittest, warnings
STATE = 0
class Text(str): pass
class Number(int): pass
class Pair(collections.namedtuple("Pair", "a b")): pass
class Frozen(frozenset): pass
class Table(dict): pass
class Base:
    n = 0
class Slotted:
    __slots__ = ("n",)
    def __init__(self):
        self.n = 0
class Idle: pass
class Busy(Idle): pass
class Meta(type):
    n = 0
class Made(metaclass=Meta): pass
class Module(types.ModuleType): pass
def f():
    name = 0
    {setup}
    def change():
        {change}
    worker = threading.Thread(target=change)
    worker.start()
    first = {look}
    second = {look}
    worker.join()
    assert first == second, (first, second)
"""
SEEN: dict[str, tuple[str, str, str]] = {
    "an import": ("", "nonlocal name; import struct as name", "name"),
    "a def": ("", "nonlocal name\n        def name(): pass", "name"),
    "a class": ("", "nonlocal name\n        class name: pass", "name"),
    "a pattern": ("", "nonlocal name\n        match 5:\n            case name: pass", "name"),
    "a starred pattern": ("", "nonlocal name\n        match [5]:\n            case [*name]: pass", "name"),
    "globals()": ("globals()['STATE'] = 0", "globals()['STATE'] = 1", "STATE"),
    "update of globals()": ("globals().update(STATE=0)", "globals().update(STATE=1)", "STATE"),
    "the module": ("sys.modules[__name__].STATE = 0", "sys.modules[__name__].STATE = 1", "STATE"),
    "a module's dictionary": ("m = types.ModuleType('m'); m.n = 0", "m.__dict__['n'] = 1", "m.n"),
    "a deleted variable": ("m = types.ModuleType('m'); m.n = 0", "del m.n", "hasattr(m, 'n')"),
    "a module of a class": ("m = Module('m'); m.n = 0", "m.n = 1", "m.n"),
    "the class of a module": ("m = Module('m')", "m.__class__ = types.ModuleType", "type(m)"),
    "an attribute of text": ("x = Text('a'); x.n = 0", "x.n = 1", "x.n"),
    "one of a number": ("x = Number(1); x.n = 0", "x.n = 1", "x.n"),
    "one of a tuple": ("x = Pair(1, 2); x.n = 0", "x.n = 1", "x.n"),
    "one of a frozen set": ("x = Frozen('a'); x.n = 0", "x.n = 1", "x.n"),
    "a namespace": ("x = types.SimpleNamespace(n=0)", "x.n = 1", "repr(x)"),
    "an exception's attribute": ("e = ValueError(); e.n = 0", "e.n = 1", "e.n"),
    "what an exception holds": ("xs = [1]; e = ValueError(xs)", "xs.append(2)", "str(e)"),
    "a memoryview": ("b = bytearray(b'0'); m = memoryview(b)", "b[0] = 50", "m.tolist()"),
    "a number of bytes": ("b = bytearray(b'0')", "b[0] = 50", "int(b)"),
    "a method by its name": ("xs = []", "operator.methodcaller('append', 1)(xs)", "len(xs)"),
    "an iterator with a sentinel": ("xs = [1, 2]; i = iter(xs.pop, None)", "next(i)", "len(xs)"),
    "the text of a dictionary's subclass": ("q = Table(a=1)", "q.update(c=1)", "str(q)"),
    "a slot by its descriptor": ("a = Slotted()", "Slotted.n.__set__(a, 1)", "a.n"),
    "another class": ("a = Idle()", "a.__class__ = Busy", "type(a)"),
    "whether it is of another class": ("a = Idle()", "a.__class__ = Busy", "isinstance(a, Busy)"),
    "a class's dictionary": ("Base.n = 0", "Base.n = 1", "vars(Base)['n']"),
    "a metaclass": ("Meta.n = 0", "Meta.n = 1", "Made.n"),
    "the names of an object": ("a = Idle()", "a.n = 1", "'n' in dir(a)"),
    "what an assertion compares": (
        "xs = [0]; t = unittest.TestCase()", "xs.append(1)", "t.assertIn(0, xs) or len(xs)"
    ),
    "which threads there are": ("", "pass", "threading.active_count()"),
}  # fmt: skip
NEVER_PROVED: dict[str, tuple[str, str, str, str]] = {
    "a method that is exchanged": ("Base.go = lambda s: 0", "Base.go = lambda s: 1", "Base().go()", "methods"),
    "a function's code": ("g = lambda: 0; h = lambda: 1", "g.__code__ = h.__code__", "g()", "function"),
    "memory of C": ("x = (ctypes.c_int * 2)()", "x[:] = [1, 2]", "x[:]", "ctypes"),
    "the inside of a semaphore": ("s = threading.Semaphore(1)", "s.acquire()", "s._value", "_value"),
    "a text of two attributes": ("b = Base(); b.m = 0", "b.n = 1; b.m = 1", "'{0.n}{0.m}'.format(b)", "one step"),
}


@pytest.mark.parametrize("kind", in_turn(SEEN, always=3))
def test_it_is_found(check: Check, kind: str) -> None:
    setup, change, look = SEEN[kind]
    answer = check(TWO_LOOKS.format(setup=setup, change=change, look=look), *EXHAUSTIVE)
    assert answer["verdict"] == "found", answer


@pytest.mark.parametrize("kind", NEVER_PROVED)
def test_it_is_never_proved(check: Check, kind: str) -> None:
    setup, change, look, word = NEVER_PROVED[kind]
    answer = check(TWO_LOOKS.format(setup=setup, change=change, look=look), *EXHAUSTIVE)
    assert answer["verdict"] == "found" or word in str(answer["limits"]), answer
    assert answer["verdict"] != "complete"


CALLS_BACK = """
import copy, heapq, json, threading
def f():
    table, names = {{1: 1, 2: 2}}, ["b", "a"]
    worker = threading.Thread(target=lambda: (table.update({{3: 3}}), names.append("c")))
    worker.start()
    {call}
    worker.join()
"""


@pytest.mark.parametrize(
    "call",
    in_turn(
        [
            "max(table, key=lambda key: -key)",
            "copy.deepcopy(table)",
            "json.dumps(table, indent=1)",
            "list(heapq.merge(names, ['z']))",
            "names.extend(one for one in names[:1])",
        ],
        always=3,
    ),
)
def test_what_runs_code_on_its_way_is_no_step_that_proves(check: Check, call: str) -> None:
    answer = check(CALLS_BACK.format(call=call), *EXHAUSTIVE)
    assert answer["verdict"] != "complete"
    alone = CALLS_BACK.format(call="worker.join(); " + call)
    assert check(alone, *EXHAUSTIVE)["verdict"] == "complete"


FOUND_BY_A_PROXY = """
import threading
from unittest.mock import Mock
class Proxy:
    @property
    def __class__(self):
        self.asked = self.asked + 1
        return dict
    def __init__(self):
        self.asked = 0
        self.n = 0
class PerThread(threading.local):
    def __init__(self):
        self.closed = False
def f():
    proxy, service, mine = Proxy(), Mock(), PerThread()
    service.n = 0
    def add():
        mine.closed = True
        {one}.n = {one}.n + 1
    threads = [threading.Thread(target=add) for _ in range(2)]
    [t.start() for t in threads], [t.join() for t in threads]
    assert {one}.n == 2
"""


@pytest.mark.parametrize("one", ["proxy", "service"])
def test_who_looks_at_values_runs_no_code_of_the_program(check: Check, one: str) -> None:
    """The replay that confirms a finding shows values; accesses of its own would make it another run."""
    answer = check(FOUND_BY_A_PROXY.format(one=one))
    assert (answer["verdict"], answer.get("not_confirmed", [])) == ("found", [])


def test_a_search_goes_on_past_what_is_not_confirmed(check: Check) -> None:
    source = """
import os, threading
def f():
    box = {"n": 0}
    if os.path.exists("once"):
        os.unlink("once")
        raise ValueError("only the first time")
    def add():
        box["n"] = box["n"] + 1
    threads = [threading.Thread(target=add) for _ in range(2)]
    [t.start() for t in threads], [t.join() for t in threads]
    assert box["n"] == 2
"""
    answer = check(source, beside={"once": ""})
    assert [one["message"] for one in answer["not_confirmed"]] == ["ValueError: only the first time"]
    assert answer["verdict"] == "found", answer


def test_one_calendar_for_all_code(check: Check) -> None:
    answer = check(
        "import threading, email.utils\nfrom datetime import datetime, timezone\n"
        "def f():\n"
        "    here = datetime.now(timezone.utc)\n"
        "    there = email.utils.localtime()\n"
        "    assert abs((here - there).total_seconds()) < 60\n"
    )
    assert answer["failures"] == [], answer
