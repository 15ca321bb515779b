"""The copy here of a corpus that is kept elsewhere: taken before a night, and put back after it.

The corpus there is what counts. The copy stays, so that the next night asks for what has changed only, a night that was
killed goes on where it was, and what could not be put back is put back by the next one.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from socket import gethostname

import msgspec

from semafuzz.campaign.remote.filesystem import RemoteError, RemoteFolder
from semafuzz.campaign.remote.lease import leased, new_owner
from semafuzz.harness.errors import UsageError
from semafuzz.harness.files.atomic_write import atomic_write
from semafuzz.harness.files.bounded_read import read_record
from semafuzz.harness.files.lock_file import locked
from semafuzz.harness.files.user_cache import user_cache

KEPT = ("findings", "report")
"""The folders of a corpus that are put back; of a night that is under way nothing is."""
PAGE = "summary.md"
MANIFEST = "remote.json"
_MOST = 256 << 20


class _Copied(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A file that was the same here and there: its version there, its digest here."""

    version: str
    digest: str


class _Manifest(msgspec.Struct, forbid_unknown_fields=True):
    """``owner``: the name of this copy, by which its own lease is known again; on another ``host``, which was given
    the cache of this one, it is no name for it."""

    url: str
    owner: str
    host: str
    files: dict[str, _Copied]


def is_address(corpus: str) -> bool:
    """Whether a corpus is given by the address of a filesystem, such as ``s3://bucket/folder``."""
    return "://" in corpus


def folder_of(url: str) -> Path:
    """Where the copy is: in the user's cache."""
    return user_cache() / "corpora" / hashlib.sha256(url.rstrip("/").encode()).hexdigest()[:16]


@contextmanager
def copied(url: str) -> Iterator[Path]:
    """Use a corpus that is elsewhere, as a folder here, in the block; what changed is put back when it ends, however
    it does. UsageError where another run uses it, or it cannot be reached; nothing is lost then."""
    remote, here = RemoteFolder(url), folder_of(url)
    copy = _Copy(remote, here)
    try:
        # One process at a time has this copy: a lease in its name is left over.
        with locked(here / ".copy", f"the corpus {url} on this machine"), leased(remote, copy.manifest.owner) as lease:
            copy.take()
            try:
                yield here
            finally:
                if not lease.is_ours():
                    raise UsageError(
                        f"another run has taken the corpus {url} meanwhile; what was found stays in {here}, and is put "
                        "back when this command is run again"
                    )
                copy.put_back()
    except RemoteError as error:
        raise UsageError(f"{error}; what is in {here} stays, and is put back when this command is run again") from error


class _Copy:
    def __init__(self, remote: RemoteFolder, here: Path) -> None:
        self._remote, self._here = remote, here
        path = here / MANIFEST
        if path.exists():
            self.manifest = read_record(path, _Manifest, _MOST, f"delete {here}, it is a copy of {remote.url}")
        else:
            self.manifest = _Manifest(remote.url, "", "", {})
        if self.manifest.host != gethostname():
            self.manifest.owner, self.manifest.host = new_owner(), gethostname()
            self._note()

    def take(self) -> None:
        """Have here what is there. What was changed here and never put back stays, where it is not there as well."""
        there = {one.name: one.version for one in self._remote.files("findings")}
        for name, version in there.items():
            known = self.manifest.files.get(name)
            if known is not None and known.version == version and (self._here / name).exists():
                continue
            data = self._remote.read(name)
            if data is not None and _is_within(name):
                atomic_write(self._here / name, data)
                self.manifest.files[name] = _Copied(version, _digest(data))
        for name in [one for one in self.manifest.files if one.startswith("findings/") and one not in there]:
            # Who deletes a trace has forgotten the finding.
            (self._here / name).unlink(missing_ok=True)
            del self.manifest.files[name]
        self._note()

    def put_back(self) -> None:
        """Have there what is here: traces before the records that speak of them, the page of the night at last."""
        names = [path.relative_to(self._here).as_posix() for path in self._files()]
        for name in sorted(names, key=lambda one: (one == PAGE, one.endswith(".known.json"), one)):
            data = (self._here / name).read_bytes()
            known = self.manifest.files.get(name)
            if known is None or known.digest != _digest(data):
                self.manifest.files[name] = _Copied(self._remote.write(name, data), _digest(data))
        for name in set(self.manifest.files).difference(names):
            self._remote.remove(name)
            del self.manifest.files[name]
        self._note()

    def _files(self) -> list[Path]:
        found = [path for folder in KEPT for path in (self._here / folder).rglob("*") if path.is_file()]
        page = self._here / PAGE
        return [*(path for path in found if not path.name.startswith(".")), *([page] if page.exists() else [])]

    def _note(self) -> None:
        atomic_write(self._here / MANIFEST, msgspec.json.encode(self.manifest))


def _is_within(name: str) -> bool:
    """Whether a name from there is one of a file of ours: it is data, and no path out of the copy."""
    parts = name.split("/")
    return len(parts) == 2 and parts[0] == "findings" and parts[1] not in ("", ".", "..") and "\\" not in name


def _digest(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()
