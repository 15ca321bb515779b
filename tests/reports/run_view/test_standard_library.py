"""Places in Python's own modules are told of the line that called them, but where these are what is searched."""

from __future__ import annotations

import weakref

import pytest

from semafuzz.harness.runs.function_file import loaded_here
from semafuzz.reports.run_view.standard_library import is_of_standard_library

PLACES = ["weakref:213", "weakref.py:213 (WeakValueDictionary.items)", "python3.11/weakref.py:213", "weakref"]


@pytest.mark.parametrize("place", PLACES)
def test_a_module_of_pythons_own_is_of_the_program_where_it_is_searched(
    place: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert is_of_standard_library(place)
    monkeypatch.setitem(loaded_here, "weakref", weakref)
    assert not is_of_standard_library(place)
    assert is_of_standard_library("queue.py:10 (Queue.get)")


@pytest.mark.parametrize("place", ["bank.py:3 (Account.deposit)", "__main__:3", "pool.core:3"])
def test_others_are_of_the_program(place: str) -> None:
    assert not is_of_standard_library(place)
