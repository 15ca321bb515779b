"""The copy here of a corpus that is kept elsewhere: taken before a night, and put back after it.

The corpus there is what counts. The copy stays, so that the next night asks for what has changed only, a night that was
killed goes on where it was, and what could not be put back is put back by the next one.
"""

from __future__ import annotations

import hashlib
import re
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import msgspec

from semafuzz.campaign.remote.filesystem import RemoteError, RemoteFolder
from semafuzz.campaign.remote.lease import Lease, leased
from semafuzz.harness.errors import UsageError
from semafuzz.harness.files.atomic_write import atomic_write
from semafuzz.harness.files.bounded_read import read_record
from semafuzz.harness.files.lock_file import locked
from semafuzz.harness.files.user_cache import user_cache

LOOK_AGAIN = 20
"""After so many files it is looked again whether the corpus is still ours."""
PAGE = "summary.md"
_OURS = re.compile(r"findings/[A-Za-z0-9][A-Za-z0-9_-]*\.(trace|known|score)\.json")
MANIFEST = "remote.json"
_MOST = 256 << 20


class _Copied(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A file that was the same here and there: its version there, its digest here."""

    version: str
    digest: str


class _Manifest(msgspec.Struct, forbid_unknown_fields=True):
    """What was the same here and there when last looked at."""

    url: str
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
        with locked(here / ".copy", f"the corpus {url} on this machine"), leased(remote) as lease:
            copy.take()
            try:
                yield here
            except BaseException as error:
                # What ended the block is what is told; the copy keeps what could not be put back.
                try:
                    copy.put_back(lease)
                except (RemoteError, UsageError) as other:
                    error.add_note(str(other))
                raise
            copy.put_back(lease)
    except RemoteError as error:
        raise UsageError(f"{error}; what is in {here} stays, and is put back when this command is run again") from error


class _Copy:
    def __init__(self, remote: RemoteFolder, here: Path) -> None:
        self._remote, self._here = remote, here
        path = here / MANIFEST
        if path.exists():
            self.manifest = read_record(path, _Manifest, _MOST, f"delete {here}, it is a copy of {remote.url}")
        else:
            self.manifest = _Manifest(remote.url, {})
            self._note()

    def take(self) -> None:
        """Have here what is there. What was changed here and never put back stays where it is as it was there, and is
        set aside where that has changed as well."""
        there = {one.name: one.version for one in self._remote.files("findings")}
        for name, version in there.items():
            known = self.manifest.files.get(name)
            if known is not None and known.version == version and (self._here / name).exists():
                continue
            data = self._remote.read(name) if _is_ours(name) else None
            if data is None:
                continue
            own = _content(self._here / name)
            changed_here = own is not None and own != data and (known is None or _digest(own) != known.digest)
            if changed_here and known is not None and known.digest == _digest(data):
                self.manifest.files[name] = _Copied(version, known.digest)
                continue
            if changed_here and own is not None:
                aside = atomic_write(self._here / "set-aside" / name.rpartition("/")[2], own)
                print(f"semafuzz: {aside} was changed elsewhere too, and is kept there", file=sys.stderr)
            atomic_write(self._here / name, data)
            self.manifest.files[name] = _Copied(version, _digest(data))
        for name in [one for one in self.manifest.files if one.startswith("findings/") and one not in there]:
            # Who deletes a trace has forgotten the finding.
            (self._here / name).unlink(missing_ok=True)
            del self.manifest.files[name]
        self._note()

    def put_back(self, lease: Lease) -> None:
        """Have there what is here: traces before the records that speak of them, the page of the night at last. No
        finding is ever removed there, whatever has become of the copy. UsageError where another run has the corpus."""
        lease.renew()
        names = [path.relative_to(self._here).as_posix() for path in self._files()]
        for number, name in enumerate(sorted(names, key=lambda one: (one == PAGE, one.endswith(".known.json"), one))):
            if number % LOOK_AGAIN == 0 and not lease.is_ours():
                raise UsageError(
                    f"another run has taken the corpus {self._remote.url} meanwhile; what was found stays in "
                    f"{self._here}, and is put back when this command is run again"
                )
            data = (self._here / name).read_bytes()
            known = self.manifest.files.get(name)
            if known is None or known.digest != _digest(data):
                self.manifest.files[name] = _Copied(self._remote.write(name, data), _digest(data))
        for name in set(self.manifest.files).difference(names):
            if not name.startswith("report/"):
                continue
            self._remote.remove(name)
            del self.manifest.files[name]
        self._note()

    def _files(self) -> list[Path]:
        findings = [path for path in (self._here / "findings").glob("*") if _is_ours(f"findings/{path.name}")]
        pages = [path for path in (self._here / "report").rglob("*") if path.is_file()]
        page = self._here / PAGE
        return [*findings, *pages, *([page] if page.exists() else [])]

    def _note(self) -> None:
        atomic_write(self._here / MANIFEST, msgspec.json.encode(self.manifest))


def _is_ours(name: str) -> bool:
    """Whether a name is one of a file of findings: from there it is data, and no path out of the copy."""
    return _OURS.fullmatch(name) is not None


def _content(path: Path) -> bytes | None:
    try:
        return path.read_bytes()
    except FileNotFoundError:
        return None


def _digest(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()
