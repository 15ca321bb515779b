"""Catalogues of defects: each with the smallest program that shows it.

A target keeps them as TOML files of data; nothing in them is code. They are known
defects, by which a search can be measured, and findings of our own, for the people who
maintain the target.
"""

from __future__ import annotations

import re
import sys
import tomllib
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType
from typing import Any, Protocol, runtime_checkable

from semafuzz.harness.errors import UsageError
from semafuzz.harness.kernel.outcome import Severity
from semafuzz.harness.traces.schema import Operation, Operations, Value
from semafuzz.harness.traces.signature import functions_of
from semafuzz.targets.model.protocol import Target
from semafuzz.targets.model.scenario import Scenario, parts_of

_OPERATION = re.compile(r"(\w+)\((\d*)\)")
_INSTANCE = re.compile(r"(\d+) (\w+)((?: \w+=\d+)*)")
_NUMBERS = re.compile(r"\d+(\.\d+)*")
_FAULT = re.compile(r"(\w+) in task (\d+)")


@dataclass(frozen=True, slots=True)
class Line:
    """A line of the target's code: ``at`` is ``FILE:NUMBER`` in its package, ``code`` what
    stands there, ``why`` what it has to do with the defect."""

    at: str
    code: str
    why: str


@dataclass(frozen=True, slots=True)
class Resemblance:
    """How a defect shows in other programs than its own: the failure is called ``shows`` (a part of it; "" for
    whatever), the functions ``at`` are all among those where it failed and of its racing pair, and the
    operations and faults ``among`` are all in the program, and of each group of ``any_of`` at least one is.

    It names a cause by where the tasks met, not by what was run. It is wrong where another defect
    fails alike at the same functions.
    """

    shows: str
    at: frozenset[str]
    among: frozenset[str]
    any_of: Sequence[frozenset[str]] = ()

    def fits(self, shown: str, functions: Collection[str], present: Collection[str]) -> bool:
        """Whether a failure between these operations, at these functions, resembles the defect so."""
        there = self.among <= set(present) and all(not group.isdisjoint(present) for group in self.any_of)
        return self.shows in shown and self.at <= set(functions) and there


@dataclass(frozen=True, slots=True)
class Defect:
    """One entry. ``instances`` and ``tasks``: its smallest program. ``fault``: a fault that
    it takes, at any call of a task (``name in task NUMBER``), or "". ``shows``: what the
    failure is called (an invariant or an exception). ``heals``: what puts it right.
    ``warns``: what it is called while it does no harm yet, or "".
    ``schedules``: how many its program is to be explored under at least, where few of them show it.
    ``lines``: where it is in the target's code. ``fixed``: the first releases without it. ``configuration``: options
    that it needs. ``also``: how it shows between other operations.
    """

    name: str
    title: str
    shows: str
    warns: str
    content: Operations
    fault: tuple[str, int] | None
    known: str
    severity: Severity
    needs: str
    heals: str
    lines: Sequence[Line]
    affected: Sequence[str]
    fixed: Sequence[str]
    models: Sequence[str]
    text: str
    schedules: int = 0
    configuration: Mapping[str, Value] = field(default_factory=dict)
    also: Sequence[Resemblance] = ()


def recognised(
    defects: Sequence[Defect],
    shown: str,
    program: Collection[str],
    *,
    tasks: int,
    like: Mapping[str, str] = MappingProxyType({}),
    release: str = "",
    functions: Collection[str] = (),
) -> Defect | None:
    """The defect that a failure is, as far as its name, its operations and its places tell; None for one that is not
    known.

    ``shown``: what the failure is called; ``program``: the names of the operations and faults of what was run, in
    so many ``tasks``; ``functions``: those where it failed and of its racing pair; ``like``: variants of operations,
    which count as what they vary. Of a ``release`` that is known to have a defect's fix, or newer than all that have
    the defect, it is another one. A defect's own operations come before what it resembles between others. Two defects
    with one name between the same operations, or at the same functions, are not told apart.
    """
    present = {like.get(name, name) for name in program}
    there = [one for one in defects if not _is_fixed_in(one, release)]
    for defect in there:
        own = {like.get(one.name, one.name) for task in defect.content.tasks for one in task}
        own |= {defect.fault[0]} if defect.fault is not None else set()
        several = len(defect.content.tasks) > 1
        if not own <= present or (several and tasks < 2):
            continue
        if defect.shows in shown or (defect.warns and defect.warns in shown):
            return defect
    # Of what nobody can tell whether it has a fix, a likeness says too little.
    there = [one for one in there if not one.fixed or _NUMBERS.fullmatch(release)]
    there = [one for one in there if tasks > 1 or len(one.content.tasks) == 1]
    alike = (one for one in there if any(rule.fits(shown, functions, present) for rule in one.also))
    return next(alike, None)


def recognised_in(
    defects: Sequence[Defect],
    identity: Sequence[str],
    scenario: Scenario,
    target: Target,
    release: str,
    pair: Iterable[str] = (),
) -> Defect | None:
    """The same for a scenario of a target: a failure's identity, and the places of its racing pairs as they count
    for identity."""
    return recognised(
        defects,
        " ".join(identity),
        parts_of(scenario),
        tasks=len(scenario.content.tasks),
        like=variants_of(target),
        release=release,
        functions=functions_of((*pair, *identity)),
    )


def variants_of(target: Target) -> dict[str, str]:
    """The operations of a target that are variants of others, and of which."""
    return {info.name: info.like for info in target.operations() if info.like}


@runtime_checkable
class Catalogued(Protocol):
    """A target that keeps catalogues."""

    def defects(self) -> Sequence[Defect]:
        """Known defects and own findings, in the order in which they are to be read."""


def _is_fixed_in(defect: Defect, release: str) -> bool:
    """Whether a release is said to be without the defect, or is newer than all that are said to have it."""
    if release in defect.fixed:
        return True
    if not _NUMBERS.fullmatch(release) or not all(map(_NUMBERS.fullmatch, (*defect.affected, *defect.fixed))):
        return False
    here, last = _numbers(release), max(map(_numbers, defect.affected), default=(sys.maxsize,))
    return here > last and any(last < _numbers(one) <= here for one in defect.fixed)


def _numbers(release: str) -> tuple[int, ...]:
    return tuple(map(int, release.split(".")))


def read_catalogue(path: Path) -> list[Defect]:
    """The entries of one file. UsageError for one that is damaged."""
    try:
        data = tomllib.loads(path.read_text(encoding="utf-8"))
        return [_defect(entry) for entry in data["defect"]]
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise UsageError(f"the catalogue {path.name} cannot be read ({error}); take the one of the release") from None


def _defect(entry: Mapping[str, Any]) -> Defect:
    setup = tuple(map(_instance, entry.get("instances", ())))
    tasks = tuple(tuple(map(_operation, task.split(" ; "))) for task in entry["tasks"])
    fault = None
    if "fault" in entry:
        name, task = _parts(_FAULT, entry["fault"])
        fault = name, int(task)
    return Defect(
        name=entry["name"],
        title=entry["title"],
        shows=entry["shows"],
        warns=entry.get("warns", ""),
        content=Operations(setup, tasks),
        fault=fault,
        known=entry.get("known", ""),
        severity=entry.get("severity", "error"),
        needs=entry.get("needs", ""),
        heals=entry.get("heals", ""),
        lines=tuple(Line(one["at"], one["code"], one["why"]) for one in entry.get("lines", ())),
        affected=tuple(entry.get("affected", ())),
        fixed=tuple(entry.get("fixed", ())),
        models=tuple(entry.get("models", ())),
        text=entry.get("text", "").strip(),
        schedules=int(entry.get("schedules", 0)),
        configuration=dict(entry.get("configuration", {})),
        also=tuple(map(_resemblance, entry.get("also", ()))),
    )


def _resemblance(entry: Mapping[str, Any]) -> Resemblance:
    at, among = frozenset(entry.get("at", ())), frozenset(entry.get("among", ()))
    any_of = tuple(map(frozenset, entry.get("any_of", ())))
    if not at and not ((among or any_of) and entry.get("shows")):
        raise ValueError("an entry of `also` says at which functions (`at`), or what it `shows` and `among` what")
    return Resemblance(entry.get("shows", ""), at, among, any_of)


def _parts(pattern: re.Pattern[str], text: str) -> tuple[str, ...]:
    found = pattern.fullmatch(text)
    if found is None:
        raise ValueError(f"{text!r} is not understood")
    return found.groups()


def _operation(text: str) -> Operation:
    name, number = _parts(_OPERATION, text)
    return Operation(name, {"instance": int(number)} if number else {})


def _instance(text: str) -> Operation:
    """``1 leaving flavor=3``"""
    number, role, rest = _parts(_INSTANCE, text)
    named = dict(one.split("=") for one in rest.split())
    return Operation(
        "instance", {"instance": int(number), "role": role, **{name: int(value) for name, value in named.items()}}
    )
