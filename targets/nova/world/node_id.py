"""Identity of a node: its host and its name."""

from __future__ import annotations

from typing import NamedTuple


class Place(NamedTuple):
    """A node of a host."""

    host: str
    node: str
