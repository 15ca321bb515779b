"""CPython's own tests of its locks and queues, run on the doubles.

The test classes are taken from the ``test`` package of the running interpreter.
They were written for real threads and real time: they sleep until "the others
must be blocked by now", so the scheduler here is fair and punctual (a sleeper
wakes only when everybody else waits), with a fixed seed.
"""

from __future__ import annotations

import queue
import random
import threading
import unittest
from collections.abc import Sequence

import pytest

from semafuzz.harness.kernel.execution import Execution
from semafuzz.harness.kernel.install.control import installed
from semafuzz.harness.kernel.outcome import Outcome
from semafuzz.harness.kernel.task import Task

# CPython's own deprecations are not ours to answer for.
pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning")

lock_tests = pytest.importorskip("test.lock_tests", reason="this interpreter ships without its tests")
test_queue = pytest.importorskip("test.test_queue", reason="this interpreter ships without its tests")


class Punctual:
    """Any task that can run; where all wait, the one whose time is up first."""

    def __init__(self, seed: int) -> None:
        self._random = random.Random(seed)

    def choose(self, enabled: Sequence[Task], current: Task | None, step: int) -> Task:
        ready = [task for task in enabled if not task.timed]
        if ready:
            return self._random.choice(ready)
        return min(enabled, key=lambda task: (task.deadline, task.index))


class OnLock(lock_tests.LockTests):
    @staticmethod
    def locktype() -> object:
        return threading.Lock()


class OnRLock(lock_tests.RLockTests):
    @staticmethod
    def locktype() -> object:
        return threading.RLock()


class OnEvent(lock_tests.EventTests):
    eventtype = staticmethod(threading.Event)


class OnCondition(lock_tests.ConditionTests):
    condtype = staticmethod(threading.Condition)


class OnSemaphore(lock_tests.SemaphoreTests):
    semtype = staticmethod(threading.Semaphore)


class OnBoundedSemaphore(lock_tests.BoundedSemaphoreTests):
    semtype = staticmethod(threading.BoundedSemaphore)


class OnBarrier(lock_tests.BarrierTests):
    barriertype = staticmethod(threading.Barrier)


class OnQueue(test_queue.PyQueueTest):
    queue = queue


class OnLifoQueue(test_queue.PyLifoQueueTest):
    queue = queue


class OnPriorityQueue(test_queue.PyPriorityQueueTest):
    queue = queue


class OnFailingQueue(test_queue.PyFailingQueueTest):
    queue = queue


class OnSimpleQueue(test_queue.PySimpleQueueTest):
    queue = queue

    def setUp(self) -> None:
        super().setUp()
        self.type2test = queue.SimpleQueue  # the double: its name is bound while control is installed


class OnSimpleQueueInC(test_queue.CSimpleQueueTest):
    """Under control the name of the C class is bound to the double as well."""

    queue = queue

    def setUp(self) -> None:
        super().setUp()
        self.type2test = queue.SimpleQueue


CLASSES = [
    OnLock, OnRLock, OnEvent, OnCondition, OnSemaphore, OnBoundedSemaphore, OnBarrier,
    OnQueue, OnLifoQueue, OnPriorityQueue, OnFailingQueue, OnSimpleQueue, OnSimpleQueueInC,
]  # fmt: skip
for _kind in CLASSES:
    _kind.__test__ = False  # pytest would run them itself, on real threads

NOT_APPLICABLE = {
    "OnSimpleQueueInC.test_reentrancy": "waits for the garbage collector, which is held during an execution",
}
SLOW = {"test_many_threads_nonblock"}


def _cases() -> list[object]:
    names = unittest.defaultTestLoader.getTestCaseNames
    return [
        pytest.param(kind, name, seed, marks=[pytest.mark.slow] if name in SLOW else [])
        for kind in CLASSES
        for name in names(kind)
        for seed in ((0,) if name in SLOW else (0, 1))
    ]


def run_controlled(case: unittest.TestCase, seed: int) -> Outcome:
    """Run one test method as the main thread of one execution."""
    with installed(stall=0):
        execution = Execution(Punctual(seed), bytearray(1 << 16), max_decisions=500_000, max_events=5_000_000)
        main = execution.add_task(case.debug, "MainThread")
        return execution.run(inherit=main)


@pytest.mark.parametrize(("kind", "name", "seed"), _cases())
def test_double_does_what_cpython_tests(kind: type[unittest.TestCase], name: str, seed: int) -> None:
    reason = NOT_APPLICABLE.get(f"{kind.__name__}.{name}")
    if reason is not None:
        pytest.skip(reason)
    outcome = run_controlled(kind(name), seed)
    assert not outcome.uncontrolled
    assert [(failure.message, failure.detail) for failure in outcome.failures] == []
    assert len(outcome.events) > 1
