"""SARIF of every kind of finding fits the standard's own schema, where a copy of it is at hand.

    SARIF_SCHEMA=sarif-schema-2.1.0.json pytest tests/reports/formats/test_sarif_schema.py

CI fetches the schema from where OASIS publishes it.
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from semafuzz.reports.formats.report import Report
from semafuzz.reports.formats.sarif import sarif_log
from semafuzz.reports.run_view.schema import FindingView
from tests.conftest import Run
from tests.reports.pages.test_pages import hostile_picture

SCHEMA = os.environ.get("SARIF_SCHEMA", "")
pytestmark = pytest.mark.skipif(not SCHEMA, reason="SARIF_SCHEMA names no copy of the schema")


def faults(log: str) -> list[str]:
    """What the schema says against a log."""
    import jsonschema

    schema = json.loads(Path(SCHEMA).read_text())
    validator: Any = jsonschema.Draft4Validator(schema)
    found = validator.iter_errors(json.loads(log))
    return [f"{'/'.join(map(str, one.absolute_path))}: {one.message[:200]}" for one in found]


def test_the_schema_refuses_what_is_none() -> None:
    assert faults('{"version": "2.1.0", "runs": [{"tool": {"driver": {}}, "results": [{"level": "grave"}]}]}')


@pytest.mark.parametrize("program", ["lost", "stuck", "always"])
def test_findings(picture: Callable[..., FindingView], program: str) -> None:
    assert faults(sarif_log(Report([(picture(program), "error")]))) == []


def test_nothing_and_anything(picture: Callable[..., FindingView]) -> None:
    assert faults(sarif_log(Report([]))) == []
    assert faults(sarif_log(Report([(hostile_picture(picture("lost")), "warning")]))) == []


def test_what_commands_write(semafuzz: Run, tmp_path: Path) -> None:
    semafuzz(
        "fuzz", "reference", "--set", "defect=missing_lock", "--schedules", "400", "--detect", "races", "--out", "found"
    )
    semafuzz("report", "found", "--out", "pages")
    assert faults((tmp_path / "pages" / "findings.sarif").read_text()) == []
    (tmp_path / "account.py").write_text(ACCOUNT)
    semafuzz("audit", "account.py:Account", "--lock", "lock", "--out", "audited")
    semafuzz("report", "audited", "--out", "of-audit")
    log = (tmp_path / "of-audit" / "findings.sarif").read_text()
    assert json.loads(log)["runs"][0]["results"]
    assert faults(log) == []


ACCOUNT = """
import threading


class Account:
    def __init__(self):
        self.lock = threading.Lock()
        self.balance = 0

    def pay(self):
        with self.lock:
            self.balance += 1

    def forget(self):
        self.balance = 0
"""
