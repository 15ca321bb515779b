"""Mutants of a target's audited class, each judged in a process of its own: one that hangs or dies costs no other."""

from __future__ import annotations

import ast
import json
import sys
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from time import perf_counter
from typing import Any

import trio

from semafuzz.campaign.workers import Exit, Limits, run_process, supervise
from semafuzz.harness.audit.class_audit import locks_of
from semafuzz.harness.audit.sources import ClassSource, Sources
from semafuzz.harness.errors import UsageError
from semafuzz.harness.runs.session import controlled_session
from semafuzz.self_command import run_options
from semafuzz.strategies.mutation.unlocked import MutantSearch
from semafuzz.targets.model.protocol import Audited, AuditedClass, Target

GRACE = 900.0
"""Seconds that a process may take beyond the search: it starts, looks for what comes to the method, and runs what
kills on the unchanged code."""


@dataclass(frozen=True, slots=True)
class Unlocked:
    """What became of one mutant. ``operations``: those that come to the method; ``killed``: by this error, or "";
    ``harmless``: why the catalogue says that nothing can come of it, or ""; ``trouble``: why it was not searched, or
    "", and ``died``: its process ended without an answer; ``meeting``: programs in which the method touches what
    another task does, ``searched``: those that were run in other ways than one task after the other."""

    method: str
    operations: tuple[str, ...]
    killed: str
    harmless: str
    programs: int
    meeting: int
    searched: int
    schedules: int
    seconds: float
    trouble: str = ""
    died: bool = False

    @property
    def fate(self) -> str:
        """In a word or two."""
        if self.died:
            return "not searched"
        if self.killed:
            return "killed"
        return "argued harmless" if self.harmless else "survives"


def locked_methods(target: Target, release: str, only: str = "") -> list[str]:
    """The methods of a target's audited class that take its lock by a decorator, as CLASS.METHOD, in the order of the
    source. ``only``: one of them, with or without its class. UsageError where there is none."""
    sources, kind, known = _audited(target, release)
    locks, _, _ = locks_of(sources, kind, known.lock)
    locked = [name for name, node in kind.methods.items() if locks.taken_by_decorator(kind.module, node)]
    if only and only.removeprefix(f"{known.name}.") not in locked:
        raise UsageError(f"{known.name} has no locked method {only!r}; it has {', '.join(locked)}")
    return [f"{known.name}.{name}" for name in locked if only.removeprefix(f"{known.name}.") in ("", name)]


def _audited(target: Target, release: str) -> tuple[Sources, ClassSource, AuditedClass]:
    """The audited class in the sources of a release."""
    if not isinstance(target, Audited):
        raise UsageError(f"the target {target.name} names no class whose lock could be left out; give FILE.py:CLASS")
    known = target.audited
    sources = Sources((target.sources_of(release, None),))
    module = sources.module(known.module)
    kind = module.classes[known.name] if module is not None else None
    if kind is None:
        raise UsageError(f"{known.module} cannot be read")
    return sources, kind, known


def _seen_as(target: Target, release: str, method: str) -> str:
    """The public method by whose calls a method is known: itself, or else one that calls it."""
    owner, _, name = method.rpartition(".")
    if not name.startswith("_"):
        return method
    _, kind, _ = _audited(target, release)
    for caller, node in kind.methods.items():
        called = {one.attr for one in ast.walk(node) if isinstance(one, ast.Attribute)}
        if name in called and not caller.startswith("_"):
            return f"{owner}.{caller}"
    return method


def judge_here(target: Target, release: str, method: str, seconds: float, seed: int) -> Unlocked:
    """One mutant, in this process."""
    assert isinstance(target, Audited)
    argued = target.audited.harmless.get(method.rpartition(".")[2], "")
    with target.open(release) as opened, controlled_session(opened.modules) as laboratory:
        opened.sparing = True
        started = perf_counter()
        death = MutantSearch(target, opened, laboratory, seed).judge(method, seconds, _seen_as(target, release, method))
        took = perf_counter() - started
    trouble = "" if death.operations else "no operation comes to it, alone and with one fault"
    return Unlocked(
        method,
        death.operations,
        death.killed,
        argued,
        death.programs,
        death.meeting,
        death.searched,
        death.schedules,
        took,
        trouble,
    )


def judge_all(
    name: str, release: str, methods: Sequence[str], seconds: float, seed: int, jobs: int,
    told: Callable[[Sequence[Unlocked]], None],
) -> list[Unlocked]:  # fmt: skip
    """Every one of these mutants, ``jobs`` at once; ``told`` is called with those that are done."""
    done: list[Unlocked] = []

    async def judge(method: str, folder: Path) -> None:
        folder.mkdir()
        told_release = ["--release", release] if release else []
        command = ["mutate", name, *told_release, "--only", method, "--seconds", str(seconds), "--seed", str(seed)]
        limits = Limits(seconds + GRACE)
        started = perf_counter()
        ended = await run_process([sys.executable, *run_options(), *command, "--json"], folder, limits)
        done.append(_read(ended, method, perf_counter() - started))
        told(done)

    with tempfile.TemporaryDirectory(prefix="semafuzz-mutants-") as folder:
        works = [partial(judge, method, Path(folder) / str(number)) for number, method in enumerate(methods)]
        trio.run(supervise, works, jobs)
    return sorted(done, key=lambda one: methods.index(one.method))


def _read(ended: Exit, method: str, seconds: float) -> Unlocked:
    """What a process answered of its one mutant."""
    try:
        row: dict[str, Any] = json.loads(ended.output.rstrip("\n").rpartition("\n")[2])["mutants"][0]
        if ended.hung:
            raise LookupError
        return Unlocked(
            method,
            tuple(row["operations"]),
            row["killed"],
            row["harmless"],
            row["programs"],
            row["meeting"],
            row["searched"],
            row["schedules"],
            row["seconds"],
            row["trouble"],
        )
    except (ValueError, LookupError, TypeError):
        return Unlocked(method, (), "", "", 0, 0, 0, 0, seconds, ended.trouble(), died=True)
