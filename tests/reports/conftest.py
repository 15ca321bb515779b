"""Pictures of small programs, made as `report` makes them."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from semafuzz.commands.check import CheckOptions, run_check
from semafuzz.commands.report.draw import draw as draw_trace
from semafuzz.harness.traces.codec import read
from semafuzz.reports.run_view.schema import FindingView

PROGRAMS = """
import threading


class Account:
    def __init__(self):
        self.balance = 0
        self.lock = threading.Lock()

    def deposit(self):
        self.balance += 1

    def deposit_with_lock(self):
        with self.lock:
            self.balance += 1


def together(*functions):
    threads = [threading.Thread(target=function, name=f"worker-{n}") for n, function in enumerate(functions)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


def lost():
    account = Account()
    together(account.deposit, account.deposit)
    assert account.balance == 2, "an update is lost"


def stuck():
    one, other = threading.Lock(), threading.Lock()

    def first():
        with one:
            with other:
                pass

    def second():
        with other:
            with one:
                pass

    together(first, second)


def always():
    account = Account()
    together(account.deposit_with_lock, account.deposit_with_lock)
    raise ValueError("in every order")
"""


@pytest.fixture
def draw(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[str], FindingView]:
    """Searches a function of ``PROGRAMS``, or of other text, and draws what it finds, with all
    its files in the test's folder."""
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    monkeypatch.chdir(tmp_path)

    def made(function: str, text: str = PROGRAMS) -> FindingView:
        (tmp_path / "programs.py").write_text(text, encoding="utf-8")
        out = tmp_path / f"out-{function}"
        spec = f"programs.py:{function}"
        assert run_check(CheckOptions(spec, "portfolio", 2000, None, 0, "threads", (), False, (), out, True)) == 1
        (trace,) = out.glob("*.json")
        return draw_trace(read(trace), spec, commands=[f"semafuzz replay {trace.name}"])

    return made


_drawn: dict[str, FindingView] = {}


@pytest.fixture
def picture(draw: Callable[[str], FindingView]) -> Callable[[str], FindingView]:
    """The picture of the finding that a function of ``PROGRAMS`` shows, for tests that only
    look at it: drawn once for all of them."""

    def made(function: str) -> FindingView:
        if function not in _drawn:
            _drawn[function] = draw(function)
        return _drawn[function]

    return made


def find_browser() -> str:
    """A Chromium on this machine, or the one that playwright has fetched; "" for none."""
    for name in ("chromium", "chromium-browser", "google-chrome", "chrome"):
        found = shutil.which(name)
        if found:
            return found
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        path = playwright.chromium.executable_path
    return path if Path(path).exists() else ""


@pytest.fixture(scope="session")
def browser() -> Iterator[Any]:
    """A browser. Where there is none the tests are skipped, unless SEMAFUZZ_BROWSER says that
    there has to be one."""
    path = find_browser()
    if not path:
        assert "SEMAFUZZ_BROWSER" not in os.environ, "there is no Chromium, and SEMAFUZZ_BROWSER asks for one"
        pytest.skip("there is no Chromium here; `playwright install --with-deps chromium` gets one")
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        started = playwright.chromium.launch(executable_path=path, args=["--no-sandbox"])
        yield started
        started.close()
