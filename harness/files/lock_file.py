"""A file that one process holds at a time, and that whoever is killed holds no longer."""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from semafuzz.harness.errors import UsageError


@contextmanager
def locked(path: Path, what: str) -> Iterator[None]:
    """Nobody else holds this file in the block. ``what`` it stands for is said where somebody does (UsageError).
    Raises OSError where it cannot be made."""
    handle = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
    try:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise UsageError(f"another run uses {what}; wait for it, or give another") from None
        except OSError as error:
            raise UsageError(f"cannot lock {path.parent} ({error.strerror}); put it on another disk") from None
        yield
    finally:
        os.close(handle)
