"""Which package may import which, checked on the syntax trees of all modules."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

import pytest

PACKAGES = ("harness", "strategies", "targets", "reports")
FRONT = ("harness.commands", "harness.cli", "harness.pytest_plugin", "harness.__main__")
"""The modules that put the packages together for a user."""


@dataclass(frozen=True)
class Rule:
    """``of`` (less ``except_of``) imports nothing of ``never`` (less ``except_never``)."""

    of: tuple[str, ...]
    never: tuple[str, ...]
    except_of: tuple[str, ...] = ()
    except_never: tuple[str, ...] = ()


RULES = (
    Rule(of=("harness.kernel",), never=("harness",), except_never=("harness.kernel",)),
    Rule(
        of=("harness.kernel", "harness.instrument", "harness.schedulers"),
        never=("harness.detectors", "hypothesis", "targets", "strategies", "reports", "click", "rich"),
    ),
    Rule(of=("harness",), except_of=FRONT, never=("targets", "reports", "strategies", "click", "rich")),
    Rule(of=("reports",), never=("targets", "strategies")),
)


def within(name: str, packages: tuple[str, ...]) -> bool:
    """Whether a module is one of these packages, or in one of them."""
    return any(name == package or name.startswith(package + ".") for package in packages)


def imports(module: str, source: str, is_package: bool = False) -> Iterator[str]:
    """The full names that a module imports, anywhere in it: in functions and for type
    checkers too, and by name through ``import_module``. ``from a import b`` counts as
    ``a.b``, because b may be a module."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            base = node.module or ""
            if node.level:
                above = module.split(".")
                above = above[: len(above) - node.level + is_package]
                base = ".".join([*above, base] if base else above)
            yield from (f"{base}.{alias.name}" for alias in node.names)
        elif isinstance(node, ast.Call) and node.args and isinstance(node.args[0], ast.Constant):
            called = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
            if called in ("import_module", "__import__"):
                yield str(node.args[0].value)


def offences(modules: Mapping[str, set[str]]) -> list[str]:
    """Every import that a rule forbids."""
    return [
        f"{module} imports {name}"
        for module, names in sorted(modules.items())
        for rule in RULES
        if within(module, rule.of) and not within(module, rule.except_of)
        for name in sorted(names)
        if within(name, rule.never) and not within(name, rule.except_never)
    ]


def cycle(modules: Mapping[str, set[str]]) -> list[str]:
    """A cycle between the packages, with what puts them together as a package of its own."""
    graph: dict[str, set[str]] = {}
    for module, names in modules.items():
        owner = package_of(module)
        graph.setdefault(owner, set()).update(package_of(name) for name in names if within(name, PACKAGES))
        graph[owner].discard(owner)
    try:
        TopologicalSorter(graph).prepare()
    except CycleError as error:
        return list(error.args[1])
    return []


def package_of(module: str) -> str:
    """The package of a module, for cycles."""
    return "the command line" if within(module, FRONT) else module.partition(".")[0]


@pytest.fixture(scope="session")
def modules(root: Path) -> Mapping[str, set[str]]:
    """What every module of the four packages imports."""
    found: dict[str, set[str]] = {}
    for package in PACKAGES:
        for file in (root / package).rglob("*.py"):
            parts = file.relative_to(root).with_suffix("").parts
            is_package = parts[-1] == "__init__"
            name = ".".join(parts[:-1] if is_package else parts)
            found[name] = set(imports(name, file.read_text(), is_package))
    assert set(PACKAGES) < set(found)
    assert "harness.kernel.task" in found["harness.kernel.execution"] | {
        name.rpartition(".")[0] for name in found["harness.kernel.execution"]
    }
    return found


def test_the_layers_hold(modules: Mapping[str, set[str]]) -> None:
    assert offences(modules) == []


def test_there_is_no_cycle(modules: Mapping[str, set[str]]) -> None:
    assert cycle(modules) == []


def test_every_folder_of_modules_is_a_package(root: Path) -> None:
    """In a folder without ``__init__.py``, coverage.py misses what no test imports."""
    folders = {file.parent for package in PACKAGES for file in (root / package).rglob("*.py")}
    assert [str(folder.relative_to(root)) for folder in folders if not (folder / "__init__.py").exists()] == []


@pytest.mark.parametrize(
    ("module", "source"),
    [
        ("harness.kernel.bad", "from harness.errors import UsageError"),
        ("harness.kernel.bad", "from harness import events"),
        ("harness.kernel.bad", "from .. import events"),
        ("harness.kernel.doubles.bad", "from ...traces.schema import Trace"),
        ("harness.kernel.bad", "import harness"),
        ("harness.kernel.bad", "def late():\n    import hypothesis.strategies"),
        ("harness.instrument.bad", "import rich.console"),
        ("harness.schedulers.bad", "from harness import detectors"),
        ("harness.schedulers.bad", "import os, click"),
        ("harness.explore", "import importlib\nimportlib.import_module('targets.nova')"),
        ("harness.explore", "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    from reports import results"),
        ("harness.clinic", "import strategies"),
        ("reports.bad", "import targets"),
        ("reports.bad", "from strategies.programs import programs"),
    ],
)
def test_the_rules_can_fail(module: str, source: str) -> None:
    assert offences({module: set(imports(module, source))})


@pytest.mark.parametrize(
    ("module", "source"),
    [
        ("harness.kernel.good", "from harness.kernel import current\nfrom .task import Task\nimport greenlet"),
        ("harness.schedulers.good", "from harness.kernel.task import Task\nimport random"),
        ("harness.cli", "import click, targets"),
        ("harness.commands.good", "from reports.terminal import show"),
        ("harness.good", "import targets_of_others, reportsmith"),
        ("reports.good", "from harness.traces.schema import Trace\nimport rich"),
        ("targets.good", "from strategies import programs"),
    ],
)
def test_the_rules_stay_silent(module: str, source: str) -> None:
    assert offences({module: set(imports(module, source))}) == []


def test_a_cycle_is_seen() -> None:
    ring = {"targets.one": {"strategies.two"}, "strategies.two": {"targets.three"}, "targets.three": set()}
    assert set(cycle(ring)) == {"targets", "strategies"}
    assert cycle({"harness.cli": {"reports"}, "reports": {"harness.traces"}, "harness.traces": set()}) == []
    assert cycle({"harness.traces": {"reports"}, "reports": {"harness.traces"}})


def test_a_relative_import_of_a_package_is_its_own(root: Path) -> None:
    assert set(imports("harness.kernel", "from . import task", is_package=True)) == {"harness.kernel.task"}
    assert set(imports("harness.kernel.task", "from . import sites")) == {"harness.kernel.sites"}
