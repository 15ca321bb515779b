"""The class itself, used by one thread, as the specification of what it may do with several.

As in Line-Up (Burckhardt, Dern, Musuvathi, Tan, "Line-Up: a complete and automatic linearizability checker",
PLDI 2010): nobody writes down what is right; the serial runs of the same calls tell.
"""

from __future__ import annotations

import copy
import time
from collections.abc import Callable, Mapping, Sequence

from semafuzz.harness.kernel import event_kinds as op
from semafuzz.harness.traces.schema import Operation
from semafuzz.targets.classes.api import uncompared_of
from semafuzz.targets.classes.calls import CameTo, World, came_to
from semafuzz.targets.classes.methods import ClassMethod
from semafuzz.targets.classes.serial_run import SerialRun, Step, run_in_order
from semafuzz.targets.classes.shape import Shape, Shaper, Snapshot, combined
from semafuzz.targets.classes.values import Choices
from semafuzz.targets.model.protocol import Plain
from semafuzz.targets.model.solo_run import run_solo, solo_outcome

_ROUNDS = 3
"""How often each call that changes something is made to see what state a run has left."""


class Subject:
    """The class under test: makes worlds, and looks at them.

    ``readers``: calls that change nothing, by which states are compared. ``sees_attributes``: private attributes
    are compared as well, since nothing else would show a state. ``relaxed``: methods whose results are not compared;
    ``unstable``: attributes that differ between equal runs; ``raised``: the kinds of exceptions that a method raised
    when one thread tried it. ``failure``: why no instance could be made, or "".
    """

    def __init__(
        self, fresh: Callable[[], type], constructor: Mapping[str, Choices], methods: Mapping[str, ClassMethod]
    ) -> None:
        self._fresh = fresh
        self._constructor = constructor
        self._chosen: dict[str, Plain] = {name: one.named[0] for name, one in constructor.items()}
        self.methods = methods
        self.readers: list[Operation] = []
        self.sees_attributes = False
        self.relaxed = {name for name, method in methods.items() if method.marks.relaxed}
        self.unstable: set[str] = set()
        self.raised: dict[str, set[str]] = {}
        self.failure = ""

    def made_with(self, chosen: Mapping[str, Plain]) -> Subject:
        """The same class, made with other arguments."""
        other = copy.copy(self)
        other._chosen = {**self._chosen, **chosen}
        return other

    def world(self, before: Sequence[Operation], moment: float = 0.0) -> World:
        """A new instance, made so many seconds after the beginning, after these calls. ``failure`` says why there is
        none where that is so; asked for in a run without other tasks only."""
        made: list[World] = []

        def make() -> None:
            time.sleep(moment)
            kind = self._fresh()
            given = {name: one.value(self._chosen[name]) for name, one in self._constructor.items()}
            world = World(kind(**given), self.methods)
            made.append(world)
            for one in before:
                world.call(one, -1)

        outcome = solo_outcome(make)
        self.failure = outcome.failures[0].message if outcome is not None and outcome.failures else ""
        world = made[0] if made else World(None, self.methods)
        if outcome is not None and len(outcome.tasks) > 1:
            ended = {owner.index for kind, owner, *_ in outcome.events if kind == op.END}
            world.has_threads = any(task.index not in ended for task in outcome.tasks)
        return world

    def serially(self, before: Sequence[Operation], steps: Sequence[Step]) -> SerialRun:
        """Do these calls in their order, each in a thread of its task."""
        return run_in_order(self.world(before), steps)

    def alone(self, before: Sequence[Operation], operation: Operation, moment: float = 0.0) -> SerialRun:
        """One call, by one thread, so many seconds after the beginning."""
        return run_in_order(self.world(before, moment), [Step(0, 0, operation, False)], moment)

    def raw(self, world: World) -> Shape:
        """All attributes of the instance, and of its class."""
        shaper = Shaper(self._left_out(world))
        return (shaper.shape(world.instance), *_class_state(type(world.instance), shaper))

    def _left_out(self, world: World) -> frozenset[str]:
        return uncompared_of(type(world.instance)) | frozenset(self.unstable)

    def final(self, results: Sequence[CameTo | None], world: World) -> Shape:
        """Everything that can be observed at the end of a run: what its calls came to, in the order of the
        program, what it holds where it is a container, public attributes, what readers say, and then what one more
        call of each method comes to, with what can be seen after each. ``results`` that do not count are None. Uses
        the world up."""
        seen = [one.value if one is not None else Snapshot((), ()) for one in results]
        seen += self._outside(world)
        rest = [
            (bool(method.opener), Operation(name, call))
            for name, method in self.methods.items()
            if name not in self.relaxed
            for call in method.calls()[:2]
        ]
        # What is taken several times shows all that there is; then it is given back.
        taking = [one for closes, one in rest if not closes]
        reading = {one.name for one in self.readers}
        again = [one for one in taking if one.name not in reading] * (_ROUNDS - 1)
        look = [one for one in taking if one.name in reading]
        probes = [*taking, *again, *look, *(one for closes, one in rest if closes)]
        for one in self.readers:
            seen.append(self._observed(one, world))
        for one in probes:
            seen.append(self._observed(one, world))
            seen += self._outside(world)
        return combined(seen)

    def _outside(self, world: World) -> list[Snapshot]:
        """What the instance shows by itself."""
        instance = world.instance
        shaper = Shaper(self._left_out(world))
        shape: Shape = (*shaper.content(instance), *shaper.attributes(instance, public=not self.sees_attributes))
        return [Snapshot(shape, tuple(shaper.kept))]

    def _observed(self, operation: Operation, world: World) -> Snapshot:
        found: list[Snapshot] = []
        run_solo(lambda: found.append(came_to(world.call(operation, -1), world.instance).value))
        return found[0] if found else Snapshot(("waits for ever",), ())


def _class_state(kind: type, shaper: Shaper) -> list[Shape]:
    """What instances share through their class."""
    return [
        (name, shaper.shape(value))
        for name, value in sorted(vars(kind).items())
        if not name.startswith("__") and type(value) in (int, float, str, list, dict, set, type(None))
    ]
