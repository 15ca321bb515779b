"""Libraries of the time of older releases: an environment for each set, made when a
release asks for it and kept in the user's cache.

A release of Nova goes on top of a set without its own dependencies; semafuzz runs from
where it is, on the set's Python. What a set holds is pinned with hashes in
``library_locks``; it was resolved as of a date, less what has no wheel for Python 3.11
there (``shims`` stands in for it).
"""

from __future__ import annotations

import hashlib
import json
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from semafuzz.harness.errors import UsageError
from semafuzz.targets.nova.releases import fetching

LOCKS = Path(__file__).parents[1] / "library_locks"
PYTHON = (3, 11)
"""The Python that the sets are pinned for."""


@dataclass(frozen=True, slots=True)
class LibrarySet:
    """Libraries as of ``name`` (a month), for releases from ``oldest`` to before ``before``."""

    name: str
    oldest: str
    before: str

    @property
    def lock(self) -> Path:
        """What it holds."""
        return LOCKS / f"{self.name}.txt"

    @property
    def folder(self) -> Path:
        """Its environment; another one where the lock or semafuzz's Python changes."""
        digest = hashlib.sha256(self.lock.read_bytes() + sys.version.encode()).hexdigest()[:12]
        return fetching.cache() / "libraries" / f"{self.name}-{digest}"

    @property
    def python(self) -> Path:
        """Its interpreter, whether it is there or not."""
        return self.folder / "bin" / "python"

    def is_made(self) -> bool:
        """Whether the environment is complete."""
        try:
            return bool(json.loads((self.folder / fetching.MARKER).read_text()) == {"libraries": self.name})
        except (OSError, ValueError):
            return False

    def make(self) -> Path:
        """The interpreter of the environment, which is made if need be. It appears whole
        or not at all. UsageError, which says what to do, where it cannot be made."""
        if self.is_made():
            return self.python
        if sys.version_info[:2] != PYTHON:
            wanted = ".".join(map(str, PYTHON))
            raise UsageError(
                f"releases before {self.before} need libraries that run on Python {wanted} only; run semafuzz with "
                f"that Python (this is {sys.version_info[0]}.{sys.version_info[1]})"
            )
        final = self.folder
        try:
            final.parent.mkdir(parents=True, exist_ok=True)
            making = Path(tempfile.mkdtemp(prefix=f".{self.name}-", dir=final.parent))
        except OSError as error:
            raise UsageError(
                f"cannot write to {final.parent} ({error.strerror}); set XDG_CACHE_HOME to a folder that can be written"
            ) from None
        try:
            print(f"semafuzz: making an environment with the libraries of {self.name} in {final}", file=sys.stderr)
            self._install(making)
            (making / fetching.MARKER).write_text(json.dumps({"libraries": self.name}))
            if not self.is_made():
                shutil.rmtree(final, ignore_errors=True)
                making.rename(final)
        except OSError as error:
            if not self.is_made():
                raise UsageError(f"cannot make {final} ({error.strerror}); remove it and try again") from None
        finally:
            shutil.rmtree(making, ignore_errors=True)
        return self.python

    def _install(self, folder: Path) -> None:
        for command in self._commands(folder):
            try:
                done = subprocess.run(
                    command, capture_output=True, text=True, timeout=1200, check=False, stdin=subprocess.DEVNULL
                )
            except (OSError, subprocess.TimeoutExpired) as error:
                raise UsageError(f"the libraries of {self.name} cannot be installed: {error}") from None
            if done.returncode:
                raise UsageError(
                    f"the libraries of {self.name} cannot be installed ({fetching.cause(done.stderr or done.stdout)}); "
                    "see that the package index can be reached and that there are some 300 MB of room"
                )

    def _commands(self, folder: Path) -> Iterator[Sequence[str]]:
        pinned = ["--require-hashes", "--no-deps", "--quiet", "-r", str(self.lock)]
        uv = fetching.find_uv()
        if uv:
            yield [uv, "venv", "--quiet", "--python", sys.executable, str(folder), "--allow-existing"]
            yield [uv, "pip", "install", "--python", str(folder / "bin" / "python"), *pinned]
        else:
            yield [sys.executable, "-m", "venv", str(folder)]
            pip = [str(folder / "bin" / "python"), "-m", "pip", "install", "--disable-pip-version-check"]
            yield [*pip, *pinned]


SETS = (LibrarySet("2023-01", "16.0.0", "26.0.0"),)


def set_for(release: str) -> LibrarySet | None:
    """The set that a release needs, None where it runs on what is installed. UsageError
    for one that is older than every set."""
    key = fetching.version_key(release)
    if key < fetching.version_key(SETS[0].oldest):
        raise UsageError(
            f"release {release!r} cannot be driven yet: {SETS[0].oldest} is the oldest that can; "
            "`semafuzz list releases` shows which can"
        )
    for one in SETS:
        if fetching.version_key(one.oldest) <= key < fetching.version_key(one.before):
            return one
    return None
