"""What a command is given: a trace, or a packed finding."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from semafuzz.harness.errors import UsageError

MAGIC = b"PK\x03\x04"


def is_pack(path: Path) -> bool:
    """Whether a file is an archive, whatever its name."""
    try:
        with path.open("rb") as file:
            return file.read(len(MAGIC)) == MAGIC
    except OSError:
        return False


@contextmanager
def as_trace(path: Path, program: str | None, *, trust: bool) -> Iterator[tuple[Path, str | None]]:
    """A trace as it is, or that of a packed finding; with the program to run it with. See
    :func:`semafuzz.commands.pack.unpacked.unpacked`."""
    if not is_pack(path):
        if trust:
            raise UsageError(f"--trust goes with a packed finding, and {path} is none")
        yield path, program
        return
    # Here, since most are traces.
    from semafuzz.commands.pack.unpacked import unpacked

    with unpacked(path, program, trust=trust) as found:
        yield found
