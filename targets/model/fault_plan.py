"""Faults: what goes wrong at a call that leaves the process, and when."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from semafuzz.harness.errors import UsageError
from semafuzz.harness.kernel import current
from semafuzz.harness.kernel import event_kinds as op
from semafuzz.harness.kernel.task import Task
from semafuzz.harness.traces.schema import Operation
from semafuzz.targets.model.protocol import FaultInfo


class FaultPlan:
    """The faults of one execution, and which of them have happened.

    Each fault is counted by task: it happens at the I/O point with a number, among those
    it fits, that its task reaches; so it stays where it is when other tasks change.
    """

    def __init__(self, table: Mapping[str, FaultInfo], faults: Sequence[Operation]) -> None:
        self._table = table
        self._left = list(faults)
        self._met: dict[tuple[int, str], int] = {}
        self._raised: dict[int, list[BaseException]] = {}
        self._numbers: dict[int, int] = {}

    def arm(self, name: str, task: int) -> Operation:
        """A fault at the next fitting I/O point of a task for which the same is not armed already; the fault as
        data. Armed twice, it happens at two calls in a row."""
        armed = {one.arguments["call"] for one in self._left if (one.name, one.arguments["task"]) == (name, task)}
        call = self._met.get((task, name), 0) + 1
        while call in armed:
            call += 1
        fault = Operation(name, {"task": task, "call": call})
        self._left.append(fault)
        return fault

    def meet(self, call: str, task: Task) -> None:
        """An I/O point is reached: raise what is due there."""
        due: Operation | None = None
        number = self._number_of(task)
        for name, info in self._table.items():
            if not info.fits(call):
                continue
            key = (number, name)
            count = self._met[key] = self._met.get(key, 0) + 1
            for fault in self._left:
                if due is None and (fault.name, fault.arguments["task"], fault.arguments["call"]) == (
                    name,
                    number,
                    count,
                ):
                    due = fault
        if due is None:
            return
        self._left.remove(due)
        error = self._table[due.name].error(call)
        self._raised.setdefault(number, []).append(error)
        execution = current.execution
        if execution is not None:
            execution.note(op.NOTE, None, f"fault {due.name} at {call}")
        raise error

    def _number_of(self, task: Task) -> int:
        """That of the program's task: what one has started meets the faults of the one that started it."""
        found = self._numbers.get(task.index)
        if found is None:
            execution = current.execution
            starts = () if execution is None else (event for event in execution.events if event[0] == op.SPAWN)
            starter = next((event[1] for event in starts if event[2] is task), None)
            found = task.index if starter is None else self._number_of(starter)
            self._numbers[task.index] = found
        return found

    def raised(self, task: int) -> int:
        """How many faults were raised in a task so far."""
        return len(self._raised.get(task, ()))

    def unmet(self) -> list[Operation]:
        """Faults whose point was never reached."""
        return list(self._left)

    def caused(self, task: int, error: BaseException) -> bool:
        """Whether an exception that left an operation is a fault of this task, or
        was raised from one on purpose. Raised merely *while* one was handled does
        not count: that is a defect of the handler."""
        raised = self._raised.get(task, [])
        seen: BaseException | None = error
        while seen is not None:
            if any(seen is one for one in raised):
                return True
            seen = seen.__cause__
        return False


def check_faults(table: Mapping[str, FaultInfo], faults: Sequence[Operation], tasks: int) -> None:
    """Refuse faults that the target does not have, for instance out of a trace."""
    for fault in faults:
        if fault.name not in table:
            raise UsageError(f"the target has no fault {fault.name!r}; it has {', '.join(sorted(table)) or 'none'}")
        task, call = fault.arguments.get("task"), fault.arguments.get("call")
        numbers = type(task) is int and type(call) is int
        if set(fault.arguments) != {"task", "call"} or not numbers:
            raise UsageError(f"fault {fault.name} takes the numbers task and call; use an original trace")
        if not 0 <= int(task or 0) < tasks or int(call or 0) < 1:
            raise UsageError(f"fault {fault.name} is in task {task} at call {call}, which the program does not have")
