"""Progress of commands that are no searches."""

from __future__ import annotations

import pytest

from semafuzz.commands.common.counted_runs import CountedRuns
from semafuzz.reports.terminal import result


def test_it_counts_and_says_so_when_it_is_time(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    now = [100.0]
    monkeypatch.setattr(result, "perf_counter", lambda: now[0])
    counted = CountedRuns("making it smaller", 2000)
    for _ in range(1200):
        counted.begin()
    assert capsys.readouterr().err == "", "who waits for less than that is told nothing"
    now[0] += 30
    counted.begin()
    counted.clear()
    assert "making it smaller: 1,201 of 2,000 executions" in capsys.readouterr().err
    assert counted.count == 1201
