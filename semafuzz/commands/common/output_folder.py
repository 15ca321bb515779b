"""Folders for results: checked before work starts, never after it is lost."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path

from semafuzz.harness.errors import UsageError
from semafuzz.harness.files.traces_folder import keep_out_of_git


def usable_folder(folder: Path, option: str = "--out") -> Path:
    """``folder``, made if need be; UsageError where nothing can be written, which names the
    ``option`` by which another can be given."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        handle, name = tempfile.mkstemp(dir=folder, prefix=".probe-")
        os.close(handle)
        os.unlink(name)
        keep_out_of_git(folder)
    except OSError as error:
        raise UsageError(
            f"cannot write to {folder} ({error.strerror}); give a folder that can be written with {option}"
        ) from None
    return folder
