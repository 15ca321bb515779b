"""Folders for results: checked before work starts, never after it is lost."""

from __future__ import annotations

import os
from pathlib import Path

from semafuzz.harness.errors import UsageError
from semafuzz.harness.files.traces_folder import keep_out_of_git


def usable_folder(folder: Path, option: str = "--out") -> Path:
    """``folder``, made if need be; UsageError where nothing can be written, which names the
    ``option`` by which another can be given."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        # Not by ``tempfile``, whose state is the program's as well.
        probe = folder / f".probe-{os.getpid()}"
        os.close(os.open(probe, os.O_CREAT | os.O_WRONLY, 0o600))
        probe.unlink()
        keep_out_of_git(folder)
    except OSError as error:
        raise UsageError(
            f"cannot write to {folder} ({error.strerror}); give a folder that can be written with {option}"
        ) from None
    return folder
