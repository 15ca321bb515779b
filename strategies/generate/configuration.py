"""Configurations of a target: mostly its defaults, with a few options changed."""

from __future__ import annotations

from collections.abc import Sequence

from hypothesis import strategies as st

from semafuzz.harness.traces.schema import Value
from semafuzz.targets.model.protocol import OptionInfo


def configurations(
    options: Sequence[OptionInfo], *, least: int = 0, most: int = 2
) -> st.SearchStrategy[dict[str, Value]]:
    """``least`` to ``most`` options with a legal value that is not their default;
    shrinks towards the defaults."""
    varied = [option for option in options if option.varied and len(option.legal) > 1]
    if not varied:
        return st.just({})
    chosen = st.lists(st.sampled_from(varied), min_size=least, max_size=most, unique_by=lambda option: option.name)
    return chosen.flatmap(
        lambda found: st.fixed_dictionaries({option.name: st.sampled_from(option.legal[1:]) for option in found})
    )


def illegal_configurations(options: Sequence[OptionInfo]) -> st.SearchStrategy[dict[str, Value]]:
    """One option with a value that the target must refuse."""
    cases = [{option.name: value} for option in options for value in option.illegal]
    return st.sampled_from(cases) if cases else st.nothing()
