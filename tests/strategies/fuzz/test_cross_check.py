"""What a fast world makes up is not reported; what the faithful one shows as well is."""

from __future__ import annotations

import json
import textwrap
from pathlib import Path
from typing import Any

import pytest

from semafuzz.cli import run
from semafuzz.harness.traces.codec import read

TARGET = """
    from semafuzz.targets.declared.api import DeclaredTarget, operation
    from semafuzz.targets.model.protocol import OptionInfo

    class Counter:
        def __init__(self, world):
            self.world = world
            self.value = self.made = 0

    class Model(DeclaredTarget):
        options = (OptionInfo("world", ("fast", "real"{odd}), varied=False),)
        verification = {{"world": {to!r}}}

        def start(self, configuration):
            if configuration["world"] == "broken":
                raise RuntimeError("no such service")
            return Counter(configuration["world"])

        @operation
        def add(self, world):
            world.value += 1
            world.made += 1

        @operation
        def invent(self, world):
            world.invented = world.world == "fast"

        def check(self, world):
            if world.value != world.made:
                yield "an update is lost"
            if getattr(world, "invented", False):
                yield "the fast world makes things up"
"""


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty folder as the current one."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    return tmp_path


def fuzz(here: Path, capsys: pytest.CaptureFixture[str], to: str, *options: str) -> tuple[int, dict[str, Any]]:
    odd = "" if to == "real" else f", {to!r}"
    (here / "model.py").write_text(textwrap.dedent(TARGET.format(to=to, odd=odd)))
    code = run(["fuzz", "model.py:Model", "--schedules", "300", "--json", *options])
    answer: dict[str, Any] = json.loads(capsys.readouterr().out.splitlines()[-1])
    return code, answer


@pytest.mark.unmeasured
def test_only_what_shows_again_is_reported(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    code, answer = fuzz(here, capsys, "real")
    assert code == 1
    assert {(one["message"], one["verified"]) for one in answer["failures"]} == {("an update is lost", "world=real")}
    (apart,) = (here / ".semafuzz/unverified").iterdir()
    assert read(apart).expected.message == "the fast world makes things up"
    assert any("did not show again with world=real" in note for note in answer["notes"])
    assert run(["replay", str(apart)]) == 1
    assert run(["replay", str(apart), "--set", "world=real", "--search", "20"]) in (0, 125)
    assert run(["replay", answer["failures"][0]["trace"], "--set", "world=real"]) == 1
    assert "world=real: under the recorded schedule" in capsys.readouterr().out


@pytest.mark.unmeasured
def test_whoever_chooses_the_world_gets_that_one(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    code, answer = fuzz(here, capsys, "real", "--set", "world=fast")
    assert code == 1
    assert len(answer["failures"]) == 2
    assert {one["verified"] for one in answer["failures"]} == {""}
    code, answer = fuzz(here, capsys, "real", "--set", "world=real")
    assert [one["message"] for one in answer["failures"]] == ["an update is lost"]


def test_without_the_faithful_world_findings_stay_and_it_is_said(
    here: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    code, answer = fuzz(here, capsys, "broken")
    assert code == 1
    assert len(answer["failures"]) == 2
    assert any("no finding was tried with world=broken" in note for note in answer["notes"])
    assert any("no such service" in note for note in answer["notes"])


def test_replay_refuses_options_that_are_not_there(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    _, answer = fuzz(here, capsys, "real")
    trace = answer["failures"][0]["trace"]
    assert run(["replay", trace, "--set", "world=none"]) == 4
    assert run(["replay", trace, "--set", "colour=red"]) == 4
    assert "no option 'colour'" in capsys.readouterr().err
