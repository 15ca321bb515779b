"""The names of ``builtins``, which the program under test and the search share.

A program that replaces one of them (``builtins.len = None``) takes it from the search as well, which then fails in
the midst of its work. Functions here must do without any of them.
"""

from __future__ import annotations

import builtins

_names = builtins.__dict__
_kept: list[dict[str, object]] = [_names]


replaced = [""]
"""The name that was put back last, for whoever meets what came of it."""


def keep(names: dict[str, object] | None = None) -> dict[str, object]:
    """Remember what the names stand for now, or stood for; what was remembered before."""
    before = _kept[0]
    _kept[0] = _names.copy() if names is None else names
    return before


def give_up(names: dict[str, object]) -> None:
    """Put all back, and remember these names again."""
    put_back()
    keep(names)


def put_back() -> str:
    """Let the names stand for what they stood for: one that did not, or empty where all did."""
    kept = _kept[0]
    found = ""
    for name in kept:
        if _names.get(name) is not kept[name]:
            found = name
    if found:
        _names.update(kept)
        replaced[0] = found
    return found


def complaint(name: str) -> str:
    """What to say of a program that replaced it."""
    return (
        f"the program replaced builtins.{name}, which the search needs as well; let it put its own function under a "
        "name of its module"
    )
