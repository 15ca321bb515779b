"""Hypothesis profiles by name: ``dev``, ``ci``, ``nightly``, ``replay``.

Hypothesis loads a profile of its own when it sees the variables of a CI, in which every
run tries the same examples and nothing is kept: a nightly job that does not know searches
the same inputs every night. These say everything themselves, so that where they run changes
nothing. Registered as ``semafuzz-dev`` and so on: the plain names belong to Hypothesis and
to the project.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

from hypothesis import Phase, settings

from semafuzz.strategies.generate.example_database import TolerantDatabase

PREFIX = "semafuzz-"
NAMES = ("dev", "ci", "nightly", "replay")


def register() -> None:
    """Make the profiles known to Hypothesis, under their names with the prefix."""
    kept = TolerantDatabase(
        Path(os.environ.get("HYPOTHESIS_STORAGE_DIRECTORY") or ".hypothesis").resolve() / "examples"
    )
    for name, own in _own(kept).items():
        settings.register_profile(PREFIX + name, parent=settings.get_profile("default"), deadline=None, **own)


def _own(kept: TolerantDatabase) -> dict[str, dict[str, Any]]:
    every = tuple(Phase)
    return {
        "dev": {"max_examples": 100, "derandomize": False, "database": kept, "phases": every},
        "ci": {"max_examples": 50, "derandomize": True, "database": None, "phases": every, "print_blob": True},
        "nightly": {"max_examples": 2000, "derandomize": False, "database": kept, "phases": every},
        "replay": {"derandomize": False, "database": kept, "phases": (Phase.explicit, Phase.reuse)},
    }


def load(name: str) -> None:
    """Register the profiles and make this one the profile of the process.

    ``name`` with the prefix or without. Raises ValueError for another name.
    """
    short = name.removeprefix(PREFIX)
    if short not in NAMES:
        raise ValueError(f"there is no profile {name!r}; there are {', '.join(NAMES)}")
    register()
    settings.load_profile(PREFIX + short)
