"""The start state of a program of tracker operations, and its judgement."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence, Set

from semafuzz.harness.kernel import current
from semafuzz.harness.kernel.outcome import Failure, Severity
from semafuzz.harness.traces.schema import Operation, Value
from semafuzz.targets.model.protocol import ImpossibleStartError, LackingWorldError
from semafuzz.targets.nova.boundary.faults import name_cause
from semafuzz.targets.nova.boundary.process import ProcessEndedError, act_for
from semafuzz.targets.nova.invariants.build_counts import possible_counts
from semafuzz.targets.nova.invariants.checks import AUDITS, FAILED_BUILDS, Violation
from semafuzz.targets.nova.invariants.numa import shared_pins
from semafuzz.targets.nova.invariants.pci import reported_violations
from semafuzz.targets.nova.invariants.records import placement_violations
from semafuzz.targets.nova.invariants.stuck import instances_to_rest, stuck_violations
from semafuzz.targets.nova.invariants.usage import audited_violations, figures, fingerprint, run_audit, usage_violations
from semafuzz.targets.nova.operations.managed.requests import MoveEndedError
from semafuzz.targets.nova.operations.restarts import STARTS, has_half_moved, start_anew
from semafuzz.targets.nova.operations.spec import OperationSpec
from semafuzz.targets.nova.operations.table import TABLE, set_up
from semafuzz.targets.nova.world.flavors import is_rounded
from semafuzz.targets.nova.world.named_locks import forget_locks
from semafuzz.targets.nova.world.names import HERE, OTHER
from semafuzz.targets.nova.world.node_id import Place
from semafuzz.targets.nova.world.roles import can_be_deleted, role_of
from semafuzz.targets.nova.world.rpc import lost_answer_error
from semafuzz.targets.nova.world.world import Snapshot, World

NEVER_INTERRUPTED = (*STARTS, "audit_other", "read_node")
"""Operations that do nothing in the process of the first host."""
HARMLESS = frozenset({"I15 numa_topology"})
"""What stays wrong but is read by nobody before it is overwritten: pins in the row of an
instance that is on no host. Any claim computes them anew."""


Beginnings = dict[str, tuple[Snapshot, int]]
"""Start states by the instances that they have, each with how many identifiers were drawn for it."""
MOST_BEGINNINGS = 200
ONE_IN = 8
"""Of so many states that an audit leaves as they are, one is audited again and compared with a new tracker, where
a search is sparing."""


class NovaStage:
    """Instances in their starting roles, on one world; made with the first use.

    ``use`` is told the world whenever it is put into its start state. ``beginnings``: start states of this world
    with the first instances of others, which grow instance by instance; None where none are kept."""

    def __init__(
        self,
        world: World,
        bare: Snapshot,
        setup: Sequence[Operation],
        use: Callable[[World], None],
        beginnings: Beginnings | None = None,
    ) -> None:
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
            exception.InvalidMigrationState,
            MoveEndedError,
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
        self._beginnings = beginnings
        self._rounding = sum(is_rounded(int(one.arguments["flavor"] or 0)) for one in setup)
        self._start: Snapshot | None = None
        self._judgements: dict[tuple[int, str], list[Failure]] = {}

    def restore(self) -> None:
        """Go back to the start state."""
        world = self._world
        self._use(world)
        if self._start is None:
            self._start = self._made()
        world.restore(self._start)

    def _made(self) -> Snapshot:
        """The start state, from the longest beginning that is there."""
        world, known = self._world, self._beginnings
        keys = [repr(self._setup[:number]) for number in range(len(self._setup) + 1)]
        there = max((number for number, key in enumerate(keys) if known is not None and key in known), default=0)
        start, drawn = known[keys[there]] if known is not None and there else (self._bare, 0)
        world.restore(start)
        if known is None:
            with world.setting_up():
                self._set_up(self._setup)
            return world.snapshot()
        with world.setting_up(drawn) as count:
            for number in range(there, len(self._setup)):
                self._set_up(self._setup[number : number + 1])
                if len(known) >= MOST_BEGINNINGS:
                    del known[next(iter(known))]
                start = world.snapshot()
                known[keys[number + 1]] = start, count()
        return start

    def _set_up(self, operations: Sequence[Operation]) -> None:
        from nova import exception

        # 18 and older do not check policies.
        unknown_policy = getattr(exception, "InvalidCPUAllocationPolicy", ())
        for operation in operations:
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
        act_for(task)
        answered.pop(task, None)
        world, spec = self._world, TABLE[operation.name]
        at_work = [HERE.host] if operation.name not in NEVER_INTERRUPTED else []
        at_work += [OTHER.host] if spec.far and operation.name not in STARTS else []
        try:
            # What comes as a message, or kills the service, is not in its process.
            enter = world.on_host if spec.outside else world.on
            enter(HERE.host, self._run, spec, operation.arguments, at_work)
        except Exception as error:
            if world.interrupted and _has_lost_an_answer(error):
                raise ProcessEndedError("the process that was asked was killed") from error
            name_cause(error, answered.get(task))
            raise
        if world.conductor.missing:
            # Whatever comes of it is none of the tracker's.
            raise ProcessEndedError("the world cannot answer")

    def _run(self, spec: OperationSpec, arguments: Mapping[str, Value], at_work: Sequence[str]) -> None:
        """Once its process is up: what waits for one is not interrupted by the end of another."""
        under_way = self._world.under_way
        under_way.update(at_work)
        try:
            spec.run(self._world, arguments)
        finally:
            under_way.subtract(at_work)

    def goes_on(self, operation: Operation) -> bool:
        """By the rows: a failed move leaves its instance at rest, or to be deleted, or in the midst of something."""
        number = int(operation.arguments["instance"] or 0)
        if operation.name == "terminate" and can_be_deleted(self._world, number):
            return True
        return role_of(self._world, number) == TABLE[operation.name].before

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
        resting = instances_to_rest(tasks, TABLE)
        left = sorted(map(str, self._world.conductor.left_in_placement))
        state = (fingerprint(self._world), repr((names, sorted(excused), sorted(resting), left)))
        found = self._judgements.get(state)
        if found is None:
            sampled = self._world.sparing and state[0] % ONE_IN != 0
            found = self._judgements[state] = self._judge(names, excused, sampled, resting)
        return found

    def forget_judgements(self) -> None:
        """Judge every state anew from here on."""
        self._judgements.clear()

    def _judge(self, names: list[list[str]], excused: Set[str], short: bool, resting: Set[int]) -> list[Failure]:
        """``resting``: instances that nothing is to be under way with. ``short``: audits are not compared where
        the first one changes nothing and nothing is wrong."""
        world = self._world
        # The other host is as it was where nothing has reached it.
        far = any(TABLE[name].far for task in names for name in task)
        places = [place for place in world.places if far or place.host == HERE.host]
        count = _count(world.hosts[HERE.host].tracker)
        stuck = list(stuck_violations(world, resting))
        at_once: list[Violation] = []
        lasting: list[Violation] = []
        # A host that instances are evacuated from is down; judged is what it comes back with.
        up = [
            place for place in places if place.host == HERE.host or not any("evacuate_here" in task for task in names)
        ]
        for place in up:
            at_once += usage_violations(world, world.hosts[place.host].tracker, self._rounding, place)
        for name in sorted({place.host for place in places if place not in up}):
            if has_half_moved(world, name):
                # A start would put right what nobody goes on with: it comes back without one.
                world.hosts[name].tracker = world.hosts[name].new_tracker()
                excused = {*excused, "stays down"}
                continue
            try:
                start_anew(world, name, interrupts=False)
            except Exception as error:
                lasting.append(
                    Violation(AUDITS, "start raises", f"the start of {name} raises {type(error).__name__}: {error}")
                )
        figures_before = [figures(world.hosts[place.host].tracker, place) for place in places]
        audits = [(place, run_audit(world, world.hosts[place.host].tracker, place)) for place in places]
        for (place, raised), before in zip(audits, figures_before, strict=True):
            if raised:
                lasting.append(Violation(AUDITS, "audit raises", f"an audit of {place.node} raises {raised}"))
                # The tracker says nothing any more; the rows may say why.
                lasting += shared_pins(world, place)
            else:
                found = list(self._audited(place, excused))
                tracker = world.hosts[place.host].tracker
                if not short or found or at_once or figures(tracker, place) != before:
                    found += self._audits_agree(tracker, place)
                lasting += found
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
            *_failure(stuck, "warning" if "disturbed" in excused else "error", " (until somebody resets its state)"),
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
            yield from placement_violations(
                world, place, called_off="called off" in excused, stays_down="stays down" in excused
            )

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
