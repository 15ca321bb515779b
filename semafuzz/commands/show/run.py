"""``semafuzz show``: draw one finding, or all of a folder, and have a browser open the page."""

from __future__ import annotations

import contextlib
import sys
import webbrowser
from pathlib import Path

from semafuzz.commands.report.run import ReportOptions, make_report
from semafuzz.harness.errors import UsageError
from semafuzz.reports.terminal.plain_text import plain


def run_show(what: Path, out: Path | None, program: str | None, *, opens: bool) -> int:
    """Make the page and open it; the exit code. UsageError where there is nothing to show."""
    if not what.exists():
        raise UsageError(f"there is no {what}; `semafuzz check` and `semafuzz fuzz` say where they put what they find")
    name = what.name.removesuffix(".json")
    beside = what / "report" if what.is_dir() else what.parent / "report" / name
    made = make_report(ReportOptions(what, out or beside, program, None, None, 1))
    page = made.index if what.is_dir() else made.index.parent / f"{name.removesuffix('.trace')}.html"
    address = (page if page.exists() else made.index).absolute().as_uri()
    for text in (*made.broken, *(f"no picture of {trace}: {why}" for trace, why in made.missing.items())):
        print(f"semafuzz: {plain(text, 500)}", file=sys.stderr)
    print(plain(address, 4000))
    if opens:
        # One that cannot be started is no failure: the address is there.
        with contextlib.suppress(webbrowser.Error, OSError):
            webbrowser.open(address)
    return 4 if made.broken else 0
