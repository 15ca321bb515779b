"""Feeding a search with generated examples until its time is up."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import seed as hypothesis_seed
from hypothesis.strategies import SearchStrategy

Example = TypeVar("Example")


class _EnoughError(BaseException):
    """Ends the feeding; not an Exception, so that Hypothesis lets it through."""


def feed(strategy: SearchStrategy[Example], consume: Callable[[Example], bool], *, seed: int, most: int) -> int:
    """Give up to ``most`` examples to ``consume``, until it returns False.

    Hypothesis generates (same seed, same examples); nothing is replayed from a
    database and nothing shrunk, since ``consume`` is expected not to fail.
    Returns how many examples were consumed.
    """
    consumed = 0

    @hypothesis_seed(seed)
    @settings(
        max_examples=most,
        database=None,
        # Not taken from a profile: under CI Hypothesis would ignore the seed.
        derandomize=False,
        deadline=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(strategy)
    def run(example: Example) -> None:
        nonlocal consumed
        consumed += 1
        if not consume(example):
            raise _EnoughError

    try:
        run()
    except _EnoughError:
        pass
    return consumed
