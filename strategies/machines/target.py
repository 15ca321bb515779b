"""State machines over a target: generated from its operation table.

:func:`machine_of` makes a machine class whose rules create the target's instances,
start its operations, inject its faults, change its configuration between runs, and
step what was started. A failure becomes a scenario and a schedule, that is, a trace
like any other, which replays without Hypothesis.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, ClassVar, Literal

from hypothesis import reject
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, MultipleResults, initialize, multiple, precondition, rule

from semafuzz.harness.detectors.discipline.detector import LockDiscipline
from semafuzz.harness.errors import UsageError
from semafuzz.harness.kernel import current
from semafuzz.harness.kernel.outcome import Failure, Outcome
from semafuzz.harness.kernel.task import Task
from semafuzz.harness.runs.stepping import SteppedExecution
from semafuzz.harness.schedulers.replay.by_owner import owners
from semafuzz.harness.traces.schema import Operation, Operations, Value
from semafuzz.strategies.generate.configuration import configurations
from semafuzz.strategies.generate.programs import MAX_INSTANCES, Wish, from_on, wishes
from semafuzz.strategies.machines.base import ScheduledMachine, able_tasks
from semafuzz.strategies.machines.known_defects import KnownDefects
from semafuzz.strategies.machines.recording import Recording, learn, search
from semafuzz.strategies.machines.session import Session, open_session
from semafuzz.targets.model.configured_target import catalogue_of
from semafuzz.targets.model.fault_plan import FaultPlan
from semafuzz.targets.model.legality import without_unused
from semafuzz.targets.model.protocol import ImpossibleStartError, OperationInfo, Released, Stage, Target
from semafuzz.targets.model.scenario import Scenario, describe
from semafuzz.targets.model.staged_program import perform

MAX_FAULTS = 2
_rule: Any = rule
_precondition: Any = precondition
_initialize: Any = initialize


class Instance:
    """An instance of the run: its number, the role in which it starts, and the role
    that it has once what was started on it has ended. ``owner``: the task that
    changes its role; for every other task it stays in the first one."""

    def __init__(self, number: int, role: str) -> None:
        self.number = number
        self.first = role
        self.role = role
        self.owner: int | None = None

    def tasks(self, info: OperationInfo, able: Sequence[int]) -> list[int]:
        """Those of the tasks ``able`` that may do this operation on it now."""
        if info.shared:
            return [number for number in able if (self.role if number == self.owner else self.first) == info.before]
        if self.role != info.before:
            return []
        return [number for number in able if self.owner in (None, number)]

    def __repr__(self) -> str:
        return f"<instance {self.number}, {self.role}>"


class Worker:
    """The body of a task: performs what is put into its queue, in order."""

    def __init__(self, stage: Stage, plan: FaultPlan) -> None:
        self.operations: list[Operation] = []
        self._stage = stage
        self._plan = plan
        self._left: deque[Operation] = deque()
        self._refused: set[object] = set()

    def put(self, operation: Operation) -> None:
        """One more operation."""
        self.operations.append(operation)
        self._left.append(operation)

    def __call__(self) -> None:
        while True:
            while self._left:
                operation = self._left.popleft()
                subject = operation.arguments.get("instance")
                if subject is not None and subject in self._refused and not self._stage.goes_on(operation):
                    continue
                self._refused.discard(subject)
                if not perform(self._stage, operation, self._plan):
                    self._refused.add(subject)
            execution = current.execution
            assert execution is not None
            execution.park()


class TargetMachine(ScheduledMachine):
    """A machine over ``target``; made by :func:`machine_of`.

    ``operations``: the names of those that are used, all where it is empty.
    ``schedules``: under how many more schedules each example's scenario is run, by
    the portfolio of schedulers: a schedule costs a fraction of an example.
    ``faults``: whether faults are injected.
    ``most_tasks``, ``most_operations`` (of one task): small examples are many.
    ``errors_only``: what the next audit heals, and a write without the lock that the
    target's policy asks for (severity *warning*) do not fail. Without it, the lock
    discipline is looked at after every step.
    ``known``: ``skip`` goes on past what the target's catalogue of defects has, counted in the session; ``report``
    takes it as any other failure.
    """

    target: ClassVar[Target]
    release: ClassVar[str] = ""
    operations: ClassVar[Sequence[str]] = ()
    schedules: ClassVar[int] = 10
    errors_only: ClassVar[bool] = True
    faults: ClassVar[bool] = True
    known: ClassVar[Literal["report", "skip"]] = "report"
    most_tasks: ClassVar[int] = 3
    most_operations: ClassVar[int] = 2
    instances = Bundle("instances")

    stage: Stage | None

    @classmethod
    @contextmanager
    def open(cls, folder: Path | None = None) -> Iterator[Session]:
        """Open the target, install control, and learn its scheduling points."""
        with (
            cls.target.open(cls.release) as opened,
            open_session(cls, opened.modules, folder, every_access=False) as session,
        ):
            session.opened = opened
            session.defects = catalogue_of(cls.target) if cls.known == "skip" else ()
            if not cls.errors_only and opened.policy is not None and cls.model == "threads":
                session.watch(LockDiscipline(opened.policy))
            learn(cls.target, opened, session)
            recording = Recording(cls.target, opened, session)
            session.keep = recording.keep
            session.conclude = recording.conclude
            yield session

    def begin(self) -> None:
        """A run begins with nothing set up, under the default configuration."""
        self.restarted = False
        self._reset({})

    def explore_further(self) -> None:
        """:meth:`check` does so, with the target's own programs."""

    def _reset(self, configuration: Mapping[str, Value]) -> None:
        self.configuration = dict(configuration)
        self.setup: list[Operation] = []
        self.made: list[Instance] = []
        self.workers: list[Worker] = []
        self.stage = None
        self.plan = FaultPlan(self._fault_table(), ())
        self.armed: list[Operation] = []

    @classmethod
    def _fault_table(cls) -> dict[str, Any]:
        return {info.name: info for info in cls.target.faults()}

    # ------------------------------------------------------------ the rules

    def _create(self, role: str, **arguments: Any) -> Instance:
        number = len(self.made) + 1
        self.setup.append(Operation("instance", {"instance": number, "role": role, **arguments}))
        self.made.append(Instance(number, role))
        return self.made[-1]

    def _begin_operation(self, wish: Wish, task: int) -> None:
        if self.stage is None:
            self._raise_stage()
        assert self.stage is not None
        info, number = wish.info, task
        values = dict(wish.arguments)
        if info.on_instance:
            tasks = self._open_tasks()
            able = [self.made[one - 1] for one in from_on(wish.instance) if one <= len(self.made)]
            instance = next(one for one in able if one.tasks(info, tasks))
            fitting = instance.tasks(info, tasks)
            number = task if task in fitting else fitting[0]
            values = {"instance": instance.number, **values}
            if not info.shared:
                instance.owner, instance.role = number, info.after
        if number == len(self.workers):
            worker = Worker(self.stage, self.plan)
            self.workers.append(worker)
            self.stepped.start(worker, f"task-{number}")
        worker, there = self.workers[number], self.stepped.tasks[number]
        worker.put(Operation(info.name, values))
        if there.parked:
            self.stepped.execution.unpark(there)

    def _can(self, info: OperationInfo) -> bool:
        """Whether the operation can be started now."""
        tasks = self._open_tasks()
        return bool(tasks) and (not info.on_instance or any(one.tasks(info, tasks) for one in self.made))

    def _possible(self, names: Sequence[str]) -> list[OperationInfo]:
        """Which operations can be started now, each as often as it weighs."""
        able = [info for info in self.target.operations() if info.name in names and self._can(info)]
        return [info for info in able for _ in range(info.weight)]

    def _open_tasks(self) -> list[int]:
        """The numbers of the tasks that take another operation; a new one first."""
        old = [number for number, worker in enumerate(self.workers) if len(worker.operations) < self.most_operations]
        new = [len(self.workers)] if len(self.workers) < self.most_tasks else []
        return [*new, *reversed(old)]

    def _raise_stage(self) -> None:
        """What was created stands ready; with the first operation the run begins."""
        # The world is made anew, so what runs on it begins anew too.
        self.stepped.close()
        try:
            self.stage = self.session.stage(tuple(self.setup), self.configuration)
            self.stage.restore()
        except ImpossibleStartError:
            self._failed = True
            reject()
        self.stepped = SteppedExecution(self.session.setting, self.plan.meet)

    def _next_run(self, configuration: Mapping[str, Value]) -> None:
        self.settle()
        self.restarted = True
        self._new_run()
        self._reset(configuration)

    # ------------------------------------------------------------ judgement

    def scenario(self, whole: bool = False) -> Scenario:
        """What was started in this run, as a program. ``whole``: with instances that no operation is on."""
        tasks = tuple(tuple(worker.operations) for worker in self.workers)
        content = without_unused(Operations(tuple(self.setup), tasks))
        if whole:
            content = Operations(tuple(self.setup), content.tasks)
        unmet = self.plan.unmet()
        faults = tuple(fault for fault in self.armed if fault not in unmet)
        return Scenario(content, self.configuration, faults)

    def check(self) -> None:
        """Judge the stepped run, then others of the same scenario."""
        if self.stage is None:
            return
        scenario = self.scenario()
        # What a task that failed leaves behind says nothing more.
        has_failed = bool(self.stepped.outcome.failures)
        for failure in () if has_failed else self.stage.judge(scenario.content.tasks, scenario.faults):
            if self._counts(failure, scenario, self.stepped.outcome):
                self.fail(failure)
        if scenario.content.tasks:
            self.session.programs.add(repr(scenario))
            found = self.session.explored(scenario, self._explore)
            if found is not None:
                self._failed = True
                raise self.session.keep(scenario, *found)

    def look(self) -> None:
        """As every machine; and fail where the lock discipline was broken by now."""
        super().look()
        for failure in self.session.broken(self.stepped.outcome):
            self.fail(failure)

    def _explore(self, scenario: Scenario) -> tuple[Outcome, Failure] | None:
        """What other schedules of the same scenario show."""
        for outcome in search(self.session.opened.program(scenario), self.session, self.schedules):
            for failure in outcome.failures:
                if not self._counts(failure, scenario, outcome):
                    continue
                if not self._known().explain(failure, scenario, outcome):
                    return outcome, failure
        return None

    def _known(self) -> KnownDefects:
        return KnownDefects(self.target, self.session)

    def _counts(self, failure: Failure, scenario: Scenario, outcome: Outcome) -> bool:
        if failure.kind == "step-limit" or self._known().include(failure, scenario, outcome):
            return False
        return failure.severity == "error" or (failure.severity == "warning" and not self.errors_only)

    def is_passed_over(self, failure: Failure) -> bool:
        """Whether a task's failure is known, where that is not looked for."""
        return self._known().include(failure, self.scenario(), self.stepped.outcome)

    def fail(self, failure: Failure) -> None:
        """End this example; what failed is run again as a program and kept as a trace."""
        self._failed = True
        outcome = self.stepped.close()
        raise self.session.keep(self.scenario(), outcome, failure, owners(outcome), self.scenario(whole=True))

    def tell(self) -> list[str]:
        """The program."""
        return [describe(self.scenario())]


def machine_of(target: Target, name: str = "", **settings: Any) -> type[TargetMachine]:
    """A machine class over ``target``. ``settings`` override its class variables."""
    release = str(settings.get("release", ""))
    if release:
        # What there is of operations and values depends on it.
        if not isinstance(target, Released):
            raise UsageError(f"target {target.name} comes in no releases: leave out release={release!r}")
        target.choose_release(release)
    names = settings.get("operations") or [info.name for info in target.operations()]
    body: dict[str, Any] = {"target": target, **settings}
    bundles = _bundles(target, names)
    for bundle_name, roles in bundles.items():
        bundle = TargetMachine.instances if bundle_name == "instances" else Bundle(bundle_name)
        body[bundle_name] = bundle
        drawn = {name: st.sampled_from(list(values)) for name, values in target.setup_arguments().items()}
        drawn["role"] = st.sampled_from(list(roles))
        body[f"set_up_{bundle_name}"] = _set_up(bundle, st.fixed_dictionaries(drawn), 2 if len(bundles) == 1 else 1)
        body[f"create_{bundle_name.removesuffix('s')}"] = _creation(bundle, drawn)
    body |= _operating(names)
    changes = configurations(target.options())
    body["configure"] = _initialize(changes=changes)(_configure)
    body["start_over"] = _start_over(changes, names)
    if target.faults() and settings.get("faults", True):
        body["inject"] = _inject(target)
    made: type[TargetMachine] = type(name or f"{target.name.capitalize()}Machine", (TargetMachine,), body)
    return made


def _bundles(target: Target, names: Sequence[str]) -> Mapping[str, Sequence[str]]:
    """Those of the roles with which these operations can begin."""
    begun = {info.before for info in target.operations() if info.name in names}
    bundles = {"instances": tuple(target.roles())} if target.bundles is None else target.bundles
    usable = {name: tuple(role for role in roles if role in begun) for name, roles in bundles.items()}
    return {name: roles for name, roles in usable.items() if roles}


def _creation(bundle: Any, drawn: Mapping[str, Any]) -> Any:
    def create(self: TargetMachine, role: str, **arguments: Any) -> Instance:
        return self._create(role, **arguments)

    ruled: Any = _rule(target=bundle, **drawn)(create)

    def possible(machine: TargetMachine) -> bool:
        return machine.restarted and machine.stage is None and len(machine.made) < MAX_INSTANCES

    return _precondition(possible)(ruled)


def _operating(names: Sequence[str]) -> dict[str, Any]:
    """The rules that start operations. Several, since Hypothesis leaves out some rules
    of a machine in each example: without any operation there is nothing to see."""
    wish = st.runner().flatmap(lambda machine: wishes(machine._possible(names)))
    tasks = st.runner().flatmap(lambda machine: st.sampled_from(machine._open_tasks()))

    def start_task(self: TargetMachine, wish: Wish) -> None:
        """Start an operation, as a task of its own if there can be another."""
        self._begin_operation(wish, self._open_tasks()[0])

    def start_pair(self: TargetMachine, first: Wish, second: Wish) -> None:
        """Start two operations as tasks: what most failures take."""
        for one in (first, second):
            if self._can(one.info):
                self._begin_operation(one, self._open_tasks()[0])

    def extend_task(self: TargetMachine, wish: Wish, task: int) -> None:
        """Give a task one more operation."""
        self._begin_operation(wish, task)

    possible = _precondition(lambda machine: bool(machine._possible(names)))
    return {
        "start_task": possible(_rule(wish=wish)(start_task)),
        "start_pair": possible(_rule(first=wish, second=wish)(start_pair)),
        "extend_task": possible(_rule(wish=wish, task=tasks)(extend_task)),
    }


def _set_up(bundle: Any, described: Any, least: int) -> Any:
    def set_up(self: TargetMachine, wanted: list[dict[str, Any]]) -> MultipleResults[Instance]:
        """What the first run begins with."""
        return multiple(*[self._create(**one) for one in wanted[: MAX_INSTANCES - len(self.made)]])

    return _initialize(target=bundle, wanted=st.lists(described, min_size=least, max_size=MAX_INSTANCES))(set_up)


def _configure(self: TargetMachine, changes: Mapping[str, Value]) -> None:
    """The first run's configuration, where it differs from the defaults."""
    self.configuration = dict(changes)


def _start_over(changes: Any, names: Sequence[str]) -> Any:
    def start_over(self: TargetMachine, changes: Mapping[str, Value]) -> None:
        """Let everything end, judge, and begin another run under this configuration."""
        self._next_run(changes)

    def possible(machine: TargetMachine) -> bool:
        stuck = not machine._possible(names) and not _any_able(machine)
        return stuck or (len(machine.workers) > 1 and not machine.restarted)

    return _precondition(possible)(_rule(changes=changes)(start_over))


def _inject(target: Target) -> Any:
    names = [info.name for info in target.faults()]

    def inject(self: TargetMachine, task: str, fault: str) -> None:
        """At the next call of a task that leaves the process, this goes wrong."""
        self.armed.append(self.plan.arm(fault, self._task(task).index))

    ruled: Any = _rule(task=able_tasks(), fault=st.sampled_from(names))(inject)

    def possible(machine: TargetMachine) -> bool:
        return len(machine.armed) < MAX_FAULTS and _any_able(machine)

    return _precondition(possible)(ruled)


def _any_able(machine: TargetMachine) -> bool:
    able: Callable[[Task], bool] = machine.stepped.enabled
    return any(able(task) and not task.done and not task.parked for task in machine.stepped.tasks)
