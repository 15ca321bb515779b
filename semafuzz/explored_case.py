"""A decorated method of ``unittest.TestCase``: explored where a plain runner runs it, with a trace that replays.

Under ``python -m unittest``, stestr, or pytest: whoever runs the test gets an AssertionError that tells the finding as
the terminal does.
"""

from __future__ import annotations

import hashlib
import inspect
import os
import sys
import unittest
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

from semafuzz.commands.common.confirm import replays_alone
from semafuzz.commands.common.output_folder import usable_folder
from semafuzz.harness.files.traces_folder import DEFAULT
from semafuzz.harness.runs import source_index
from semafuzz.harness.runs.imported_modules import FIRST_PARTY, first_party_of
from semafuzz.harness.runs.methods import one_case
from semafuzz.harness.runs.origin import Origin
from semafuzz.harness.runs.program import FunctionProgram
from semafuzz.harness.runs.replay_run import replay
from semafuzz.harness.runs.session import controlled_session
from semafuzz.harness.schedulers.registry import make_scheduler
from semafuzz.harness.search.exploration import Exploration
from semafuzz.harness.search.finding import Finding
from semafuzz.harness.traces.build import recorded_choices
from semafuzz.harness.traces.codec import read
from semafuzz.harness.traces.schema import Function
from semafuzz.reports.run_view.values import Values
from semafuzz.reports.terminal import failing_test
from semafuzz.reports.terminal.plain_text import replay_command
from semafuzz.reports.terminal.told import NOTHING_TOLD, ToldRun, told_run

__unittest = True
"""unittest leaves the frames of such modules out of its tracebacks."""


def explore_case(
    case: unittest.TestCase,
    function: Callable[..., object],
    extra: list[ModuleType],
    *,
    scheduler: str = "portfolio",
    schedules: int = 1000,
    seconds: float | None = None,
    seed: int = 0,
    model: Any = "threads",
    stop_on_first: bool = True,
) -> None:
    """Run the method under many schedules; AssertionError where one of them fails, or where nothing can be said.

    ``extra``: modules to look into besides the test's own and the first-party ones that it uses. A trace of each
    finding is stored in ``.semafuzz``, and the command that replays it is told where it was tried and works.
    """
    __tracebackhide__ = True
    kind, method = type(case), case._testMethodName
    module = sys.modules[function.__module__]
    path = Path(inspect.getfile(kind))
    digest = hashlib.sha256(path.read_bytes()).hexdigest()
    named = tuple(other.__name__ for other in extra)
    identity = Function(path.name, f"{kind.__name__}.{method}", digest, (FIRST_PARTY, *named))
    modules = list(dict.fromkeys([*first_party_of(module), *extra]))
    program = FunctionProgram(one_case(kind, method, function), f"{path.name}:{kind.__name__}.{method}", modules)
    folder = usable_folder(Path(DEFAULT))
    with controlled_session(modules, instrument=model != "eventlet", thorough=True) as laboratory:
        search = Exploration(
            program,
            make_scheduler(scheduler, seed),
            laboratory,
            schedules=schedules,
            seconds=seconds,
            seed=seed,
            model=model,
            stop_on_first=stop_on_first,
            origin=Origin("function", identity),
            folder=folder,
        )
        result = search.run()
        told = [_run_again(program, finding, search) for finding in result.failures]
    source_index.add(identity, path)
    here = min(str(path), os.path.relpath(path), key=len)
    spec = f"{here}::{kind.__name__}::{method}"
    texts = [
        failing_test.found(finding, run, result, _command(finding, spec))
        for finding, run in zip(result.failures, told, strict=True)
    ]
    if texts:
        raise AssertionError("\n\n".join(texts))
    result.assert_holds()


def _run_again(program: FunctionProgram, finding: Finding, search: Exploration) -> ToldRun:
    if not finding.trace or not finding.confirmed:
        return NOTHING_TOLD
    trace, values = read(Path(finding.trace)), Values()
    watched = search.setting.watched_by(values)
    return told_run(trace, replay(program, recorded_choices(trace), watched).outcome, values, failing_test.width())


def _command(finding: Finding, spec: str) -> str:
    """What shows the finding again; "" where that does not do it in a process of its own, so that the test itself has
    to be run."""
    if not finding.trace or not replays_alone(Path(finding.trace), spec):
        return ""
    return replay_command(finding.trace, program=spec)
