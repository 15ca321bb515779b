"""``semafuzz show``: draw one finding, or all of a folder, and have a browser open the page."""

from __future__ import annotations

import contextlib
import sys
import webbrowser
from pathlib import Path

import msgspec

from semafuzz.commands.common.output_folder import usable_folder
from semafuzz.commands.pack.given import is_pack
from semafuzz.commands.pack.schema import SUFFIX, read_pack
from semafuzz.commands.report.run import ReportOptions, make_report
from semafuzz.harness.errors import UsageError
from semafuzz.harness.files.atomic_write import atomic_write
from semafuzz.harness.files.traces_folder import DEFAULT
from semafuzz.reports.pages.content import Site
from semafuzz.reports.pages.finding import NO_PICTURE
from semafuzz.reports.site import write_site
from semafuzz.reports.terminal.plain_text import plain, script


def run_show(what: Path, out: Path | None, program: str | None, *, opens: bool) -> int:
    """Make the page and open it; the exit code. UsageError where there is nothing to show."""
    what = _by_name(what)
    if not what.exists():
        raise UsageError(f"there is no {what}; `semafuzz check` and `semafuzz fuzz` say where they put what they find")
    if is_pack(what):
        address, broken = _page_of_pack(what, out), False
    else:
        address, broken = _page(what, out, program)
    print(plain(address, 4000))
    if opens:
        # One that cannot be started is no failure: the address is there.
        with contextlib.suppress(webbrowser.Error, OSError):
            webbrowser.open(address)
    return 4 if broken else 0


def _by_name(what: Path) -> Path:
    """The trace of a finding that is given by its name alone, in the folder where findings go."""
    named = Path(DEFAULT) / f"{what.name}.json"
    return named if what.parent == Path() and not what.exists() and named.exists() else what


def _page(what: Path, out: Path | None, program: str | None) -> tuple[str, bool]:
    """The address of the page, and whether a trace could not be read."""
    name = what.name.removesuffix(".json")
    beside = what / "report" if what.is_dir() else what.parent / "report" / name
    drawn_before = _drawn_before((out or beside) / f"{name.removesuffix('.trace')}.html")
    made = make_report(ReportOptions(what, out or beside, program, None, None, 1))
    page = made.index if what.is_dir() else made.index.parent / f"{name.removesuffix('.trace')}.html"
    if made.missing and drawn_before is not None and NO_PICTURE.encode() not in drawn_before and not what.is_dir():
        # On code that was corrected there is nothing to draw, and what it was is still worth a look.
        atomic_write(page, drawn_before)
        print("semafuzz: shown is the picture that was drawn before", file=sys.stderr)
    for text in (*made.broken, *(f"no picture of {trace}: {why}" for trace, why in made.missing.items())):
        print(f"semafuzz: {plain(text, 500)}", file=sys.stderr)
    return (page if page.exists() else made.index).absolute().as_uri(), bool(made.broken)


def _drawn_before(page: Path) -> bytes | None:
    try:
        return page.read_bytes()
    except OSError:
        return None


def _page_of_pack(what: Path, out: Path | None) -> str:
    """The page of a packed finding, drawn from its picture: nothing is run."""
    name = what.name.removesuffix(SUFFIX)
    folder = usable_folder(out or what.parent / "report" / name)
    commands = [f"{script()} replay {plain(str(what), 4000)} --trust"]
    picture = msgspec.structs.replace(read_pack(what).picture, commands=commands)
    try:
        write_site(Site([(picture, picture.severity or "error", name)]), folder)
    except OSError as error:
        raise UsageError(f"cannot write to {folder} ({error.strerror}); name another with --out") from None
    return (folder / f"{name}.html").absolute().as_uri()
