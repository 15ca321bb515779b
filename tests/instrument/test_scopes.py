"""Which names are shared, and which are left alone."""

from __future__ import annotations

import ast

import pytest

from semafuzz.harness.instrument.scopes import ScopeBuilder


def shared(source: str) -> set[str]:
    scopes = ScopeBuilder().build(ast.parse(source))
    return {name for scope in scopes.values() for name in scope.shared}


@pytest.mark.parametrize(
    ("source", "names"),
    [
        ("def f():\n global g\n g = 1", {"g"}),
        ("class C:\n global g\n g = 1", {"g"}),
        ("def f():\n n = 0\n def h():\n  nonlocal n\n  n = 1", {"n"}),
        ("def f():\n n = 0\n n = 1\n return lambda: n", {"n"}),
        ("def f():\n for n in ():\n  lambda: n", {"n"}),
        ("def f():\n while f:\n  n = 1\n return lambda: n", {"n"}),
        ("async def f():\n async for n in f:\n  lambda: n", {"n"}),
        ("def f():\n n = 0\n n += 1\n return lambda: n", {"n"}),
        ("def f(n):\n def h():\n  def k():\n   nonlocal n\n   n = 1", {"n"}),
        ("def f():\n n = 0\n class C:\n  def m(self):\n   nonlocal n\n   n = 1", {"n"}),
        ("def f():\n [n := v for v in ()]\n return lambda: n", {"n"}),
        ("def f():\n n = 1\n n = 2\n return [n for _ in ()]", {"n"}),
        ("def f(a, /, b, *c, d=1, **e):\n def h():\n  nonlocal a, c, e\n  a = c = e = 1", {"a", "c", "e"}),
        ("def f(v):\n n = 0\n match v:\n  case [1, *n]: pass\n return lambda: n", {"n"}),
        ("def f(v):\n n = 0\n match v:\n  case {1: _, **n}: pass\n return lambda: n", {"n"}),
        (
            "def f(v):\n n = 0\n match v:\n  case {1: _}: pass\n  case [*_]: pass\n  case n: pass\n return lambda: n",
            {"n"},
        ),
        ("def f():\n n = 0\n try: pass\n except E as n: pass\n except E: pass\n return lambda: n", {"n"}),
        ("def f():\n import n.m\n from n import n\n return lambda: n", {"n"}),
    ],
)
def test_shared(source: str, names: set[str]) -> None:
    assert shared(source) == names


@pytest.mark.parametrize(
    "source",
    [
        "g = 1\ng = 2\ndef f(): return g",
        "global g\ng = 1",
        "def f():\n n = 1\n n = 2\n return n",
        "def f():\n n = 1\n return lambda: n",
        "def f(n):\n return lambda: n",
        "def f():\n n = 1\n n = 2\n def h(n): return n",
        "def f():\n n = 1\n n = 2\n def h():\n  n = 3\n  return n",
        "def f():\n n = 1\n n = 2\n return [n for n in ()]",
        "def f():\n n = 1\n class C:\n  n = 2",
        "def f():\n return lambda n: (lambda: n)",
    ],
)
def test_not_shared(source: str) -> None:
    assert shared(source) == set()


def test_a_class_body_hides_nothing_from_its_methods() -> None:
    source = "def f():\n n = 1\n n = 2\n class C:\n  n = 3\n  def m(self): return n"
    tree = ast.parse(source)
    scopes = ScopeBuilder().build(tree)
    method = next(scope for node, scope in scopes.items() if getattr(node, "name", "") == "m")
    assert method.owner_of("n") is scopes[tree.body[0]]
    assert "n" in scopes[tree.body[0]].shared
