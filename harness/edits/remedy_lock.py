"""The lock that a remedy asks for, at run time."""

from __future__ import annotations

import threading
from typing import Any


def lock_of(owner: Any, name: str, variables: dict[str, Any]) -> Any:
    """The attribute of the object, or the variable of its module, that is called so; or else a new re-entrant lock,
    which the object keeps from then on (the module, where there is no object)."""
    found = getattr(owner, name, None) if owner is not None else None
    if found is None:
        found = variables.get(name)
    if found is None:
        holder = variables if owner is None else vars(owner)
        found = holder.setdefault(name, threading.RLock())
    return found
