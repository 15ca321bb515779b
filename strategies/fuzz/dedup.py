"""Deduplication of the failures of a search: minimising one costs more than meeting a
hundred.

What is skipped is counted and reported. It is not lost: once what was worked out is
fixed, the same search shows what was behind it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence, Set
from dataclasses import dataclass, field

from semafuzz.harness.kernel.outcome import ADVICE
from semafuzz.harness.search.finding import Finding

ALIKE = 3
"""Findings of one kind between the same operations that are worked out; what
lies behind further ones is most often the same."""
WIDESPREAD = 4
"""Findings with one exception that are worked out as long as all have an operation in common."""

Identity = tuple[str, ...]
Key = tuple[str, Identity]


@dataclass(slots=True)
class Dedup:
    """What a search has met so far.

    ``skipped``: failures between operations that have shown enough of their kind.
    ``explained``: those that some of the program's operations and faults are known to
    show; warnings also part by part. ``unworked``: those for which no time was left;
    ``large``: those of programs that are too large. ``alike``: findings of one kind between the
    same operations that are worth it. ``like``: operations that are variants of others, and of which.
    """

    skipped: int = 0
    explained: int = 0
    unworked: int = 0
    large: int = 0
    alike: float = ALIKE
    like: Mapping[str, str] = field(default_factory=dict)
    _seen: set[Key] = field(default_factory=set)
    _shown: dict[Identity, set[frozenset[str]]] = field(default_factory=dict)
    _worked_out: dict[Identity, set[frozenset[str]]] = field(default_factory=dict)
    _minimal: dict[Identity, set[frozenset[str]]] = field(default_factory=dict)
    _alike: dict[Identity, int] = field(default_factory=dict)
    _raised: dict[Identity, list[frozenset[str]]] = field(default_factory=dict)
    _warned: dict[frozenset[str], set[str]] = field(default_factory=dict)

    def seen_before(self, identity: Identity, raw: Finding, program: Sequence[str], faults: Sequence[str] = ()) -> bool:
        """Whether the same was met before, between the same operations with the same faults;
        from now on it was. ``program``: what was run, operations and faults."""
        self._shown.setdefault(identity, set()).add(frozenset(map(self._name, program)))
        if len(program) - len(faults) <= 1 and raw.severity == "error":
            # It is as small as it can be, and explains others before it is worked out.
            self._minimal.setdefault(identity, set()).add(frozenset(map(self._name, program)))
        key = self.key_of(identity, raw, faults)
        met = key in self._seen
        self._seen.add(key)
        return met

    def key_of(self, identity: Identity, raw: Finding, faults: Sequence[str] = ()) -> Key:
        """What failures have in common that count as the same here."""
        return identity[0], identity[1:] + tuple(sorted([*map(self._name, raw.operations), *faults]))

    def is_known(self, identity: Identity, program: Sequence[str]) -> bool:
        """Whether the same was met in a program of some of these operations."""
        return _is_of_some(self._shown, identity, frozenset(map(self._name, program)))

    def worth_shrinking(
        self, identity: Identity, raw: Finding, program: Sequence[str], faults: Sequence[str] = ()
    ) -> bool:
        """Whether to work a failure out. ``program``: what was run, operations and faults."""
        if raw.kind in ADVICE:
            return True
        present = frozenset(map(self._name, program))
        if self._is_explained(identity, raw, present):
            self.explained += 1
            return False
        group = (identity[0], *sorted([*map(self._name, raw.operations), *faults]))
        self._alike[group] = self._alike.get(group, 0) + 1
        if self._alike[group] > self.alike or self._is_widespread(identity, present):
            self.skipped += 1
            return False
        return True

    def learn(self, identity: Identity, finding: Finding, program: Sequence[str]) -> None:
        """Take in what came of it: the finding, and the parts of its smallest program."""
        present = frozenset(map(self._name, program))
        if finding.severity == "warning":
            self._warned.setdefault(present, set()).update(_parts(identity))
        self._worked_out.setdefault(identity, set()).add(present)
        if finding.kind == "exception":
            self._raised.setdefault(identity[:2], []).append(present)

    def told(self) -> dict[str, int]:
        """What was skipped, in words, and how many."""
        said = {
            "more failures between the same operations were not worked out; fuzz again with another --seed once these "
            "are fixed": self.skipped,
            "more failures were not worked out: what is wrong in them is known to come of some of their operations, as "
            "listed": self.explained,
            "failures were not worked out: give more --seconds; traces in the folder raw": self.unworked,
            "warnings of large programs were not worked out; traces in the folder raw": self.large,
        }
        return {text: count for text, count in said.items() if count}

    def _is_explained(self, identity: Identity, raw: Finding, present: frozenset[str]) -> bool:
        if raw.severity != "warning":
            smaller = self._minimal.get(identity, ())
            return any(parts < present for parts in smaller) or _is_of_some(self._worked_out, identity, present)
        known = [parts for operations, parts in self._warned.items() if operations <= present]
        return _parts(identity) <= set().union(*known)

    def _is_widespread(self, identity: Identity, present: frozenset[str]) -> bool:
        found = self._raised.get(identity[:2], [])
        return len(found) >= WIDESPREAD and bool(frozenset.intersection(*found) & present)

    def _name(self, operation: str) -> str:
        name = operation.partition("(")[0]
        return self.like.get(name, name)


def _is_of_some(shown: Mapping[Identity, Set[frozenset[str]]], identity: Identity, present: frozenset[str]) -> bool:
    return any(operations <= present for operations in shown.get(identity, ()))


def _parts(identity: Identity) -> set[str]:
    """The invariants that a failure breaks."""
    return set(identity[1].split(", "))
