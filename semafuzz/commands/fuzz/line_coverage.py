"""Line coverage: the lines and branches of the target that a search has run, by operation.

coverage.py measures; its context is the program under way, by the names of its operations,
so that a line can be asked which operations reach it. It is told apart by program and not
by task: while two operations run beside each other a line counts for both.
"""

from __future__ import annotations

import contextlib
import json
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING, Any

from semafuzz.harness.errors import UsageError
from semafuzz.reports.summaries import Measured

if TYPE_CHECKING:
    from coverage import Coverage

DATA = "coverage.data"
BESIDE = " || "
"""Between the operations of a context."""


def _new(path: Path, files: Sequence[str] | None) -> Coverage:
    try:
        import coverage
    except ImportError:
        raise UsageError("--coverage needs coverage.py; install semafuzz[coverage]") from None
    made = coverage.Coverage(
        data_file=str(path), branch=True, include=files, config_file=False, messages=False, data_suffix=False
    )
    made.set_option("run:relative_files", True)
    return made


class Measuring:
    """Measures the modules of a target while a search goes on."""

    def __init__(self, folder: Path, modules: Sequence[ModuleType]) -> None:
        files = [file for module in modules if (file := getattr(module, "__file__", None))]
        self._path = folder / DATA
        # That of an earlier search is no part of this one.
        self._path.unlink(missing_ok=True)
        self._coverage = _new(self._path, files)

    @contextlib.contextmanager
    def running(self) -> Iterator[None]:
        """Measure in the block, and write the data at its end."""
        self._coverage.start()
        try:
            yield
        finally:
            self._coverage.stop()
            self._coverage.save()

    def enter(self, operations: Sequence[str]) -> None:
        """A program of these operations is about to run."""
        self._coverage.switch_context(BESIDE.join(sorted(set(operations))))


def measured(folder: Path, parts: Sequence[Path] = ()) -> list[Measured]:
    """What the data in ``folder``, or that of several searches, comes to; coverage.xml (Cobertura)
    and coverage.lcov are written there. None where nothing was measured."""
    whole = _new(folder / DATA, None)
    found = [part / DATA for part in parts if (part / DATA).exists()]
    if found:
        (folder / DATA).unlink(missing_ok=True)
        whole.combine([str(one) for one in found], keep=True)
        whole.save()
    elif not (folder / DATA).exists():
        return []
    whole.load()
    if not whole.get_data().measured_files():
        return []
    roots = {_root(Path(file)) for file in whole.get_data().measured_files()}
    whole.xml_report(outfile=str(folder / "coverage.xml"))
    whole.lcov_report(outfile=str(folder / "coverage.lcov"))
    for name in ("coverage.xml", "coverage.lcov"):
        _rename(folder / name, roots)
    with tempfile.TemporaryDirectory() as name:
        told = Path(name) / "told.json"
        whole.json_report(outfile=str(told), show_contexts=True)
        files: dict[str, Any] = json.loads(told.read_text())["files"]
    return [_one(file, one) for file, one in sorted(files.items())]


def _one(file: str, told: dict[str, Any]) -> Measured:
    summary = told["summary"]
    by: dict[str, int] = {}
    for contexts in told.get("contexts", {}).values():
        for operation in {name for context in contexts for name in context.split(BESIDE) if name}:
            by[operation] = by.get(operation, 0) + 1
    return Measured(
        str(Path(file).absolute().relative_to(_root(Path(file)))),
        summary["num_statements"],
        summary["covered_lines"],
        summary.get("num_branches", 0),
        summary.get("covered_branches", 0),
        told.get("missing_lines", []),
        by,
    )


def _root(file: Path) -> Path:
    """The folder from which the file is imported: readers know it by its package."""
    folder = file.absolute().parent
    while (folder / "__init__.py").exists():
        folder = folder.parent
    return folder


def _rename(path: Path, roots: set[Path]) -> None:
    """Have files named from where they are imported, and not from this machine's root."""
    text = path.read_text(encoding="utf-8")
    for root in sorted(roots, key=lambda one: -len(str(one))):
        text = text.replace(f"{root}/", "")
        with contextlib.suppress(ValueError):
            text = text.replace(f"{root.relative_to(Path.cwd())}/", "") if root != Path.cwd() else text
    path.write_text(text, encoding="utf-8")
