"""``semafuzz show``: a page for one finding or for a folder, and a browser that opens it."""

from __future__ import annotations

import webbrowser
from pathlib import Path
from urllib.parse import unquote, urlparse

import pytest

from semafuzz.cli import run
from tests.bank_source import BANK


@pytest.fixture
def opened(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    addresses: list[str] = []
    monkeypatch.setattr(webbrowser, "open", addresses.append)
    return addresses


@pytest.fixture
def trace(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Path:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    Path("shown.py").write_text(BANK)
    assert run(["check", "shown.py:two"]) == 1
    capsys.readouterr()
    (found,) = Path(".semafuzz").glob("*.json")
    return found


def page_of(address: str) -> Path:
    return Path(unquote(urlparse(address).path))


def test_a_finding_is_opened(trace: Path, opened: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["show", str(trace)]) == 0
    address = capsys.readouterr().out.strip()
    assert opened == [address]
    assert address.startswith("file://")
    assert trace.stem in page_of(address).name
    assert "one update is lost" in page_of(address).read_text() or "deposit" in page_of(address).read_text()


def test_a_folder_is_the_one_where_findings_go(
    trace: Path, opened: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["show", "--no-browser"]) == 0
    assert page_of(capsys.readouterr().out.strip()).name == "index.html"
    assert opened == []
    assert run(["show", "nowhere"]) == 4
    assert "there is no nowhere" in capsys.readouterr().err


def test_a_finding_is_shown_by_its_name(trace: Path, opened: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["show", trace.stem]) == 0
    assert trace.stem in page_of(capsys.readouterr().out.strip()).name
    assert run(["show", "000000000000"]) == 4


def test_the_picture_of_what_was_corrected_is_kept(
    trace: Path, opened: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["show", str(trace)]) == 0
    page = page_of(capsys.readouterr().out.strip())
    drawn = page.read_text()
    Path("shown.py").write_text("def two():\n    pass\n")
    run(["show", str(trace)])
    told = capsys.readouterr()
    assert page_of(told.out.strip()) == page
    assert page.read_text() == drawn
    assert "shown is the picture that was drawn before" in told.err
