"""``semafuzz matrix``: which defects show in which releases."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict

from harness.errors import CannotJudge, UsageError
from harness.laboratory import open_laboratory
from harness.starting import run_options
from reports.terminal import plain
from strategies.matrix import SHOWS, Cell, Judging, judge_defect
from targets import find_target
from targets.catalogue import Catalogued, Defect
from targets.protocol import Released


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


def judge_here(name: str, release: str, judging: Judging) -> list[Cell]:
    """One column of the table, in this process."""
    target = find_target(name)
    with target.open(release) as opened, open_laboratory(opened.modules) as laboratory:
        if laboratory.silence:
            raise CannotJudge(laboratory.silence)
        return [judge_defect(defect, target, opened, laboratory, judging) for defect in defects_of(name, judging.only)]


def run_matrix(name: str, releases: Sequence[str], judging: Judging, jobs: int, as_json: bool) -> int:
    """Judge every defect in every release (those that the catalogue speaks of, where none
    is given), each release in a process of its own, ``jobs`` at once; print the table. The
    exit code: 1 where a known defect shows in a release that is said to be fixed, or stays
    silent in one that is said to be affected; else 0."""
    target = find_target(name)
    defects = defects_of(name, judging.only)
    if not isinstance(target, Released):
        raise UsageError(f"the target {name} has no releases")
    chosen = list(releases) or sorted(
        {one for defect in defects for one in (*defect.affected, *defect.fixed)}, key=_age
    )
    with ThreadPoolExecutor(jobs) as pool:
        judged = list(pool.map(lambda release: _column(name, release, judging), chosen))
    columns = dict(zip(chosen, judged, strict=True))
    wrong = _wrong(defects, columns, judging.model)
    if as_json:
        cells = {release: [asdict(cell) for cell in column] for release, column in columns.items()}
        sys.stdout.write(json.dumps({"releases": cells, "wrong": wrong}) + "\n")
    else:
        _print(defects, columns)
        for line in wrong:
            print(line)
    return 1 if wrong else 0


def _age(release: str) -> list[tuple[bool, int, str]]:
    """Releases by their numbers; what is no number comes last."""
    return [(not part.isdigit(), int(part) if part.isdigit() else 0, part) for part in release.split(".")]


def _column(name: str, release: str, judging: Judging) -> list[Cell]:
    print(f"semafuzz: {release}", file=sys.stderr, flush=True)
    done = subprocess.run(
        [sys.executable, *run_options(), "matrix-column", name, "--release", release, *judging.options()],
        stdout=subprocess.PIPE, text=True, check=False,
    )  # fmt: skip
    if done.returncode == 2:
        raise KeyboardInterrupt
    if done.returncode:
        unjudged = "this release could not be judged"
        return [Cell(defect.name, "?", said=unjudged) for defect in defects_of(name, judging.only)]
    return [Cell(**cell) for cell in json.loads(done.stdout.splitlines()[-1])]


def print_column(cells: Sequence[Cell]) -> int:
    """For the process that has asked."""
    sys.stdout.write(json.dumps([asdict(cell) for cell in cells]) + "\n")
    return 0


def _wrong(defects: Sequence[Defect], columns: dict[str, list[Cell]], model: str) -> list[str]:
    said = []
    for release, column in columns.items():
        for defect, cell in zip(defects, column, strict=True):
            if model not in (defect.models or [model]):
                continue
            if release in defect.affected and cell.answer != SHOWS:
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
