"""Random programs of threads, and an explicit-state model that says what each can come to.

The model knows nothing of the tool: it makes every interleaving of its own small steps, with a memory of the states
that it has seen. Time-outs may run out whenever what is waited for is not there.
"""

from __future__ import annotations

import random
import threading
import time
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

Op = tuple[str, ...]
Ops = tuple[Op, ...]
Final = tuple[Any, ...]
DEADLOCK: Final = ("deadlock",)

TOTAL = 0


class Plan(NamedTuple):
    """The operations of each thread; ``daemons``: which of them nobody waits for."""

    threads: tuple[Ops, ...]
    daemons: tuple[bool, ...]


_CHEAP: tuple[Op, ...] = (
    ("inc",), ("inc",), ("global",), ("append",), ("put",), ("sleep",), ("locked", "a"), ("locked", "b"), ("up",),
    ("timed", "a"),
)  # fmt: skip
_ALL: tuple[Op, ...] = (
    *_CHEAP, ("both", "a", "b"), ("both", "b", "a"), ("set",), ("await",), ("down",), ("notify",), ("wait",),
)  # fmt: skip
"""Events, semaphores and conditions are made of locks: a few of their operations have thousands of schedules."""


def plan(seed: int) -> Plan:
    """The program with this number."""
    draw = random.Random(seed)
    small = draw.random() < 0.6
    kinds = _CHEAP if small and draw.random() < 0.8 else _ALL
    lengths = [1, 1] if small else [draw.choice((1, 2)) for _ in range(draw.choice((2, 2, 3)))]
    threads = [tuple(draw.choice(kinds) for _ in range(length)) for length in lengths]
    return Plan(tuple(threads), tuple(draw.random() < 0.15 for _ in threads))


class Shared:
    """What the threads share."""

    def __init__(self) -> None:
        self.count = 0
        self.items: list[int] = []
        self.table: dict[str, int] = {}
        self.late: list[int] = []
        self.locks = {"a": threading.Lock(), "b": threading.RLock()}
        self.event = threading.Event()
        self.semaphore = threading.Semaphore(0)
        self.condition = threading.Condition()
        self.told = False


def perform(shared: Shared, number: int, ops: Ops) -> None:
    """The body of one thread."""
    global TOTAL
    for op in ops:
        kind = op[0]
        if kind == "inc":
            shared.count = shared.count + 1
        elif kind == "global":
            TOTAL += 1
        elif kind == "append":
            shared.items.append(number)
        elif kind == "put":
            shared.table["key"] = number
        elif kind == "sleep":
            time.sleep(1)
        elif kind == "locked":
            with shared.locks[op[1]]:
                shared.count = shared.count + 1
        elif kind == "both":
            with shared.locks[op[1]], shared.locks[op[2]]:
                shared.count = shared.count + 1
        elif kind == "timed":
            if shared.locks[op[1]].acquire(timeout=1):
                shared.count = shared.count + 1
                shared.locks[op[1]].release()
            else:
                shared.late.append(number)
        elif kind == "set":
            shared.event.set()
        elif kind == "await":
            shared.event.wait()
        elif kind == "up":
            shared.semaphore.release()
        elif kind == "down":
            shared.semaphore.acquire()
        elif kind == "notify":
            with shared.condition:
                shared.told = True
                shared.condition.notify_all()
        elif kind == "wait":
            with shared.condition:
                while not shared.told:
                    shared.condition.wait()


def program(made: Plan, finals: set[Final]) -> Callable[[], None]:
    """The program as a function; what it comes to is added to ``finals``."""

    def run() -> None:
        global TOTAL
        TOTAL = 0
        shared = Shared()
        threads = [
            threading.Thread(target=perform, args=(shared, number, ops), daemon=made.daemons[number])
            for number, ops in enumerate(made.threads)
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            if not thread.daemon:
                thread.join()
        finals.add((shared.count, TOTAL, tuple(shared.items), tuple(shared.table.items()), tuple(shared.late)))

    return run


# ------------------------------------------------------------------------------------ the model

_STEPS: dict[str, tuple[Op, ...]] = {
    "inc": (("read", "count"), ("write", "count")),
    "global": (("read", "total"), ("write", "total")),
    "append": (("append",),),
    "put": (("put",),),
    "sleep": (),
    "set": (("set",),),
    "await": (("await",),),
    "up": (("up",),),
    "down": (("down",),),
    "notify": (("tell",),),
    "wait": (("told",),),
}


def _steps(op: Op) -> tuple[Op, ...]:
    inside = _STEPS["inc"]
    if op[0] == "locked":
        return (("take", op[1]), *inside, ("free", op[1]))
    if op[0] == "both":
        return (("take", op[1]), ("take", op[2]), *inside, ("free", op[2]), ("free", op[1]))
    if op[0] == "timed":
        return (("try", op[1]), *inside, ("free", op[1]))
    return _STEPS[op[0]]


class _State(NamedTuple):
    at: tuple[int, ...]
    held: tuple[int, ...]
    values: tuple[tuple[str, int], ...]
    items: tuple[int, ...] = ()
    table: int = -1
    late: tuple[int, ...] = ()
    locks: tuple[tuple[str, int], ...] = (("a", -1), ("b", -1))
    flag: bool = False
    permits: int = 0
    told: bool = False
    looked: Final = ()


LOOKS = 5
"""What the program looks at in the end, one after the other."""


def _look(state: _State) -> Final:
    values = dict(state.values)
    table = () if state.table < 0 else (("key", state.table),)
    now = (values["count"], values["total"], state.items, table, state.late)
    return (*state.looked, now[len(state.looked)])


def outcomes(made: Plan) -> set[Final]:
    """All that the program can come to."""
    code = [tuple(step for op in ops for step in _steps(op)) for ops in made.threads]
    start = _State((0,) * len(code), (0,) * len(code), (("count", 0), ("total", 0)))
    seen, left, found = {start}, [start], set()
    while left:
        state = left.pop()
        awaited = [n for n, steps in enumerate(code) if state.at[n] < len(steps) and not made.daemons[n]]
        if len(state.looked) == LOOKS:
            found.add(state.looked)
            continue
        following = [one for n in range(len(code)) for one in _next(state, n, code[n])]
        if awaited and not following:
            found.add(DEADLOCK)
        if not awaited:
            # Daemons may go on for a while before the program ends, also between its last looks.
            following.append(state._replace(looked=_look(state)))
        for one in following:
            if one not in seen:
                seen.add(one)
                left.append(one)
    return found


def _next(state: _State, n: int, steps: tuple[Op, ...]) -> Iterator[_State]:
    if state.at[n] >= len(steps):
        return
    step = steps[state.at[n]]
    kind = step[0]
    on = state._replace(at=_put(state.at, n, state.at[n] + 1))
    values, locks = dict(state.values), dict(state.locks)
    if kind == "read":
        yield on._replace(held=_put(state.held, n, values[step[1]]))
    elif kind == "write":
        yield on._replace(values=tuple(sorted({**values, step[1]: state.held[n] + 1}.items())))
    elif kind == "append":
        yield on._replace(items=(*state.items, n))
    elif kind == "put":
        yield on._replace(table=n)
    elif kind in ("take", "try"):
        owner = locks[step[1]]
        if owner < 0:
            yield on._replace(locks=tuple(sorted({**locks, step[1]: n}.items())))
        elif kind == "try":
            yield state._replace(at=_put(state.at, n, state.at[n] + 4), late=(*state.late, n))
    elif kind == "free":
        yield on._replace(locks=tuple(sorted({**locks, step[1]: -1}.items())))
    elif kind == "set":
        yield on._replace(flag=True)
    elif kind == "await":
        if state.flag:
            yield on
    elif kind == "up":
        yield on._replace(permits=state.permits + 1)
    elif kind == "down":
        if state.permits:
            yield on._replace(permits=state.permits - 1)
    elif kind == "tell":
        yield on._replace(told=True)
    elif kind == "told" and state.told:
        yield on


def _put(values: tuple[int, ...], n: int, value: int) -> tuple[int, ...]:
    return (*values[:n], value, *values[n + 1 :])
