"""How a search of many programs sets up the search of each."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from semafuzz.strategies.fuzz.loop import FuzzLoop
from semafuzz.targets.model.protocol import Target


@pytest.mark.parametrize(
    ("model", "unseen", "sees"), [("threads", (), True), ("threads", ("a.py",), False), ("eventlet", (), False)]
)
def test_schedules_of_a_pair_are_skipped_only_where_every_access_is_seen(
    model: str, unseen: tuple[str, ...], sees: bool
) -> None:
    work: Any = SimpleNamespace(
        target=Target(), setting=SimpleNamespace(model=model, seed=0), laboratory=SimpleNamespace(unseen=unseen)
    )
    assert FuzzLoop(work, "portfolio", 1)._schedules_of_pair().sweep.sees_memory is sees
