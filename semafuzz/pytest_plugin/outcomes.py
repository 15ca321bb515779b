"""Outcomes of an interleaved test, and what goes with its report."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, Any, Literal

import pytest

from semafuzz.harness.kernel.outcome import Severity
from semafuzz.harness.search.result import Verdict

if TYPE_CHECKING:
    from _pytest.outcomes import Failed
else:
    Failed = pytest.fail.Exception


class Found(Failed, AssertionError):
    """The test fails under some schedule; the text is the whole report.

    An assertion error too, for ``xfail(raises=AssertionError)``.
    """

    __module__ = "builtins"  # pytest prints the name of the module before others

    def __init__(self, text: str) -> None:
        super().__init__(text, pytrace=False)


class Inconclusive(Failed):
    """Nothing can be said of the test: it escaped control, or does not start from the
    same state each time. Fails also where a failure is expected (``xfail``)."""

    __module__ = "builtins"

    def __init__(self, text: str) -> None:
        super().__init__(text, pytrace=False)


@dataclass(frozen=True)
class Row:
    """One finding in the summary."""

    signature: str
    severity: Severity
    what: str
    trace: str
    replay: str
    fails: bool = True


@dataclass
class Record:
    """What came of one item; travels with its report as plain data."""

    verdict: Verdict | Literal["gone"]
    schedules: int
    rows: list[Row] = field(default_factory=list)
    watched: list[str] = field(default_factory=list)
    limits: list[str] = field(default_factory=list)

    def properties(self) -> list[tuple[str, object]]:
        """As properties of the test case in JUnit's format."""
        found: list[tuple[str, object]] = [("semafuzz_verdict", self.verdict), ("semafuzz_schedules", self.schedules)]
        for row in self.rows:
            found.append(("semafuzz_signature", row.signature))
            if row.trace:
                found.append(("semafuzz_trace", row.trace))
            if row.replay:
                found.append(("semafuzz_replay", row.replay))
        return found


RECORD = pytest.StashKey[Record]()


def keep(item: pytest.Item, record: Record) -> None:
    """Let ``record`` go with the report of ``item``."""
    item.stash[RECORD] = record
    item.user_properties.extend(record.properties())


def annotate(report: Any, item: pytest.Item, call: pytest.CallInfo[None]) -> None:
    """Give the report what was kept; a test of which nothing can be said does not count
    as an expected failure."""
    record = item.stash.get(RECORD, None)
    if record is not None:
        report.semafuzz = asdict(record)
    if call.excinfo is not None and isinstance(call.excinfo.value, Inconclusive) and report.outcome != "failed":
        report.outcome = "failed"
        del report.wasxfail
        report.longrepr = item.repr_failure(call.excinfo)
    crash = getattr(report.longrepr, "reprcrash", None)
    if call.excinfo is not None and isinstance(call.excinfo.value, (Found, Inconclusive)) and crash is not None:
        # pytest prints it whole on a CI server, below the report that says the same.
        crash.message = crash.message.partition("\n")[0]
