"""When a time-out may run out."""

from __future__ import annotations

from typing import Literal

Timeouts = Literal["idle", "any"]
"""``idle``: only where nothing else can go on. ``any``: late in a search, also while other tasks could."""
