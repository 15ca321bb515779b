"""The class itself, used by one thread, as the specification of what it may do with several.

As in Line-Up (Burckhardt, Dern, Musuvathi, Tan, "Line-Up: a complete and automatic linearizability checker",
PLDI 2010): nobody writes down what is right; the serial runs of the same calls tell.
"""

from __future__ import annotations

import copy
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from semafuzz.harness.traces.schema import Operation
from semafuzz.targets.classes.api import uncompared_of
from semafuzz.targets.classes.calls import World, shape_of_result
from semafuzz.targets.classes.methods import ClassMethod
from semafuzz.targets.classes.shape import Shape, Shaper
from semafuzz.targets.classes.values import Choices
from semafuzz.targets.model.protocol import Plain
from semafuzz.targets.model.solo_run import run_solo

BLOCKED = object()
"""What a call comes to that waits for ever."""


@dataclass(frozen=True, slots=True)
class SerialRun:
    """What calls one after the other came to, in their order. ``blocked``: the last one waits for ever, and has no
    result."""

    results: tuple[object, ...]
    instance: object
    blocked: bool
    world: World


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

    def world(self, before: Sequence[Operation]) -> World:
        """A new instance, after these calls. ``failure`` says why there is none where that is so; asked for in
        a run without other tasks only."""
        made: list[World] = []

        def make() -> None:
            kind = self._fresh()
            given = {name: one.value(self._chosen[name]) for name, one in self._constructor.items()}
            world = World(kind(**given), self.methods)
            made.append(world)
            for one in before:
                world.call(one, -1)

        failures = run_solo(make)
        self.failure = failures[0].message if failures else ""
        return made[0] if made else World(None, self.methods)

    def serially(self, before: Sequence[Operation], calls: Sequence[tuple[int, Operation]]) -> SerialRun:
        """Do these calls one after the other, each as of its task."""
        world = self.world(before)
        results: list[object] = []

        def run() -> None:
            for task, one in calls:
                results.append(world.call(one, task))

        run_solo(run)
        return SerialRun(tuple(results), world.instance, len(results) < len(calls), world)

    def raw(self, world: World) -> Shape:
        """All attributes of the instance, and of its class."""
        shaper = Shaper(uncompared_of(type(world.instance)) | self.unstable)
        return (shaper.shape(world.instance), *_class_state(type(world.instance), shaper))

    def final(self, results: Sequence[object], world: World) -> Shape:
        """Everything that can be observed at the end of a run: what its calls came to, in the order of the
        program, public attributes, what readers say, and then what one more call of each method comes to.
        ``results`` of relaxed calls are None. Uses the world up."""
        instance = world.instance
        shaper = Shaper(uncompared_of(type(instance)) | self.unstable)
        seen: list[Any] = [shape_of_result(one, shaper, instance) for one in results]
        seen += shaper.content(instance)
        seen += shaper.attributes(instance, public=not self.sees_attributes)
        rest = [
            Operation(name, call)
            for name, method in self.methods.items()
            if name not in self.relaxed
            for call in method.calls()[:2]
        ]
        for one in (*self.readers, *rest):
            seen.append((one.name, self._observed(one, world, shaper)))
        return tuple(seen)

    def _observed(self, operation: Operation, world: World, shaper: Shaper) -> Shape:
        found: list[object] = []
        run_solo(lambda: found.append(world.call(operation, -1)))
        return shape_of_result(found[0], shaper, world.instance) if found else ("waits for ever",)


def _class_state(kind: type, shaper: Shaper) -> list[Shape]:
    """What instances share through their class."""
    return [
        (name, shaper.shape(value))
        for name, value in sorted(vars(kind).items())
        if not name.startswith("__") and type(value) in (int, float, str, list, dict, set, type(None))
    ]
