"""Index of the files on this machine from which checked functions and your own targets came.

A trace names it by the digest of its file, never by a path to import: a
trace from elsewhere must not be able to choose what runs here. So that
``semafuzz replay TRACE`` still works alone, checking or fuzzing a file notes the digest,
the path and the modules that the person had looked into, in the user's own state folder;
only what was run here is found.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
from dataclasses import dataclass
from pathlib import Path

from semafuzz.harness.traces.schema import Function

MOST_PATHS = 16
"""Paths that are noted of one file; the newest stay."""


@dataclass(frozen=True, slots=True)
class NotedSource:
    """What was run on this machine. ``modules``: named with ``--instrument`` for it, here."""

    path: Path
    modules: frozenset[str] = frozenset()


def _folder() -> Path:
    base = os.environ.get("XDG_STATE_HOME") or os.path.join(os.path.expanduser("~"), ".local", "state")
    return Path(base) / "semafuzz" / "checked"


def _file(identity: Function) -> Path:
    key = hashlib.sha256(f"{identity.sha256}:{identity.function}".encode()).hexdigest()
    return _folder() / f"{key[:32]}.json"


def _noted(identity: Function) -> tuple[list[Path], frozenset[str]]:
    """Paths, newest first, and modules. Nothing where nothing can be read."""
    try:
        found = json.loads(_file(identity).read_text(encoding="utf-8"))
        # Notes of 0.1.0 have one path and no modules.
        paths = [Path(str(path)) for path in found.get("paths") or [found["path"]]]
        return paths, frozenset(str(name) for name in found.get("modules", ()))
    except (OSError, ValueError, LookupError, TypeError, AttributeError):
        return [], frozenset()


def add(identity: Function, path: Path) -> None:
    """Note where the file is. Failing to is no error: ``--program`` names it then."""
    paths, modules = _noted(identity)
    here = path.resolve()
    paths = [here, *(other for other in paths if other != here)][:MOST_PATHS]
    note = {"paths": [str(other) for other in paths], "modules": sorted(modules.union(identity.instrument))}
    with contextlib.suppress(OSError):
        target = _file(identity)
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(json.dumps(note), encoding="utf-8")


def find(identity: Function) -> NotedSource | None:
    """What was noted for this function on this machine, or None.

    The same file may have been run in several folders, beside different modules: one in
    the folder that the person is in comes first. One that was never run there is not
    taken, whatever its digest: its neighbours would be imported with it.
    """
    paths, modules = _noted(identity)
    if not paths:
        return None
    here = Path.cwd().resolve()
    path = next((path for path in paths if path.parent == here and _is_still(path, identity)), paths[0])
    return NotedSource(path, modules)


def _is_still(path: Path, identity: Function) -> bool:
    try:
        return hashlib.sha256(path.read_bytes()).hexdigest() == identity.sha256
    except OSError:
        return False
