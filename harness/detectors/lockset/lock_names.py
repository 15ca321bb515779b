"""Names for objects that have none of their own: where they are kept.

A lock or a container is called by the attribute, variable or item through which the
run came to it (``Account.lock``, ``bank.LOCK``, ``Bank.accounts['a']``). Objects of
one class share such names, which is what a suggestion for that class needs.
"""

from __future__ import annotations

import sys
import threading
from collections import deque
from collections.abc import Sequence
from typing import Any

from semafuzz.harness.detectors.discipline.guarded_state import key_text
from semafuzz.harness.kernel.address import address
from semafuzz.harness.kernel.locations import ATTRIBUTE, ITEM
from semafuzz.harness.kernel.naming import name_text
from semafuzz.harness.kernel.sites import SITES
from semafuzz.harness.kernel.task import RawEvent

_PLAIN = (str, int, float, bytes, type(None))


class Names:
    """The names of one run's objects, from its events; made when the run is over."""

    def __init__(self, events: Sequence[RawEvent]) -> None:
        self._names: dict[int, str] = {}
        for event in events:
            kind, _, subject, name, _ = event
            if kind in ATTRIBUTE:
                thing = _attribute(subject, name)
            elif kind in ITEM:
                thing = _item(subject, name)
            else:
                continue
            if not issubclass(type(thing), _PLAIN) and address(thing) not in self._names:
                self._names[address(thing)] = self.location(event)
                if type(thing) is threading.Condition:
                    self._names.setdefault(address(_attribute(thing, "_lock")), self._names[address(thing)])

    def location(self, event: RawEvent) -> str:
        """``Account.balance``, ``Bank.accounts['a']``; the container itself for all of it."""
        kind, _, subject, name, site = event
        owner = self._owner(subject, site)
        if kind in ATTRIBUTE:
            return f"{owner}.{name_text(name)}"
        return f"{owner}[{key_text(name)}]" if kind in ITEM else owner

    def _owner(self, subject: object, site: int) -> str:
        if type(subject) is dict and "__builtins__" in subject:
            return str(subject.get("__name__", "module"))
        if issubclass(type(subject), type):
            return str(type.__dict__["__name__"].__get__(subject))
        if issubclass(type(subject), (dict, list, set, deque, bytearray)):
            return self._of(subject, site) or type(subject).__name__
        return type(subject).__name__

    def _of(self, thing: object, site: int) -> str:
        found = self._names.get(address(thing))
        if found is None:
            found = self._names[address(thing)] = _global_name(thing, site)
        return found

    def known(self, thing: object, site: int) -> str:
        """Where it is kept; empty where that is not known."""
        return self._of(thing, site)

    def lock(self, lock: object, site: int) -> str:
        """A lock by where it is kept, or else by a place that takes it."""
        if isinstance(lock, str):
            return lock
        return self._of(lock, site) or f"the lock taken at {SITES[site].place()}"


def _attribute(owner: Any, name: object) -> object:
    if issubclass(type(owner), dict):
        return owner.get(name)
    try:
        return object.__getattribute__(owner, "__dict__").get(name)
    except AttributeError:
        return None


def _item(container: Any, name: object) -> object:
    if type(container) is dict and type(name) in (str, int):
        return container.get(name)
    if type(container) is list and isinstance(name, int) and name < len(container):
        return container[name]
    return None


def _global_name(thing: object, site: int) -> str:
    """A variable of the module that uses the thing: reading a constant is no access."""
    module = sys.modules.get(SITES[site].module)
    for name, value in list(vars(module).items()) if module is not None else ():
        if value is thing:
            return f"{SITES[site].module}.{name}"
    return ""
