"""The four import names are generic, so another distribution may bring one of them; it would
hide our package or be hidden by it."""

from __future__ import annotations

from importlib.metadata import distributions

import pytest

OURS = {"harness", "strategies", "targets", "reports"}


def providers(names: set[str]) -> dict[str, set[str]]:
    """For each of these import names, the installed distributions but ours that provide it."""
    found: dict[str, set[str]] = {}
    for distribution in distributions():
        owner = distribution.metadata["Name"]
        for file in distribution.files or ():
            top = file.parts[0]
            name = top if len(file.parts) > 1 else top.partition(".")[0]
            if name in names and owner != "semafuzz":
                found.setdefault(name, set()).add(owner)
    return found


def test_nobody_else_provides_our_names() -> None:
    assert providers(OURS) == {}


def test_the_check_can_fail() -> None:
    assert providers({"pytest", "six"})["pytest"] == {"pytest"}


def test_a_module_of_one_file_counts() -> None:
    single = next((name for name in ("typing_extensions", "six") if providers({name})), None)
    if single is None:
        pytest.skip("no distribution of a single module is installed")
    assert providers({single})[single] == {single}
