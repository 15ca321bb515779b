"""A program of tracker operations, executed and judged."""

from __future__ import annotations

from collections.abc import Sequence
from types import ModuleType

from harness.kernel import current
from harness.kernel import operations as op
from harness.kernel.execution import Chooser
from harness.kernel.frames import calling_site
from harness.kernel.outcome import Failure, Outcome
from harness.program import Setting
from harness.traces.schema import Operation, Operations
from targets.nova.build_counts import possible_counts
from targets.nova.invariants import (
    Violation,
    audited_violations,
    figures,
    fingerprint,
    run_audit,
    usage_violations,
)
from targets.nova.operations import HOST, NODE, TABLE, set_up
from targets.nova.sections import forget_locks, running_host
from targets.nova.world import Snapshot, World


class NovaProgram:
    """Operations on one world. ``start`` of the world is taken when it is made."""

    def __init__(self, world: World, bare: Snapshot, content: Operations, modules: Sequence[ModuleType]) -> None:
        self.content = content
        self.name = describe(content)
        self._world = world
        self._bare = bare
        self._modules = modules
        self._start: Snapshot | None = None
        self._judgements: dict[int, list[Failure]] = {}

    def modules(self) -> Sequence[ModuleType]:
        """Nova's modules under test."""
        return self._modules

    def _restore(self) -> None:
        world = self._world
        if self._start is None:
            world.restore(self._bare)
            for operation in self.content.setup:
                set_up(world, operation.arguments)
            self._start = world.snapshot()
        world.restore(self._start)

    def execute(self, scheduler: Chooser, setting: Setting, forced: dict[int, bool] | None = None) -> Outcome:
        """Run all tasks from the start state and judge what they leave."""
        outcome = self.run_controlled(scheduler, setting, forced)
        if not outcome.failures and not outcome.uncontrolled:
            forget_locks()
            outcome.failures.extend(self._judged())
        return outcome

    def run_controlled(self, scheduler: Chooser, setting: Setting, forced: dict[int, bool] | None = None) -> Outcome:
        """Run all tasks from the start state; the outcome is not judged."""
        self._restore()
        execution = setting.execution(scheduler, forced)
        for number, operations in enumerate(self.content.tasks):
            execution.add_task(self._task(operations), f"task-{number}")
        return execution.run()

    def _judged(self) -> list[Failure]:
        """Judge, unless an equal state was judged before: audits cost more than runs."""
        state = fingerprint(self._world)
        found = self._judgements.get(state)
        if found is None:
            found = self._judgements[state] = self._judge()
        return found

    def run_serially(self) -> None:
        """The same operations one after the other, without a kernel: what control
        costs is measured against this."""
        self._restore()
        for operations in self.content.tasks:
            self._task(operations)()

    def _task(self, operations: Sequence[Operation]) -> _Task:
        return _Task(self._world, operations)

    def _judge(self) -> list[Failure]:
        world = self._world
        tracker = world.hosts[HOST].tracker
        count = _count(tracker)
        at_once = list(usage_violations(world, tracker))
        lasting: list[Violation] = []
        raised = run_audit(world, tracker)
        if raised:
            lasting.append(Violation("I14 audit raises", f"an audit of the node raises {raised}"))
        else:
            lasting += [*usage_violations(world, tracker), *audited_violations(world, tracker)]
            lasting += self._audits_agree(tracker)
        names = [[operation.name for operation in task] for task in self.content.tasks]
        possible = possible_counts(0, names)
        if count not in possible:
            text = f"failed_builds is {count}, every order of the operations gives {sorted(possible)}"
            lasting.append(Violation("failed_builds", text))
        healed = [one for one in at_once if one.name not in {other.name for other in lasting}]
        return [*_failure(lasting, "error"), *_failure(healed, "warning")]

    def _audits_agree(self, tracker: object) -> list[Violation]:
        """I14: a second audit changes nothing, and a new tracker that starts from
        the same database comes to the same figures."""
        world = self._world
        before = figures(tracker)
        raised = run_audit(world, tracker)
        if raised or figures(tracker) != before:
            return [Violation("I14 second audit", raised or f"a second audit changed {before} to {figures(tracker)}")]
        fresh = world.hosts[HOST].new_tracker()
        raised = run_audit(world, fresh)
        if raised or figures(fresh) != before:
            text = raised or f"the live tracker has {before}, a new one {figures(fresh)}"
            return [Violation("I14 fresh tracker", text)]
        return []


def _count(tracker: object) -> int:
    statistics = getattr(tracker, "stats", {}).get(NODE) or {}
    return int(statistics.get("failed_builds", 0))


def _failure(violations: Sequence[Violation], severity: str) -> list[Failure]:
    if not violations:
        return []
    names = ", ".join(sorted({one.name for one in violations}))
    texts = tuple(one.text for one in violations)
    message = "; ".join(texts) + (" (the next audit heals it)" if severity == "warning" else "")
    return [Failure("invariant", message, "", (), names, texts, severity)]


class _Task:
    """Performs operations one after the other, as one thread of nova-compute."""

    def __init__(self, world: World, operations: Sequence[Operation]) -> None:
        self._world = world
        self._operations = operations

    def __call__(self) -> None:
        from nova import exception

        # What the manager handles by itself: a refused build, a node or a record
        # that is gone. Anything else that leaves the tracker is a failure.
        refusals = (
            exception.ComputeResourcesUnavailable,
            exception.ComputeHostNotFound,
            exception.InstanceNotFound,
            exception.MigrationNotFound,
            exception.UnexpectedTaskStateError,
        )
        token = running_host.set(HOST)
        refused: set[object] = set()
        try:
            for operation in self._operations:
                subject = operation.arguments.get("instance")
                if subject in refused:
                    continue
                _mark(op.NOTE, f"begin {describe_operation(operation)}")
                try:
                    TABLE[operation.name].run(self._world, operation.arguments)
                except refusals:
                    if subject is not None:
                        refused.add(subject)
                _mark(op.NOTE, f"end {describe_operation(operation)}")
        finally:
            running_host.reset(token)


def _mark(kind: int, text: str) -> None:
    execution = current.execution
    if execution is not None:
        execution.note(kind, None, text, calling_site(kind))


def describe_operation(operation: Operation) -> str:
    """``claim(1)``"""
    return f"{operation.name}({', '.join(str(value) for value in operation.arguments.values())})"


def describe(content: Operations) -> str:
    """``claim(1) ; update_usage(1) || audit()``"""
    tasks = [" ; ".join(describe_operation(one) for one in task) for task in content.tasks]
    return " || ".join(tasks)
