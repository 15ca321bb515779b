"""Marked tests as items: one for each scheduler, one for each trace that is kept of them."""

from __future__ import annotations

import inspect
import unittest
from typing import TYPE_CHECKING, Any

import pytest

from semafuzz.decorator import explores_itself
from semafuzz.pytest_plugin.item_parameter import PARAMETER, REPLAYED, Replay, Search, choice_of, test_of
from semafuzz.pytest_plugin.options import Settings, plan_of

if TYPE_CHECKING:
    from semafuzz.pytest_plugin.kept_traces import KeptTraces


def parametrize(metafunc: pytest.Metafunc, settings: Settings, kept: KeptTraces | None) -> None:
    """Make the items of a marked test."""
    node = metafunc.definition
    try:
        plan = plan_of(node, settings)
        _refuse(node.obj)
    except pytest.UsageError as error:
        # As pytest refuses its own markers; a usage error here would end workers of xdist.
        pytest.fail(f"{node.nodeid}: {error}", pytrace=False)
    if settings.replay is not None or plan is None:
        return
    choices: list[Search | Replay] = [Search(name) for name in plan.schedulers]
    if kept is not None:
        choices += kept.of_test(node.nodeid)
    metafunc.fixturenames.append(PARAMETER)
    metafunc.parametrize(PARAMETER, choices, ids=[choice.label for choice in choices])


def _refuse(function: Any) -> None:
    """UsageError for functions that cannot run as a program."""
    if inspect.isasyncgenfunction(function):
        raise pytest.UsageError("the interleave marker takes no async generator; take the yield out of the test")
    if getattr(function, "is_hypothesis_test", False):
        raise pytest.UsageError(
            "the interleave marker and @given do not go together: Hypothesis would run inside one execution; "
            "call semafuzz.explore in the body of the test instead"
        )


def refuse_other_kinds(item: pytest.Item) -> None:
    """Fail where the marker would be ignored: a test that is not run by its function."""
    if isinstance(item, pytest.Function) and explores_itself(item.function):
        return
    of_unittest = getattr(item, "cls", None) is not None and issubclass(item.cls, unittest.TestCase)  # type: ignore[attr-defined]
    if of_unittest or not isinstance(item, pytest.Function):
        pytest.fail(
            f"{item.nodeid}: the interleave marker works on test functions and methods of plain classes, "
            "not on those of unittest.TestCase or other kinds of tests; @semafuzz.interleave works on these too",
            pytrace=False,
        )


def belongs(item: pytest.Item, settings: Settings, kept: KeptTraces | None) -> bool:
    """Whether this combination of parameters is an item at all."""
    choice = choice_of(item)
    if isinstance(choice, Replay):
        if choice.test != test_of(item):
            return False
        if kept is not None:
            kept.met(choice.path)
        return True
    return choice is None or settings.searches


def run(item: pytest.Function, settings: Settings) -> None:
    """Run a marked item: raises what ends it as failed or skipped."""
    from semafuzz.pytest_plugin import exploring, replaying

    try:
        plan = plan_of(item, settings)
    except pytest.UsageError as error:
        pytest.fail(f"{item.nodeid}: {error}", pytrace=False)
    assert plan is not None
    choice = item.stash.get(REPLAYED, None) or choice_of(item)
    if isinstance(choice, Replay):
        replaying.replay_in_test(item, test_of(item), plan, settings, choice.path, choice.trace)
        return
    # A marker that was added after collection made no items.
    for scheduler in [choice.label] if choice is not None else plan.schedulers:
        exploring.search(item, test_of(item), plan, settings, scheduler)
