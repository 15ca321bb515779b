"""Kinds of correct programs that were accused."""

from __future__ import annotations

import textwrap

import pytest

from tests.soundness.conftest import Check

TWICE = """threads = [threading.Thread(target=work) for _ in range(2)]
    [t.start() for t in threads], [t.join() for t in threads]"""

HELPER = """
import threading, time, functools, logging
LOCK = threading.RLock()
class Guard:
    shared = threading.RLock()
    def __init__(self):
        self.lock = threading.RLock()
        self.condition = threading.Condition()
    def run(self, call):
        with self.lock:
            call()
ONE = Guard()
def closed():
    lock = threading.RLock()
    return lambda call: (lock.acquire(), call(), lock.release())
CLOSED = closed()
HANDLER = logging.Handler()
class Clock:
    now = time.monotonic
    def __init__(self, timer=time.monotonic):
        self.timer = timer
TIMERS = {"monotonic": time.monotonic}
PARTIAL = functools.partial(time.monotonic)
STATE = []
"""

CORRECT: dict[str, str] = {
    "a re-entrant lock of a module": "with helper.LOCK: box.n = box.n + 1",
    "one of a class": "with helper.Guard.shared: box.n = box.n + 1",
    "one inside of an object": "helper.ONE.run(box.add)",
    "a condition inside of an object": "with helper.ONE.condition: box.n = box.n + 1",
    "one in a closure": "helper.CLOSED(box.add)",
    "the lock of a handler": "helper.HANDLER.acquire(); box.n = box.n + 1; helper.HANDLER.release()",
}


@pytest.mark.parametrize("kind", CORRECT)
@pytest.mark.parametrize("home", ["", "site-packages/"], ids=["first-party", "installed"])
def test_locks_made_at_import_exclude(
    check: Check, monkeypatch: pytest.MonkeyPatch, tmp_path: object, kind: str, home: str
) -> None:
    monkeypatch.syspath_prepend(f"{tmp_path}/site-packages")
    name = f"helper_{abs(hash((kind, home))) % 10**6}"
    body = CORRECT[kind].replace("helper.", f"{name}.")
    source = f"""
import threading, {name}
class Box:
    n = 0
    def add(self):
        self.n = self.n + 1
def f():
    box = Box()
    def work():
        {body}
    {TWICE}
    assert box.n == 2
"""
    answer = check(source, "--schedules", "200", beside={f"{home}{name}.py": HELPER})
    assert (answer["exit"], answer["failures"]) == (0, [])


SILENT: dict[str, str] = {
    "a proxy that says it is a dictionary": """
    class Proxy:
        def __init__(self): object.__setattr__(self, "inner", {})
        @property
        def __class__(self): return dict
        def __setitem__(self, key, value): self.inner[key] = value
        def __getitem__(self, key): return self.inner[key]
    proxy = Proxy()
    def work(): proxy["a"] = 1
    TWICE
    assert proxy["a"] == 1""",
    "a mock of a dictionary": """
    from unittest.mock import MagicMock
    mock = MagicMock(spec=dict)
    def work(): mock["a"] = 1; len(mock)
    TWICE""",
    "the frame of the caller": """
    import sys, warnings
    def work():
        assert sys._getframe().f_code.co_name == "work"
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            warnings.warn("here")
        assert not caught or caught[0].filename == __file__
    work()
    worker = threading.Thread(target=lambda: sys._getframe(0))
    worker.start(); worker.join()""",
    "a copy of a lock": """
    import copy, pickle
    for lock in (threading.Lock(), threading.RLock()):
        for act in (copy.copy, copy.deepcopy, pickle.dumps):
            try: act(lock)
            except TypeError: continue
            raise AssertionError("a lock was copied")
    def work(): pass
    TWICE""",
    "weak references": """
    import weakref
    class Thing:
        def __init__(self): self.n = 0
    table = weakref.WeakValueDictionary()
    def work():
        thing = Thing()
        thing.n += 1
        table[threading.get_ident()] = thing
    TWICE
    assert not list(table)""",
    "a finaliser that releases": """
    class Lease:
        def __init__(self, permits):
            self.permits = permits
            permits.acquire()
        def __del__(self): self.permits.release()
    permits = threading.Semaphore(1)
    def work():
        lease = Lease(permits)
        assert lease.permits is permits
        del lease
    TWICE""",
    "a temporary list": """
    import weakref
    class Thing: pass
    seen = []
    def work():
        kept = [Thing() for _ in range(2)]
        for thing in kept: seen.append(weakref.ref(thing))
        kept.clear(); del thing
    TWICE
    assert all(one() is None for one in seen)""",
    "tracing and depth": """
    import sys
    calls = []
    def down(n): return down(n - 1) if n else 0
    def work(): down(900)
    threading.settrace(lambda frame, *_: calls.append(frame.f_code.co_name))
    try: TWICE
    finally: threading.settrace(None)
    assert "work" in calls""",
    "an interrupt that is caught": """
    def work():
        try: raise KeyboardInterrupt
        except KeyboardInterrupt: pass
    TWICE""",
}


@pytest.mark.parametrize("kind", SILENT)
def test_nothing_of_ours_is_noticed(check: Check, kind: str) -> None:
    deeper = f"try:\n        {TWICE}".replace("\n    [", "\n        [")
    body = SILENT[kind].strip().replace("try: TWICE", deeper).replace("TWICE", TWICE)
    # To trace nine hundred calls takes long.
    schedules = "10" if kind == "tracing and depth" else "100"
    answer = check(f"import threading\ndef f():\n    {body}\n", "--schedules", schedules)
    assert (answer["exit"], answer["failures"]) == (0, [])


STATES: dict[str, str] = {
    "a walrus": "(KEPT := [])\n",
    "globals()": "globals()['KEPT'] = []\n",
    "under a condition": "if True:\n    KEPT = []\n",
    "an attribute of a function": "def holder(): pass\nholder.kept = KEPT = []\n",
    "another module": "from helper_of_state import STATE as KEPT\n",
}


@pytest.mark.parametrize("kind", STATES)
def test_module_state_is_that_of_a_fresh_process(check: Check, kind: str) -> None:
    head = f"import threading\n{STATES[kind]}def f():\n    def work(): KEPT.append(1)\n"
    source = f"{head}    {TWICE}\n    assert len(KEPT) == 2\n"
    answer = check(source, "--schedules", "50", beside={"helper_of_state.py": "STATE = []\n"})
    assert (answer["exit"], answer["failures"]) == (0, [])


@pytest.mark.parametrize("clock", ["Clock().timer", "Clock.now", "TIMERS['monotonic']"])
def test_clocks_that_were_bound_at_import_are_virtual(check: Check, clock: str) -> None:
    source = f"""
import threading, time, helper_of_clocks
def f():
    began = helper_of_clocks.{clock}()
    worker = threading.Thread(target=time.sleep, args=(100,))
    worker.start(); worker.join()
    assert helper_of_clocks.{clock}() - began >= 100
"""
    answer = check(source, "--schedules", "20", beside={"helper_of_clocks.py": HELPER})
    assert (answer["exit"], answer["seconds"] < 5) == (0, True)


PATIENT = """
import threading
def f():
    done = []
    worker = threading.Thread(target=done.append, args=(1,))
    worker.start()
    worker.join(30)
    assert done
"""


def test_a_long_time_out_runs_out_late_and_is_named(check: Check) -> None:
    assert check(PATIENT, "--timeouts", "idle")["exit"] == 0
    answer = check(PATIENT)
    # Nothing else is to be chosen, so that all the rest of the search is the late part.
    assert answer["first_failure"] > 2
    assert "join(timeout=30) of MainThread" in answer["failures"][0]["time_outs"][0]
    assert "could go on" in answer["failures"][0]["time_outs"][0]


def test_a_time_out_that_nothing_else_can_end_runs_out(check: Check) -> None:
    source = "import threading\ndef f():\n    assert threading.Event().wait(5)\n"
    assert check(source, "--timeouts", "idle")["exit"] == 1


def test_a_time_out_beside_a_sleeper_repeats(check: Check) -> None:
    """Where nothing else can go on, the nearest time-out runs out and nothing is chosen: in a replay neither."""
    source = """
        import threading, time
        def f():
            ready, answers = threading.Event(), []
            def late():
                time.sleep(60)
                ready.set()
            threads = [threading.Thread(target=lambda: answers.append(ready.wait(30))), threading.Thread(target=late)]
            [thread.start() for thread in threads]
            [thread.join() for thread in threads]
            assert answers == [True]
    """
    answer = check(textwrap.dedent(source))
    assert (answer["exit"], answer["verdict"], answer["failures"][0]["confirmed"]) == (1, "found", True)


def test_classes_that_count_what_they_are_asked_for_are_asked_by_the_program_only(check: Check) -> None:
    answer = check("""
import threading
class Counting(type):
    asked = 0
    def __getattribute__(cls, name):
        type.__setattr__(Counting, "asked", type.__getattribute__(Counting, "asked") + 1)
        return type.__getattribute__(cls, name)
class Settings(metaclass=Counting):
    size = 1
def f():
    Counting.asked = 0
    worker = threading.Thread(target=lambda: Settings.size)
    worker.start()
    worker.join()
    assert Counting.asked == 1
""")
    assert (answer["verdict"], answer.get("not_confirmed", [])) == ("complete", [])


BY_ITSELF = """
import sys, threading, types
class Ready:
    pass
class Lazy(Ready):
    def __getattribute__(self, name):
        self.__class__ = Ready
        self.n = 1
        return getattr(self, name)
class LazyModule(types.ModuleType):
    def __getattribute__(self, name):
        LOADED.append(name)
        return super().__getattribute__(name)
LOADED = []
def f():
    own = {made}
    vars(Ready())["n"] = 0
    LOADED.clear()
    got = []
    threads = [threading.Thread(target=lambda: got.append({look})) for _ in range({threads})]
    [t.start() for t in threads], [t.join() for t in threads]
    assert got == [1] * {threads}, got
    assert all(name == "n" for name in LOADED), LOADED
    sys.modules.pop("lazy_one", None)
"""


def test_a_store_in_a_getattribute_is_one_store(check: Check) -> None:
    """What kind of object is stored to is asked of its class: asked of itself it would store again, for ever."""
    answer = check(BY_ITSELF.format(made="Lazy()", look="own.n", threads=1))
    assert (answer["verdict"], answer.get("not_confirmed", [])) == ("complete", []), answer


def test_a_module_that_loads_itself_is_loaded_by_the_program_alone(check: Check) -> None:
    """Who goes through all modules for what they hold must not be their first user."""
    made = "sys.modules.setdefault('lazy_one', LazyModule('lazy_one')); own.n = 1"
    answer = check(BY_ITSELF.format(made=made, look="own.n", threads=2))
    assert answer["failures"] == [], answer


A_LONG_WAIT = """
import queue, threading
def f():
    lock, letters, got = threading.Lock(), queue.Queue(), []
    def holds():
        with lock:
            letters.put("a letter")
    worker = threading.Thread(target=holds)
    worker.start()
    assert {wait}
    worker.join()
"""


@pytest.mark.parametrize(
    "wait",
    ["lock.acquire(timeout={seconds}) and lock.release() is None", "letters.get(timeout={seconds}) == 'a letter'"],
)
def test_a_day_stands_for_ever(check: Check, wait: str) -> None:
    """Libraries give one where a wait without any could not be interrupted; half a minute may pass, and is named."""
    for_ever = check(A_LONG_WAIT.format(wait=wait.format(seconds=86_400)))
    assert for_ever["failures"] == for_ever.get("not_confirmed", []) == [], for_ever
    assert not any("time-out" in limit for limit in for_ever["limits"])
    late = check(A_LONG_WAIT.format(wait=wait.format(seconds=30)))
    assert late["verdict"] == "found"
    assert "runs out while" in late["failures"][0]["time_outs"][0]
