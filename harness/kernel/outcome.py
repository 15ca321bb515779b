"""The outcome of one execution."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Literal, NamedTuple

from semafuzz.harness.kernel.locations import Locations, locations
from semafuzz.harness.kernel.task import Pending, RawEvent, Task


class Decision(NamedTuple):
    """One choice of the scheduler (a named tuple: made at every scheduling point).

    ``step`` is the number of events before it: unique within an execution
    (every choice is followed by an event of the chosen task) and the same on
    every replay. ``current`` is the task that was running, or -1 where it
    had ended. ``yielded`` marks a choice in which the running task was not
    offered, because it had used up its quantum. ``pending`` has one entry per
    enabled task.
    """

    step: int
    current: int
    chosen: int
    enabled: tuple[int, ...]
    pending: tuple[Pending, ...]
    yielded: bool = False

    @property
    def preemption(self) -> bool:
        """Whether this choice leaves a task that could have gone on."""
        return self.chosen != self.current and self.current in self.enabled


Model = Literal["threads", "gil", "eventlet", "trio"]
"""Where a switch can happen: at any shared access; at those before which CPython with the GIL gives way; where code
blocks or does I/O; at trio's checkpoints."""
SEES_ACCESSES: Final[frozenset[Model]] = frozenset({"threads", "gil"})
"""The models under which code is instrumented, and a task may be preempted."""

FailureKind = Literal[
    "exception",
    "assertion",
    "deadlock",
    "livelock",
    "step-limit",
    "invariant",
    "atomicity",
    "configuration",
    "lock-discipline",
]
"""What an execution can come to; as it stands in traces."""

Severity = Literal["error", "warning", "note"]
"""How bad: proved by a run, advice, or worth knowing."""

LOCK_DISCIPLINE: Final = "lock-discipline"
ADVICE: Final[frozenset[str]] = frozenset({LOCK_DISCIPLINE})
"""Kinds that speak of how the code under test is written, not of what an execution
came to: they end no search, and a schedule that shows nothing else has not failed."""


@dataclass(frozen=True, slots=True)
class Failure:
    """One thing that went wrong in an execution.

    ``sites`` are the code places that identify it (for
    an exception the innermost frame of the code under test, for a deadlock the
    place where each task waits). ``error_type`` is the exception's type name, or
    the name of the invariant, or the method that breaks the discipline and the state
    concerned. ``severity``: error, warning or note. ``steps``: the numbers of the events that are the failure,
    one for each of ``sites``, where it says them itself. ``related``: sites to show
    beside it, which do not identify it.
    """

    kind: FailureKind
    message: str
    task: str = ""
    sites: tuple[int, ...] = ()
    error_type: str = ""
    detail: tuple[str, ...] = ()
    severity: Severity = "error"
    steps: tuple[int, ...] = ()
    related: tuple[int, ...] = ()


RawDecision = tuple[int, int, int, tuple[Task, ...], tuple[Pending, ...], bool]
"""A decision as the kernel records it: with the enabled tasks themselves."""


LimitKind = Literal[
    "code",
    "unknown",
    "outside",
    "clock",
    "reach",
    "time-out",
    "state",
    "finaliser",
    "closure",
    "random",
    "torn",
]
"""What can take part in an execution without being seen."""

ConditionUse = tuple[int, Task, object, int]
"""The step before which a condition was notified or waited for, by whom, which one, and where."""

EarlyTimeout = tuple[int, Task, Pending, float | None, tuple[str, ...]]
"""The step, who waited, for what, its time-out in seconds, and who could have gone on."""


class Outcome:
    """The whole record of one execution.

    ``early_timeouts``: the time-outs that ran out while another task could have gone on.
    ``unheard``: the notifications of conditions that woke nobody. ``waits``: the calls of their ``wait``.
    ``limits``: what took part unseen, by kind and name, with a place for each. ``strangers``: the
    objects of unknown kind that were touched, by ``id``, with who touched them first.
    ``stretched``: places at which an operation was taken for one step that is none in fact, and what it is.
    ``noted``: the numbers of the accesses that belong to the one before them: no switch is possible there.
    ``withheld``: a time-out could have run out earlier, which was not allowed.
    ``uncontrolled`` is empty, or says what escaped the kernel's control and
    where; then nothing else in the record is to be believed. ``now`` is the
    virtual time at the end, in seconds.
    """

    __slots__ = (
        "_decisions",
        "_locations",
        "early_timeouts",
        "events",
        "failures",
        "limits",
        "noted",
        "now",
        "raw_decisions",
        "strangers",
        "stretched",
        "tasks",
        "uncontrolled",
        "unheard",
        "waits",
        "withheld",
    )

    def __init__(self) -> None:
        self.events: list[RawEvent] = []
        self.raw_decisions: list[RawDecision] = []
        self.failures: list[Failure] = []
        self.tasks: list[Task] = []
        self.strangers: dict[int, tuple[object, Task]] = {}
        self.limits: dict[tuple[LimitKind, str], int] = {}
        self.stretched: dict[int, str] = {}
        self.withheld = False
        self.noted: set[int] = set()
        self.early_timeouts: list[EarlyTimeout] = []
        self.unheard: list[ConditionUse] = []
        self.waits: list[ConditionUse] = []
        self.uncontrolled = ""
        self.now = 0.0
        self._decisions: list[Decision] = []
        self._locations: Locations | None = None

    @property
    def decisions(self) -> list[Decision]:
        """The choices made, in order."""
        if len(self._decisions) != len(self.raw_decisions):
            self._decisions = [
                Decision(step, current, chosen, tuple([task.index for task in enabled]), pending, yielded)
                for step, current, chosen, enabled, pending, yielded in self.raw_decisions
            ]
        return self._decisions

    def locations(self) -> Locations:
        """Every location of the run; worked out once, when the run is over."""
        if self._locations is None:
            self._locations = locations(self.events)
        return self._locations

    def path(self) -> tuple[int, ...]:
        """The tasks chosen, in order: equal paths are equal runs as long as the
        program's scheduling points are the same."""
        return tuple([decision[2] for decision in self.raw_decisions])
