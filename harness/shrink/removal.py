"""Fewer directives: leave out halves, quarters, ... and single ones."""

from __future__ import annotations

from semafuzz.harness.shrink.trials import Failing, Trials


def without_some(value: Failing, trials: Trials) -> Failing:
    """``value`` with directives left out, until no single one can be.

    As delta debugging (Zeller and Hildebrandt, "Simplifying and isolating
    failure-inducing input", TSE 2002), without its tests of subsets alone: a run
    that keeps few directives of many rarely gets to the failure at all.
    """
    size = max(1, len(value.run.directives) // 2)
    while trials.affords() and trials.steady:
        progress = False
        start = 0
        while start < len(value.run.directives) and trials.affords():
            directives = value.run.directives
            simpler = trials.attempt(directives[:start] + directives[start + size :], value.size)
            if simpler is None:
                start += size
            else:
                value, progress = simpler, True
        if not progress:
            if size == 1:
                break
            size = max(1, size // 2)
    return value
