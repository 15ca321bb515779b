"""Any class by its name: the broken ones are found, the right ones are verified, and nothing else is said."""

from __future__ import annotations

import inspect
import json
import re
import sys
import textwrap
from pathlib import Path
from typing import Any

import pytest

from semafuzz.cli import run
from tests.rotation import in_turn
from tests.targets.classes import broken, right

HERE = Path(__file__).parent


def classes_of(module: Any) -> list[str]:
    return [name for name, kind in vars(module).items() if inspect.isclass(kind) and kind.__module__ == module.__name__]


NEEDS_THREE = {"BoundedBuffer"}
"""Two takers and a giver: no pair of methods shows it."""


def asked(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, dict[str, Any]]:
    code = run([*arguments, "--json"])
    return code, json.loads(capsys.readouterr().out)


def test_there_are_fifteen_of_each() -> None:
    assert classes_of(broken) == classes_of(right) or set(classes_of(broken)) == set(classes_of(right))
    assert len(classes_of(broken)) == 15


@pytest.mark.parametrize("name", in_turn([name for name in classes_of(broken) if name not in NEEDS_THREE], always=5))
def test_a_broken_one_is_found_by_its_name_alone(name: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    code, answer = asked(capsys, "matrix", "pairs", f"{HERE / 'broken.py'}:{name}", "--out", str(tmp_path))
    assert code == 1
    assert {one["kind"] for one in answer["failures"]} <= {"atomicity", "deadlock"}
    assert all(len(one["operations"]) <= 3 and one["confirmed"] for one in answer["failures"])


@pytest.mark.slow
@pytest.mark.parametrize("name", sorted(NEEDS_THREE))
def test_so_is_one_that_no_pair_shows(name: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    spec = f"{HERE / 'broken.py'}:{name}"
    code, _ = asked(capsys, "matrix", "pairs", spec, "--out", str(tmp_path))
    assert code == 0
    code, answer = asked(capsys, "fuzz", spec, "--schedules", "600", "--seconds", "60", "--out", str(tmp_path))
    assert code == 1
    assert answer["failures"]


@pytest.mark.slow
@pytest.mark.skipif(sys.version_info >= (3, 13), reason="mended there")
def test_a_class_of_pythons_own_with_a_known_defect(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    # https://github.com/python/cpython/issues/98937: one thread iterates while another one adds or removes.
    spec = ("fuzz", "weakref:WeakValueDictionary", "--operations", "items,__setitem__", "--schedules", "600")
    code, answer = asked(capsys, *spec, "--out", str(tmp_path))
    assert code == 1
    assert any("dictionary changed size during iteration" in one["message"] for one in answer["failures"])


def test_what_takes_no_numbers_is_called_with_what_it_takes(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    source = """
        class Cell:
            def __init__(self):
                self.value = 0

            def alter(self, change):
                before = self.value
                change(before)
                self.value = before + 1

            def name(self, prefix):
                return prefix + "cell"

            def never(self, other):
                raise TypeError("takes nothing")

            def update(self, values):
                items = dict(values)
                before = self.value
                self.value = before + len(items)
    """
    (tmp_path / "cell.py").write_text(textwrap.dedent(source))
    code, answer = asked(capsys, "matrix", "pairs", f"{tmp_path / 'cell.py'}:Cell", "--out", str(tmp_path / "out"))
    assert code == 1
    found = {name for one in answer["failures"] for name in one["operations"]}
    assert {"alter(change=a function)", "update(values=values 1)"} <= found
    verified = {tuple(one["operations"]) for one in answer["pairs"] if one["answer"] == "verified"}
    assert ("name", "never") in verified or ("never", "name") in verified


@pytest.mark.parametrize("name", in_turn(classes_of(right), always=5))
def test_every_pair_of_a_right_one_is_verified(name: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    spec = f"{HERE / 'right.py'}:{name}"
    code, answer = asked(capsys, "matrix", "pairs", spec, "--out", str(tmp_path))
    assert (code, answer["verdict"]) == (0, "complete")
    assert all(pair["answer"] == "verified" and pair["traces"] for pair in answer["pairs"])


@pytest.mark.slow
@pytest.mark.parametrize("name", classes_of(right))
def test_a_right_one_is_not_accused_over_five_thousand_schedules(
    name: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    spec = f"{HERE / 'right.py'}:{name}"
    code, answer = asked(
        capsys, "fuzz", spec, "--schedules", "5000", "--seconds", "300", "--seed", "1", "--out", str(tmp_path)
    )
    assert code == 0
    assert answer["schedules"] >= 5000


def test_a_finding_replays_and_says_what_serial_orders_come_to(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    spec = f"{HERE / 'broken.py'}:Counter"
    _, answer = asked(capsys, "matrix", "pairs", spec, "--out", str(tmp_path))
    finding = answer["failures"][0]
    assert re.fullmatch(
        r"no serial order of these calls gives these results: add\(amount=1\) → \d \|\| add\(amount=1\) → \d",
        finding["message"],
    )
    assert finding["sentence"].startswith("task-0 read Counter#1._value = ")
    trace = json.loads(Path(finding["trace"]).read_text())
    detail = trace["expected"]["detail"]
    assert "serially: add → 1; then add → 2" in detail or "serially: add → 2; then add → 3" in detail
    assert run(["replay", finding["trace"], "--json"]) == 1
    again = json.loads(capsys.readouterr().out)
    assert again["identical"]


def made(tmp_path: Path, source: str) -> str:
    file = tmp_path / "mine.py"
    file.write_text(textwrap.dedent(source))
    return str(file)


RELAXED = """
    import threading
    from semafuzz import not_thread_safe, relaxed, uncompared, arguments

    @uncompared("looks")
    class Table:
        def __init__(self):
            self.looks = 0
            self._rows = []
            self._guess = 0
            self._lock = threading.Lock()

        {relaxed}
        def about(self):
            self.looks += 1
            return self._guess

        @arguments(row=("one", None))
        def add(self, row):
            with self._lock:
                self._rows.append(row)
                count = len(self._rows)
            self._guess = max(self._guess, count) if count < 3 else 3

        {unsafe}
        def clear(self):
            self._rows = []
            self._guess = 0
"""


def test_a_few_words_say_what_is_allowed(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    plain = made(tmp_path, RELAXED.format(relaxed="", unsafe=""))
    code, answer = asked(capsys, "matrix", "pairs", f"{plain}:Table", "--out", str(tmp_path / "out"))
    assert code == 1
    said = made(tmp_path, RELAXED.format(relaxed="@relaxed", unsafe="@not_thread_safe"))
    code, answer = asked(capsys, "matrix", "pairs", f"{said}:Table", "--out", str(tmp_path / "out"))
    assert [pair["operations"] for pair in answer["pairs"] if "clear" in pair["operations"]] == []
    assert code == 0, answer["failures"]


@pytest.mark.parametrize(
    ("source", "message"),
    [
        ("class Mine:\n    pass\n", "Mine has no public method"),
        ("class Other:\n    def look(self): pass\n", "has no class 'Mine'; it has Other"),
        ("Mine = 3\n", "has no class 'Mine'"),
        (
            "class Mine:\n    def __init__(self): raise OSError\n    def look(self): pass\n",
            "no instance can be made",
        ),
    ],
)
def test_what_is_no_use_is_said(source: str, message: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["matrix", "pairs", f"{made(tmp_path, source)}:Mine", "--out", str(tmp_path / "out")]) == 4
    assert message in capsys.readouterr().err


def test_state_of_the_module_and_of_the_class_is_new_each_time(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    source = """
        import threading
        SEEN = []
        LOCK = threading.Lock()

        class Mine:
            made = 0

            @classmethod
            def number(cls):
                with LOCK:
                    cls.made += 1
                    SEEN.append(cls.made)
                    return len(SEEN)
    """
    code, answer = asked(capsys, "matrix", "pairs", f"{made(tmp_path, source)}:Mine", "--out", str(tmp_path / "out"))
    assert (code, answer["verdict"]) == (0, "complete")


def test_a_singleton_that_is_made_twice_is_found(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    source = """
        class Mine:
            _only = None

            @classmethod
            def instance(cls):
                if cls._only is None:
                    cls._only = cls()
                return cls._only
    """
    code, answer = asked(capsys, "matrix", "pairs", f"{made(tmp_path, source)}:Mine", "--out", str(tmp_path / "out"))
    assert code == 1
    assert answer["failures"][0]["operations"] == ["instance()", "instance()"]


def test_what_always_differs_is_not_compared(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    source = """
        import itertools

        _numbers = itertools.count()
        class Mine:
            def look(self):
                import os
                return id(self), os.urandom(4)
    """
    code, answer = asked(capsys, "matrix", "pairs", f"{made(tmp_path, source)}:Mine", "--out", str(tmp_path / "out"))
    assert code == 0, answer["failures"]
