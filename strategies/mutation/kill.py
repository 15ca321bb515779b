"""Whether the search kills a mutant: whether some program of two methods comes to what the original never comes to.

The original, used by one thread, is the measure, so that a mutant that is wrong in every order dies as well as one
that only another schedule shows.
"""

from __future__ import annotations

import ast
import copy
from dataclasses import dataclass
from pathlib import Path

from semafuzz.harness.edits.mutants import Mutant
from semafuzz.harness.errors import UsageError
from semafuzz.harness.runs.budget import Deadline
from semafuzz.harness.runs.function_file import load_name
from semafuzz.harness.runs.imported_modules import FIRST_PARTY
from semafuzz.harness.runs.session import ControlledSession, controlled_session
from semafuzz.harness.schedulers.registry import make_scheduler
from semafuzz.harness.search.exploration import Exploration
from semafuzz.strategies.pairs.programs import pairs_of, programs_of
from semafuzz.targets.classes.target import ClassTarget
from semafuzz.targets.model.protocol import OpenTarget

ROUNDS = (60, 600, 6000)
"""Schedules of each program, round after round."""


@dataclass(frozen=True, slots=True)
class Fate:
    """What became of a mutant. ``killed``: by this, in the words of the failure; "" where it survived, ``why`` then
    says how far the search came. ``schedules`` and ``seconds`` until then."""

    mutant: Mutant
    killed: str
    why: str
    schedules: int
    seconds: float


def original_of(path: Path, source: str, name: str) -> ClassTarget:
    """The class as it is."""
    return _target(path, source, name, None)


def _target(path: Path, source: str, name: str, mutant: Mutant | None) -> ClassTarget:
    def change(module: str, tree: ast.Module) -> None:
        if mutant is not None and any(isinstance(node, ast.ClassDef) and node.name == name for node in tree.body):
            tree.body = copy.deepcopy(mutant.tree.body)

    edit = change if mutant is not None else None
    loaded = load_name(path, source, ast.parse(source, str(path)), name, (FIRST_PARTY,), edit=edit)
    return ClassTarget(loaded, "declared", f"{path.name}:{name}", {})


def judge(mutant: Mutant, path: Path, source: str, name: str, seconds: float, seed: int = 0) -> Fate:
    """Search for a run of the mutant that no serial run of the original explains, for so many seconds."""
    deadline = Deadline(seconds)
    original = original_of(path, source, name)
    try:
        changed = _target(path, source, name, mutant)
    except UsageError as error:
        return Fate(mutant, f"it cannot be loaded: {error}", "", 0, seconds - deadline.left)
    changed.measure_by(original.subject)
    with (
        changed.open() as opened,
        controlled_session(opened.modules, thorough=True) as laboratory,
    ):
        killed, why, schedules = _search(changed, opened, laboratory, deadline, seed)
    return Fate(mutant, killed, why, schedules, seconds - deadline.left)


def _search(
    target: ClassTarget, opened: OpenTarget, laboratory: ControlledSession, deadline: Deadline, seed: int
) -> tuple[str, str, int]:
    programs = [one for pair in pairs_of(target, seed) for one in programs_of(target, pair, seed)]
    hot = bytearray(1 << 16)
    schedules, left = 0, programs
    for allowed in ROUNDS:
        unfinished = []
        for scenario in left:
            if deadline.passed:
                return "", "the time ended", schedules
            found = Exploration(
                opened.program(scenario),
                make_scheduler("dpor", seed),
                laboratory,
                schedules=allowed,
                seconds=max(0.1, deadline.left),
                seed=seed,
                hot=hot,
                shrink_budget=0,
            ).run()
            schedules += found.schedules
            if found.failures:
                return f"{found.failures[0].kind}: {found.failures[0].message}", "", schedules
            if not found.exhausted:
                unfinished.append(scenario)
        left = unfinished
        if not left:
            return "", "every schedule of every two methods comes to what the original may come to", schedules
    return "", f"{len(left)} of {len(programs)} programs were not run under all schedules", schedules
