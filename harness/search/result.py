"""The result of a search."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

from semafuzz.harness.search.finding import Finding
from semafuzz.harness.sections.coverage import Coverage
from semafuzz.harness.sections.section import Section

Verdict = Literal["found", "complete", "cut", "uncontrolled"]
"""What a search may claim; they are never mixed."""


@dataclass(slots=True)
class Result:
    """What an exploration came to; the fields of ``semafuzz check --json``.

    ``verdict``: ``found``; ``complete`` (every schedule was covered, and
    all that could tell two apart was seen); ``cut`` (it
    ended before that: nothing was found, which proves nothing); ``uncontrolled``
    (something escaped the kernel, so nothing can be said). ``classes`` counts the
    distinct happens-before classes among the executions. ``notes`` are remarks
    for a person. ``sections``: what detectors have to say of all executions together.
    ``programs``: how many were explored, in a search of many; ``skipped``: how many
    failures that search did not work out, by the reason. ``coverage``: what was met how
    often, where that was counted. ``interrupted``: somebody ended the search. ``unconfirmed``: failures that did
    not repeat in a fresh process, which are no findings. ``watched``: the modules
    that were looked into; ``not_watched``: others whose code ran in two tasks; ``limits``: what
    took part unseen, a line for each kind, and how to have it seen. ``pairs``: how many pairs of operations a
    search of many programs has come to, in words. ``fruitless``: schedules since the last that showed a new order,
    where the search ended for that. ``code``: what was searched, in digests
    (``semafuzz.harness.runs.code_identity``), of a search that somebody adds to others.
    """

    program: str
    scheduler: str
    seed: int
    schedules: int = 0
    first_failure: int | None = None
    failures: list[Finding] = field(default_factory=list)
    verdict: Verdict = "cut"
    exhausted: bool = False
    classes: int = 0
    seconds: float = 0.0
    notes: list[str] = field(default_factory=list)
    sections: list[Section] = field(default_factory=list)
    programs: int = 0
    skipped: dict[str, int] = field(default_factory=dict)
    coverage: Coverage | None = None
    interrupted: bool = False
    unconfirmed: list[Finding] = field(default_factory=list)
    watched: list[str] = field(default_factory=list)
    not_watched: list[str] = field(default_factory=list)
    limits: list[str] = field(default_factory=list)
    pairs: dict[str, int] = field(default_factory=dict)
    fruitless: int = 0
    code: dict[str, str] = field(default_factory=dict)

    def section(self, name: str) -> Section | None:
        """The section with this name, where a detector reported one."""
        return next((section for section in self.sections if section.name == name), None)

    def assert_holds(self) -> None:
        """Raise AssertionError where something was found, or nothing can be said."""
        if self.failures:
            first = self.failures[0]
            raise AssertionError(f"{first.kind} in schedule {first.schedule}: {first.message}")
        if self.verdict == "uncontrolled":
            raise AssertionError(f"the program escaped control: {'; '.join(self.notes)}")
