"""``semafuzz fuzz``: small and generated programs, each under many schedules."""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from contextlib import nullcontext, suppress
from dataclasses import dataclass
from pathlib import Path
from time import perf_counter

import msgspec

from semafuzz.commands.common.confirm import confirm, tell
from semafuzz.commands.common.counted import counted
from semafuzz.commands.common.output_folder import usable_folder
from semafuzz.commands.common.target_detectors import detectors_of
from semafuzz.commands.fuzz.line_coverage import Measuring, measured
from semafuzz.harness.detectors.coverage import Discovery
from semafuzz.harness.edits.call_points import FAULTS
from semafuzz.harness.edits.remedies import WHAT_IF
from semafuzz.harness.errors import UsageError
from semafuzz.harness.kernel.install import interrupts
from semafuzz.harness.kernel.outcome import SEES_ACCESSES, Model
from semafuzz.harness.kernel.sites import SITES
from semafuzz.harness.runs.budget import Deadline
from semafuzz.harness.runs.code_identity import code_identity
from semafuzz.harness.runs.execution_config import ExecutionConfig
from semafuzz.harness.runs.session import controlled_session
from semafuzz.harness.schedulers.registry import make_scheduler
from semafuzz.harness.search.conclusion import conclude
from semafuzz.harness.search.finding import in_order_of_worth
from semafuzz.harness.search.result import Result
from semafuzz.reports.formats.json_result import result_json
from semafuzz.reports.summaries import Summary, keep_summary
from semafuzz.reports.terminal.progress import Figures
from semafuzz.reports.terminal.result import Progress, print_result
from semafuzz.strategies.fuzz.loop import FuzzLoop
from semafuzz.strategies.fuzz.triage import Triage
from semafuzz.strategies.pairs.search import PairSearch
from semafuzz.strategies.pairs.section import pairs_section
from semafuzz.targets import choose_target
from semafuzz.targets.declared.loading import is_spec
from semafuzz.targets.model.catalogue import variants_of
from semafuzz.targets.model.configured_target import configure, target_itself
from semafuzz.targets.model.protocol import Released, Target, modules_to_watch
from semafuzz.targets.model.scenario import Scenario, describe

Look = Callable[[Figures], None]
"""Called after an execution."""
UNDER_WAY = "under-way"
"""The file, in the folder of such a search, with the program that it runs now."""
FOR_PAIRS, FOR_ONLY_PAIRS = 0.6, 0.9
"""The part of the budget in which every two methods of a class are decided, before longer programs come, and
where there are none."""
EVERY = 0.5
"""Seconds between two lines that a search writes for the process that asked for it."""


@dataclass(frozen=True, slots=True)
class Search:
    """What to fuzz, and how long. ``settings``: options of the target as ``NAME=VALUE``;
    ``out``: the folder for traces; ``coverage``: lines and branches are measured; ``operations``: those that
    programs are made of, all where there are none; ``only_pairs``: nothing but the pairs of operations, see
    :mod:`semafuzz.strategies.pairs.search`; ``what_if``: remedies that are tried,
    ``faults``: calls that may fail."""

    target: str
    release: str
    scheduler: str
    schedules: int
    seconds: float
    seed: int
    model: Model
    detect: tuple[str, ...]
    out: Path
    settings: Sequence[str] = ()
    coverage: bool = False
    operations: tuple[str, ...] = ()
    only_pairs: bool = False
    what_if: tuple[str, ...] = ()
    faults: tuple[str, ...] = ()

    def arguments(self) -> list[str]:
        """The same as arguments of the command."""
        told = ["fuzz", self.target, "--scheduler", self.scheduler, "--schedules", str(self.schedules)]
        told += ["--seconds", str(self.seconds), "--seed", str(self.seed), "--model", self.model]
        told += ["--coverage"] if self.coverage else []
        told += [part for one in self.what_if for part in ("--what-if", one)]
        told += [part for one in self.faults for part in ("--fault", one)]
        told += ["--operations", ",".join(self.operations)] if self.operations else []
        told += ["--out", str(self.out), *(["--release", self.release] if self.release else [])]
        told += [part for name in self.detect for part in ("--detect", name)]
        return told + [part for one in self.settings for part in ("--set", one)]


def run_fuzz(wanted: Search, as_json: bool, share: tuple[int, int] = (0, 1)) -> int:
    """Fuzz a target in this process; the exit code. ``share``: which part of how many."""
    progress = None if as_json else Progress()
    started = perf_counter()

    def look(figures: Figures) -> None:
        if progress is not None:
            progress.tell(figures, perf_counter() - started)

    try:
        result = search(wanted, look, share)
    finally:
        if progress is not None:
            progress.clear()
    return show(wanted, result, as_json)


def show(wanted: Search, result: Result, as_json: bool, parts: Sequence[Path] = ()) -> int:
    """Print what a search came to; the exit code. ``parts``: the folders of the searches that
    it is made of."""
    result.failures = in_order_of_worth(result.failures)
    if is_spec(wanted.target) and not result.interrupted:
        confirm(result, "")
    result.notes += [counted(count, words) for words, count in (*result.pairs.items(), *result.skipped.items())]
    files = measured(wanted.out, parts) if wanted.coverage else []
    summary = Summary("fuzz", wanted.target, wanted.release, wanted.model, result, files=files)
    keep_summary(summary, wanted.out)
    if as_json:
        sys.stdout.write(result_json(result) + "\n")
    else:
        if result.failures and not result.interrupted and not is_spec(wanted.target):
            result.failures[0] = tell(result.failures[0])
        print_result(result, program=wanted.target if is_spec(wanted.target) else "")
    if result.interrupted:
        print("semafuzz: interrupted; above is what was found so far", file=sys.stderr)
        return 2
    if result.failures:
        return 1
    return 125 if result.verdict == "uncontrolled" else 0


def run_share(wanted: Search, share: tuple[int, int]) -> int:
    """One of several searches, for the process that asked: lines of JSON, which are
    figures while it goes on and the result at the end."""
    last = perf_counter()

    def look(figures: Figures) -> None:
        nonlocal last
        if perf_counter() - last > EVERY:
            last = perf_counter()
            print(msgspec.json.encode(figures).decode(), flush=True)

    def enter(scenario: Scenario) -> None:
        # Should this process die of it, somebody will ask which it was.
        with suppress(OSError):
            (wanted.out / UNDER_WAY).write_text(describe(scenario), encoding="utf-8", errors="replace")

    result = search(wanted, look, share, enter)
    print(msgspec.json.encode(result).decode(), flush=True)
    return 0


def target_of(wanted: Search) -> Target:
    """The target, with its options set. UsageError where there is none, and for a
    scheduler that is none."""
    make_scheduler(wanted.scheduler, wanted.seed)
    what_if, faults = "\n".join(wanted.what_if), "\n".join(wanted.faults)
    if not is_spec(wanted.target):
        if faults:
            raise UsageError("--fault and --faults go with FILE.py:CLASS; a target names its own")
        return configure(choose_target(wanted.target), wanted.settings, wanted.operations, what_if)
    changes = {WHAT_IF: what_if, FAULTS: faults}
    settings = [*wanted.settings, *(f"{name}={text}" for name, text in changes.items() if text)]
    return configure(choose_target(wanted.target, what_if, faults), settings, wanted.operations)


def operations_of(scenario: Scenario) -> list[str]:
    """The names of its operations."""
    return [one.name for task in scenario.content.tasks for one in task]


def search(
    wanted: Search, look: Look, share: tuple[int, int] = (0, 1), enter: Callable[[Scenario], None] | None = None
) -> Result:
    """Fuzz a target. ``share``: which of how many searches with this seed it is. ``enter`` is
    called before each program."""
    target = target_of(wanted)
    folder = usable_folder(wanted.out)
    result = Result(wanted.target, wanted.scheduler, wanted.seed)
    started, deadline = perf_counter(), Deadline(wanted.seconds)
    model = wanted.model

    def tell(under_way: int = 0) -> None:
        schedules, waiting = result.schedules + under_way, len(refinement.waiting)
        look(Figures(schedules, fuzzing.examples, len(result.failures), waiting, discovery.once))

    # What is called verified has to be seen.
    verifies = wanted.only_pairs and model == "threads" and not isinstance(target_itself(target), Released)
    with (
        target.open(wanted.release) as opened,
        controlled_session(
            modules_to_watch(opened, thorough=opened.thorough or verifies),
            instrument=model in SEES_ACCESSES,
            thorough=opened.thorough or verifies,
        ) as laboratory,
    ):
        opened.sparing = True
        subject = wanted.target if is_spec(wanted.target) else " ".join(dict.fromkeys((wanted.target, opened.release)))
        detectors = detectors_of(opened, model, wanted.detect, subject)
        points = bytearray(max(1 << 16, 2 * len(SITES)))
        discovery = Discovery()
        setting = ExecutionConfig(
            points, model, wanted.seed, detectors=(*detectors, discovery), thorough=laboratory.thorough
        )
        refinement = Triage(target, opened, laboratory, setting, folder, deadline, result, began=started)
        refinement.novelty.like = variants_of(target)
        refinement.look = tell
        fuzzing = FuzzLoop(refinement, wanted.scheduler, wanted.schedules, share, tell)
        fuzzing.enter = enter
        if opened.thorough or wanted.only_pairs:
            part = FOR_ONLY_PAIRS if wanted.only_pairs else FOR_PAIRS
            budget = deadline.before(1 - part), int(part * wanted.schedules) or 1
            fuzzing.pairs = PairSearch(refinement, *budget, tell, enter, share)
            fuzzing.only_pairs = wanted.only_pairs
            fuzzing.pairs.calls_of = fuzzing.calls_of
        measuring = Measuring(folder, opened.modules) if wanted.coverage else None
        if measuring is not None:
            fuzzing.enter = lambda scenario: measuring.enter(operations_of(scenario))
        try:
            with measuring.running() if measuring is not None else nullcontext():
                fuzzing.run()
        except KeyboardInterrupt:
            # What was found so far is told as well as what a whole search finds.
            result.interrupted = True
            fuzzing.conclude()
        if enter is not None:
            result.code = code_identity(opened.modules, opened.libraries, target_itself(target).sources)
        conclude(result, detectors)
        result.notes += target.notes()
        if fuzzing.pairs is not None and fuzzing.pairs.pairs:
            result.sections.append(pairs_section(fuzzing.pairs.pairs, f"Which methods of {subject} may run together"))
        # One that came after the last run must not cost the result.
        result.interrupted |= interrupts.forget()
    result.coverage = discovery.coverage()
    result.seconds = perf_counter() - started
    result.programs = fuzzing.examples
    result.notes.append(f"{' '.join(filter(None, (target.name, opened.release)))}, {model} model")
    result.skipped = refinement.novelty.told()
    return result
