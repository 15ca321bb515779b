"""Contracts that a type checker sees: what a scheduler, a program, a target or a detector has
is said by its class, never asked by a name in quotes."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

from semafuzz.harness.detectors.protocol import Detector
from semafuzz.harness.runs.program import Program
from semafuzz.harness.schedulers.protocol import Scheduler
from semafuzz.targets.model.protocol import Target
from tests.repo.test_layering import sources

CONTRACTS = (Scheduler, Program, Target, Detector)


def members() -> set[str]:
    """The names of everything that a contract has."""
    found = {name for kind in CONTRACTS for name in (*vars(kind), *kind.__annotations__)}
    return {name for name in found if not name.startswith("__")}


def asked_by_name(source: str) -> Iterator[tuple[int, str]]:
    """Lines that ask for an attribute by a literal, and which."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and len(node.args) > 1:
            name = node.args[1]
            if node.func.id in ("getattr", "hasattr", "setattr") and isinstance(name, ast.Constant):
                yield node.lineno, str(name.value)


def test_no_member_of_a_contract_is_asked_by_name(root: Path) -> None:
    known = members()
    assert {"covers_all", "restart", "model", "session", "bundles", "report", "verification"} <= known
    found = [
        f"{file.relative_to(root)}:{line} {name}"
        for _, file, _ in sources(root)
        for line, name in asked_by_name(file.read_text())
        if name in known - {"name"}
    ]
    assert found == []


@pytest.mark.parametrize("call", ["getattr(x, 'covers_all', False)", "hasattr(x, 'model')", "setattr(x, 'section', 1)"])
def test_the_check_can_fail(call: str) -> None:
    assert [name for _, name in asked_by_name(call) if name in members()]


def test_the_check_stays_silent() -> None:
    assert list(asked_by_name("getattr(x, name)\nx.model\nvars(x)['model']")) == []


def test_every_scheduler_and_target_is_one_by_its_class() -> None:
    from semafuzz.harness.schedulers.registry import SCHEDULERS
    from semafuzz.targets import TARGETS

    assert all(isinstance(make(0), Scheduler) for _, make in SCHEDULERS.values())
    assert all(isinstance(target, Target) for target in TARGETS.values())
