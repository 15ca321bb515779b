"""What is under control inside an execution, and what is put back after it."""

from __future__ import annotations

import _thread
import builtins
import contextvars
import gc
import os
import queue
import random
import socket
import subprocess
import sys
import threading
import time
import uuid
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import pytest

from semafuzz import explore
from semafuzz.harness.kernel.naming import digest
from semafuzz.harness.runs.session import controlled_session
from semafuzz.harness.schedulers.random_walk import RandomWalk
from semafuzz.harness.search.exploration import Exploration, as_program

SEEN: set[object] = set()
REAL_START = [_thread.start_new_thread]
BEFORE = threading.local()
CONTEXT: contextvars.ContextVar[str] = contextvars.ContextVar("CONTEXT", default="none")


class Holder:
    """Keeps a lock where adoption does not look: in an object, in a list."""

    def __init__(self) -> None:
        self.locks = [threading.Lock()]


HOLDER = Holder()


@pytest.fixture(autouse=True)
def _nothing_seen() -> None:
    SEEN.clear()


def start(*bodies: Callable[[], object]) -> None:
    threads = [threading.Thread(target=body) for body in bodies]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


def holds(program: Callable[[], object], *, schedules: int = 100, scheduler: str = "random") -> None:
    result = explore(program, scheduler=scheduler, schedules=schedules)
    assert result.failures == []
    assert result.verdict in ("cut", "complete"), result.notes


# ------------------------------------------------------------- identity


def locals_of_threads() -> None:
    made = threading.local()
    BEFORE.value = "main"

    def worker(name: str) -> None:
        assert not hasattr(made, "value")
        made.value = name
        BEFORE.value = name
        time.sleep(1)
        assert made.value == name
        assert BEFORE.value == name

    start(lambda: worker("a"), lambda: worker("b"))
    assert not hasattr(made, "value")
    assert BEFORE.value == "main"


def identities() -> None:
    known: dict[int, str] = {threading.get_ident(): threading.current_thread().name}

    def worker() -> None:
        me = threading.current_thread()
        assert me.ident == threading.get_ident()
        known[threading.get_ident()] = me.name
        time.sleep(1)
        assert threading.current_thread() is me

    start(worker, worker)
    assert len(known) == 3
    assert len(set(known.values())) == 3


def contexts() -> None:
    CONTEXT.set("main")

    def worker(name: str) -> None:
        assert CONTEXT.get() == "none"
        CONTEXT.set(name)
        time.sleep(1)
        assert CONTEXT.get() == name

    start(lambda: worker("a"), lambda: worker("b"))
    assert CONTEXT.get() == "main"


def enumeration() -> None:
    gate = threading.Event()
    thread = threading.Thread(target=gate.wait)
    assert threading.active_count() == 1
    thread.start()
    assert thread in threading.enumerate()
    assert thread.is_alive()
    gate.set()
    thread.join()
    assert not thread.is_alive()
    assert threading.enumerate() == [threading.current_thread()]


@pytest.mark.parametrize(
    "program",
    [
        pytest.param(
            locals_of_threads,
            marks=pytest.mark.xfail(
                sys.version_info >= (3, 13), reason="locals made before control are out of reach from 3.13 on"
            ),
        ),
        identities,
        contexts,
        enumeration,
    ],
)
def test_threads_are_themselves(program: Callable[[], object]) -> None:
    holds(program)


def test_locals_of_the_calling_thread_survive() -> None:
    BEFORE.value = "caller"
    explore(identities, schedules=5)
    assert BEFORE.value == "caller"


# ----------------------------------------------------- what stands on it


def threads_in_threads() -> None:
    found: list[int] = []

    def child() -> None:
        found.append(1)

    def parent() -> None:
        start(child, child)

    start(parent, parent)
    assert sum(found) == 4


def pools() -> None:
    with ThreadPoolExecutor(2) as pool:
        assert list(pool.map(abs, [-1, -2, -3])) == [1, 2, 3]
        with pytest.raises(ZeroDivisionError):
            pool.submit(divmod, 1, 0).result()


def timers() -> None:
    rung: list[int] = []
    timer = threading.Timer(3600, rung.append, (1,))
    timer.start()
    timer.join()
    assert rung == [1]
    cancelled = threading.Timer(3600, rung.append, (2,))
    cancelled.start()
    cancelled.cancel()
    cancelled.join()


def barriers() -> None:
    barrier = threading.Barrier(3)
    places: list[int] = []
    start(*[lambda: places.append(barrier.wait())] * 3)
    assert sorted(places) == [0, 1, 2]


def queues() -> None:
    for kind in (queue.Queue, queue.LifoQueue, queue.SimpleQueue):
        channel = kind()
        got: list[int] = []
        start(
            lambda put=channel.put: [put(number) for number in range(3)],
            lambda get=channel.get, take=got.extend: take([get(), get(), get()]),
        )
        assert sorted(got) == [0, 1, 2]


def bounded_queue() -> None:
    channel: queue.Queue[int] = queue.Queue(1)
    got: list[int] = []
    start(lambda: [channel.put(number) for number in range(3)], lambda: got.extend(channel.get() for _ in range(3)))
    assert got == [0, 1, 2]


@pytest.mark.parametrize("program", [threads_in_threads, pools, timers, barriers, queues, bounded_queue])
@pytest.mark.parametrize("scheduler", ["random", "pct3"])
@pytest.mark.wide
def test_library_runs_on_the_doubles(program: Callable[[], object], scheduler: str) -> None:
    holds(program, scheduler=scheduler)


def test_many_tasks_that_start_each_other_have_room_on_the_stack() -> None:
    def chain(left: int) -> None:
        if left:
            start(lambda: chain(left - 1))

    holds(lambda_of(chain, 150), schedules=2)


def lambda_of(function: Callable[[int], None], number: int) -> Callable[[], None]:
    def program() -> None:
        function(number)

    program.__module__ = __name__
    return program


def polling_under_a_lock() -> None:
    """The poller holds the lock whenever its quantum ends."""
    lock = threading.Lock()
    done: list[int] = []

    def poll() -> None:
        while True:
            with lock:
                if done:
                    return

    def finish() -> None:
        with lock:
            done.append(1)

    start(poll, finish)


def test_poller_does_not_starve_those_who_want_its_lock() -> None:
    holds(polling_under_a_lock, schedules=50, scheduler="pct3")


# ----------------------------------------------------------------- time


def sleeping_is_instant() -> None:
    begun = time.monotonic()
    time.sleep(3600)
    assert 3600 <= time.monotonic() - begun < 3601


def wait_for_lock() -> None:
    lock = threading.Lock()
    lock.acquire()

    def free() -> None:
        lock.release()

    thread = threading.Thread(target=free)
    thread.start()
    SEEN.add(lock.acquire(timeout=1))
    thread.join()


def wait_for_event() -> None:
    event = threading.Event()
    thread = threading.Thread(target=event.set)
    thread.start()
    SEEN.add(event.wait(1))
    thread.join()


def wait_for_thread() -> None:
    thread = threading.Thread(target=time.sleep, args=(1,))
    thread.start()
    thread.join(1)
    SEEN.add(thread.is_alive())
    thread.join()


def wait_for_item() -> None:
    channel: queue.Queue[int] = queue.Queue()
    thread = threading.Thread(target=channel.put, args=(1,))
    thread.start()
    try:
        SEEN.add(channel.get(timeout=1) == 1)
    except queue.Empty:
        SEEN.add(False)
    thread.join()


@pytest.mark.parametrize("scheduler", ["random", "portfolio"])
@pytest.mark.parametrize("program", [wait_for_lock, wait_for_event, wait_for_thread, wait_for_item])
@pytest.mark.wide
def test_both_outcomes_of_a_timeout_are_reached(program: Callable[[], object], scheduler: str) -> None:
    holds(program, scheduler=scheduler, schedules=200)
    assert {True, False} == SEEN


def test_sleeping_costs_nothing() -> None:
    holds(sleeping_is_instant, schedules=20)


# ---------------------------------------------------------- determinism


def racing() -> None:
    numbers: list[float] = []

    def worker() -> None:
        for _ in range(3):
            numbers.append(random.random())

    start(worker, worker)


def digests(seed: int) -> list[str]:
    found: list[str] = []
    program = as_program(racing)
    with controlled_session(program.modules()) as laboratory:
        search = Exploration(program, RandomWalk(seed), laboratory, schedules=5, seed=seed)
        search.run()
        for number in range(3):
            search.scheduler.begin(number)
            found.append(digest(program.execute(search.scheduler, search.setting).events))
    return found


def test_one_seed_gives_one_stream_of_events() -> None:
    assert digests(3) == digests(3)


@pytest.mark.unmeasured
@pytest.mark.wide
def test_several_seeds_give_several() -> None:
    assert len({digests(seed)[0] for seed in range(10)}) > 1


def drawing() -> None:
    SEEN.add((random.random(), random.randint(0, 10**9), str(uuid.uuid4()), os.urandom(4)))


def test_randomness_is_owned_and_put_back() -> None:
    before = random.getstate()
    for _ in range(2):
        explore(drawing, schedules=2, seed=5)
        assert random.getstate() == before
        assert len(SEEN) == 2, "another sequence for each execution, the same for each seed"
    explore(drawing, schedules=2, seed=6)
    assert len(SEEN) == 4


# -------------------------------------------------------------- escapes


def real_thread() -> None:
    REAL_START[0](time.sleep, (0,))


def process() -> None:
    subprocess.run([sys.executable, "-c", ""], check=False)


def connection() -> None:
    with socket.socket() as made:
        made.settimeout(0.1)
        made.connect_ex(("127.0.0.1", 9))


def blocked_for_ever() -> None:
    library = HOLDER.locks[0]
    exec("library.acquire()", {"library": library})


@pytest.mark.parametrize(
    ("program", "words"),
    [
        (real_thread, "a thread was started outside"),
        (process, "process was"),
        (connection, "a network connection was made"),
    ],
)
def test_escape_is_uncontrolled(program: Callable[[], object], words: str) -> None:
    result = explore(program, schedules=5)
    assert result.verdict == "uncontrolled"
    assert words in result.notes[0]
    if program is not real_thread or sys.version_info >= (3, 12):
        assert program.__name__ in result.notes[0]
    assert not result.exhausted


def test_real_lock_that_blocks_is_uncontrolled() -> None:
    program = as_program(blocked_for_ever)
    HOLDER.locks[0].acquire()
    try:
        with controlled_session(program.modules(), stall=1.0) as laboratory:
            result = Exploration(program, RandomWalk(0), laboratory, schedules=5).run()
    finally:
        HOLDER.locks[0].release()
    assert result.verdict == "uncontrolled"
    assert "blocked" in result.notes[0]


# ------------------------------------------------------------- put back


def bindings() -> dict[str, object]:
    return {
        "Lock": threading.Lock,
        "RLock": threading.RLock,
        "allocate_lock": _thread.allocate_lock,
        "start_new_thread": _thread.start_new_thread,
        "Thread.start": threading.Thread.start,
        "Thread.join": threading.Thread.join,
        "Thread.is_alive": threading.Thread.is_alive,
        "get_ident": threading.get_ident,
        "local": threading.local,
        "sleep": time.sleep,
        "time": time.time,
        "monotonic": time.monotonic,
        "random": random.random,
        "urandom": os.urandom,
        "SimpleQueue": queue.SimpleQueue,
        "__import__": builtins.__import__,
        "gc": gc.isenabled(),
        "frozen": gc.get_freeze_count(),
        "code": start.__code__,
        "Event code": threading.Event.set.__code__,
        "threads": threading.enumerate(),
        "current": threading.current_thread(),
        "ident": threading.get_ident(),
        "globals": sorted(name for name in globals() if name.startswith("__sf_")),
        "meta_path": list(sys.meta_path),
    }


@pytest.mark.parametrize("program", [racing, real_thread, wait_for_item, polling_under_a_lock])
def test_everything_is_put_back(program: Callable[[], object]) -> None:
    before = bindings()
    explore(program, schedules=20)
    assert bindings() == before


def test_thread_that_the_caller_made_before_is_no_escape() -> None:
    gate = threading.Event()
    thread = threading.Thread(target=gate.wait)
    thread.start()
    try:
        holds(racing, schedules=5)
    finally:
        gate.set()
        thread.join()


def test_control_does_not_nest_and_survives_the_refusal() -> None:
    def nested() -> None:
        explore(racing, schedules=1)

    nested.__module__ = __name__
    result = explore(nested, schedules=2)
    assert result.failures[0].kind == "exception"
    holds(racing, schedules=5)
