"""The lock that a remedy asks for, at run time."""

from __future__ import annotations

import inspect
import threading
from typing import Any


def lock_of(owner: Any, name: str, variables: dict[str, Any]) -> Any:
    """The attribute of the object, or the variable of its module, that is called so and is a lock; or else a new
    re-entrant lock, which the object keeps from then on (the module, where there is no object). A remedy may stand in a
    trace from elsewhere, which must not enter anything but a lock."""
    for found in (_attribute(owner, name), variables.get(name)):
        if callable(getattr(found, "acquire", None)) and callable(getattr(found, "release", None)):
            return found
    holder = variables if owner is None else vars(owner)
    return holder.setdefault(f"_semafuzz_{name}" if name in holder else name, threading.RLock())


def _attribute(owner: Any, name: str) -> Any:
    """What an object has under a name. One that has nothing there is not asked: it may answer with anything (a mock),
    or by the very method that is to be locked."""
    there = owner is not None and inspect.getattr_static(owner, name, None) is not None
    return getattr(owner, name, None) if there else None
