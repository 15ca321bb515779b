"""The parameter that tells the items of a marked test apart: a scheduler, or a trace to replay."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    pass
if TYPE_CHECKING:
    from semafuzz.harness.traces.schema import Trace


@dataclass(frozen=True)
class Replay:
    """Replay this trace of ``test``."""

    label: str
    test: str
    path: Path
    trace: Trace


REPLAYED = pytest.StashKey[Replay]()
"""The trace given by ``--interleave-replay``, at the item that replays it."""


def test_of(item: pytest.Item) -> str:
    """The node id of the test, without what tells its items apart. A trace names it."""
    choice, name = choice_of(item), item.nodeid
    if choice is None:
        return name
    for ending, rest in ((f"[{choice.label}]", ""), (f"-{choice.label}]", "]")):
        if name.endswith(ending):
            return name[: -len(ending)] + rest
    return name


PARAMETER = "__interleave__"
"""The parameter that tells the items of one test apart; the test does not get it."""


@dataclass(frozen=True)
class Search:
    """Explore under this scheduler."""

    label: str


def choice_of(item: pytest.Item) -> Search | Replay | None:
    """Which item of its test this is; None for tests without the marker."""
    callspec = getattr(item, "callspec", None)
    found = None if callspec is None else callspec.params.get(PARAMETER)
    return found if isinstance(found, (Search, Replay)) else None
