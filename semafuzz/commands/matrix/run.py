"""``semafuzz matrix``: which defects show in which releases."""

from __future__ import annotations

import json
import sys
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, replace

from semafuzz.commands.matrix.column import INTERRUPTED, Column
from semafuzz.harness.errors import CannotJudge, UsageError
from semafuzz.harness.kernel.install import interrupts
from semafuzz.harness.kernel.outcome import Model
from semafuzz.harness.runs.session import controlled_session
from semafuzz.reports.terminal.plain_text import plain
from semafuzz.reports.terminal.release_bars import WaitingTable
from semafuzz.strategies.fuzz.defect_check import SHOWS, SILENT, Cell, Judging, judge_defect
from semafuzz.targets import find_target
from semafuzz.targets.model.catalogue import Catalogued, Defect
from semafuzz.targets.model.protocol import Released


def defects_of(name: str, only: str) -> list[Defect]:
    """The defects that a target's catalogues name, or those of them that are asked for."""
    target = find_target(name)
    if not isinstance(target, Catalogued):
        raise UsageError(f"the target {name} keeps no catalogue of defects; nova does")
    found = list(target.defects())
    wanted = [one.strip() for one in only.split(",") if one.strip()]
    unknown = set(wanted) - {one.name for one in found}
    if unknown:
        raise UsageError(f"no defect is called {sorted(unknown)[0]!r}; `semafuzz list defects` shows them")
    return [one for one in found if not wanted or one.name in wanted]


def judge_here(name: str, release: str, judging: Judging) -> Iterator[Cell]:
    """One column of the table, in this process, cell by cell.

    What green threads can do, native ones can do as well, and with fewer places to switch it is met sooner: two
    tasks that stay silent are tried so, too."""
    silent: list[Defect] = []
    for defect, cell in _judged(name, release, defects_of(name, judging.only), judging):
        if cell.answer == SILENT and judging.model != "eventlet" and len(defect.content.tasks) > 1:
            silent.append(defect)
        else:
            yield cell
    if silent:
        yield from (cell for _, cell in _judged(name, release, silent, replace(judging, model="eventlet")))


def _judged(name: str, release: str, defects: Sequence[Defect], judging: Judging) -> Iterator[tuple[Defect, Cell]]:
    """Each defect under one model. Its traces are replayed on code that is instrumented as here."""
    target = find_target(name)
    with (
        target.open(release) as opened,
        controlled_session(opened.modules, instrument=judging.model != "eventlet") as laboratory,
    ):
        if laboratory.uncontrolled_reason:
            raise CannotJudge(laboratory.uncontrolled_reason)
        for defect in defects:
            yield defect, judge_defect(defect, target, opened, laboratory, judging)


def run_matrix(name: str, releases: Sequence[str], judging: Judging, jobs: int, as_json: bool) -> int:
    """Judge every defect in every release (those that the catalogue speaks of, where none
    is given), each release in a process of its own, ``jobs`` at once; print the table. The
    exit code: 1 where a known defect shows in a release that is said to be fixed, or stays
    silent in one that is said to be affected; 2 where it was interrupted, and the table has
    what was judged so far; else 0."""
    target = find_target(name)
    defects = defects_of(name, judging.only)
    if not isinstance(target, Released):
        raise UsageError(f"the target {name} has no releases")
    chosen = list(releases) or sorted(
        {one for defect in defects for one in (*defect.affected, *defect.fixed)}, key=_age
    )
    each = [Column(release) for release in dict.fromkeys(chosen)]
    with interrupts.heard_once(), interrupts.endings_heard():
        was_interrupted = _judge_all(each, name, judging, jobs, len(defects))
    columns = {one.release: one.filled([defect.name for defect in defects]) for one in each}
    wrong = _wrong(defects, columns, judging.model)
    if as_json:
        cells = {release: [asdict(cell) for cell in column] for release, column in columns.items()}
        sys.stdout.write(json.dumps({"releases": cells, "wrong": wrong, "interrupted": was_interrupted}) + "\n")
    else:
        _print(defects, columns)
        for line in wrong:
            print(line)
    if was_interrupted:
        print("semafuzz: interrupted; above is what was judged so far", file=sys.stderr)
        return 2
    return 1 if wrong else 0


def _judge_all(each: Sequence[Column], name: str, judging: Judging, jobs: int, defects: int) -> bool:
    """Let each column be judged; whether that was interrupted."""
    waiting = WaitingTable(len(each), defects)

    def look(column: Column) -> None:
        last = column.cells[-1].defect if column.cells else ""
        waiting.tell(column.release, last, Counter(cell.answer for cell in column.cells))

    try:
        with ThreadPoolExecutor(jobs) as pool:
            judged = [pool.submit(one.judge, name, judging, look) for one in each]
            try:
                for one in judged:
                    one.result()
            except BaseException:
                for column in each:
                    column.interrupt()
                raise
    except KeyboardInterrupt:
        return True
    finally:
        # Not before the last of them has ended: what it tells would be drawn again.
        waiting.clear()
    return False


def _age(release: str) -> list[tuple[bool, int, str]]:
    """Releases by their numbers; what is no number comes last."""
    return [(not part.isdigit(), int(part) if part.isdigit() else 0, part) for part in release.split(".")]


def print_column(cells: Iterable[Cell]) -> int:
    """For the process that has asked: each as soon as it is judged."""
    for cell in cells:
        sys.stdout.write(json.dumps(asdict(cell)) + "\n")
        sys.stdout.flush()
    return 0


def _wrong(defects: Sequence[Defect], columns: dict[str, list[Cell]], model: Model) -> list[str]:
    said = []
    for release, column in columns.items():
        for defect, cell in zip(defects, column, strict=True):
            if model not in (defect.models or [model]):
                continue
            if release in defect.affected and cell.answer != SHOWS and cell.said != INTERRUPTED:
                said.append(f"{defect.name} is known to be in {release} and does not show ({cell.schedules} schedules)")
            if release in defect.fixed and cell.answer == SHOWS:
                said.append(f"{defect.name} is said to be fixed in {release} and shows: {plain(cell.said, 200)}")
    return said


def _print(defects: Sequence[Defect], columns: dict[str, list[Cell]]) -> None:
    width = max(len(defect.name) for defect in defects)
    print(" " * width, *(f"{release:>8}" for release in columns))
    for number, defect in enumerate(defects):
        answers = [column[number].answer for column in columns.values()]
        print(f"{defect.name:<{width}}", *(f"{answer:>8}" for answer in answers))
