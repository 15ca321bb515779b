"""Who waits is told for what and since when; who does not wait long is not."""

from __future__ import annotations

import time

import pytest

from semafuzz.reports.terminal import result, waiting


class _Errors:
    def __init__(self, terminal: bool) -> None:
        self._terminal, self.text = terminal, ""

    def isatty(self) -> bool:
        return self._terminal

    def write(self, text: str) -> None:
        self.text += text

    def flush(self) -> None:
        pass


@pytest.fixture(params=[True, False])
def errors(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> _Errors:
    made = _Errors(request.param)
    monkeypatch.setattr(result, "own_errors", lambda: made)
    monkeypatch.setattr(waiting, "TICK", 0.001)
    return made


def test_a_long_wait_is_told(errors: _Errors, monkeypatch: pytest.MonkeyPatch) -> None:
    real = result.Progress.__init__

    def at_once(self: result.Progress) -> None:
        real(self)
        self._every = self._next = 0.0

    monkeypatch.setattr(result.Progress, "__init__", at_once)
    deadline = time.monotonic() + 30
    with waiting.waiting("33.0.2 is judged"):
        while "33.0.2 is judged, 0 s" not in errors.text:
            assert time.monotonic() < deadline
            time.sleep(0.001)
    assert errors.text.endswith("\r\x1b[K") == errors.isatty()


def test_a_short_wait_is_not(errors: _Errors) -> None:
    with waiting.waiting("33.0.2 is judged"):
        pass
    assert errors.text == ""
