"""requirements.lock holds every requirement, each pinned and hashed.

It is installed without looking at dependencies, so that what it lacks would be missed
only when it is imported.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterable, Sequence
from importlib.metadata import PackageNotFoundError, requires, version
from pathlib import Path
from typing import Any

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name


def wanted(project: dict[str, Any]) -> list[str]:
    """Everything that pyproject.toml asks for."""
    lines = [*project["project"]["dependencies"], *project["build-system"]["requires"]]
    for group in (*project["dependency-groups"].values(), *project["project"]["optional-dependencies"].values()):
        lines += group
    return lines


def pinned(lock: str) -> dict[str, bool]:
    """What a lock file pins, and whether it has a hash; a line that is no pin is an error."""
    found: dict[str, bool] = {}
    for entry in re.split(r"\n(?=\S)", lock.strip()):
        pin = re.match(r"([\w.-]+)==[\w.!+-]+(?=\s)", entry)
        if pin is None:
            raise ValueError(f"not a pin: {entry.splitlines()[0]}")
        found[canonicalize_name(pin[1])] = bool(re.search(r"--hash=sha256:[0-9a-f]{64}", entry))
    return found


def unmet(lines: Iterable[str], pins: Sequence[str] | dict[str, bool]) -> set[str]:
    """The requirements, and theirs in turn on this Python, that are not pinned or not
    installed in a version that fits."""
    missing: set[str] = set()
    seen: set[tuple[str, frozenset[str]]] = set()
    queue = [(Requirement(line), frozenset[str]()) for line in lines]
    while queue:
        requirement, extras = queue.pop()
        name, asked = canonicalize_name(requirement.name), frozenset(requirement.extras)
        if requirement.marker and not any(requirement.marker.evaluate({"extra": extra}) for extra in extras or {""}):
            continue
        try:
            fits = requirement.specifier.contains(version(name), prereleases=True)
        except PackageNotFoundError:
            fits = False
        if name not in pins or not fits:
            missing.add(str(requirement))
        elif (name, asked) not in seen:
            seen.add((name, asked))
            queue += [(Requirement(line), asked) for line in requires(name) or ()]
    return missing


def test_every_pin_is_hashed(root: Path) -> None:
    pins = pinned((root / "requirements.lock").read_text())
    assert [name for name, hashed in pins.items() if not hashed] == []
    assert {"hatchling", "editables"} <= set(pins), "without them the project cannot be installed from the lock alone"


def test_the_lock_is_complete(root: Path) -> None:
    pins = pinned((root / "requirements.lock").read_text())
    asked = wanted(tomllib.loads((root / "pyproject.toml").read_text()))
    assert unmet(asked, pins) == set(), "compile the lock anew, as CONTRIBUTING.md says"


def test_a_line_that_is_no_pin_is_refused() -> None:
    digest = "0" * 64
    lock = (
        f"one==1 ; os_name == 'nt' \\\n    --hash=sha256:{digest}\nTwo_2==1.0rc1 \\\n    --hash=sha256:{digest[1:]}\n"
    )
    assert pinned(lock) == {"one": True, "two-2": False}
    for line in ("two>=1", "-r more.txt", "two @ somewhere", "# a comment"):
        with pytest.raises(ValueError, match="not a pin"):
            pinned(f"{lock}{line}\n")


def test_what_a_requirement_asks_for_in_turn_is_missed() -> None:
    installed = ["pytest", "pluggy", "iniconfig", "packaging", "pygments"]
    assert unmet(["pytest"], installed) == set()
    assert unmet(["pytest"], [name for name in installed if name != "pluggy"]) == {
        str(Requirement(line)) for line in requires("pytest") or () if line.startswith("pluggy")
    }
    assert unmet(["pytest<1"], installed) == {"pytest<1"}
    assert unmet(["not-a-distribution-at-all"], ["not-a-distribution-at-all"]) == {"not-a-distribution-at-all"}
    assert unmet(["other; python_version < '3'"], installed) == set()
    assert unmet(["pytest[dev]"], installed) != set(), "extras count"


def test_all_that_pyproject_asks_for_counts() -> None:
    project = {
        "project": {"dependencies": ["one>=1"], "optional-dependencies": {"more": ["four"]}},
        "build-system": {"requires": ["tool"]},
        "dependency-groups": {"dev": ["three[x]; os_name == 'nt'"]},
    }
    assert wanted(project) == ["one>=1", "tool", "three[x]; os_name == 'nt'", "four"]
