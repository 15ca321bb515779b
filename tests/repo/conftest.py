"""What the tests of the repository itself share: its root, its files, its bootstrap script."""

from __future__ import annotations

import importlib.util
import subprocess
from collections.abc import Sequence
from pathlib import Path
from types import ModuleType

import pytest

ROOT = Path(__file__).resolve().parents[2]
NOT_OURS = {".git", ".venv", "__pycache__", ".hypothesis", ".pytest_cache", ".mypy_cache", ".ruff_cache", "out", "dist"}


@pytest.fixture(scope="session")
def root() -> Path:
    """The checkout."""
    return ROOT


@pytest.fixture(scope="session")
def tracked() -> Sequence[Path]:
    """Every file of the project, relative to the root: what git tracks, or would track
    after an add; in an unpacked archive without git, what is not a product."""
    command = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    try:
        names = subprocess.run(command, cwd=ROOT, capture_output=True, check=True, text=True).stdout.split("\0")
        found = [Path(name) for name in names if name and (ROOT / name).is_file()]
    except (OSError, subprocess.CalledProcessError):
        found = [file.relative_to(ROOT) for file in ROOT.rglob("*") if file.is_file()]
        found = [file for file in found if not NOT_OURS.intersection(file.parts)]
    assert Path("pyproject.toml") in found, "the list of files is not that of the project"
    return sorted(found)


@pytest.fixture(scope="session")
def bootstrap() -> ModuleType:
    """bootstrap.py as a module; it is a script at the root, on nobody's import path."""
    spec = importlib.util.spec_from_file_location("bootstrap", ROOT / "bootstrap.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module
