"""What happened, in one sentence made from the facts of a run: who read what, who wrote it meanwhile."""

from __future__ import annotations

from collections.abc import Sequence

from semafuzz.reports.run_view.schema import Run, Span, Step, Switch
from semafuzz.reports.run_view.standard_library import is_of_standard_library

_READS = frozenset({"read", "read-item", "read-all"})
_WRITES = frozenset({"write", "write-item", "write-all"})
MOST_READS = 40
"""Before a preemption that are looked at, the last ones."""
_NOTIFICATION = "WaiterLock#"
"""How the lock is named on which one wait for a condition, an event, a queue stands."""


def facts_sentence(run: Run) -> str:
    """The racing accesses, or the circle of locks, in words; "" where nothing of the kind is known.

    Five patterns are told: an update that is lost (read, written by another, written), a value that was changed after
    it was read, one that was read before it was written, tasks that wait for one another, and a wait that was given up.
    They are looked for around the preemptions that the failure needs, in this order, then on the location of the racing
    pair. Of others the picture tells.
    """
    if run.waiting:
        return _circle(run)
    needed = [switch for switch in run.switches if switch.preemption and switch.needed != "no"]
    for pattern in (_lost_update, _changed_meanwhile, _read_too_early):
        told = next(filter(None, (pattern(run, switch) for switch in needed)), "")
        if told:
            return told
    steps = {step.number: step for step in run.steps}
    pair = [steps[number] for number in run.pair if number in steps]
    return _first(run, [step for step in pair if step.kind in _READS], 0) or _given_up(run)


def _lost_update(run: Run, switch: Switch) -> str:
    return _first(run, _reads_before(run, switch), switch.step, lost_only=True)


def _changed_meanwhile(run: Run, switch: Switch) -> str:
    return _first(run, _reads_before(run, switch), switch.step)


def _reads_before(run: Run, switch: Switch) -> list[Step]:
    """The last reads of the task that is put off, the last one first."""
    before = [step for step in run.steps if step.task == switch.task and step.number < switch.step]
    return [step for step in before if step.kind in _READS][-MOST_READS:][::-1]


def _read_too_early(run: Run, switch: Switch) -> str:
    """What the task that is put off has yet to write, and another one has read meanwhile: something was there for
    others before it was ready."""
    since = [step for step in run.steps if step.number >= switch.step]
    resumed = next((step.number for step in since if step.task == switch.task), 0)
    seen: dict[int, Step] = {}
    for step in since:
        if step.task != switch.task and step.kind in _READS and step.what >= 0 and step.number < resumed:
            seen.setdefault(step.what, step)
    for step in since:
        read = seen.get(step.what)
        if step.task == switch.task and step.kind in _WRITES and read is not None:
            if is_of_standard_library(_place(run, read)) or is_of_standard_library(_place(run, step)):
                continue
            wrote = f"{_name(run, step)} {_change_words(run, step)} at {_place(run, step)}"
            return f"{_read_words(run, read)}, before {wrote}."
    return ""


def is_notification(lock: str) -> bool:
    """Whether what is waited for is a notification: of a condition, an event, a queue."""
    return lock.startswith(_NOTIFICATION)


def _given_up(run: Run) -> str:
    """The first wait that was given up, where nobody raced."""
    step = next((one for one in run.steps if one.kind == "timeout"), None)
    if step is None:
        return ""
    lock = run.texts[step.what] if step.what >= 0 else ""
    what = " for a notification" if is_notification(lock) else f" for {lock}" if lock else ""
    held = [span for span in run.holds if span.name == lock and span.start < step.number <= span.end]
    if held and held[-1].task != step.task:
        holder = next((lane.name for lane in run.lanes if lane.number == held[-1].task), "")
        what += f", which {holder} held{_taken_at(run, held[-1])}"
    return f"{_name(run, step)} gave up waiting at {_place(run, step)}{what}, when its time ran out."


def _first(run: Run, reads: Sequence[Step], since: int, *, lost_only: bool = False) -> str:
    """The first of these reads after which another task wrote what was read, not before event ``since``, while the
    reader went on; with ``lost_only`` the first that the reader then wrote over."""
    for read in reads:
        if read.what < 0 or is_of_standard_library(_place(run, read)):
            continue
        there = [step for step in run.steps if step.what == read.what and step.number > read.number]
        other = next(
            (one for one in there if one.task != read.task and one.kind in _WRITES and one.number >= since), None
        )
        if other is None or not any(one.task == read.task and one.number > other.number for one in run.steps):
            continue
        own = next((one for one in there if one.task == read.task), None)
        wrote = f"{_name(run, other)} {_change_words(run, other)} at {_place(run, other)}"
        if own is not None and own.number > other.number and own.kind in _WRITES:
            return (
                f"{_read_words(run, read)}, {wrote}, then {_name(run, own)} {_change_words(run, own)}: one update is "
                "lost."
            )
        if lost_only:
            continue
        return f"{_read_words(run, read)}, then {wrote} before {_name(run, read)} was done with it."
    return ""


def _circle(run: Run) -> str:
    """Who waits for which lock, and who holds it. A lock that nobody holds is a notification or a permit."""
    names = {lane.number: lane.name for lane in run.lanes}
    holders = {span.name: span.task for span in run.holds if span.open}
    told = []
    waits = {step.task: step for step in run.steps if step.kind == "waits"}
    for task, _ in run.waiting:
        step = waits.get(task)
        if step is None or step.what < 0:
            continue
        lock = run.texts[step.what]
        if is_notification(lock):
            # Of several conditions it is not known which one this task waits for.
            one_condition = len({one.what for one in run.unheard}) == 1
            earlier = [one for one in run.unheard if one.task != task] if one_condition else []
            words = f"{names[task]} waits at {_place(run, step)} for a notification that nobody sends any more"
            if earlier:
                last = earlier[-1]
                place = run.texts[last.place].partition(" ")[0]
                words += f": that of {names[last.task]} at {place} came when nobody waited yet"
            told.append((True, words))
            continue
        holder = holders.get(lock)
        taken = next((_taken_at(run, span) for span in run.holds if span.open and span.name == lock), "")
        held = f", which {names[holder]} holds{taken}" if holder is not None and holder != task else ""
        held = f", which it holds itself{taken}" if holder == task else held
        told.append((bool(held), f"{names[task]} waits at {_place(run, step)} for {lock}{held}"))
    # Who joins one of these has no part in it.
    told = [one for one in told if one[0]] or told
    return "; ".join(words for _, words in told) + "." if told else ""


def _taken_at(run: Run, span: Span) -> str:
    step = next((one for one in run.steps if one.number == span.start and one.place >= 0), None)
    return "" if step is None else f" since {_place(run, step)}"


def _read_words(run: Run, step: Step) -> str:
    value = f" = {run.texts[step.before]}" if step.before >= 0 else ""
    return f"{_name(run, step)} read {run.texts[step.what]}{value} at {_place(run, step)}"


def _name(run: Run, step: Step) -> str:
    return next((lane.name for lane in run.lanes if lane.number == step.task), f"task {step.task}")


def _place(run: Run, step: Step) -> str:
    return run.texts[step.place].partition(" ")[0] if step.place >= 0 else "?"


def _change_words(run: Run, step: Step) -> str:
    if step.after < 0:
        return "changed it"
    before = f"{run.texts[step.before]} \N{RIGHTWARDS ARROW} " if step.before >= 0 else ""
    return f"wrote {before}{run.texts[step.after]}"
