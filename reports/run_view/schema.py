"""A finding as it is drawn: plain data that one process records and another draws.

Texts and places are numbered, so that ten thousand steps stay small. Nothing in it is
markup, and nothing is believed to be: who draws it escapes everything.
"""

from __future__ import annotations

import msgspec

from semafuzz.harness.kernel.outcome import Severity

STEPS = 20_000
"""Of a run that are drawn."""


class _Record(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Base of all parts."""


class Step(msgspec.Struct, frozen=True, array_like=True):
    """One event. ``kind``: as in traces; ``what``, ``place``, ``before``, ``after``: numbers
    in ``Run.texts``, -1 for none; ``shared``: on a location that several tasks touch, one of
    them changing it."""

    number: int
    task: int
    kind: str
    what: int
    place: int
    before: int
    after: int
    shared: bool


class Lane(_Record, frozen=True):
    """A task. ``host``: the simulated host that it works on; "" where there is none, or
    several."""

    number: int
    name: str
    host: str


class Span(_Record, frozen=True):
    """From event ``start`` to event ``end``, inclusive. ``name``: of an operation, or of the lock
    that is held; ``open``: it has not ended."""

    task: int
    name: str
    start: int
    end: int
    open: bool = False


class Switch(_Record, frozen=True):
    """Before event ``step`` the turn went from one task to another. ``preemption``: the first
    could have gone on; ``needed``: without this one the failure does not show, "" where that
    was not checked. ``put_off``: what it was about to do."""

    step: int
    task: int
    instead: int
    preemption: bool
    needed: str = ""
    put_off: str = ""


class Raised(_Record, frozen=True):
    """What ended a task, and where it was raised: numbers in ``Run.texts``. ``assertion``: that which failed, with what
    stood in it; "" for none."""

    task: int
    what: int
    place: int
    assertion: str = ""


class Unheard(_Record, frozen=True):
    """A notification, before event ``step``, for which nobody waited. ``what``: the condition, ``place``: where;
    numbers in ``Run.texts``."""

    step: int
    task: int
    what: int
    place: int


class Run(_Record, frozen=True):
    """One execution. ``pair``: numbers of the two events that race; ``waiting``: what each
    task waits for that never goes on; ``left_out``: events that are not among ``steps``."""

    lanes: list[Lane]
    steps: list[Step]
    texts: list[str]
    operations: list[Span]
    holds: list[Span]
    switches: list[Switch]
    events: int
    pair: list[int] = []
    waiting: list[tuple[int, str]] = []
    left_out: int = 0
    failure: str = ""
    raised: list[Raised] = []
    unheard: list[Unheard] = []


class Excerpt(_Record, frozen=True):
    """Source lines around ``marked``. ``first``: the number of the first of ``lines``."""

    place: str
    file: str
    first: int
    lines: list[str]
    marked: list[int]


class Passing(_Record, frozen=True):
    """The nearest run that does not fail. ``parted``: the number of the first event that
    differs; ``how``: what was done otherwise."""

    run: Run
    parted: int
    how: str


class FindingView(_Record, frozen=True):
    """All that is known of one finding. ``reproduces``: "yes", "no", or why it cannot be told;
    then there is no run. ``sources``: source lines by place, for every step; ``excerpts``:
    those around the places that matter; ``files``: by the module, from the root of its repository, or as its package
    names it.
    ``story``: who ran when, and ``shared``: what the tasks did to what they share, in a few
    lines each. ``releases``: what a bisection said of each; ``remedies``: what came of each that was tried;
    ``gil``: whether CPython with the GIL can come to it."""

    signature: str
    kind: str
    severity: Severity | None
    message: str
    detail: list[str]
    target: str
    release: str
    model: str
    places: list[str]
    setup: list[str]
    tasks: list[list[str]]
    faults: list[str]
    faults_needed: list[bool]
    configuration: dict[str, str]
    versions: dict[str, str]
    commands: list[str]
    reproduces: str
    operations: list[str] = []
    run: Run | None = None
    passing: Passing | None = None
    no_passing: str = ""
    story: list[str] = []
    shared: list[str] = []
    excerpts: list[Excerpt] = []
    sources: dict[str, str] = {}
    files: dict[str, str] = {}
    gil: str = ""
    releases: dict[str, str] = {}
    remedies: dict[str, str] = {}
