"""The floors of the house: which folder may import which, checked on all syntax trees.

Every import counts, in functions and for type checkers too. A floor names everything that a
folder may import of semafuzz; the folder itself is always among it.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

import pytest

HARNESS = "semafuzz.harness"
_KERNEL = ("semafuzz.harness.kernel",)
_ERRORS = "semafuzz.harness.errors"
_TRACES = (*_KERNEL, "semafuzz.harness.files", "semafuzz.harness.traces", _ERRORS)
_SCHEDULERS = (*_KERNEL, "semafuzz.harness.traces", "semafuzz.harness.schedulers", _ERRORS)
_INSTRUMENT = (*_KERNEL, "semafuzz.harness.instrument", _ERRORS)
_DETECTORS = (*_TRACES, *_INSTRUMENT, "semafuzz.harness.sections", "semafuzz.harness.detectors")
_RUNS = (*_DETECTORS, *_SCHEDULERS, "semafuzz.harness.runs")
_SHRINK = (*_RUNS, "semafuzz.harness.shrink")

FLOORS: dict[str, tuple[str, ...]] = {
    # The engine, from the ground up.
    "semafuzz.harness.errors": (),
    "semafuzz.harness.kernel": _KERNEL,
    "semafuzz.harness.files": (_ERRORS,),
    "semafuzz.harness.sections": _KERNEL,
    "semafuzz.harness.instrument": _INSTRUMENT,
    "semafuzz.harness.traces": _TRACES,
    "semafuzz.harness.schedulers": _SCHEDULERS,
    "semafuzz.harness.detectors": _DETECTORS,
    "semafuzz.harness.audit": (*_KERNEL, "semafuzz.harness.sections", "semafuzz.harness.audit", _ERRORS),
    "semafuzz.harness.edits": ("semafuzz.harness.edits", "semafuzz.harness.audit", *_INSTRUMENT),
    "semafuzz.harness.runs": _RUNS,
    "semafuzz.harness.shrink": _SHRINK,
    "semafuzz.harness.search": (*_SHRINK, "semafuzz.harness.search"),
    "semafuzz.harness.trio_engine": (*_SHRINK, "semafuzz.harness.search", "semafuzz.harness.trio_engine"),
    "semafuzz.harness": (HARNESS,),
    # What stands on it.
    "semafuzz.targets": (HARNESS,),
    "semafuzz.reports": (HARNESS,),
    "semafuzz.strategies": (HARNESS, "semafuzz.targets", "semafuzz.reports"),
    "semafuzz": ("semafuzz",),
}
"""What each folder may import of semafuzz; the longest name that fits a module holds."""


@dataclass(frozen=True)
class Ban:
    """``of`` imports nothing of ``never``, whatever the floors allow."""

    of: str
    never: tuple[str, ...]


_FRONT = ("click", "rich", "jinja2", "pytest")
BANS = (
    Ban("semafuzz.harness", ("hypothesis", *_FRONT)),
    Ban("semafuzz.harness.traces", ("semafuzz.harness.schedulers",)),
    Ban("semafuzz.harness.shrink", ("semafuzz.harness.search",)),
    Ban("semafuzz.harness.search.result", ("semafuzz.harness.detectors",)),
    Ban("semafuzz.harness.search.finding", ("semafuzz.harness.detectors",)),
    Ban("semafuzz.reports.formats", ("semafuzz.reports.pages", "jinja2")),
    Ban("semafuzz.reports.run_view", tuple(f"semafuzz.reports.{name}" for name in ("pages", "formats", "terminal"))),
    Ban("semafuzz.targets", _FRONT),
    Ban("semafuzz.strategies", _FRONT),
    Ban("semafuzz.commands", ("pytest", "semafuzz.pytest_plugin")),
    Ban("semafuzz.campaign", ("semafuzz.commands", "semafuzz.pytest_plugin", *_FRONT)),
)  # fmt: skip


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


def floor_of(module: str) -> tuple[str, ...]:
    """What the module may import of semafuzz."""
    name = max((name for name in FLOORS if within(module, (name,))), key=len, default="semafuzz")
    return (name, *FLOORS[name])


def offences(modules: Mapping[str, set[str]]) -> list[str]:
    """Every import that goes up, or that is banned."""
    found = []
    for module, names in sorted(modules.items()):
        for name in sorted(names):
            goes_up = within(name, ("semafuzz",)) and not within(name, floor_of(module))
            banned = any(within(module, (ban.of,)) and within(name, ban.never) for ban in BANS)
            if goes_up or banned:
                found.append(f"{module} imports {name}")
    return found


def circle(modules: Mapping[str, set[str]]) -> list[str]:
    """A circle of files, or nothing. An imported name counts as the module that has it."""
    graph: dict[str, set[str]] = {}
    for module, names in modules.items():
        reached = {name if name in modules else name.rpartition(".")[0] for name in names}
        graph[module] = {name for name in reached if name in modules and name != module}
    try:
        TopologicalSorter(graph).prepare()
    except CycleError as error:
        return list(error.args[1])
    return []


def sources(root: Path) -> Iterator[tuple[str, Path, bool]]:
    """Every module of the project by its import name, its file and whether it is a package."""
    for folder in ("harness", "strategies", "targets", "reports", "semafuzz"):
        for file in sorted((root / folder).rglob("*.py")):
            parts = file.relative_to(root).with_suffix("").parts
            if parts[0] == "semafuzz" and (root / parts[0] / parts[1]).is_symlink():
                continue
            is_package = parts[-1] == "__init__"
            names = parts[:-1] if is_package else parts
            yield ".".join(names if names[0] == "semafuzz" else ("semafuzz", *names)), file, is_package


@pytest.fixture(scope="session")
def modules(root: Path) -> Mapping[str, set[str]]:
    """What every module of the project imports."""
    found = {name: set(imports(name, file.read_text(), is_package)) for name, file, is_package in sources(root)}
    assert {"semafuzz", "semafuzz.cli", "semafuzz.harness.kernel.task", "semafuzz.reports.site"} < set(found)
    assert "semafuzz.harness.kernel.task.Task" in found["semafuzz.harness.kernel.execution"]
    return found


def test_the_floors_hold(modules: Mapping[str, set[str]]) -> None:
    assert offences(modules) == []


def test_there_is_no_circle_of_files(modules: Mapping[str, set[str]]) -> None:
    assert circle(modules) == []


def test_every_folder_of_the_engine_has_a_floor(root: Path) -> None:
    folders = {file.parent.name for file in (root / "harness").glob("*/__init__.py")}
    assert folders == {name.rpartition(".")[2] for name in FLOORS if name.count(".") == 2} - {"errors"}


def test_nothing_is_imported_by_the_name_of_a_folder(modules: Mapping[str, set[str]], root: Path) -> None:
    """There is one import name; a user's own package may have the name of any other folder."""
    folders = ("harness", "strategies", "targets", "reports", "tests", "examples", "benchmarks")
    assert [f"{module}: {name}" for module, names in modules.items() for name in names if within(name, folders)] == []


def test_every_folder_of_modules_is_a_package(root: Path) -> None:
    """In a folder without ``__init__.py``, coverage.py misses what no test imports. The classics are programs to
    check, and no modules."""
    folders = {file.parent for _, file, _ in sources(root)} - {
        root / "targets/classics" / name for name in ("fail", "pass")
    }
    assert [str(folder.relative_to(root)) for folder in folders if not (folder / "__init__.py").exists()] == []


@pytest.mark.parametrize(
    ("module", "source"),
    [
        ("semafuzz.harness.kernel.bad", "from semafuzz.harness.errors import UsageError"),
        ("semafuzz.harness.kernel.bad", "from semafuzz.harness import errors"),
        ("semafuzz.harness.kernel.bad", "from .. import errors"),
        ("semafuzz.harness.kernel.doubles.bad", "from ...traces.schema import Trace"),
        ("semafuzz.harness.kernel.bad", "import semafuzz"),
        ("semafuzz.harness.kernel.bad", "def late():\n    import hypothesis.strategies"),
        ("semafuzz.harness.instrument.bad", "import rich.console"),
        ("semafuzz.harness.instrument.bad", "from semafuzz.harness.schedulers.pct import PCT"),
        ("semafuzz.harness.schedulers.bad", "from semafuzz.harness import detectors"),
        ("semafuzz.harness.schedulers.bad", "import os, click"),
        ("semafuzz.harness.traces.bad", "from semafuzz.harness.schedulers.protocol import Scheduler"),
        ("semafuzz.harness.shrink.bad", "from semafuzz.harness.search.finding import Finding"),
        ("semafuzz.harness.search.result", "from semafuzz.harness.detectors.registry import DETECTORS"),
        ("semafuzz.harness.search.bad", "import importlib\nimportlib.import_module('semafuzz.targets.nova')"),
        ("semafuzz.harness.search.bad", "if TYPE_CHECKING:\n    from semafuzz.reports import site"),
        ("semafuzz.harness.clinic", "import semafuzz.strategies"),
        ("semafuzz.targets.bad", "from semafuzz.strategies.generate.programs import programs"),
        ("semafuzz.targets.bad", "from semafuzz.reports.terminal.plain_text import plain"),
        ("semafuzz.reports.bad", "import semafuzz.targets"),
        ("semafuzz.reports.bad", "from semafuzz.campaign.corpus import Known"),
        ("semafuzz.reports.formats.bad", "from semafuzz.reports.pages.render import page"),
        ("semafuzz.strategies.bad", "from semafuzz.commands.fuzz.run import Search"),
        ("semafuzz.commands.bad", "import semafuzz.pytest_plugin.options"),
    ],
)
def test_the_rules_can_fail(module: str, source: str) -> None:
    assert offences({module: set(imports(module, source))})


@pytest.mark.parametrize(
    ("module", "source"),
    [
        ("semafuzz.harness.kernel.good", "from semafuzz.harness.kernel import current\nimport greenlet"),
        ("semafuzz.harness.kernel.good", "from .task import Task"),
        ("semafuzz.harness.schedulers.good", "from semafuzz.harness.kernel.task import Task\nimport random"),
        ("semafuzz.cli", "import click, semafuzz.targets"),
        ("semafuzz.commands.good", "from semafuzz.reports.terminal.plain_text import plain"),
        ("semafuzz.harness.good", "import targets_of_others, semafuzz_tools, reportsmith"),
        ("semafuzz.reports.good", "from semafuzz.harness.traces.schema import Trace\nimport rich"),
        ("semafuzz.strategies.good", "from semafuzz.targets.model.protocol import Target"),
    ],
)
def test_the_rules_stay_silent(module: str, source: str) -> None:
    assert offences({module: set(imports(module, source))}) == []


def test_a_circle_is_seen() -> None:
    ring = {"a.one": {"a.two.Name"}, "a.two": {"a.three"}, "a.three": {"a.one"}}
    assert set(circle(ring)) == {"a.one", "a.two", "a.three"}
    assert circle({"a.one": {"a.two.Name"}, "a.two": {"a.three"}, "a.three": set()}) == []


def test_a_relative_import_of_a_package_is_its_own() -> None:
    assert set(imports("semafuzz.harness.kernel", "from . import task", is_package=True)) == {
        "semafuzz.harness.kernel.task"
    }
    assert set(imports("semafuzz.harness.kernel.task", "from . import sites")) == {"semafuzz.harness.kernel.sites"}
