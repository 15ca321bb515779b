"""Who searches which pairs of operations, where several searches share them.

Variants of one operation come to the same code, and so to the same conflicts with another one: pairs of one family (the
two operations that theirs are variants of) go to one search, which knows what it has seen already, and not to two that
would each work the same defect out. Shares stay even: a family that is larger than a share is cut.

Not seen: that two families conflict at one place all the same. A merge joins what they both find.
"""

from __future__ import annotations

import heapq
from collections.abc import Sequence

from semafuzz.targets.model.protocol import OperationInfo


def dealt(pairs: Sequence[Sequence[OperationInfo]], share: tuple[int, int]) -> list[int]:
    """The places of the pairs that fall to ``share[0]`` of ``share[1]`` searches, in order. The same lists for the
    same pairs, whoever asks; longest first to the least loaded (Graham, 1969)."""
    families: dict[frozenset[str], list[int]] = {}
    for place, pair in enumerate(pairs):
        families.setdefault(frozenset(one.like or one.name for one in pair), []).append(place)
    most = -(-len(pairs) // share[1])
    parts = [family[start : start + most] for family in families.values() for start in range(0, len(family), most)]
    hands: list[list[int]] = [[] for _ in range(share[1])]
    sizes = [(0, number) for number in range(share[1])]
    heapq.heapify(sizes)
    for part in sorted(parts, key=len, reverse=True):
        size, number = heapq.heappop(sizes)
        hands[number] += part
        heapq.heappush(sizes, (size + len(part), number))
    return sorted(hands[share[0]])
