"""This semafuzz as an archive, for workers that have another one, or none."""

from __future__ import annotations

import contextlib
import functools
import hashlib
import importlib.metadata
import io
import os
import zipfile
from pathlib import Path
from typing import Any

import semafuzz

EARLIEST = (1980, 1, 1, 0, 0, 0)
"""The time of each file, so that equal code makes an equal archive."""
LEFT_OUT = (".pyc", ".pyo", ".so")


@functools.cache
def archive() -> tuple[str, bytes]:
    """The digest of the archive, and the archive: the package as it lies here, links followed."""
    [root] = [Path(one) for one in semafuzz.__path__]
    whole = io.BytesIO()
    with zipfile.ZipFile(whole, "w", zipfile.ZIP_DEFLATED) as files:
        found = []
        for folder, inner, names in os.walk(root, followlinks=True):
            inner[:] = [name for name in inner if name != "__pycache__"]
            found += [Path(folder, name) for name in names if not name.endswith(LEFT_OUT)]
        for path in sorted(found):
            name = Path(root.name, path.relative_to(root)).as_posix()
            files.writestr(zipfile.ZipInfo(name, EARLIEST), path.read_bytes(), zipfile.ZIP_DEFLATED)
        # Traces and reports say which version made them.
        with contextlib.suppress(importlib.metadata.PackageNotFoundError):
            found_here = importlib.metadata.distribution(root.name)
            name = f"{root.name}-{found_here.version}.dist-info/METADATA"
            told = found_here.read_text("METADATA") or f"Name: {root.name}\nVersion: {found_here.version}\n"
            files.writestr(zipfile.ZipInfo(name, EARLIEST), told, zipfile.ZIP_DEFLATED)
    data = whole.getvalue()
    return hashlib.sha256(data).hexdigest()[:32], data


def unpacking_plugin(digest: str, data: bytes) -> Any:
    """What has every worker of a cluster unpack the archive, those too that join it later."""
    from distributed import WorkerPlugin

    from semafuzz.campaign.far_process import unpack

    class Unpacking(WorkerPlugin):  # type: ignore[misc]
        name = f"semafuzz-{digest}"

        def setup(self, worker: Any) -> None:
            # Where it cannot be kept the worker is refused by name, and the others go on.
            with contextlib.suppress(OSError):
                unpack(digest, data)

    return Unpacking()
