"""The start state of a program of tracker operations, and its judgement."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence, Set

from semafuzz.harness.kernel import current
from semafuzz.harness.kernel.outcome import Failure, Severity
from semafuzz.harness.traces.schema import Operation
from semafuzz.targets.model.protocol import ImpossibleStartError, LackingWorldError
from semafuzz.targets.nova.boundary.faults import name_cause
from semafuzz.targets.nova.boundary.process import ProcessEndedError
from semafuzz.targets.nova.invariants.build_counts import possible_counts
from semafuzz.targets.nova.invariants.checks import AUDITS, FAILED_BUILDS, Violation
from semafuzz.targets.nova.invariants.numa import shared_pins
from semafuzz.targets.nova.invariants.pci import reported_violations
from semafuzz.targets.nova.invariants.records import placement_violations
from semafuzz.targets.nova.invariants.usage import audited_violations, figures, fingerprint, run_audit, usage_violations
from semafuzz.targets.nova.operations.restarts import STARTS
from semafuzz.targets.nova.operations.table import TABLE, set_up
from semafuzz.targets.nova.world.flavors import is_rounded
from semafuzz.targets.nova.world.named_locks import forget_locks
from semafuzz.targets.nova.world.names import HERE
from semafuzz.targets.nova.world.node_id import Place
from semafuzz.targets.nova.world.rpc import lost_answer_error
from semafuzz.targets.nova.world.world import Snapshot, World

NEVER_INTERRUPTED = (*STARTS, "audit_other", "read_node")
"""Operations that do nothing in the process of the first host."""
HARMLESS = frozenset({"I15 numa_topology"})
"""What stays wrong but is read by nobody before it is overwritten: pins in the row of an
instance that is on no host. Any claim computes them anew."""


class NovaStage:
    """Instances in their starting roles, on one world; made with the first use.

    ``use`` is told the world whenever it is put into its start state."""

    def __init__(self, world: World, bare: Snapshot, setup: Sequence[Operation], use: Callable[[World], None]) -> None:
        from nova import exception

        # What the manager handles by itself: a refused build, a node or a record
        # that is gone. Anything else that leaves the tracker is a failure.
        self.refusals: tuple[type[BaseException], ...] = (
            exception.ComputeResourcesUnavailable,
            exception.ComputeHostNotFound,
            exception.InstanceNotFound,
            exception.MigrationNotFound,
            exception.UnexpectedTaskStateError,
            exception.MigrationPreCheckError,
            # An evacuation that finds no room.
            exception.BuildAbortException,
            exception.InterfaceAttachFailed,
            exception.InterfaceDetachFailed,
            # What a service does is over when it is killed.
            ProcessEndedError,
        )
        self._world = world
        self._bare = bare
        self._use = use
        self._setup = setup
        self._rounding = sum(is_rounded(int(one.arguments["flavor"] or 0)) for one in setup)
        self._start: Snapshot | None = None
        self._judgements: dict[tuple[int, str], list[Failure]] = {}

    def restore(self) -> None:
        """Go back to the start state."""
        world = self._world
        self._use(world)
        if self._start is None:
            world.restore(self._bare)
            with world.setting_up():
                self._set_up()
            self._start = world.snapshot()
        world.restore(self._start)

    def _set_up(self) -> None:
        from nova import exception

        # 18 and older do not check policies.
        unknown_policy = getattr(exception, "InvalidCPUAllocationPolicy", ())
        for operation in self._setup:
            try:
                set_up(self._world, operation.arguments)
            except unknown_policy as error:
                # Mixed policies came with 22.
                raise ImpossibleStartError(f"this Nova does not know such a flavor: {error}") from error
            except self.refusals as error:
                self._check_answers()
                instance = operation.arguments["instance"]
                raise ImpossibleStartError(f"the host has no room for instance {instance}: {error}") from error
            except Exception:
                self._check_answers()
                raise
            self._check_answers()

    @property
    def unanswered(self) -> str:
        """What was asked of the world since its start state to which it has no answer."""
        return str(self._world.conductor.missing)

    def _check_answers(self) -> None:
        if self.unanswered:
            raise LackingWorldError(self.unanswered)

    def perform(self, operation: Operation) -> None:
        """Do one operation, as a thread of the nova-compute of the first host."""
        answered = self._world.placement.answered
        task = -1 if current.execution is None else current.execution.current.index
        answered.pop(task, None)
        world, spec = self._world, TABLE[operation.name]
        counts = operation.name not in NEVER_INTERRUPTED
        world.under_way += counts
        try:
            # What comes as a message, or kills the service, is not in its process.
            enter = world.on_host if spec.outside else world.on
            enter(HERE.host, spec.run, world, operation.arguments)
        except Exception as error:
            if world.interrupted and _has_lost_an_answer(error):
                raise ProcessEndedError("the process that was asked was killed") from error
            name_cause(error, answered.get(task))
            raise
        finally:
            world.under_way -= counts
        if world.conductor.missing:
            # Whatever comes of it is none of the tracker's.
            raise ProcessEndedError("the world cannot answer")

    def judge(self, tasks: Sequence[Sequence[Operation]], faults: Sequence[Operation]) -> list[Failure]:
        """Judge, unless an equal state was judged before: audits cost more than runs."""
        forget_locks()
        names = [[operation.name for operation in task] for task in tasks]
        # Which oracles a fault concerns; see docs/nova-invariants.md.
        excused = {kind for kind in ("placement", "gone") if any(kind in fault.name for fault in faults)}
        if any(name in STARTS for task in names for name in task):
            excused.add("called off")
        if self._world.interrupted:
            excused.add("killed")
        if faults or self._world.interrupted:
            excused.add("disturbed")
        state = (fingerprint(self._world), repr((names, sorted(excused))))
        found = self._judgements.get(state)
        if found is None:
            found = self._judgements[state] = self._judge(names, excused)
        return found

    def forget_judgements(self) -> None:
        """Judge every state anew from here on."""
        self._judgements.clear()

    def _judge(self, names: list[list[str]], excused: Set[str]) -> list[Failure]:
        world = self._world
        # The other host is as it was where nothing has reached it.
        far = any(TABLE[name].far for task in names for name in task)
        places = [place for place in world.places if far or place.host == HERE.host]
        count = _count(world.hosts[HERE.host].tracker)
        at_once: list[Violation] = []
        lasting: list[Violation] = []
        # A host that instances are evacuated from is down; judged is what it comes back with.
        up = [
            place for place in places if place.host == HERE.host or not any("evacuate_here" in task for task in names)
        ]
        for place in up:
            at_once += usage_violations(world, world.hosts[place.host].tracker, self._rounding, place)
        for place in places:
            if place not in up:
                world.hosts[place.host].tracker = world.hosts[place.host].new_tracker()
        audits = [(place, run_audit(world, world.hosts[place.host].tracker, place)) for place in places]
        for place, raised in audits:
            if raised:
                lasting.append(Violation(AUDITS, "audit raises", f"an audit of {place.node} raises {raised}"))
                # The tracker says nothing any more; the rows may say why.
                lasting += shared_pins(world, place)
            else:
                lasting += self._audited(place, excused)
        possible = possible_counts(0, names, disturbed="disturbed" in excused)
        if count not in possible:
            text = f"failed_builds is {count}, every order of the operations gives {sorted(possible)}"
            lasting.append(Violation(FAILED_BUILDS, "failed_builds", text))
        for place in places:
            if place != HERE and _count(world.hosts[place.host].tracker, place.node):
                lasting.append(
                    Violation(FAILED_BUILDS, "failed_builds elsewhere", f"{place.node} counts builds of {HERE.node}")
                )
        if "killed" in excused:
            at_once = [one for one in at_once if one.check.holds_after_kill]
            lasting = [one for one in lasting if one.check.holds_after_kill]
        healed = [one for one in at_once if one.name not in {other.name for other in lasting}]
        if "gone" in excused:
            # Nobody tells the tracker: it learns from its next audit.
            healed = [one for one in healed if not one.check.counts_records]
        harmless = [one for one in lasting if one.name in HARMLESS]
        lasting = [one for one in lasting if one.name not in HARMLESS]
        return [
            *_failure(lasting, "error"),
            *_failure(healed, "warning", " (the next audit heals it)"),
            *_failure(harmless, "warning", " (no audit heals it, the next claim overwrites it)"),
        ]

    def _audited(self, place: Place, excused: Set[str]) -> Iterator[Violation]:
        """What is wrong with a node after its audit."""
        world = self._world
        tracker = world.hosts[place.host].tracker
        yield from usage_violations(world, tracker, place=place)
        yield from audited_violations(world, tracker, place)
        if "placement" not in excused:
            # The manager says in its log which allocations it then leaves behind.
            yield from placement_violations(world, place, called_off="called off" in excused)
        yield from self._audits_agree(tracker, place)

    def _audits_agree(self, tracker: object, place: Place) -> Iterator[Violation]:
        """I14: a second audit changes nothing, and a new tracker that starts from
        the same database comes to the same figures."""
        world = self._world
        alone = len(world.reported(place.host)) == 1
        before = figures(tracker, place, alone)
        raised = run_audit(world, tracker, place)
        now = figures(tracker, place, alone)
        if raised or now != before:
            yield Violation(AUDITS, "second audit", raised or f"a second audit changed {before} to {now}")
            return
        fresh = world.hosts[place.host].new_tracker()
        raised = run_audit(world, fresh, place)
        anew = figures(fresh, place, alone)
        if raised or anew != before:
            text = raised or f"the live tracker has {before}, a new one {anew}"
            yield Violation(AUDITS, "fresh tracker", text)
        if not raised:
            yield from reported_violations(world, fresh, place)


def _has_lost_an_answer(error: BaseException | None) -> bool:
    """Whether an error comes of an answer that a killed service never gave."""
    while error is not None:
        if isinstance(error, lost_answer_error()):
            return True
        error = error.__cause__ or error.__context__
    return False


def _count(tracker: object, node: str = HERE.node) -> int:
    statistics = getattr(tracker, "stats", {}).get(node) or {}
    return int(statistics.get("failed_builds", 0))


def _failure(violations: Sequence[Violation], severity: Severity, remark: str = "") -> list[Failure]:
    if not violations:
        return []
    names = ", ".join(sorted({one.name for one in violations}))
    texts = tuple(one.text for one in violations)
    return [Failure("invariant", "; ".join(texts) + remark, "", (), names, texts, severity)]
