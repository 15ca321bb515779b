"""Mutants of a target's audited class: each method that takes the lock by a decorator, without it.

Each runs in a process of its own, with the operations that come to the method and those that run beside everything.
A mutant is killed by an error that the unchanged code does not show under the same program and schedule, nor under
some more; a warning about lock discipline kills nobody, since it looks at the lock and not at what came of it.
"""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from time import perf_counter

import msgspec

from semafuzz.commands.common.json_command import json_of
from semafuzz.harness.audit.class_audit import locks_of
from semafuzz.harness.audit.sources import Sources
from semafuzz.harness.edits.remedies import WHAT_IF
from semafuzz.harness.errors import CannotJudge, UsageError
from semafuzz.harness.kernel import event_kinds as op
from semafuzz.harness.runs.execution_config import ExecutionConfig
from semafuzz.harness.runs.program import execute
from semafuzz.harness.runs.session import controlled_session
from semafuzz.harness.schedulers.serial_order import SerialOrder
from semafuzz.harness.traces import codec
from semafuzz.strategies.fuzz.small_scope import SmallScope
from semafuzz.targets import find_target
from semafuzz.targets.model.protocol import Audited, ImpossibleStartError, Target

TRIES = 30
"""Schedules of the unchanged code in which an error must not show."""
MOST_OPERATIONS = 4
"""Of those that come to a method."""


@dataclass(frozen=True, slots=True)
class Unlocked:
    """What became of one mutant. ``operations``: with which it was searched; ``killed``: by this error, or ""."""

    method: str
    operations: tuple[str, ...]
    killed: str
    schedules: int
    seconds: float


def judge_unlocked(name: str, seconds: float, seed: int, beside: Sequence[str]) -> list[Unlocked]:
    """Every mutant. ``beside``: operations that run beside each."""
    target = find_target(name)
    if not isinstance(target, Audited):
        raise UsageError(f"the target {name} names no class whose lock could be left out; give FILE.py:CLASS")
    known = target.audited
    sources = Sources((target.sources_of("", None),))
    module = sources.module(known.module)
    kind = module.classes[known.name] if module is not None else None
    if kind is None:
        raise UsageError(f"{known.module} cannot be read")
    locks, _, _ = locks_of(sources, kind, known.lock)
    locked = [method for method, node in kind.methods.items() if locks.taken_by_decorator(kind.module, node)]
    reached = _operations_by_method(target)
    found = []
    for method in locked:
        operations = tuple(dict.fromkeys([*reached.get(method, ())[:MOST_OPERATIONS], *beside]))
        found.append(_judge(name, f"{known.name}.{method}", operations, seconds, seed))
    return found


def _operations_by_method(target: Target) -> dict[str, list[str]]:
    """For each method of the audited class the operations that come to it, each run alone once."""
    found: dict[str, list[str]] = {}
    with target.open() as opened, controlled_session(opened.modules) as laboratory:
        setting = ExecutionConfig(bytearray(1 << 16))
        for scenario in SmallScope(target, lambda _: (), 0).essentials():
            try:
                outcome = execute(opened.program(scenario), SerialOrder((0,)), setting)
            except ImpossibleStartError:
                continue
            laboratory.control.between_executions()
            operation = scenario.content.tasks[0][0].name
            for event in outcome.events:
                if event[0] == op.CALL:
                    method = str(event[3]).rpartition(".")[2]
                    if operation not in found.setdefault(method, []):
                        found[method].append(operation)
    return found


def _judge(name: str, method: str, operations: tuple[str, ...], seconds: float, seed: int) -> Unlocked:
    started = perf_counter()
    with tempfile.TemporaryDirectory(prefix="semafuzz-mutant-") as folder:
        budget = ["--seconds", str(seconds), "--seed", str(seed), "--out", folder]
        mutant = ["--operations", ",".join(operations), "--what-if", f"unlock {method}"]
        try:
            answer = json_of(["fuzz", name, *mutant, *budget])
        except CannotJudge:
            # It has said why on standard error.
            answer = {}
        failures = [one for one in answer.get("failures", []) if one["severity"] == "error" and one["trace"]]
        for one in failures:
            if not _shows_without(Path(one["trace"])):
                said = f"{one['kind']}: {one['message'][:150]} ({', '.join(one['operations'])})"
                return Unlocked(method, operations, said, answer["schedules"], perf_counter() - started)
    return Unlocked(method, operations, "", int(answer.get("schedules", 0)), perf_counter() - started)


def _shows_without(trace: Path) -> bool:
    """Whether the unchanged code shows an error of a mutant too, or nobody can tell."""
    read = codec.read(trace)
    configuration = {key: value for key, value in read.configuration.items() if key != WHAT_IF}
    plain = trace.with_name("plain.json")
    codec.write(msgspec.structs.replace(read, configuration=configuration), plain)
    try:
        return bool(json_of(["replay", str(plain), "--search", str(TRIES)]).get("reproduces"))
    except CannotJudge:
        return True
