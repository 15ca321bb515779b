"""From an execution to the plain data that a picture is drawn from."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from types import MappingProxyType

from semafuzz.harness.kernel import event_kinds as op
from semafuzz.harness.kernel.instances import attributes_of
from semafuzz.harness.kernel.lockable import lock_of
from semafuzz.harness.kernel.naming import Namer, describe_pending, name_text
from semafuzz.harness.kernel.outcome import Failure, Outcome
from semafuzz.harness.kernel.sites import SITES
from semafuzz.harness.kernel.task import Task
from semafuzz.harness.search.racing_pair import pair_of
from semafuzz.harness.shrink.size import interruptions
from semafuzz.harness.traces.schema import Interruption
from semafuzz.reports.run_view.interleaving import is_deadlocked, location_of, named, shared_locations
from semafuzz.reports.run_view.names import ReadableNamer
from semafuzz.reports.run_view.schema import STEPS, Lane, Raised, Run, Span, Step, Switch, Unheard
from semafuzz.reports.run_view.values import Seen

_LOCKS = frozenset({op.ACQUIRE, op.RELEASE, op.TRY, op.TIMEOUT, op.ENTER, op.EXIT})
LONGEST = 200
"""Characters of a message beside a step."""
_SIGNS = _LOCKS | {
    op.SPAWN,
    op.BEGIN,
    op.END,
    op.JOIN,
    op.SLEEP,
    op.YIELD,
    op.IO,
    op.NOTE,
    op.LOOP,
    op.OPERATION,
    op.OPERATION_END,
}
"""Events that are drawn before accesses of one task alone are, where there are too many."""


_UNSEEN = Seen("", "")


def record_run(
    outcome: Outcome,
    values: Mapping[int, Seen],
    failure: Failure | None,
    necessity: Sequence[Interruption] = (),
    limit: int = STEPS,
    assertions: Mapping[int, str] = MappingProxyType({}),
) -> Run:
    """The run of ``outcome``. ``values``: what accesses found and left, by event;
    ``failure``: the one to show, of a run that fails; ``necessity``: what is known of its
    preemptions; ``assertions``: those that ended tasks, with what stood in them."""
    texts = _Texts()
    stuck = [task for task in outcome.tasks if not task.done and is_deadlocked(outcome)]
    shared = shared_locations(outcome.events, stuck)
    pair = _pair(outcome, failure) if failure is not None else []
    steps, namer = [], ReadableNamer(outcome.events)
    for number, (kind, task, subject, name, site) in enumerate(outcome.events):
        before, after, caller = values.get(number, _UNSEEN)
        site = caller or site
        steps.append(
            Step(
                number,
                task.index,
                op.KIND_NAMES[kind],
                texts.number(_what(namer, kind, subject, name)),
                texts.number(SITES[site].place() if site else ""),
                texts.number(before),
                texts.number(after),
                location_of((kind, task, subject, name, site)) in shared and (kind in op.MEMORY or kind in _LOCKS),
            )
        )
    kept = _chosen(steps, pair, limit)
    for task in stuck:
        kind, subject, name, site = task.pending
        what, place = _what(namer, kind, subject, name), SITES[site].place() if site else ""
        number = kept[-1].number + 1 if kept else 0
        kept = [*kept, Step(number, task.index, "waits", texts.number(what), texts.number(place), -1, -1, True)]
    return Run(
        lanes=_lanes(outcome),
        steps=kept,
        texts=texts.all,
        operations=_operations(outcome),
        holds=_holds(outcome),
        switches=_switches(outcome, {one.step: one.needed for one in necessity}),
        events=len(outcome.events),
        pair=pair,
        waiting=[(task.index, _waits(namer, task)) for task in stuck],
        left_out=max(0, len(steps) + len(stuck) - len(kept)),
        failure="" if failure is None else failure.message,
        raised=_raised(outcome, texts, assertions),
        unheard=[
            Unheard(step, task.index, texts.number(_condition(namer, condition)), texts.number(SITES[site].place()))
            for step, task, condition, site in outcome.unheard
        ],
    )


def _condition(namer: Namer, condition: object) -> str:
    """A condition by its lock, which is what a person sees of it."""
    lock = lock_of(attributes_of(condition).get("_lock"))
    return namer.name(condition if lock is None else lock)


def _raised(outcome: Outcome, texts: _Texts, assertions: Mapping[int, str]) -> list[Raised]:
    numbers = {task.name: task.index for task in outcome.tasks}
    return [
        Raised(
            numbers[one.task],
            texts.number(one.message.partition("\n")[0][:LONGEST]),
            texts.number(SITES[one.sites[-1]].place()),
            assertions.get(numbers[one.task], ""),
        )
        for one in outcome.failures
        if one.kind in ("exception", "assertion") and one.sites and one.task in numbers
    ]


def _pair(outcome: Outcome, failure: Failure) -> list[int]:
    """The events that race. An operation that was put off has the number of the choice that
    did so: what is drawn is the event in which it was performed."""
    found: list[int] = []
    if failure.kind == "deadlock":
        # Nobody raced: they wait.
        return found
    pair = pair_of(outcome, failure)
    for step, task, site in zip(pair.steps, pair.tasks, pair.sites, strict=False):
        for number in range(max(step, 0), len(outcome.events)):
            _, who, _, _, where = outcome.events[number]
            if who.index == task and where == site:
                found.append(number)
                break
    return found


class _Texts:
    """Texts by number; the same text, the same number."""

    def __init__(self) -> None:
        self.all: list[str] = []
        self._numbers: dict[str, int] = {}

    def number(self, text: str) -> int:
        if not text:
            return -1
        found = self._numbers.get(text)
        if found is None:
            found = self._numbers[text] = len(self.all)
            self.all.append(text)
        return found


def _what(namer: Namer, kind: int, subject: object, name: object) -> str:
    if kind in (op.IO, op.NOTE, op.OPERATION, op.OPERATION_END, op.ENTER, op.EXIT, op.LOOP):
        return name_text(name)
    if kind in (op.BEGIN, op.END):
        return ""
    return named(namer, kind, subject, name)


def _waits(namer: Namer, task: Task) -> str:
    kind, subject, name, site = task.pending
    return f"{op.KIND_NAMES[kind]} {_what(namer, kind, subject, name)} at {SITES[site].place() if site else '?'}"


def _chosen(steps: list[Step], pair: Sequence[int], limit: int) -> list[Step]:
    """At most ``limit`` of the steps: first accesses of one task alone go, then those far
    from the pair and from the end."""
    if len(steps) <= limit:
        return steps
    signs = {op.KIND_NAMES[kind] for kind in _SIGNS}
    kept = [step for step in steps if step.shared or step.kind in signs]
    if len(kept) <= limit:
        return kept
    around = limit // (len(pair) + 1)
    wanted = {step.number for step in kept[-around:]}
    for middle in pair:
        near = sorted(kept, key=lambda step: abs(step.number - middle))
        wanted.update(step.number for step in near[:around])
    return [step for step in kept if step.number in wanted]


def _lanes(outcome: Outcome) -> list[Lane]:
    hosts: dict[int, set[str]] = {}
    for kind, task, _, name, _ in outcome.events:
        if kind == op.ENTER and isinstance(name, str) and "/" in name:
            hosts.setdefault(task.index, set()).add(name.partition("/")[0])
    tasks = {task.index: task for task in outcome.tasks}
    # Time and cancellation are tasks of trio's engine that nobody has started.
    for _, task, *_ in outcome.events:
        tasks.setdefault(task.index, task)
    for _, _, index, enabled, *_ in outcome.raw_decisions:
        for task in enabled:
            if task.index == index:
                tasks.setdefault(index, task)
    return [
        Lane(task.index, task.name, min(found) if len(found := hosts.get(task.index, set())) == 1 else "")
        for task in tasks.values()
    ]


def _operations(outcome: Outcome) -> list[Span]:
    kinds = (op.OPERATION, op.OPERATION_END)
    return _spans(outcome, lambda event: (event[0] == op.OPERATION, str(event[3])) if event[0] in kinds else None)


def _holds(outcome: Outcome) -> list[Span]:
    namer = ReadableNamer(outcome.events)

    def sign(kind: int, subject: object, name: object) -> tuple[bool, str] | None:
        # Names are given in the order of first touch, so each event is asked.
        text = named(namer, kind, subject, None)
        if kind in (op.ENTER, op.EXIT):
            return kind == op.ENTER, name_text(name)
        return (kind == op.ACQUIRE, text) if kind in (op.ACQUIRE, op.RELEASE) else None

    return _spans(outcome, lambda event: sign(event[0], event[2], event[3]))


def _spans(
    outcome: Outcome, sign: Callable[[tuple[int, Task, object, object, int]], tuple[bool, str] | None]
) -> list[Span]:
    """From the first sign of a name to its last, of each task; a lock that is taken again by
    its holder is one span."""
    found: list[Span] = []
    begun: dict[tuple[int, str], list[int]] = {}
    for step, event in enumerate(outcome.events):
        told = sign(event)
        if told is None:
            continue
        begins, name = told
        key = (event[1].index, name)
        if begins:
            begun.setdefault(key, []).append(step)
        elif begun.get(key):
            start = begun[key].pop()
            if not begun[key]:
                found.append(Span(event[1].index, name, start, step))
    last = len(outcome.events) - 1
    found += [Span(task, name, starts[0], last, open=True) for (task, name), starts in begun.items() if starts]
    return sorted(found, key=lambda span: (span.start, -span.end))


def _switches(outcome: Outcome, needed: Mapping[int, bool]) -> list[Switch]:
    interrupted = {decision.step: decision for decision in interruptions(outcome)}
    found = []
    for step in range(1, len(outcome.events)):
        before, after = outcome.events[step - 1][1].index, outcome.events[step][1].index
        if before == after:
            continue
        decision = interrupted.get(step)
        if decision is None:
            found.append(Switch(step, before, after, preemption=False))
            continue
        pending = decision.pending[decision.enabled.index(decision.current)]
        known = needed.get(step)
        word = "" if known is None else "yes" if known else "no"
        place = f" at {SITES[pending[3]].place()}" if pending[3] else ""
        found.append(Switch(step, before, after, True, word, f"{describe_pending(pending)}{place}"))
    return found
