"""What single hooks report, and that they report nothing outside an execution."""

from __future__ import annotations

import threading
from collections import defaultdict

import pytest

from semafuzz.harness.instrument import hooks
from semafuzz.harness.instrument.attribute_kinds import adopted
from semafuzz.harness.instrument.containers import ANY_KEY, key_name
from semafuzz.harness.runs.session import controlled_session

from .conftest import answer_of, in_task, plain, rewritten, watch

BOX = "class Box: pass\nbox = Box(); box.n = 1\n"


def accesses(body: str, head: str = BOX) -> list[str]:
    """What ``body`` reports; it does the same rewritten and plain."""
    source = f"{head}def act():\n    {body}\n"
    watched = watch(source)
    assert repr(watched.answer) == repr(answer_of(plain(source).act)) == repr(answer_of(rewritten(source).act))
    return watched.accesses


@pytest.mark.parametrize(
    ("key", "name"),
    [("a", "a"), (1, 1), (None, None), (("a", 1), ("a", 1)), (("a", [1]), ANY_KEY), (object(), ANY_KEY)],
)
def test_keys_that_are_plain_values_name_their_item(key: object, name: object) -> None:
    assert key_name(key) == name


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ("vars(box).update({'n': 2}, m=1)", ["write-all dict", "write Box.n", "write Box.m"]),
        ("vars(box).clear()", ["write-all dict", "write Box.n"]),
        ("vars(box).copy()", ["read-all dict", "read Box.n"]),
        ("vars(box).pop('n')", ["write Box.n"]),
        ("vars(box).get('n')", ["read Box.n"]),
        ("'n' in box.__dict__", ["read Box.n"]),
        ("return Box.__dict__['n']", []),
        ("return vars()", []),
        ("return vars(5)", []),
    ],
)
def test_the_dictionary_of_an_instance(body: str, expected: list[str]) -> None:
    assert accesses(body) == expected


def test_dictionaries_are_not_kept_beyond_their_execution(laboratory: None) -> None:
    module = rewritten(BOX + "def act(): vars(box)['n'] = 2\ndef other(d): d['n'] = 3\n")
    assert in_task(module.act).accesses == ["write Box.n"]
    other = type("Other", (), {})()
    in_task(lambda: hooks.dictionary(other, 0))
    assert in_task(lambda: module.other(vars(module.box))).accesses == ["write-item dict['n']"]


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ("return getattr(box, 'n')", ["read Box.n"]),
        ("return getattr(box, 'none')", ["read Box.none"]),
        ("return getattr(box, 'none', 3)", ["read Box.none"]),
        ("return getattr(*(box, 'n'))", []),
        ("return getattr(box, 5)", []),
        ("return hasattr(box, 'none')", ["read Box.none"]),
        ("return 'abc'.upper(), (1).real, (1, 2).count(1)", []),
        ("return len('abc'), sorted((2, 1)), 'a' in 'abc'", []),
        ("return box.none", ["read Box.none"]),
        ("box.f = lambda: 4; return box.f()", ["write Box.f", "read Box.f"]),
    ],
)
def test_attributes_by_name_and_what_is_no_data(body: str, expected: list[str]) -> None:
    assert accesses(body) == expected


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ("D[0].append(1)", ["write-item defaultdict[0]", "write-all defaultdict", "write-all list"]),
        ("D[0] = []; D[0]", ["write-item defaultdict[0]", "write-all defaultdict", "read-item defaultdict[0]"]),
        ("return P['none']", ["read-item defaultdict['none']"]),
        (
            "return O['a'], list(O.items())",
            ["read-item OrderedDict['a']", "read-all OrderedDict", "read-all OrderedDict"],
        ),
        ("O.move_to_end('a')", ["write-item OrderedDict['a']"]),
        ("O[Key()] = 1", ["write-item OrderedDict[*]", "write-all OrderedDict"]),
        ("B[0] = 1; B[-1]", ["write-item bytearray[0]", "read-item bytearray[1]"]),
        ("f = O.get; return f('a'), f == O.get, hash(f) == hash(O.get)", ["read-item OrderedDict['a']"]),
        ("f = B.append; return f.__name__", ["read _ContainerCall.__name__"]),
        ("f = B.append; return f == B.append, f == 5", []),
    ],
)
def test_containers(body: str, expected: list[str]) -> None:
    head = (
        "from collections import OrderedDict, defaultdict\nclass Key: pass\n"
        "D = defaultdict(list); P = defaultdict(); O = OrderedDict(a=1); B = bytearray(2)\n"
    )
    assert accesses(body, head) == expected


def test_a_python_override_reports_its_own_accesses() -> None:
    head = (
        "class Table(dict):\n"
        "    def __getitem__(self, key): return super().__getitem__(key)\n"
        "    def __setitem__(self, key, value): super().__setitem__(key, value)\n"
        "    def __delitem__(self, key): super().__delitem__(key)\n"
        "    def __contains__(self, key): return super().__contains__(key)\n"
        "T = Table()\n"
    )
    item = "write-item Table['a']"
    assert accesses("T['a'] = 1; T['a']; 'a' in T; del T['a']", head) == [
        *(item, "write-all Table"),
        *("read-item Table['a']", "read-item Table['a']"),
        *(item, "write-all Table"),
    ]


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ("C.n = 2; return box.n", ["write C.n", "read C.n", "read C.n"]),
        ("box.n = 2; return box.n", ["write C.n", "read C.n"]),
        ("S.n = 3; return T.n", ["write S.n", "read T.n", "read S.n"]),
        ("C.f = 5; return box.f", ["write C.f", "read C.f", "read C.f"]),
        ("del C.n", ["write C.n"]),
        ("return slotted.n", ["read Slotted.n", "read Slotted.n"]),
        ("return C.none", ["read C.none", "read object.none"]),
    ],
)
def test_a_class_answers_for_its_instances(body: str, expected: list[str]) -> None:
    head = (
        "class C:\n    n = 1\n    def f(self): return 1\nclass S(C): pass\nclass T(S): pass\nbox = C()\n"
        "class Slotted:\n    __slots__ = ()\n    n = 1\nslotted = Slotted()\n"
    )
    assert accesses(body, head) == expected


def test_a_property_that_is_not_rewritten_is_an_access() -> None:
    namespace: dict[str, object] = {}
    exec("class Lib:\n    p = property(lambda self: 1, lambda self, value: None)\n", namespace)
    module = rewritten("def act():\n    lib.p = 5\n    return lib.p\n")
    module.lib = namespace["Lib"]()  # type: ignore[operator]
    with controlled_session():
        assert in_task(module.act).accesses == ["write Lib.p", "read Lib.p"]


def test_stores_to_a_module_are_seen_by_later_reads() -> None:
    head = "import types\nother = types.ModuleType('other'); vars(other).update(one=1, two=2)\n"
    assert accesses("other.one = 3; return other.one, other.two", head) == ["write dict.one", "read dict.one"]
    by_name = "setattr(other, 'tw' + 'o', 4); return other.two"
    assert accesses(by_name, head) == ["write dict.two", "read dict.two"]


def test_outside_an_execution_hooks_only_do_what_they_stand_for() -> None:
    table: defaultdict[str, int] = defaultdict(int)
    assert hooks.item(table, "a", 0) == 0
    hooks.set_item(1, table, "a", 0)
    hooks.del_item(table, "a", 0)
    assert not hooks.contains("a", table, 0)
    assert hooks.iterate(table, 0) is hooks.whole(table, 0) is hooks.truth(table, 0) is hooks.entered(table, 0) is table
    assert hooks.turn(0) is True
    assert hooks.read(None, "a", 0) is None
    assert hooks.write(5, None, "a", 0) == 5
    assert hooks.method(table, "get", 0) == table.get
    assert hooks.dictionary(hooks, 0) is vars(hooks)


def test_what_was_made_in_an_execution_still_works_after_it(laboratory: None) -> None:
    source = "items, kept = [1, 2], []\ndef act():\n    kept.append(items.append)\n    kept.append(iter(items))\n"
    module = rewritten(source)
    in_task(module.act)
    append, steps = module.kept
    append(3)
    assert steps.__length_hint__() == 3
    assert list(steps) == [1, 2, 3]


def test_a_lock_has_one_double() -> None:
    head = "import threading\nlock = threading.Lock()\nholder = [lock]\n"
    body = "with lock:\n        return holder[0].acquire(blocking=False)"
    watched = watch(f"{head}def act():\n    {body}\n")
    assert watched.answer is False
    assert watched.accesses == ["acquire Lock", "read-item list[0]", "try-acquire Lock", "release Lock"]


def test_a_lock_reached_by_another_thread_stays_real() -> None:
    lock = threading.Lock()
    assert adopted(lock) is lock
    assert hooks.entered(lock, 0) is lock
