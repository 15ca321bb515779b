"""Remedies on code that is imported already: wrapped while a block runs, and put back."""

from __future__ import annotations

import functools
import json
import sys
import threading
from collections.abc import Callable
from typing import Any

import pytest

from semafuzz.harness.edits.remedies import parse_remedy
from semafuzz.harness.edits.wrapping import remedied
from semafuzz.harness.errors import UsageError
from tests.conftest import Run

THIS = sys.modules[__name__]
NAME = "things"
TAKEN: list[str] = []


def synchronized(name: str) -> Callable[[Any], Any]:
    def decorate(function: Any) -> Any:
        @functools.wraps(function)
        def inner(*args: Any) -> Any:
            TAKEN.append(name)
            return function(*args)

        return inner

    return decorate


class Tracker:
    def __init__(self) -> None:
        self._lock = threading.Lock()

    @synchronized(NAME)
    def claim(self) -> None:
        return None

    def drop(self) -> bool:
        return self._lock.locked()


class Other:
    def drop(self) -> None:
        return None


def test_a_method_runs_under_an_attribute_and_is_put_back() -> None:
    before = Tracker.drop
    with remedied([THIS], [parse_remedy("lock Tracker.drop with _lock")]):
        assert Tracker().drop()
    assert Tracker.drop is before
    assert not Tracker().drop()


def test_or_by_the_decorator_of_the_module() -> None:
    TAKEN.clear()
    with remedied([THIS], [parse_remedy("lock Tracker.drop with things")]):
        assert not Tracker().drop()
    assert TAKEN == ["things"]


def test_a_method_can_be_left_without_its_lock() -> None:
    TAKEN.clear()
    with remedied([THIS], [parse_remedy("unlock Tracker.claim")]):
        Tracker().claim()
    assert TAKEN == []
    Tracker().claim()
    assert TAKEN == [NAME]
    with pytest.raises(UsageError, match="no decorator"), remedied([THIS], [parse_remedy("unlock Tracker.drop")]):
        pass


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("lock drop with _lock", "several classes have a method 'drop': Tracker.drop, Other.drop"),
        ("lock Tracker.nothing with _lock", "has a method 'Tracker.nothing'"),
        ("hold _lock from Tracker.drop:1 to Tracker.drop:2", "in your own code only"),
    ],
)
def test_what_cannot_be_tried_is_said(text: str, said: str) -> None:
    with pytest.raises(UsageError, match=said.replace("(", ".")), remedied([THIS], [parse_remedy(text)]):
        pass


@pytest.mark.nova
@pytest.mark.slow
@pytest.mark.parametrize(
    ("operations", "remedy", "shows"),
    [
        ("build_failed,audit", "lock ResourceTracker.build_failed with compute_resources", "failed_builds"),
        ("claim,remove_node", "lock ResourceTracker.remove_node with compute_resources", "KeyError"),
        (
            "disable_service,node_appears",
            "lock ComputeManager.set_host_enabled with compute_resources",
            "changed size during iteration",
        ),
    ],
)
def test_a_remedy_silences_what_the_tracker_shows_without_it(
    semafuzz: Run, operations: str, remedy: str, shows: str
) -> None:
    arguments = ["fuzz", "nova", "--operations", operations, "--seconds", "30", "--seed", "1", "--json"]
    errors = []
    for options in ([], ["--what-if", remedy]):
        found = json.loads(semafuzz(*arguments, *options).stdout.splitlines()[-1])["failures"]
        errors.append([f"{one['kind']}: {one['message']}" for one in found if one["severity"] == "error"])
    assert any(shows in text for text in errors[0])
    assert not any(shows in text for text in errors[1])
