"""Doubles of the process-wide sources of randomness.

The functions of ``random`` draw from one hidden generator: the first draw of an
execution seeds it from the execution's seed, and its state is put back when
control ends. ``os.urandom`` (and with it ``uuid.uuid4`` and ``secrets``) gives
bytes from a generator of the kernel's own. A ``random.Random()`` without a seed gets one of
the execution's; those that were made before control are not reached (recheck names the step).
"""

from __future__ import annotations

import _thread
import os
import random
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from semafuzz.harness.kernel.doubles.locks import control_thread, running
from semafuzz.harness.kernel.running import Running
from semafuzz.harness.kernel.sites import NOWHERE

_real_urandom = os.urandom
_real_ident = _thread.get_ident
_hidden: random.Random = vars(random)["_inst"]
_bytes: dict[int, random.Random] = {}

FUNCTIONS = [
    "random",
    "uniform",
    "triangular",
    "randint",
    "choice",
    "randrange",
    "sample",
    "shuffle",
    "choices",
    "normalvariate",
    "lognormvariate",
    "expovariate",
    "vonmisesvariate",
    "gammavariate",
    "gauss",
    "betavariate",
    "binomialvariate",
    "paretovariate",
    "weibullvariate",
    "getrandbits",
    "randbytes",
    "seed",
    "setstate",
]


def _lazily_seeded(real: Callable[..., Any]) -> Callable[..., Any]:
    def draw(*args: Any, **kwargs: Any) -> Any:
        execution = running()
        if execution is not None and not execution.random_seeded:
            _seed(execution)
        return real(*args, **kwargs)

    draw.__name__ = draw.__qualname__ = real.__name__
    return draw


def _seed(execution: Running) -> None:
    execution.random_seeded = True
    execution.limit("random", "the functions of random, or os.urandom", NOWHERE)
    _hidden.seed(execution.seed)
    _bytes[0] = random.Random(execution.seed + 1)


def urandom(size: int) -> bytes:
    """``os.urandom``, from the execution's seed."""
    execution = running()
    if execution is None:
        return _imports[-1].randbytes(size) if _imports else _real_urandom(size)
    if not execution.random_seeded:
        _seed(execution)
    return _bytes[0].randbytes(size)


_imports: list[random.Random] = []
import_seed = [0]
"""That of the execution for which modules are imported."""


@contextmanager
def the_same_for_imports() -> Iterator[None]:
    """Modules that are imported in the block draw the same numbers in every process: what they keep of
    them (an identifier, a salt) is part of what an execution does."""
    homes = [vars(os), vars(random)]
    names = ["urandom", "_urandom"]
    before = [home[name] for home, name in zip(homes, names, strict=True)]
    hidden = _hidden.getstate()
    _imports.append(random.Random(import_seed[0]))
    try:
        for home, name in zip(homes, names, strict=True):
            home[name] = urandom
        _hidden.seed(import_seed[0])
        yield
    finally:
        _imports.pop()
        _hidden.setstate(hidden)
        for home, name, value in zip(homes, names, before, strict=True):
            home[name] = value


_real_seed = random.Random.seed


def seed_instance(generator: random.Random, a: Any = None, version: int = 2) -> None:
    """``random.Random.seed``: without a seed, that of the execution. Each generator of one gets another."""
    if a is None and _real_ident() == control_thread[0] and not isinstance(generator, random.SystemRandom):
        execution = running()
        a = import_seed[0]
        if execution is not None:
            execution.generators += 1
            a = f"{execution.seed}/{execution.generators}"
            execution.limit("random", "a generator without a seed of its own", NOWHERE)
    _real_seed(generator, a, version)


def doubles() -> dict[str, Callable[..., Any]]:
    """Doubles by their names in ``random``."""
    return {name: _lazily_seeded(getattr(random, name)) for name in FUNCTIONS if hasattr(random, name)}


def state() -> object:
    """The hidden generator's state, to be put back by :func:`restore`."""
    return _hidden.getstate()


def restore(saved: object) -> None:
    """Put back what :func:`state` gave."""
    _hidden.setstate(saved)  # type: ignore[arg-type]
