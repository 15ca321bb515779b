"""Index of the files on this machine from which checked functions and your own targets came.

A trace names it by the digest of its file, never by a path to import: a
trace from elsewhere must not be able to choose what runs here. So that
``semafuzz replay TRACE`` still works alone, checking or fuzzing a file notes the digest and
the path in the user's own state folder; only what was run here is found.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
from pathlib import Path

from semafuzz.harness.traces.schema import Function


def _folder() -> Path:
    base = os.environ.get("XDG_STATE_HOME") or os.path.join(os.path.expanduser("~"), ".local", "state")
    return Path(base) / "semafuzz" / "checked"


def _file(identity: Function) -> Path:
    key = hashlib.sha256(f"{identity.sha256}:{identity.function}".encode()).hexdigest()
    return _folder() / f"{key[:32]}.json"


def add(identity: Function, path: Path) -> None:
    """Note where the file is. Failing to is no error: ``--program`` names it then."""
    with contextlib.suppress(OSError):
        target = _file(identity)
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(json.dumps({"path": str(path.resolve())}), encoding="utf-8")


def find(identity: Function) -> Path | None:
    """The path noted for this function on this machine, or None.

    The same file may be in several folders, beside different modules: one in the
    folder that the person is in comes first.
    """
    try:
        found = json.loads(_file(identity).read_text(encoding="utf-8"))
        noted = Path(str(found["path"]))
    except (OSError, ValueError, KeyError, TypeError):
        return None
    here = Path.cwd() / noted.name
    with contextlib.suppress(OSError):
        if hashlib.sha256(here.read_bytes()).hexdigest() == identity.sha256:
            return here
    return noted
