"""A packed finding on this machine: its trace as a file, and its sources where somebody trusts them."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from semafuzz.commands.pack.schema import TRACE, Pack, read_pack
from semafuzz.harness.errors import UsageError
from semafuzz.harness.runs import source_index
from semafuzz.harness.traces import codec
from semafuzz.harness.traces.schema import Function
from semafuzz.reports.terminal.plain_text import plain


@contextmanager
def unpacked(path: Path, program: str | None, *, trust: bool) -> Iterator[tuple[Path, str | None]]:
    """The trace of a pack and the program to run it with, for the time of the block.

    That is ``program`` where one is given, the file of this machine with the same digest where there is one, and the
    packed sources where they are trusted. UsageError where none of these is.
    """
    pack = read_pack(path)
    folder = Path(tempfile.mkdtemp(prefix="semafuzz-pack-"))
    try:
        trace = folder / TRACE
        codec.write(pack.trace, trace)
        yield trace, program or _program(pack, folder, path, trust=trust)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _program(pack: Pack, folder: Path, path: Path, *, trust: bool) -> str | None:
    identity = pack.trace.program
    if trust and pack.about.program:
        for name, text in pack.sources.items():
            file = folder / "sources" / name
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_bytes(text)
        return str(folder / "sources" / pack.about.program)
    if isinstance(identity, Function) and source_index.find(identity) is not None:
        return None
    names = ", ".join(plain(name, 200) for name in sorted(pack.sources)[:8])
    raise UsageError(
        f"{path} brings its own sources ({names}); they are code of somebody else's: look at them (it is a zip "
        "archive), and run them with --trust, or give your own with --program FILE.py:NAME"
    )
