"""The ``gil`` model: where CPython with the GIL gives a thread up, as its bytecode says and as real threads show."""

from __future__ import annotations

import json
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from types import ModuleType

import pytest

from semafuzz.cli import run
from semafuzz.harness.instrument.apply import rewrite_source
from semafuzz.harness.kernel.gil import gives_way_between
from semafuzz.harness.kernel.sites import SITES

SOURCE = """
import threading


def both(call):
    threads = [threading.Thread(target=call) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


def plus_one(number):
    return number + 1


class Box:
    value = 0


class Counter:
    def __init__(self):
        self.n = 0

    def in_place(self):
        self.n += 1

    def in_two_lines(self):
        n = self.n
        self.n = n + 1

    def with_a_look(self):
        if self.n >= 0:
            self.n = self.n + 1

    def through_a_call(self):
        self.n = plus_one(self.n)

    def around_a_call(self):
        own, n = Box(), self.n
        abs(n)
        own.value = n
        self.n = n + 1

    def around_a_loop(self):
        n = self.n
        for _ in "a":
            pass
        self.n = n + 1


def check(name):
    counter = Counter()
    both(getattr(counter, name))
    assert counter.n == 2
"""
HELD = ["in_place", "in_two_lines", "with_a_look"]
GIVES_WAY = ["through_a_call", "around_a_call", "around_a_loop"]
CHECKS = "".join(f"\n\ndef {name}():\n    check('{name}')\n" for name in (*HELD, *GIVES_WAY))


@pytest.fixture
def file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    path = tmp_path / "counters.py"
    path.write_text(SOURCE + CHECKS)
    return path


@pytest.mark.parametrize("name", [*HELD, *GIVES_WAY])
def test_what_is_found_is_what_the_interpreter_allows(
    name: str, file: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Under the model of any access each is broken, and is told which kind it is; under this one some are proved."""
    words = {False: "Needs a switch", True: "Can happen on CPython"}[name in GIVES_WAY]
    assert run(["check", f"counters.py:{name}", "--json"]) == 1
    answer = json.loads(capsys.readouterr().out.splitlines()[-1])
    assert answer["failures"][0]["gil"].startswith(words), answer["failures"][0]
    assert run(["check", f"counters.py:{name}", "--json", "--model", "gil"]) == (name in GIVES_WAY)
    answer = json.loads(capsys.readouterr().out.splitlines()[-1])
    assert answer["verdict"] == ("found" if name in GIVES_WAY else "complete"), answer
    for failure in answer["failures"]:
        assert failure["gil"].startswith("Can happen")
        assert run(["replay", failure["trace"], "--program", f"counters.py:{name}"]) == 1


@pytest.fixture
def counters(file: Path) -> ModuleType:
    module = ModuleType("counters")
    exec(compile(SOURCE, str(file), "exec"), vars(module))
    return module


@pytest.fixture
def switching_often() -> Iterator[None]:
    before = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    yield
    sys.setswitchinterval(before)


def lost(call: Callable[[], None], times: int) -> bool:
    """Whether two real threads lose one of their updates."""

    def many() -> None:
        for _ in range(times):
            call()

    threads = [threading.Thread(target=many) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return bool(call.__self__.n != 2 * times)  # type: ignore[attr-defined]


needs_the_gil = pytest.mark.skipif(
    not getattr(sys, "_is_gil_enabled", lambda: True)(), reason="this interpreter has no GIL"
)


@needs_the_gil
@pytest.mark.parametrize("name", HELD)
def test_real_threads_lose_nothing_where_it_is_held(counters: ModuleType, switching_often: None, name: str) -> None:
    assert not lost(getattr(counters.Counter(), name), 100_000)


@needs_the_gil
@pytest.mark.slow
@pytest.mark.parametrize("name", GIVES_WAY)
def test_real_threads_lose_updates_where_it_gives_way(counters: ModuleType, switching_often: None, name: str) -> None:
    assert any(lost(getattr(counters.Counter(), name), 200_000) for _ in range(20))


def test_between_two_accesses(file: Path) -> None:
    rewrite_source(SOURCE + CHECKS, str(file), "counters_of_gil")
    sites = [number for number, site in enumerate(SITES.sites) if site.module == "counters_of_gil"]

    def between(function: str, before: str, after: str) -> bool:
        here = {SITES[number].text: number for number in sites if SITES[number].function == f"Counter.{function}"}
        return gives_way_between(here[before], here[after])

    assert not between("in_place", ".n", ".n =")
    assert between("in_place", ".n =", ".n"), "another call of the function"
    assert not between("with_a_look", ".n", ".n =")
    assert between("through_a_call", ".n", ".n =")
    assert between("around_a_call", ".n", ".value =")
    assert not between("around_a_call", ".value =", ".n =")
    assert between("around_a_loop", ".n", ".n =")
    assert gives_way_between(0, sites[0]), "what is no access of the source blocks or calls"
