"""A finding in one file: taken elsewhere, looked at, and run where its sources are trusted."""

from __future__ import annotations

import shutil
import zipfile
from pathlib import Path

import pytest

from semafuzz.cli import run

STOCK = """
class Stock:
    def __init__(self):
        self.left = 1

    def take(self):
        if self.left > 0:
            self.left = self.left - 1
"""
RACE = """
import threading
from shop.stock import Stock


def two_buyers():
    stock = Stock()
    threads = [threading.Thread(target=stock.take) for _ in range(2)]
    [thread.start() for thread in threads]
    [thread.join() for thread in threads]
    assert stock.left == 0
"""
RAN = "import pathlib; pathlib.Path('it-ran').touch()\n"


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A pack, made where its sources are."""
    home = tmp_path_factory.mktemp("home")
    (home / "shop").mkdir()
    (home / "shop" / "__init__.py").touch()
    (home / "shop" / "stock.py").write_text(STOCK)
    (home / "shop" / "race.py").write_text(RACE)
    with pytest.MonkeyPatch.context() as monkeypatch:
        monkeypatch.chdir(home)
        monkeypatch.setenv("XDG_STATE_HOME", str(home / "state"))
        assert run(["check", "shop/race.py:two_buyers", "--out", "found"]) == 1
        (trace,) = Path("found").glob("*.json")
        assert run(["pack", str(trace), "--out", "one.semafuzz"]) == 0
    shutil.rmtree(home / "shop")
    return home / "one.semafuzz"


@pytest.fixture
def packed(made: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A pack in a folder of its own, on a machine that has nothing else of it."""
    away = tmp_path / "away"
    away.mkdir()
    monkeypatch.chdir(away)
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "other-state"))
    return Path(shutil.copy(made, away / "one.semafuzz"))


def with_member(pack: Path, name: str, data: bytes) -> Path:
    """A copy of the pack in which one member is another, or one more."""
    copy = pack.with_name("other.semafuzz")
    with zipfile.ZipFile(pack) as given, zipfile.ZipFile(copy, "w") as made:
        for member in given.infolist():
            if member.filename != name:
                made.writestr(member, given.read(member))
        made.writestr(name, data)
    return copy


def test_its_sources_are_those_that_ran(packed: Path) -> None:
    with zipfile.ZipFile(packed) as archive:
        names = [name for name in archive.namelist() if name.startswith("sources/")]
        assert names == ["sources/shop/__init__.py", "sources/shop/race.py", "sources/shop/stock.py"]


def test_it_runs_only_where_it_is_trusted(packed: Path, capsys: pytest.CaptureFixture[str]) -> None:
    capsys.readouterr()
    assert run(["replay", str(packed)]) == 4
    assert "run them with --trust" in capsys.readouterr().err
    assert run(["replay", str(packed), "--trust"]) == 1
    told = capsys.readouterr().out
    assert "the recorded one" in told
    assert "shop/stock.py:8" in told


def test_it_is_shown_without_running_anything(packed: Path, capsys: pytest.CaptureFixture[str]) -> None:
    other = with_member(packed, "sources/shop/stock.py", RAN.encode())
    capsys.readouterr()
    assert run(["show", str(other), "--no-browser"]) == 0
    page = Path(capsys.readouterr().out.strip().removeprefix("file://"))
    assert "Stock#1.left" in page.read_text()
    assert run(["replay", str(other)]) == 4
    assert not Path("it-ran").exists()


def test_changed_sources_are_said_to_be(packed: Path, capsys: pytest.CaptureFixture[str]) -> None:
    other = with_member(packed, "sources/shop/race.py", (RACE + "# more\n").encode())
    assert run(["replay", str(other), "--trust"]) in (1, 125)
    assert "has changed since the trace was made" in capsys.readouterr().err


@pytest.mark.parametrize("name", ["../../escaped", "/escaped", "sources/../../escaped", "C:escaped", "a\\..\\escaped"])
def test_places_outside_are_refused(packed: Path, name: str, capsys: pytest.CaptureFixture[str]) -> None:
    other = with_member(packed, name, b"x")
    for command in (["replay", str(other), "--trust"], ["show", str(other), "--no-browser"]):
        assert run(command) == 4
        assert "outside of itself" in capsys.readouterr().err
    assert not [*packed.parent.parent.rglob("*escaped*")]


def test_what_is_too_large_is_refused(packed: Path, capsys: pytest.CaptureFixture[str]) -> None:
    other = packed.with_name("large.semafuzz")
    with zipfile.ZipFile(other, "w", zipfile.ZIP_DEFLATED) as made:
        made.writestr("trace.json", bytes(65 << 20))
    assert other.stat().st_size < 1 << 20
    assert run(["show", str(other), "--no-browser"]) == 4
    assert "larger than a packed finding may be" in capsys.readouterr().err


@pytest.mark.parametrize("member", ["trace.json", "pack.json", "picture.json"])
@pytest.mark.parametrize("data", [b"", b"{}", b"\xff", b'{"format": 9, "program": "", "versions": {}}'])
def test_damage_is_one_clear_message(
    packed: Path, member: str, data: bytes, capsys: pytest.CaptureFixture[str]
) -> None:
    other = with_member(packed, member, data)
    capsys.readouterr()
    assert run(["replay", str(other), "--trust"]) == 4
    assert len(capsys.readouterr().err.splitlines()) == 1


def test_trust_is_for_packs_alone(packed: Path, capsys: pytest.CaptureFixture[str]) -> None:
    Path("no.semafuzz").write_text("no")
    assert run(["replay", "no.semafuzz", "--trust"]) == 4
    assert "is none" in capsys.readouterr().err


def test_a_trace_of_a_target_needs_no_pack(packed: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["fuzz", "reference", "--seconds", "5", "--set", "defect=missing_lock", "--out", "ref"]) == 1
    trace = next(Path("ref").glob("*.json"))
    assert run(["pack", str(trace)]) == 4
    assert "need no file but the trace" in capsys.readouterr().err
