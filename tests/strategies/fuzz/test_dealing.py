"""Searches that share pairs of operations: each pair once, evenly, families together."""

from __future__ import annotations

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from semafuzz.strategies.fuzz.dealing import dealt
from semafuzz.targets.model.protocol import OperationInfo


def operation(name: str, like: str = "") -> OperationInfo:
    return OperationInfo(name, True, "made", "made", like=like)


def pairs_of(*infos: OperationInfo) -> list[tuple[OperationInfo, ...]]:
    return list(itertools.combinations_with_replacement(infos, 2))


PLAIN = tuple(operation(name) for name in "abcd")
VARIANTS = tuple(operation(f"{name}{number}", like=name) for name in "ab" for number in range(3))
PAIRS = pairs_of(*PLAIN, *VARIANTS)


@given(st.integers(1, 80))
def test_each_pair_falls_to_one(of: int) -> None:
    hands = [dealt(PAIRS, (number, of)) for number in range(of)]
    assert sorted(itertools.chain(*hands)) == list(range(len(PAIRS)))


@pytest.mark.parametrize("of", [2, 3, 5])
def test_shares_are_even_and_families_are_together(of: int) -> None:
    hands = [dealt(PAIRS, (number, of)) for number in range(of)]
    of_family: dict[frozenset[str], set[int]] = {}
    for number, hand in enumerate(hands):
        for place in hand:
            of_family.setdefault(frozenset(one.like or one.name for one in PAIRS[place]), set()).add(number)
    assert max(map(len, hands)) - min(map(len, hands)) <= 3
    assert sum(len(searches) > 1 for searches in of_family.values()) <= 1


def test_a_thousand_searches_have_a_pair_each_before_one_has_two() -> None:
    sizes = [len(dealt(PAIRS, (number, len(PAIRS)))) for number in range(len(PAIRS))]
    assert set(sizes) == {1}
