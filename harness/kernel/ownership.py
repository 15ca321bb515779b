"""Ownership of modules: those that are semafuzz's own.

Names are compared by whole components: a user's module ``semafuzz_tools`` or
``harness`` is theirs. The targets are not counted as ours: they are code under test,
or stand for what surrounds it.
"""

from __future__ import annotations

from functools import lru_cache

PACKAGE = "semafuzz"
_UNDER_TEST = "targets"
_RUN_THEM = frozenset({"classes", "declared", "model"})
"""Of the targets' packages, those that hold no code under test and stand for none."""


def first_component(module: str) -> str:
    """``a`` of the dotted name ``a.b.c``."""
    return module.partition(".")[0]


@lru_cache(maxsize=4096)
def is_own(module: str) -> bool:
    """Whether the module with this dotted name is part of semafuzz and no target."""
    parts = module.split(".", 3)
    return parts[0] == PACKAGE and (parts[1:2] != [_UNDER_TEST] or not _RUN_THEM.isdisjoint(parts[2:3]))
