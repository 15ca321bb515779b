"""Measuring the schedulers on the classics."""

from __future__ import annotations

import importlib.util
import json
import statistics
import sys
from collections.abc import Callable, Iterable, Sequence
from time import process_time
from typing import NamedTuple

from semafuzz.harness.errors import UsageError
from semafuzz.harness.runs.session import controlled_session
from semafuzz.harness.schedulers.registry import make_scheduler
from semafuzz.harness.search.exploration import Exploration, as_program
from semafuzz.harness.search.result import Result
from semafuzz.targets.classics import CLASSICS, FOLDER, Classic

USUAL = ("portfolio", "surw", "windows", "pos", "random", "pct3")
MOST_TRACES = 5_000
"""Programs with more traces are proved only where they are asked for by name."""


class Cell(NamedTuple):
    """What one scheduler did on one program. ``firsts``: schedules to the first failure for each seed, in order;
    None where none was found. ``seconds``: CPU time of an execution, all that belongs to the search included."""

    scheduler: str
    firsts: tuple[int | None, ...]
    seconds: float

    @property
    def median(self) -> float:
        """The median, where a search that found nothing counts as endless."""
        return statistics.median(float("inf") if first is None else first for first in self.firsts)

    @property
    def worst(self) -> float:
        """The worst seed."""
        return max(float("inf") if first is None else first for first in self.firsts)


class Proof(NamedTuple):
    """What the reduction came to: executions, classes, and whether it came to its end."""

    executions: int
    classes: int
    exhausted: bool
    seconds: float


def run_bench(programs: Sequence[str], schedulers: Sequence[str], seeds: int, schedules: int, *, as_json: bool) -> int:
    """Measure and print; always 0."""
    chosen = _chosen(programs)
    names = schedulers or USUAL
    for classic in chosen:
        function = load(classic)
        if classic.fails:
            cells = [measure(function, name, seeds, schedules) for name in names]
            _print_line(_failing_line(classic, cells, as_json=as_json))
        elif classic.traces is not None and (programs or classic.traces <= MOST_TRACES):
            _print_line(_proof_line(classic, prove(function), as_json=as_json))
    return 0


def _chosen(programs: Sequence[str]) -> list[Classic]:
    known = {classic.name: classic for classic in CLASSICS}
    unknown = [name for name in programs if name not in known]
    if unknown:
        raise UsageError(f"no classic is called {unknown[0]!r}; choose of {', '.join(known)}")
    return [known[name] for name in programs] or list(CLASSICS)


def load(classic: Classic) -> Callable[[], object]:
    """The function of a classic, from its file."""
    file, _, function = classic.place.partition(":")
    path = FOLDER / file
    name = f"classics_{path.parent.name}_{path.stem}"
    if name not in sys.modules:
        spec = importlib.util.spec_from_file_location(name, path)
        assert spec is not None
        assert spec.loader is not None
        sys.modules[name] = module = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(module)
    found: Callable[[], object] = getattr(sys.modules[name], function)
    return found


def measure(function: Callable[[], object], scheduler: str, seeds: int, schedules: int) -> Cell:
    """Search with one scheduler, once for each seed."""
    results = []
    began = process_time()
    for seed in range(seeds):
        results.append(_search(function, scheduler, schedules, seed))
    spent = process_time() - began
    firsts = tuple(result.first_failure for result in results)
    return Cell(scheduler, firsts, spent / sum(result.schedules for result in results))


def prove(function: Callable[[], object]) -> Proof:
    """One execution for each trace."""
    began = process_time()
    result = _search(function, "dpor", 1_000_000, 0)
    spent = process_time() - began
    return Proof(result.schedules, result.classes, result.exhausted, spent / result.schedules)


def _search(function: Callable[[], object], scheduler: str, schedules: int, seed: int) -> Result:
    program = as_program(function)
    with controlled_session(program.modules(), thorough=True) as laboratory:
        search = Exploration(
            program, make_scheduler(scheduler, seed), laboratory, schedules=schedules, seed=seed, shrink_budget=0
        )
        return search.run()


def _failing_line(classic: Classic, cells: Iterable[Cell], *, as_json: bool) -> str:
    if as_json:
        found = {cell.scheduler: {"schedules": cell.firsts, "cpu_seconds": round(cell.seconds, 6)} for cell in cells}
        return json.dumps({"program": classic.name, "best": classic.best, "surw": classic.surw, "found": found})
    published = f"best {_number(classic.best)} {classic.by}".ljust(30)[:30] + f"SURW {_number(classic.surw)}".ljust(10)
    shown = "  ".join(
        f"{cell.scheduler} {_number(cell.median)} ({_number(cell.worst)}) {cell.seconds * 1e6:.0f} µs" for cell in cells
    )
    return f"{classic.name:22}{published}{shown}"


def _proof_line(classic: Classic, proof: Proof, *, as_json: bool) -> str:
    if as_json:
        return json.dumps({"program": classic.name, "traces": classic.traces, **proof._asdict()})
    end = "all of them" if proof.exhausted else "not exhausted"
    return (
        f"{classic.name:22}{classic.traces} traces: {proof.executions} executions, {proof.classes} classes, {end}; "
        f"{proof.seconds * 1e6:.0f} µs"
    )


def _number(value: float | None) -> str:
    return "-" if value is None else "none" if value == float("inf") else f"{value:g}"


def _print_line(line: str) -> None:
    print(line, flush=True)
