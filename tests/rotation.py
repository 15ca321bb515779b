"""Long lists of cases of one kind: some run always, the others in turn, a part with each commit."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import pytest


def in_turn(cases: Iterable[Any], always: int = 2) -> list[Any]:
    """The cases for ``parametrize``: every ``always``-th one runs always; the others are marked slow, of which CI runs
    another part for each commit."""
    return [case if number % always == 0 else slow(case) for number, case in enumerate(cases)]


def slow(case: Any) -> Any:
    """A case that runs in turn; of several parameters a tuple."""
    values: Sequence[Any] = case if type(case) is tuple else (case,)
    return pytest.param(*values, marks=pytest.mark.slow)
