"""What a tracker is made with: stand-ins for one task, while another makes one too."""

from __future__ import annotations

from contextlib import AbstractContextManager
from contextvars import Context, copy_context
from types import SimpleNamespace

from semafuzz.targets.nova.world.tracker_factory import replaced


def entered(context: Context, block: AbstractContextManager[None]) -> None:
    context.run(block.__enter__)


def left(context: Context, block: AbstractContextManager[None]) -> None:
    context.run(block.__exit__, None, None, None)


def test_each_task_has_its_own_until_the_last_one_is_done() -> None:
    real = SimpleNamespace(name="real")
    module = SimpleNamespace(__name__="module", thing=real)
    tasks = copy_context(), copy_context()
    blocks = [replaced(module, "thing", SimpleNamespace(name=name)) for name in ("first", "second")]
    for task, block in zip(tasks, blocks, strict=True):
        entered(task, block)
    assert [task.run(lambda: module.thing.name) for task in (*tasks, copy_context())] == ["first", "second", "real"]
    # Not in the order in which they were entered.
    left(tasks[0], blocks[0])
    assert [task.run(lambda: module.thing.name) for task in tasks] == ["real", "second"]
    left(tasks[1], blocks[1])
    assert module.thing is real


def test_what_is_called_is_called_with_all_it_is_given() -> None:
    module = SimpleNamespace(__name__="module", make=dict)
    with replaced(module, "make", lambda *values, **named: (values, named)):
        assert module.make(1, a=2) == ((1,), {"a": 2})
    assert module.make(a=2) == {"a": 2}
    assert module.make is dict
