"""Locks in objects that are alive when control begins."""

from __future__ import annotations

import threading

from semafuzz.harness.kernel.doubles.locks import RLock
from semafuzz.harness.runs.session import controlled_session

REAL = "_thread"
"""The module of the real class; the class itself would be exchanged under its name here."""


class Pool:
    def __init__(self) -> None:
        self.inner = {"lock": [threading.RLock()]}


def test_what_was_made_since_is_looked_for_below_the_roots() -> None:
    with controlled_session(thorough=True):
        pass
    pool = Pool()
    with controlled_session(thorough=True):
        assert type(pool.inner["lock"][0]).__module__ == REAL, "not looked for: that takes long in a large process"
    with controlled_session(thorough=True, roots=[pool]):
        assert type(pool.inner["lock"][0]) is RLock
    assert type(pool.inner["lock"][0]).__module__ == REAL


def test_targets_are_left_as_they_are() -> None:
    pool = Pool()
    with controlled_session(roots=[pool]):
        assert type(pool.inner["lock"][0]).__module__ == REAL
