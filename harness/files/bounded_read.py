"""Records on the disk, read as data with a limit."""

from __future__ import annotations

from pathlib import Path
from typing import TypeVar

import msgspec

from semafuzz.harness.errors import UsageError
from semafuzz.harness.files.atomic_write import printable

Record = TypeVar("Record")


def read_record(path: Path, kind: type[Record], limit: int, otherwise: str) -> Record:
    """The record of this kind in a file of at most ``limit`` bytes. UsageError for what is
    none, with what to do: ``otherwise``."""
    try:
        if path.stat().st_size > limit:
            raise msgspec.DecodeError("it is too large")
        return msgspec.json.decode(path.read_bytes(), type=kind)
    except OSError as error:
        raise UsageError(f"cannot read {path}: {error.strerror}; check its permissions") from None
    except msgspec.DecodeError as error:
        raise UsageError(f"{path} is damaged ({printable(error)}); {otherwise}") from None
