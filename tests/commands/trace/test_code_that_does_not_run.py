"""A trace on code that does not run any more: it cannot be judged, which is no usage error."""

from __future__ import annotations

import json
import textwrap
from pathlib import Path

import pytest

from semafuzz.cli import run

TARGET = """
    from semafuzz.targets.declared.api import DeclaredTarget, operation

    class Counter:
        def __init__(self):
            self.value = 0

    class Count(DeclaredTarget):
        def start(self, configuration):
            return Counter()

        @operation
        def {name}(self, world):
            value = world.value
            world.value = value + 1
            world.made = getattr(world, "made", 0) + 1

        def check(self, world):
            assert world.value == getattr(world, "made", 0)
"""
CHECKED = """
import threading

class Box:
    value = 0

    def add(self):
        self.value += 1

def both():
    box = Box()
    threads = [threading.Thread(target=box.add) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert box.value == 2
"""


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty folder as the current one."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    return tmp_path


def found(capsys: pytest.CaptureFixture[str], *arguments: str) -> str:
    assert run([*arguments, "--json"]) == 1
    trace: str = json.loads(capsys.readouterr().out.splitlines()[-1])["failures"][0]["trace"]
    return trace


BROKEN = {
    "does not parse": "def (:",
    "cannot be imported": "import no_such_module_at_all\n\ndef both(): pass",
}


@pytest.mark.parametrize("words", [*BROKEN, "no class", "no operation"])
def test_a_target_that_does_not_run(here: Path, capsys: pytest.CaptureFixture[str], words: str) -> None:
    source = textwrap.dedent(TARGET.format(name="add"))
    (here / "count.py").write_text(source)
    trace = found(capsys, "fuzz", "count.py:Count", "--schedules", "200")
    other = {**BROKEN, "no class": "", "no operation": textwrap.dedent(TARGET.format(name="increase"))}[words]
    (here / "count.py").write_text(other)
    assert run(["replay", trace, "--program", "count.py:Count"]) == 125
    assert words in capsys.readouterr().err
    assert run(["replay", trace, "--program", "nowhere.py:Count"]) == 4
    assert run(["fuzz", "count.py:Count", "--schedules", "5"]) == (4 if words != "no operation" else 0)


@pytest.mark.parametrize("words", [*BROKEN, "no function"])
def test_a_function_that_does_not_run(here: Path, capsys: pytest.CaptureFixture[str], words: str) -> None:
    (here / "box.py").write_text(CHECKED)
    trace = found(capsys, "check", "box.py:both")
    (here / "box.py").write_text({**BROKEN, "no function": "def other(): pass"}[words])
    assert run(["replay", trace, "--program", "box.py:both"]) == 125
    assert words in capsys.readouterr().err
    assert run(["check", "box.py:both"]) == 4
    assert run(["replay", trace, "--program", "nowhere.py:both"]) == 4
