"""Ten nights on the reference target, defects going on and off by configuration, each night with other seeds."""

from __future__ import annotations

import json

import pytest

from tests.conftest import Run

pytestmark = [pytest.mark.slow, pytest.mark.unmeasured]

NIGHTS = (
    "missing_lock", "none", "missing_lock", "torn_move", "none", "stale_audit", "missing_lock", "torn_move",
    "stale_audit", "none",
)  # fmt: skip


def test_each_defect_is_news_once(semafuzz: Run) -> None:
    met: set[str] = set()
    for seed, defect in enumerate(NIGHTS, start=1):
        told = semafuzz(
            "nightly", "reference", "--set", f"defect={defect}", "--schedules", "4000", "--seconds", "600",
            "--seed", str(seed), "--corpus", "corpus", "--no-pages", "--json",
        )  # fmt: skip
        answer = json.loads(told.stdout)
        is_new = defect != "none" and defect not in met
        assert told.returncode == int(is_new), (seed, defect, answer["new"])
        assert bool(answer["new"]) == is_new
        assert not answer["returned"]
        assert not answer["vanished"]
        assert not answer["unsure"]
        assert not answer["not_searched"]
        met.add(defect)
