"""Feeding a search with generated examples, and making one of them small.

Both are ordinary Hypothesis runs. A feed only generates; to shrink one of its
examples a second run generates the same examples again, fails at that one, and
Hypothesis's own shrinker does the rest, on the strategy that made it.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

from hypothesis import HealthCheck, Phase, Verbosity, given, settings
from hypothesis import seed as hypothesis_seed
from hypothesis.errors import HypothesisException
from hypothesis.strategies import SearchStrategy

Example = TypeVar("Example")


class _EnoughError(BaseException):
    """Ends a run; not an Exception, so that Hypothesis lets it through."""


class _ShownError(Exception):
    """The failure that is being shrunk: one class, so that it counts as one."""


def generate(
    strategy: SearchStrategy[Example], consume: Callable[[Example], bool], *, seed: int | str, most: int
) -> int:
    """Give up to ``most`` examples to ``consume``, until it returns False; the first
    tenth of them is small.

    Hypothesis generates (same seed and ``most``, same examples); nothing is replayed
    from a database and nothing shrunk, since ``consume`` is expected not to fail.
    Returns how many examples were consumed.
    """
    consumed = 0
    raised: list[Exception] = []

    def run(example: Example) -> None:
        nonlocal consumed
        consumed += 1
        try:
            go_on = consume(example)
        except Exception as error:
            # Hypothesis would run the example again, to see whether it fails again.
            raised.append(error)
            go_on = False
        if not go_on or consumed == most:
            raise _EnoughError

    _run(strategy, run, seed, most, (Phase.generate,))
    if raised:
        raise raised[0]
    return consumed


def shrink(
    strategy: SearchStrategy[Example],
    number: int,
    fails: Callable[[Example], bool],
    *,
    seed: int | str,
    most: int,
    enough: Callable[[], bool],
) -> None:
    """Let Hypothesis look for smaller examples that fail, from the ``number``-th
    (from 1) of the feed with this seed and ``most``, until ``enough`` says so.

    ``fails`` answers the same for equal examples, and True for that one; what it is
    asked is the result.
    """
    made = 0

    def run(example: Example) -> None:
        nonlocal made
        made += 1
        if made < number:
            return
        if enough():
            raise _EnoughError
        if fails(example):
            raise _ShownError

    _run(strategy, run, seed, most, (Phase.generate, Phase.shrink))


def _run(
    strategy: SearchStrategy[Example],
    consume: Callable[[Example], None],
    seed: int | str,
    most: int,
    phases: tuple[Phase, ...],
) -> None:
    @hypothesis_seed(seed)
    @settings(
        # Hypothesis keeps the first tenth of them, and at most fifty, small.
        max_examples=most,
        database=None,
        # Not taken from a profile: under CI Hypothesis would ignore the seed.
        derandomize=False,
        deadline=None,
        phases=phases,
        report_multiple_bugs=False,
        print_blob=False,
        verbosity=Verbosity.quiet,
        suppress_health_check=list(HealthCheck),
    )
    @given(strategy)
    def run(example: Example) -> None:
        consume(example)

    try:
        run()
    except (_EnoughError, _ShownError):
        pass
    except HypothesisException:
        # Nothing but the failure itself is shrunk here, so what it says of
        # flakiness is about a run that was cut short.
        if Phase.shrink not in phases:
            raise
