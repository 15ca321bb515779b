"""requirements.lock holds every requirement of pyproject.toml, each pinned and hashed."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path
from typing import Any

import pytest


def normal(name: str) -> str:
    """A distribution name as all tools compare it."""
    return re.sub(r"[-_.]+", "-", name).lower()


def wanted(project: dict[str, Any]) -> set[str]:
    """The names of everything that pyproject.toml asks for."""
    lines = [*project["project"]["dependencies"], *project["build-system"]["requires"]]
    for group in project["dependency-groups"].values():
        lines += group
    return {normal(re.match(r"[\w.-]+", line)[0]) for line in lines}  # type: ignore[index]


def pinned(lock: str) -> dict[str, bool]:
    """What a lock file pins, and whether it has a hash; a line that is no pin is an error."""
    found: dict[str, bool] = {}
    for entry in re.split(r"\n(?=\S)", lock.strip()):
        pin = re.match(r"([\w.-]+)==[\w.!+-]+(?=\s)", entry)
        if pin is None:
            raise ValueError(f"not a pin: {entry.splitlines()[0]}")
        found[normal(pin[1])] = bool(re.search(r"--hash=sha256:[0-9a-f]{64}", entry))
    return found


def test_the_lock_is_complete_and_hashed(root: Path) -> None:
    pins = pinned((root / "requirements.lock").read_text())
    project = tomllib.loads((root / "pyproject.toml").read_text())
    assert wanted(project) - set(pins) == set(), "compile the lock anew, as CONTRIBUTING.md says"
    assert [name for name, hashed in pins.items() if not hashed] == []
    assert {"hatchling", "editables"} <= set(pins), "without them the project cannot be installed from the lock alone"


def test_the_checks_can_fail() -> None:
    digest = "0" * 64
    lock = (
        f"one==1 ; os_name == 'nt' \\\n    --hash=sha256:{digest}\nTwo_2==1.0rc1 \\\n    --hash=sha256:{digest[1:]}\n"
    )
    assert pinned(lock) == {"one": True, "two-2": False}
    project = {
        "project": {"dependencies": ["one>=1"]},
        "build-system": {"requires": ["tool"]},
        "dependency-groups": {"dev": ["Three[x]; os_name == 'nt'"]},
    }
    assert wanted(project) == {"one", "tool", "three"}
    for line in ("two>=1", "-r more.txt", "two @ somewhere", "# a comment"):
        with pytest.raises(ValueError, match="not a pin"):
            pinned(f"{lock}{line}\n")
