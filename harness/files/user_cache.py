"""Where things are kept that can be made again: in the user's cache."""

from __future__ import annotations

import os
from pathlib import Path


def user_cache() -> Path:
    """The folder of semafuzz in the user's cache, as XDG names it; not made."""
    base = os.environ.get("XDG_CACHE_HOME") or os.path.join(os.path.expanduser("~"), ".cache")
    return Path(base) / "semafuzz"
