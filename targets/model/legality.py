"""Well-formed programs: the order of operations on an instance that a target can really meet."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from semafuzz.harness.errors import CodeError, UsageError
from semafuzz.harness.traces.schema import Operation, Operations
from semafuzz.targets.model.protocol import OperationInfo, Plain, Target
from semafuzz.targets.model.scenario import Scenario


def is_legal(content: Operations, table: Sequence[OperationInfo]) -> bool:
    """Whether every operation finds its instance in the role that it needs.

    Operations that change a role stand in one task per instance, in order;
    shared ones may stand in any task, as long as the instance has been in their
    role at the start or is brought there by the same task before.
    """
    infos = {info.name: info for info in table}
    start = {one.arguments["instance"]: str(one.arguments["role"]) for one in content.setup}
    owner: dict[object, int] = {}
    for number, task in enumerate(content.tasks):
        roles = dict(start)
        for operation in task:
            info = infos[operation.name]
            if not info.on_instance:
                continue
            instance = operation.arguments["instance"]
            if roles.get(instance) != info.before:
                return False
            if not info.shared and owner.setdefault(instance, number) != number:
                return False
            roles[instance] = info.after
    return True


def check_content(content: Operations, target: Target) -> None:
    """Refuse a program that the target does not have, for instance out of a trace:
    every name and every argument must be in its tables."""
    roles, described = target.roles(), target.setup_arguments()
    made: set[object] = set()
    for one in content.setup:
        if one.name != "instance" or set(one.arguments) != {"instance", "role", *described}:
            raise UsageError(f"the target has no set-up {one.name!r} like that; the trace is of another version")
        number = one.arguments["instance"]
        if type(number) is not int or number in made or one.arguments["role"] not in roles:
            raise UsageError(f"the set-up of instance {number!r} is not one of this target; use an original trace")
        for name, values in described.items():
            _check_value(f"the set-up of instance {number}", name, one.arguments[name], values)
        made.add(number)
    table = {info.name: info for info in target.operations()}
    for operation in (one for task in content.tasks for one in task):
        info = table.get(operation.name)
        if info is None:
            raise CodeError(f"the target has no operation {operation.name!r}; it has {', '.join(sorted(table))}")
        wanted = {*info.arguments, *(("instance",) if info.on_instance else ())}
        if set(operation.arguments) != wanted:
            raise CodeError(f"operation {operation.name} takes {sorted(wanted)}, not {sorted(operation.arguments)}")
        for name, values in info.arguments.items():
            _check_value(f"operation {operation.name}", name, operation.arguments[name], values)
        if info.on_instance and operation.arguments["instance"] not in made:
            raise UsageError(f"operation {operation.name} is on an instance that the set-up does not make")
    if not is_legal(content, target.operations()):
        raise UsageError("the program has operations on an instance in an order that the target does not allow")


def _check_value(where: str, name: str, value: Plain, values: Sequence[Plain]) -> None:
    if not any(value == one and type(value) is type(one) for one in values):
        raise UsageError(f"{where} takes as {name} one of {tuple(values)}, not {value!r}")


def without_unused(content: Operations) -> Operations:
    """The program without instances that no operation is on."""
    used = {one.arguments.get("instance") for task in content.tasks for one in task}
    kept = tuple(one for one in content.setup if one.arguments["instance"] in used)
    return Operations(kept, tuple(task for task in content.tasks if task))


def smaller_programs(content: Operations, table: Sequence[OperationInfo]) -> list[Operations]:
    """Every legal program with one task or one operation less, tasks first."""
    found = []
    tasks = content.tasks
    for number in range(len(tasks)):
        if len(tasks) > 1:
            found.append(Operations(content.setup, tasks[:number] + tasks[number + 1 :]))
    infos = {info.name: info for info in table}
    for number, task in enumerate(tasks):
        for position in range(len(task)):
            shorter: tuple[Operation, ...] = task[:position] + task[position + 1 :]
            if shorter:
                rest = (*tasks[:number], shorter, *tasks[number + 1 :])
                found.append(Operations(content.setup, rest))
                setup = _as_left_by(task[position], infos, content.setup)
                if setup != content.setup:
                    found.append(Operations(setup, rest))
    # With what nothing is done to as well: it may be what matters, as the calls that were made to an object before.
    starts = {info.before for info in table} | {one.arguments["role"] for one in content.setup}
    beside = [
        made
        for made in found
        if without_unused(made) != made
        and all(made.tasks)
        and all(one.arguments["role"] in starts for one in made.setup)
    ]
    return [made for made in (*map(without_unused, found), *beside) if is_legal(made, table)]


def _as_left_by(
    operation: Operation, infos: Mapping[str, OperationInfo], setup: tuple[Operation, ...]
) -> tuple[Operation, ...]:
    """The set-up in which the operation's instance begins as the operation leaves it."""
    info = infos[operation.name]
    number = operation.arguments.get("instance")
    if number is None or info.shared:
        return setup
    changed = []
    for one in setup:
        if one.arguments["instance"] == number:
            known = {name: value for name, value in operation.arguments.items() if name in one.arguments}
            one = Operation(one.name, {**one.arguments, **known, "role": info.after})
        changed.append(one)
    return tuple(changed)


def single_operations(content: Operations, table: Sequence[OperationInfo]) -> list[Operations]:
    """Every legal program that is one operation of this one."""
    single = {repr(one): one for task in content.tasks for one in task}
    made = [without_unused(Operations(content.setup, ((one,),))) for one in single.values()]
    return [one for one in made if is_legal(one, table)]


def without_fault(scenario: Scenario, number: int) -> Scenario:
    """The scenario with one fault less."""
    faults = scenario.faults
    return Scenario(scenario.content, scenario.configuration, faults[:number] + faults[number + 1 :])


def smaller_scenarios(scenario: Scenario, table: Sequence[OperationInfo]) -> list[Scenario]:
    """Every legal scenario with less: a fault, an option, a task or an operation."""
    content, configuration, faults = scenario.content, scenario.configuration, scenario.faults
    found = [without_fault(scenario, number) for number in range(len(faults))]
    for name in configuration:
        found.append(Scenario(content, {key: configuration[key] for key in configuration if key != name}, faults))
    for made in smaller_programs(content, table):
        if len(made.tasks) == len(content.tasks):
            found.append(Scenario(made, configuration, faults))
            continue
        gone = next(
            (number for number, task in enumerate(made.tasks) if task != content.tasks[number]), len(made.tasks)
        )
        found.append(Scenario(made, configuration, _without_task(faults, gone)))
    return found


def _without_task(faults: tuple[Operation, ...], gone: int) -> tuple[Operation, ...]:
    """The faults of the tasks that stay, under their new numbers."""
    kept = []
    for fault in faults:
        task = int(fault.arguments["task"] or 0)
        if task != gone:
            kept.append(Operation(fault.name, {**fault.arguments, "task": task - (task > gone)}))
    return tuple(kept)


def joined_scenarios(scenario: Scenario, table: Sequence[OperationInfo]) -> list[Scenario]:
    """Every legal scenario in which two of the tasks are one, done one after the
    other: what still fails so needs no concurrency of these two."""
    tasks = scenario.content.tasks
    found = []
    for first in range(len(tasks)):
        for second in range(len(tasks)):
            if first == second:
                continue
            joined = [task for number, task in enumerate(tasks) if number != second]
            place = first - (second < first)
            joined[place] = tasks[first] + tasks[second]
            content = Operations(scenario.content.setup, tuple(joined))
            if is_legal(content, table):
                faults = tuple(_moved(fault, first, second, place) for fault in scenario.faults)
                found.append(Scenario(content, scenario.configuration, faults))
    return found


def renumbered(scenario: Scenario) -> Scenario:
    """The same scenario with its instances counted from 1, in the order in which
    operations name them; those that none names come last."""
    content = scenario.content
    named = [one.arguments.get("instance") for task in (*content.tasks, content.setup) for one in task]
    numbers = {old: new for new, old in enumerate(dict.fromkeys(one for one in named if one is not None), 1)}

    def again(one: Operation) -> Operation:
        old = one.arguments.get("instance")
        return one if old is None else Operation(one.name, {**one.arguments, "instance": numbers[old]})

    setup = sorted((again(one) for one in content.setup), key=lambda one: int(one.arguments["instance"] or 0))
    tasks = tuple(tuple(again(one) for one in task) for task in content.tasks)
    return Scenario(Operations(tuple(setup), tasks), scenario.configuration, scenario.faults)


def _moved(fault: Operation, first: int, second: int, place: int) -> Operation:
    """A fault of a task that was joined; its call then counts from the joined task's
    beginning, so that it is only right where it was in ``first``."""
    task = int(fault.arguments["task"] or 0)
    number = place if task in (first, second) else task - (second < task)
    return Operation(fault.name, {**fault.arguments, "task": number})


def contains(scenario: Scenario, part: Scenario) -> bool:
    """Whether ``part`` comes of ``scenario`` by leaving out tasks, operations, faults,
    options and instances."""
    if not part.configuration.items() <= scenario.configuration.items():
        return False
    if any(one not in scenario.content.setup for one in part.content.setup):
        return False
    found: list[int] = []
    for task in part.content.tasks:
        start = found[-1] + 1 if found else 0
        number = next(
            (n for n in range(start, len(scenario.content.tasks)) if _runs(scenario.content.tasks[n], task)), -1
        )
        if number < 0:
            return False
        found.append(number)
    faults = [
        Operation(one.name, {**one.arguments, "task": found[int(one.arguments["task"] or 0)]}) for one in part.faults
    ]
    return all(fault in scenario.faults for fault in faults)


def _runs(task: Sequence[Operation], part: Sequence[Operation]) -> bool:
    """Whether the operations of ``part`` are in ``task``, in their order."""
    rest = iter(task)
    return all(any(one == other for other in rest) for one in part)
