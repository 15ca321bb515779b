"""Texts of a target made harmless to look at, in a terminal, a log or a page."""

from __future__ import annotations

from typing import Any

LONGEST = 4000
"""Characters of one text."""


def clean(value: Any, keep: tuple[type, ...] = ()) -> Any:
    """``value`` with every text in it made harmless: control characters and those that
    turn the direction of writing are replaced, and what is very long is cut. ``keep``: types
    of texts that went through this already."""
    if isinstance(value, keep):
        return value
    if isinstance(value, str):
        text = value[:LONGEST].replace("\t", "    ")
        kept = "".join(one if one.isprintable() else "\N{REPLACEMENT CHARACTER}" for one in text)
        return kept if len(value) <= LONGEST else kept + "\N{HORIZONTAL ELLIPSIS}"
    if isinstance(value, dict):
        return {clean(key, keep): clean(one, keep) for key, one in value.items()}
    if isinstance(value, (list, tuple)):
        return [clean(one, keep) for one in value]
    return value
