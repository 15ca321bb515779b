"""``semafuzz report``: what was found, as pages to look at and files for other tools."""

from __future__ import annotations

import itertools
import json
import shutil
import sys
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

import msgspec
import trio

from semafuzz.campaign.workers import Limits, run_process, supervise
from semafuzz.commands.common.output_folder import usable_folder
from semafuzz.commands.report.draw import view_without_run
from semafuzz.commands.report.draw_process import picture_file
from semafuzz.commands.report.notes_beside import notes_beside
from semafuzz.commands.trace.list_traces import traces_in
from semafuzz.harness.errors import TraceError, UsageError
from semafuzz.harness.kernel.outcome import Severity
from semafuzz.harness.runs.function_file import split
from semafuzz.harness.search.finding import in_order_of_worth
from semafuzz.harness.traces.codec import read
from semafuzz.harness.traces.schema import Function, Trace
from semafuzz.reports.pages.content import Site
from semafuzz.reports.run_view.schema import FindingView
from semafuzz.reports.site import write_site
from semafuzz.reports.summaries import Summary, read_summary
from semafuzz.reports.terminal.plain_text import plain, replay_command, script
from semafuzz.reports.terminal.result import Progress
from semafuzz.self_command import run_options
from semafuzz.targets.declared.target import DECLARED

CHUNK = 6
"""Traces that one process draws: starting one takes longer than most drawings."""
SECONDS = 300.0
"""That a process may take."""
EACH = 60.0
"""And so many more for each trace."""
PICTURES = 100
"""Findings of which pictures are made, the worst ones: each is run again for it. Of the others a command makes one."""
MATRIX = 16 << 20
"""Characters of a matrix that are read."""


@dataclass(frozen=True, slots=True)
class ReportOptions:
    """What is wanted; see the options of the command."""

    folder: Path
    out: Path
    program: str | None
    source: Path | None
    matrix: Path | None
    jobs: int
    pictures: int = PICTURES


@dataclass(slots=True)
class _Found:
    """A trace, and what became of it."""

    path: Path
    trace: Trace
    picture: FindingView | None = None


@dataclass(slots=True)
class _Drawing:
    """Having pictures made, in processes of their own: a target that crashes or hangs costs
    its picture only."""

    order: ReportOptions
    found: list[_Found]
    work: Path
    done: int = 0
    progress: Progress = field(default_factory=Progress)
    chunks: list[list[_Found]] = field(default_factory=list)

    async def run(self) -> None:
        """Draw all; what a chunk did not get done is tried once more, one by one."""
        by_code: Callable[[_Found], tuple[str, str]] = lambda one: _code(one.trace)  # noqa: E731
        for _, group in itertools.groupby(sorted(self.found, key=by_code), key=by_code):
            members = list(group)
            # No process is without work as long as another has two traces.
            size = max(1, min(CHUNK, -(-len(members) // self.order.jobs)))
            self.chunks += [members[start : start + size] for start in range(0, len(members), size)]
        await supervise([partial(self._draw, chunk) for chunk in self.chunks], self.order.jobs)
        left = [one for one in self.found if one.picture is None]
        await supervise([partial(self._draw, [one], last=True) for one in left], self.order.jobs)
        self.progress.clear()

    async def _draw(self, chunk: Sequence[_Found], last: bool = False) -> None:
        folder = Path(tempfile.mkdtemp(dir=self.work))
        command = [sys.executable, *run_options(), "picture", *(str(one.path.absolute()) for one in chunk)]
        command += ["--into", str(folder.absolute())]
        program = _program_of(chunk[0].trace, self.order)
        command += ["--program", program] if program else []
        command += ["--source", str(self.order.source)] if self.order.source and not _is_own(chunk[0].trace) else []
        ended = await run_process(command, folder, Limits(SECONDS + EACH * len(chunk)))
        for one in chunk:
            try:
                one.picture = msgspec.json.decode(picture_file(folder, one.path).read_bytes(), type=FindingView)
            except (OSError, msgspec.DecodeError):
                if last:
                    why = f"it could not be run here: the process {ended.trouble()}"
                    one.picture = msgspec.structs.replace(view_without_run(one.trace), reproduces=why)
                continue
            self.done += 1
            self.progress.line(f"{self.done} of {len(self.found)} findings drawn")


@dataclass(frozen=True, slots=True)
class Made:
    """What was written. ``drawn``: findings with a picture; ``files``: in all; ``missing``: why
    there is no picture of some."""

    index: Path
    findings: int
    drawn: int
    files: int
    broken: list[str]
    missing: dict[str, str]


def run_report(order: ReportOptions, as_json: bool) -> int:
    """Write the pages and tell; the exit code."""
    made = make_report(order)
    if as_json:
        told = {"index": str(made.index), "findings": made.findings, "drawn": made.drawn, "broken": made.broken}
        sys.stdout.write(json.dumps(told) + "\n")
    else:
        for text in made.broken:
            print(f"semafuzz: {plain(text)}", file=sys.stderr)
        for name, why in list(made.missing.items())[:5]:
            print(f"no picture of {plain(name)}: {plain(why, 300)}", file=sys.stderr)
        findings = "1 finding" if made.findings == 1 else f"{made.findings} findings"
        print(f"{findings}, {made.drawn} with a picture, {made.files} files; look at")
        print(plain(str(made.index), 4000))
    return 4 if made.broken else 0


def make_report(order: ReportOptions) -> Made:
    """Write the pages, of one trace where it is named. UsageError where there is nothing to tell of, or nowhere to."""
    alone = order.folder.is_file()
    paths = [order.folder] if alone else traces_in(order.folder)
    summary = None if alone else read_summary(order.folder)
    if not paths and summary is None:
        raise UsageError(f"{order.folder} holds no finding and no search; give the folder that --out named")
    matrix = _matrix(order.matrix)
    if order.out == order.folder / "report" and order.out.is_symlink():
        # A folder from elsewhere must not say where on this machine is written.
        raise UsageError(f"{order.out} is a link to another place; remove it, or name a folder with --out")
    out = usable_folder(order.out)
    found, broken = _read(paths)
    if order.program is not None:
        if not split(order.program, methods=True)[0].is_file():
            raise UsageError(f"there is no file for {order.program}; give it as FILE.py:NAME")
        if found and not any(_program_of(one.trace, order) for one in found):
            raise UsageError(f"no trace in {order.folder} is of {order.program}; leave --program out to see all")
    try:
        work = Path(tempfile.mkdtemp(prefix=".drawing-", dir=out))
        try:
            _worst_first(found, summary)
            for one in found[order.pictures :]:
                one.picture = msgspec.structs.replace(view_without_run(one.trace), reproduces=_on_demand(one))
            trio.run(_Drawing(order, found[: order.pictures], work).run)
        finally:
            shutil.rmtree(work, ignore_errors=True)
        site = Site([_told(one, summary, order) for one in found], summary, broken, matrix)
        written = write_site(site, out)
    except OSError as error:
        raise UsageError(f"cannot write to {out} ({error.strerror}); make room, and run again") from None
    drawn = sum(one.picture is not None and one.picture.run is not None for one in found)
    missing = {one.path.name: one.picture.reproduces for one in found if one.picture and one.picture.run is None}
    return Made(out / "index.html", len(found), drawn, written, broken, missing)


def _worst_first(found: list[_Found], summary: Summary | None) -> None:
    listed = in_order_of_worth(summary.result.failures) if summary is not None else []
    place = {finding.signature: number for number, finding in enumerate(listed)}
    found.sort(key=lambda one: place.get(one.trace.expected.signature, len(place)))


def _on_demand(one: _Found) -> str:
    return f"it is not among those that were drawn; {script()} show {one.path} makes it"


def _read(paths: Sequence[Path]) -> tuple[list[_Found], list[str]]:
    found, broken = [], []
    for path in paths:
        try:
            found.append(_Found(path, read(path)))
        except TraceError as error:
            broken.append(str(error))
    return found, broken


def _code(trace: Trace) -> tuple[str, str]:
    """What a process is for: one code."""
    content = trace.program
    return (content.file, content.sha256) if isinstance(content, Function) else (trace.target, trace.release)


def _is_own(trace: Trace) -> bool:
    return isinstance(trace.program, Function) or trace.target == DECLARED


def _program_of(trace: Trace, order: ReportOptions) -> str:
    """``--program``, where it is what this trace is of; else ""."""
    content = trace.program
    name = f"{content.file}:{content.function}" if isinstance(content, Function) else trace.release
    given = order.program or ""
    if not given or not _is_own(trace):
        return ""
    path, part = split(given, methods=True)
    return given if Path(name).name == f"{path.name}:{part}" else ""


def _told(one: _Found, summary: Summary | None, order: ReportOptions) -> tuple[FindingView, Severity, str]:
    """The picture with its commands, how severe it is, and the name of its files."""
    picture = one.picture
    assert picture is not None
    program = _program_of(one.trace, order)
    path = plain(str(one.path), 4000)
    commands = [replay_command(str(one.path), program=program)]
    if not _is_own(one.trace):
        commands.append(
            f"{script()} bisect {path} --from {one.trace.release} --to 34.0.0" if one.trace.target == "nova" else ""
        )
    commands.append(f"{script()} export {path}" + (f" --program {program}" if program else ""))
    picture = msgspec.structs.replace(
        picture,
        commands=[one for one in commands if one],
        releases=notes_beside(one.path, "bisect"),
        remedies=notes_beside(one.path, "remedies"),
    )
    severity = picture.severity or (summary.severity_of(picture.signature) if summary is not None else None) or "error"
    return picture, severity, one.path.name.removesuffix(".json").removesuffix(".trace")


def _matrix(path: Path | None) -> dict[str, list[dict[str, str]]]:
    """What ``semafuzz matrix --json`` printed: the cells of each release."""
    if path is None:
        return {}
    try:
        if path.exists() and not path.is_file():
            raise UsageError(f"{path} is no file that holds something")
        with path.open(encoding="utf-8") as file:
            text = file.read(MATRIX)
        told = json.loads(text.splitlines()[-1])["releases"]
        return {
            str(release): [{"defect": str(cell["defect"]), "answer": str(cell["answer"])} for cell in cells]
            for release, cells in told.items()
        }
    except OSError as error:
        raise UsageError(f"cannot read {path}: {error.strerror}") from None
    except (ValueError, LookupError, TypeError, AttributeError):
        raise UsageError(f"{path} is not what `semafuzz matrix --json` prints; make it again") from None
