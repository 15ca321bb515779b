"""A service that starts under a value which it must refuse."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from semafuzz.harness.kernel.outcome import Failure
from semafuzz.harness.traces.schema import Operation, Value
from semafuzz.targets.nova.configuration import put_in_force
from semafuzz.targets.nova.invariants.usage import audited_violations, run_audit, usage_violations
from semafuzz.targets.nova.operations.table import set_up
from semafuzz.targets.nova.world.names import HOST
from semafuzz.targets.nova.world.world import World


class RefusedStage:
    """In place of a start state: nothing is performed, since no service should run. Judged
    is whether the value was refused, and whether a service runs well without it."""

    refusals: tuple[type[BaseException], ...] = ()
    unanswered = ""

    def __init__(self, configuration: Mapping[str, Value], illegal: Mapping[str, Value]) -> None:
        self._configuration = configuration
        self._illegal = illegal
        self._found: list[Failure] | None = None

    def restore(self) -> None:
        """There is no state."""

    def perform(self, operation: Operation) -> None:
        """Nothing is performed."""

    def goes_on(self, operation: Operation) -> bool:
        """Nothing does."""
        return False

    def judge(self, tasks: Sequence[Sequence[Operation]], faults: Sequence[Operation]) -> list[Failure]:
        """What is wrong with how the values were received."""
        if self._found is None:
            self._found = [*self._violations()]
        return self._found

    def _violations(self) -> list[Failure]:
        text = ", ".join(f"{name}={value!r}" for name, value in sorted(self._illegal.items()))
        names = ", ".join(sorted(self._illegal))
        found = []
        problem = _problem(self._configuration, self._illegal)
        if problem:
            found.append(Failure("configuration", f"{text} is accepted; {problem}", "", (), names, (problem,)))
        legal = {name: value for name, value in self._configuration.items() if name not in self._illegal}
        put_in_force({})
        left = _run(World(legal))
        if left:
            message = f"after {text} was taken back, {left}"
            found.append(Failure("configuration", message, "", (), names, (left,)))
        return found


def _problem(configuration: Mapping[str, Value], illegal: Mapping[str, Value]) -> str:
    """What goes wrong under a configuration; "" where it is refused in clear words, which
    name the option."""
    try:
        put_in_force(configuration)
    except ValueError:
        return ""
    try:
        world = World(configuration)
    except Exception as error:
        if any(name in str(error) for name in illegal):
            return ""
        return f"the first audit raises {type(error).__name__}: {error}, which names no option"
    return _run(world)


def _run(world: World) -> str:
    """What a build and an audit show; "" where nothing is wrong."""
    try:
        set_up(world, {"instance": 1, "role": "active", "flavor": 1})
    except Exception as error:
        return f"a build raises {type(error).__name__}: {error}"
    if world.uuid(1) not in world.placement.allocations:
        return "placement then has no room for the smallest instance"
    tracker = world.hosts[HOST].tracker
    raised = run_audit(world, tracker)
    if raised:
        return f"an audit raises {raised}"
    found = [*usage_violations(world, tracker), *audited_violations(world, tracker)]
    return "; ".join(one.text for one in found)
