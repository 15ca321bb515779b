"""Folders for results: checked before work starts, never after it is lost."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path

from semafuzz.harness.errors import UsageError


def usable_folder(folder: Path, option: str = "--out") -> Path:
    """``folder``, made if need be; UsageError where nothing can be written, which names the
    ``option`` by which another can be given."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        handle, name = tempfile.mkstemp(dir=folder, prefix=".probe-")
        os.close(handle)
        os.unlink(name)
    except OSError as error:
        raise UsageError(
            f"cannot write to {folder} ({error.strerror}); give a folder that can be written with {option}"
        ) from None
    return folder
