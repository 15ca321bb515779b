"""Rewritten code does what it did, and says what it touches.

``constructs.txt`` has one sample for each construct: its name, a source that
defines ``act()``, and after ``=>`` the accesses that must be recorded.
"""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from semafuzz.harness.instrument.rewriter import hook_name

from .conftest import answer_of, in_task, plain, rewritten, watch


def constructs() -> list[object]:
    made = []
    text = (Path(__file__).parent / "constructs.txt").read_text()
    for block in text.split("## ")[1:]:
        name, _, rest = block.partition("\n")
        source, _, accesses = rest.rpartition("\n=> ") if "\n=> " in rest else rest.rpartition("\n=>")
        made.append(pytest.param(source, [one for one in accesses.strip().split("; ") if one], id=name))
    return made


@pytest.mark.parametrize(("source", "accesses"), constructs())
@pytest.mark.wide
def test_construct(source: str, accesses: list[str]) -> None:
    expected = repr(answer_of(plain(source).act))
    assert repr(answer_of(rewritten(source).act)) == expected
    watched = watch(source)
    assert repr(watched.answer) == expected
    assert watched.accesses == accesses


OPERATORS = ["+", "-", "*", "/", "//", "%", "**", "<<", ">>", "|", "^", "&"]
AUGMENTED = """
class Box: pass
class Both:
    def __imatmul__(self, other): return ("imatmul", other)
N = START
def act():
    global N
    box = Box(); box.x = START; items = [START]; n = START
    box.x OP= OTHER
    items[0] OP= OTHER
    N OP= OTHER
    n OP= OTHER
    return box.x, items, N, n
"""


@pytest.mark.parametrize("operator", [*OPERATORS, "@"])
@pytest.mark.wide
def test_every_augmented_assignment_is_a_read_and_a_write(operator: str) -> None:
    start, other = ("Both()", "5") if operator == "@" else ("13", "int('3')")
    source = AUGMENTED.replace("START", start).replace("OTHER", other).replace("OP", operator)
    watched = watch(source)
    assert watched.answer == answer_of(rewritten(source).act) == answer_of(plain(source).act)
    assert watched.accesses[1:7] == [
        *("read Box.x", "write Box.x", "read-item list[0]", "write-item list[0]"),
        *("read globals.N", "write globals.N"),
    ]


@pytest.mark.parametrize(
    ("start", "step", "writes"),
    [("[1]", "+= [2]", 1), ("[1]", "*= 2", 0), ("{1}", "|= {2}", 1), ("{}", "|= {1: 2}", 1), ("1", "+= int()", 0)],
)
def test_in_place_operations_on_containers_write_them(start: str, step: str, writes: int) -> None:
    """A variable of its own may hold a shared list. Steps by a number are left
    alone: they stand in every loop, and no container takes them but for ``*=``."""
    watched = watch(f"def act():\n    mine = {start}\n    mine {step}\n    return mine\n")
    assert len([one for one in watched.accesses if one.startswith("write-all")]) == writes


NAMES = ["box.x", "box.y", "items[0]", "items[1]", "table['a']", "table['b']", "n", "G"]
READS = [*NAMES, "len(items)", "box.missing", "table['none']", "7", "('b' in table)", "table.get('c', 3)", "int(box.x)"]
HEAD = """
class Box: pass
G = 1
def run(box, items, table, n):
    global G
    def inner():
        nonlocal n
        n += 1
        return n
"""
TAIL = """
def act():
    box = Box(); box.x = 1; box.y = 2
    items, table = [3, 4], {"a": 5, "b": 6}
    try:
        return run(box, items, table, 0), vars(box), items, table, G
    except Exception as error:
        return repr(error), vars(box), items, table, G
"""
expressions = st.recursive(
    st.sampled_from([*READS, "inner()", "[v for v in items]", "sorted(table)"]),
    lambda inner: st.one_of(
        st.builds("({} + {})".format, inner, inner),
        st.builds("({} and {})".format, inner, inner),
        st.builds("({} if {} else {})".format, inner, inner, inner),
        st.builds("({} < {} in items)".format, inner, inner),
        st.builds("(lambda: {})()".format, inner),
    ),
    max_leaves=4,
)
targets = st.one_of(
    st.sampled_from(NAMES), st.builds("({}, {})".format, st.sampled_from(NAMES), st.sampled_from(NAMES))
)
statements = st.recursive(
    st.one_of(
        st.builds("{} = {}".format, st.sampled_from(NAMES), expressions),
        st.builds("{} = {} = {}".format, targets, st.sampled_from(NAMES), expressions),
        st.builds("{}, *{}, items[n] = {}, {}, 8".format, targets, st.just("box.r"), st.just("(1, 2)"), expressions),
        st.builds("{} {}= {}".format, st.sampled_from(NAMES), st.sampled_from(["+", "-", "*", "|"]), expressions),
        st.builds("del {}".format, st.sampled_from(NAMES[:6])),
        st.builds("items.append({})".format, expressions),
    ),
    lambda inner: st.one_of(
        st.builds(
            "if {}:\n{}\nelse:\n{}".format, expressions, inner.map(lambda s: _in(s)), inner.map(lambda s: _in(s))
        ),
        st.builds("for {} in [(1, 2), (3, 4)]:\n{}".format, targets, inner.map(lambda s: _in(s))),
        st.builds("try:\n{}\nfinally:\n{}".format, inner.map(lambda s: _in(s)), inner.map(lambda s: _in(s))),
        st.builds("{}\n{}".format, inner, inner),
    ),
    max_leaves=6,
)


def _in(source: str) -> str:
    return "\n".join("    " + line for line in source.split("\n"))


@given(statements, expressions)
@settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@pytest.mark.wide
def test_any_program_gives_the_same(laboratory: None, body: str, result: str) -> None:
    source = f"{HEAD}{_in(body)}\n    return {result}\n{TAIL}"
    expected = repr(answer_of(plain(source).act))
    assert repr(answer_of(rewritten(source).act)) == expected
    assert repr(in_task(rewritten(source).act).answer) == expected


def test_only_hooks_have_hook_names() -> None:
    assert hook_name("attr") == "__sf_attr__"
    with pytest.raises(AssertionError):
        hook_name("no_hook")
