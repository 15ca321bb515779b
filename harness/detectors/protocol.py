"""The protocol of detectors."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import ClassVar, NamedTuple

import msgspec

from semafuzz.harness.kernel.observed_execution import Probe
from semafuzz.harness.kernel.outcome import Failure, FailureKind, Outcome
from semafuzz.harness.sections.section import Section


class Completed(NamedTuple):
    """A failure's message, and further places, as all executions together tell them."""

    message: str
    places: tuple[str, ...]


class Suspect(NamedTuple):
    """Something that may fail where tasks meet at ``sites``. ``told`` is called with how many schedules tried it."""

    sites: frozenset[int]
    told: Callable[[int], None]


class Detector:
    """Looks at executions, and says of each what it noticed and of all what they come to.

    Every method has a default: one that only learns needs ``keep`` and ``report``.
    ``section``: the name of its section; empty for a detector that reports none.
    """

    section: ClassVar[str] = ""

    def begin(self) -> Probe | None:
        """An execution begins. What is to be called with its events, or None where
        those that are there at its end are enough."""
        return None

    def judge(self, outcome: Outcome) -> list[Failure]:
        """What was noticed in the execution that began last. Asked when every oracle
        has spoken, so that nothing is hidden by it."""
        return []

    def keep(self, outcome: Outcome) -> None:
        """That execution was one of the search, not a repetition of one: learn from it."""

    def complete(self, kind: FailureKind, detail: Sequence[str]) -> Completed | None:
        """What the executions so far add to a failure that it noticed in one of them, known by
        its kind and detail; None for nothing."""
        return None

    def suspects(self, *, covered: bool) -> Sequence[Suspect]:
        """What is to be tried when the search is over. ``covered``: it has run every schedule."""
        return ()

    def report(self) -> Section | None:
        """What all executions that were kept come to."""
        return None

    @classmethod
    def merge(cls, sections: Sequence[Section]) -> Section:
        """The section of several searches together. The first, where there is no sum."""
        first = sections[0]
        if not first.divided:
            return first
        rows = tuple(row for section in sections for row in section.rows)
        return msgspec.structs.replace(first, rows=rows, lines=(), executions=sum(one.executions for one in sections))
