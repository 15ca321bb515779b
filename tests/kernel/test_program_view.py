"""What a program sees of itself under control, and what control puts back."""

from __future__ import annotations

import _thread
import builtins
import concurrent.futures
import contextvars
import gc
import os
import queue
import random
import secrets
import signal
import sys
import threading
import time
import uuid
from collections.abc import Callable

import pytest

from semafuzz import explore
from semafuzz.harness.search.result import Result

LOCAL = threading.local()
VARIABLE: contextvars.ContextVar[str] = contextvars.ContextVar("VARIABLE", default="none")


def complete(program: Callable[[], object], schedules: int = 60) -> Result:
    """Explore and demand that nothing is wrong."""
    result = explore(program, scheduler="random", schedules=schedules)
    assert result.failures == []
    assert result.verdict in ("cut", "complete"), result.notes
    return result


def together(*functions: Callable[[], object]) -> None:
    threads = [threading.Thread(target=function) for function in functions]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


def test_every_task_is_a_thread_of_its_own() -> None:
    def program() -> None:
        seen = []

        def look() -> None:
            seen.append((threading.current_thread().name, threading.get_ident(), threading.get_native_id()))
            assert threading.current_thread() in threading.enumerate()

        together(look, look)
        seen.append((threading.current_thread().name, threading.get_ident(), threading.get_native_id()))
        assert len({name for name, _, _ in seen}) == 3
        assert len({ident for _, ident, _ in seen}) == 3
        assert seen[-1][0] == "MainThread"
        assert {name for name, _, _ in seen[:2]} == {"Thread-1 (look)", "Thread-2 (look)"}
        assert threading.main_thread() is threading.current_thread()

    complete(program)
    assert threading.current_thread() is threading.main_thread()


def test_thread_locals_and_context_variables_are_of_the_task() -> None:
    LOCAL.value = "outer"
    token = VARIABLE.set("outer")

    def program() -> None:
        made = threading.local()
        made.value = "main"

        def work(name: str) -> None:
            assert not hasattr(made, "value")
            assert VARIABLE.get() == "none"
            VARIABLE.set(name)
            made.value = name
            if sys.version_info < (3, 13):
                assert not hasattr(LOCAL, "value")
                LOCAL.value = name
            time.sleep(1)
            assert made.value == VARIABLE.get() == name

        together(lambda: work("a"), lambda: work("b"))
        assert made.value == "main"
        assert VARIABLE.get() == LOCAL.value == "outer"

    complete(program)
    assert (LOCAL.value, VARIABLE.get()) == ("outer", "outer")
    VARIABLE.reset(token)


def test_threads_inside_threads_pools_and_timers() -> None:
    def program() -> None:
        done = []

        def outer() -> None:
            inner = threading.Thread(target=lambda: done.append("inner"))
            inner.start()
            inner.join()
            done.append("outer")

        together(outer)
        with concurrent.futures.ThreadPoolExecutor(2) as pool:
            futures = [pool.submit(pow, number, 2) for number in range(4)]
            assert [future.result() for future in futures] == [0, 1, 4, 9]
        timer = threading.Timer(3600, done.append, ["timer"])
        timer.start()
        timer.join()
        stopped = threading.Timer(3600, done.append, ["never"])
        stopped.daemon = True
        stopped.start()
        stopped.cancel()
        # The second timer may go off before it is cancelled.
        assert done[:3] == ["inner", "outer", "timer"]

    complete(program, 40)


def test_barriers_queues_and_events() -> None:
    def program() -> None:
        barrier = threading.Barrier(2)
        box: queue.Queue[int] = queue.Queue(maxsize=1)
        simple: queue.SimpleQueue[int] = queue.SimpleQueue()
        ready = threading.Event()

        def produce() -> None:
            barrier.wait()
            for number in range(3):
                box.put(number)
            simple.put(7)
            ready.set()

        def consume() -> None:
            barrier.wait()
            assert [box.get() for _ in range(3)] == [0, 1, 2]
            ready.wait()
            assert simple.get() == 7
            assert simple.empty()

        together(produce, consume)

    complete(program)


def test_time_is_virtual() -> None:
    def program() -> None:
        before, wall = time.monotonic(), time.time()
        time.sleep(86400)
        assert time.monotonic() - before >= 86400
        assert time.time() - wall >= 86400
        assert time.perf_counter_ns() > 0
        with pytest.raises(ValueError, match="non-negative"):
            time.sleep(-1)
        time.sleep(0)
        end = time.monotonic() + 10
        while time.monotonic() < end:
            pass

    started = time.perf_counter()
    complete(program, 3)
    assert time.perf_counter() - started < 3600


def outcomes(program: Callable[[list[object]], None]) -> set[object]:
    """What ``program`` can come to, over all schedules."""
    seen: list[object] = []
    result = explore(lambda: program(seen), scheduler="random", schedules=300)
    assert result.failures == []
    return set(seen)


def holding(lock: threading.Lock) -> Callable[[], None]:
    def hold() -> None:
        with lock:
            time.sleep(1)

    return hold


@pytest.mark.unmeasured
@pytest.mark.wide
def test_both_ends_of_every_time_out_are_reached() -> None:
    def acquire(seen: list[object]) -> None:
        lock = threading.Lock()
        holder = threading.Thread(target=holding(lock))
        holder.start()
        got = lock.acquire(timeout=5)
        seen.append(got)
        if got:
            lock.release()
        holder.join()

    def wait(seen: list[object]) -> None:
        event = threading.Event()
        setter = threading.Thread(target=event.set)
        setter.start()
        seen.append(event.wait(5))
        setter.join()

    def join(seen: list[object]) -> None:
        sleeper = threading.Thread(target=time.sleep, args=(3,))
        sleeper.start()
        sleeper.join(timeout=3)
        seen.append(sleeper.is_alive())
        sleeper.join()
        assert not sleeper.is_alive()

    def get(seen: list[object]) -> None:
        box: queue.Queue[int] = queue.Queue()
        putter = threading.Thread(target=box.put, args=(1,))
        putter.start()
        try:
            seen.append(box.get(timeout=2))
        except queue.Empty:
            seen.append("empty")
        putter.join()

    assert outcomes(acquire) == {True, False}
    assert outcomes(wait) == {True, False}
    assert outcomes(join) == {True, False}
    assert outcomes(get) == {1, "empty"}


def test_joins_that_cannot_be() -> None:
    def program() -> None:
        with pytest.raises(RuntimeError, match="cannot join current"):
            threading.current_thread().join()
        thread = threading.Thread(target=time.sleep, args=(1,))
        with pytest.raises(RuntimeError, match="before it is started"):
            thread.join()
        assert not thread.is_alive()
        thread.start()
        with pytest.raises(RuntimeError, match="only be started once"):
            thread.start()
        thread.join(0)
        thread.join(-5)
        thread.join()
        assert "stopped" in repr(thread)
        broken = threading.Thread.__new__(threading.Thread)
        broken._initialized = False  # type: ignore[attr-defined]
        with pytest.raises(RuntimeError, match="__init__"):
            broken.start()

    complete(program, 20)


def test_raw_threads() -> None:
    def program() -> None:
        done = threading.Lock()
        done.acquire()
        ident = _thread.start_new_thread(lambda *a, **k: done.release(), (1,), {"key": 2})
        assert ident != threading.get_ident()
        done.acquire()
        _thread.start_new_thread(sys.exit, ())
        with pytest.raises(TypeError):
            _thread.start_new_thread(5, ())  # type: ignore[arg-type]
        with pytest.raises(TypeError):
            _thread.start_new_thread(print, [])  # type: ignore[arg-type]

    complete(program, 20)


@pytest.mark.unmeasured
def test_exceptions_in_threads_are_failures_and_exits_are_not() -> None:
    seen: list[str] = []

    def hook(arguments: threading.ExceptHookArgs) -> None:
        seen.append(arguments.exc_type.__name__)

    def raises() -> None:
        together(lambda: 1 // 0)

    def hooks() -> None:
        threading.excepthook = hook
        try:
            together(lambda: 1 // 0)
        finally:
            threading.excepthook = previous

    def exits() -> None:
        together(sys.exit)

    previous = threading.excepthook
    result = explore(raises, schedules=3)
    assert [(failure.kind, failure.task) for failure in result.failures] == [("exception", "Thread-1 (<lambda>)")]
    assert seen == []
    assert explore(hooks, schedules=3).failures
    assert "ZeroDivisionError" in seen
    complete(exits, 5)


def test_randomness_is_owned_and_put_back() -> None:
    seen: list[tuple[object, ...]] = []

    def program() -> None:
        drawn = (random.random(), random.randint(0, 10**9), os.urandom(8), uuid.uuid4(), secrets.token_hex(4))
        seen.append(drawn)

    random.seed(42)
    explore(program, schedules=3, scheduler="pct2", seed=1, stop_on_first=False)
    first = list(seen)
    seen.clear()
    explore(program, schedules=3, scheduler="pct2", seed=1, stop_on_first=False)
    assert seen == first
    assert len(set(seen)) == len(seen) > 1, "each execution draws others"
    explore(program, schedules=1, seed=2)
    assert random.random() == random.Random(42).random()
    assert seen[-1] not in first
    assert os.urandom(8) != os.urandom(8)


def test_a_program_may_seed() -> None:
    def program() -> None:
        random.seed(3)
        assert random.random() == random.Random(3).random()

    complete(program, 2)


@pytest.mark.parametrize("collecting", [True, False])
def test_everything_is_put_back(collecting: bool) -> None:
    def state() -> list[object]:
        return [
            threading.Lock, threading.RLock, vars(threading)["_allocate_lock"], threading.Thread.start,
            threading.Thread.join, threading.Thread.is_alive, threading.get_ident, time.sleep, time.monotonic,
            time.time, queue.SimpleQueue, random.random, os.urandom, builtins.__import__, _thread.start_new_thread,
            threading.Event.is_set.__code__, threading.local, gc.isenabled(), gc.get_freeze_count(),
        ]  # fmt: skip

    def program() -> None:
        together(lambda: None)
        raise ValueError

    was = gc.isenabled()
    (gc.enable if collecting else gc.disable)()
    try:
        before = state()
        assert explore(program, schedules=2).failures
        assert state() == before
    finally:
        (gc.enable if was else gc.disable)()


def test_doubles_serve_as_real_primitives_outside() -> None:
    kept: list[object] = []

    def program() -> None:
        kept[:] = [threading.Lock(), threading.RLock(), threading.Event(), threading.Thread(target=print)]

    complete(program, 1)
    lock, again, event, thread = kept
    assert isinstance(event, threading.Event)
    assert isinstance(thread, threading.Thread)
    for one in (lock, again):
        with one:  # type: ignore[attr-defined]
            assert "unlocked" not in repr(one)
        assert not one.acquire(blocking=False) or one.release() is None  # type: ignore[attr-defined]
    event.set()
    assert event.wait(1)
    condition = threading.Condition(again)  # type: ignore[arg-type]
    with condition:
        assert not condition.wait(0.001)
        condition.notify()


def test_explorations_do_not_nest() -> None:
    def inner() -> None:
        return None

    def program() -> None:
        explore(inner, schedules=1)

    result = explore(program, schedules=1)
    assert "do not nest" in result.failures[0].message


def test_imports_inside_tasks_are_atomic() -> None:
    def program() -> None:
        import json.tool

        assert json.tool

    sys.modules.pop("json.tool", None)
    complete(program, 3)


def test_daemons_end_with_the_program() -> None:
    ended: list[str] = []

    def program() -> None:
        def forever() -> None:
            try:
                while True:
                    time.sleep(1)
            finally:
                ended.append("finally")

        threading.Thread(target=forever, daemon=True).start()
        time.sleep(1)

    result = complete(program, 30)
    assert 0 < len(ended) <= result.schedules


@pytest.mark.unmeasured
def test_interrupts_are_passed_on() -> None:
    def program() -> None:
        os.kill(os.getpid(), signal.SIGINT)
        time.sleep(1)

    with pytest.raises(KeyboardInterrupt):
        explore(program, schedules=5)
    assert threading.Lock is not None
    complete(lambda: None, 1)


def test_an_interrupt_of_the_programs_own_is_a_failure() -> None:
    def interrupted() -> None:
        raise KeyboardInterrupt

    def program() -> None:
        worker = threading.Thread(target=interrupted)
        worker.start()
        worker.join()

    for found in (explore(interrupted, schedules=5), explore(program, schedules=5)):
        assert (found.verdict, found.failures[0].message) == ("found", "KeyboardInterrupt")
