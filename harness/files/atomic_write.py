"""Files that are whole or absent, whatever happens while they are written."""

from __future__ import annotations

import contextlib
import itertools
import os
from pathlib import Path

TEMPORARY = ".whole-"
"""How the names of files begin that are being written."""
_UMASK = os.umask(0)
os.umask(_UMASK)


def printable(error: object) -> str:
    """A text without what a terminal or a log would take for a command."""
    return "".join(one if one.isprintable() else "?" for one in str(error))[:300]


def settle(folder: Path) -> None:
    """Have the folder itself on the disk, where the system can."""
    with contextlib.suppress(OSError):
        handle = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)


def _open_new(folder: Path) -> tuple[int, Path]:
    """A new file, for others to read as well as far as the user lets them. Not by ``tempfile``, whose state is that
    of a program under test as well."""
    for number in itertools.count():
        name = folder / f"{TEMPORARY}{os.getpid()}-{number}"
        with contextlib.suppress(FileExistsError):
            return os.open(name, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o666 & ~_UMASK), name
    raise AssertionError("there is no end of numbers")


def atomic_write(path: Path, data: bytes, *, settled: bool = True) -> Path:
    """Write a file, or replace it, in one step that survives a loss of power.

    Not ``settled``: that it is there may be forgotten in such a loss, until :func:`settle` was called on its folder.
    Raises OSError where the disk refuses; nothing is overwritten then.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, name = _open_new(path.parent)
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        os.replace(name, path)
        if settled:
            settle(path.parent)
    except BaseException:
        with contextlib.suppress(OSError):
            os.unlink(name)
        raise
    return path
