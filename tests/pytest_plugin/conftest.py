"""Sessions of pytest with the plugin, in this process or in one of their own."""

from __future__ import annotations

import importlib.metadata
import warnings
from collections.abc import Callable
from pathlib import Path

import pytest

# Imported here once: pytester drops what a session inside this process imports.
from semafuzz.pytest_plugin import exploring, kept_traces, replay_command, replaying
from semafuzz.strategies.generate import profiles

__all__ = ["exploring", "kept_traces", "profiles", "replaying"]

_INSTALLED = any(point.value == "semafuzz.pytest_plugin" for point in importlib.metadata.entry_points(group="pytest11"))
LOADED = () if _INSTALLED else ("-p", "semafuzz.pytest_plugin")
"""What makes pytest load the plugin where the environment is older than it."""
Session = Callable[..., pytest.RunResult]

BANK = """
import threading
import pytest


class Account:
    def __init__(self):
        self.balance = 0
        self.lock = threading.Lock()

    def deposit(self):
        self.balance += 1

    def deposit_safely(self):
        with self.lock:
            self.balance += 1


def together(*functions):
    threads = [threading.Thread(target=function) for function in functions]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


@pytest.fixture
def make_account():
    return Account

"""
"""What the tests of the tests use."""
BROKEN = """
@pytest.mark.interleave
def test_two():
    account = Account()
    together(account.deposit, account.deposit)
    assert account.balance == 2
"""


@pytest.fixture
def loaded() -> tuple[str, ...]:
    """The arguments that make a session have the plugin."""
    return LOADED


@pytest.fixture
def broken() -> str:
    """A test with a lost update."""
    return BROKEN


@pytest.fixture
def repaired() -> str:
    """The same test with a lock."""
    return BROKEN.replace("account.deposit", "account.deposit_safely")


@pytest.fixture(autouse=True)
def _alone(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Nothing of the person who runs these tests is used."""
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    monkeypatch.setenv("COLUMNS", "160")
    monkeypatch.setenv("PYTHONHASHSEED", "0")
    for name in ("PYTEST_ADDOPTS", "PYTEST_TIMEOUT", "PYTEST_XDIST_WORKER", "PYTEST_XDIST_TESTRUNUID"):
        monkeypatch.delenv(name, raising=False)
    # Trying the replay command takes a process; sessions in processes of their own do it.
    monkeypatch.setattr(replay_command, "_reproduces", lambda *_: True)


@pytest.fixture
def session(pytester: pytest.Pytester) -> Session:
    """A session in this process: ``session(source, *arguments)``."""

    def run(source: str = "", *arguments: str) -> pytest.RunResult:
        if source:
            pytester.makepyfile(test_bank=BANK + source)
        with warnings.catch_warnings():
            warnings.simplefilter("default")  # as in a process of its own: here they are errors
            return pytester.runpytest_inprocess(*LOADED, "-p", "no:randomly", *arguments)

    return run


@pytest.fixture
def process(pytester: pytest.Pytester) -> Session:
    """A session in a process of its own."""

    def run(source: str = "", *arguments: str) -> pytest.RunResult:
        if source:
            pytester.makepyfile(test_bank=BANK + source)
        return pytester.runpytest_subprocess(*LOADED, *arguments, timeout=240)

    return run


@pytest.fixture
def kept_trace(session: Session, pytester: pytest.Pytester) -> Callable[..., Path]:
    """The trace of a failing test, moved to the folder ``kept``."""

    def make(source: str = BROKEN, *arguments: str) -> Path:
        session(source, "-q", *arguments).assert_outcomes(failed=1)
        (found,) = (pytester.path / ".semafuzz").glob("*/*.json")
        folder = pytester.path / "kept"
        folder.mkdir(exist_ok=True)
        return found.rename(folder / found.name)

    return make
