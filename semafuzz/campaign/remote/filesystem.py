"""The filesystem that a corpus is on, by its address: S3, Google Cloud Storage, SFTP and whatever else fsspec reaches.

Credentials and endpoints are those that fsspec's filesystems find by themselves (environment, files in the home).
"""

from __future__ import annotations

import secrets
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from semafuzz.harness.errors import UsageError
from semafuzz.harness.files.atomic_write import printable

UNFINISHED = ".unfinished-"
"""How the names of files begin that are being written there."""


_DIGESTS = ("ETag", "etag", "md5Hash", "checksum", "sha256")
_TIMES = ("mtime", "LastModified", "last_modified", "updated", "modified", "created")
"""What filesystems call what they know of a file."""


class RemoteError(Exception):
    """The filesystem refused, or could not be reached."""


@dataclass(frozen=True, slots=True)
class RemoteFile:
    """A file there: its name under the corpus, and its version, which is another after each write."""

    name: str
    version: str


class RemoteFolder:
    """A folder on a filesystem. Every method raises RemoteError where that refuses."""

    def __init__(self, url: str) -> None:
        """UsageError for an address that is none, or whose filesystem is not installed."""
        try:
            from fsspec.core import url_to_fs
        except ImportError:
            raise UsageError(f"a corpus at {printable(url)} needs fsspec: pip install 'semafuzz[remote]'") from None
        self.url = url.rstrip("/")
        if not self.url.partition("://")[2]:
            raise UsageError(f"the corpus {printable(url)} has no folder; give one, such as s3://bucket/findings")
        self._filesystem: Any
        try:
            self._filesystem, self._root = url_to_fs(self.url)
        except Exception as error:  # each library has exceptions of its own, and some connect here
            raise UsageError(
                f"cannot use the corpus {printable(url)}: {type(error).__name__}: {printable(error)}"
            ) from None
        self._root = self._root.rstrip("/")

    def read(self, name: str) -> bytes | None:
        """The content of a file; None where there is none."""
        with self._looking():
            try:
                return bytes(self._filesystem.cat_file(self._path(name)))
            except FileNotFoundError:
                return None

    def write(self, name: str, data: bytes) -> str:
        """Write a file, or replace it, under another name first, so that who reads it never has a half; its version.

        A rename is one step on most filesystems; where it is a copy (S3, GCS), the copy is."""
        folder, _, short = name.rpartition("/")
        beside = f"{folder}/" if folder else ""
        unfinished = self._path(f"{beside}{UNFINISHED}{secrets.token_hex(4)}-{short}")
        with _told(self.url):
            self._filesystem.makedirs(self._path(folder) if folder else self._root, exist_ok=True)
            self._filesystem.pipe_file(unfinished, data)
            self._filesystem.mv(unfinished, self._path(name))
        with self._looking():
            about = self._filesystem.info(self._path(name))
            if about.get("size") not in (None, len(data)):
                raise RemoteError(f"{name} was not replaced")
            return _version(about)

    def create(self, name: str, data: bytes) -> bool:
        """Write a file that is not there yet; whether it was not. In one step where the filesystem knows that
        (S3, GCS and the local one do); elsewhere two may believe that they did."""
        with self._looking():
            self._filesystem.makedirs(self._root, exist_ok=True)
            try:
                if self._filesystem.exists(self._path(name)):
                    return False
                if "file" in self._filesystem.protocol:
                    with self._filesystem.open(self._path(name), "xb") as file:
                        file.write(data)
                else:
                    self._filesystem.pipe_file(self._path(name), data, mode="create")
            except FileExistsError:
                return False
            return True

    def remove(self, name: str) -> None:
        """Remove a file, if it is there."""
        with _told(self.url):
            try:
                self._filesystem.rm_file(self._path(name))
            except FileNotFoundError:
                return

    def files(self, folder: str) -> list[RemoteFile]:
        """Every whole file under a folder, by name."""
        with self._looking():
            try:
                found = self._filesystem.find(self._path(folder), detail=True)
            except FileNotFoundError:
                return []
            named = {str(path)[len(self._root) + 1 :]: about for path, about in found.items()}
            whole = sorted(name for name in named if not name.rpartition("/")[2].startswith(UNFINISHED))
            return [RemoteFile(name, _version(named[name])) for name in whole]

    @contextmanager
    def _looking(self) -> Iterator[None]:
        """What was listed a moment ago is nothing to go by: others write there too."""
        with _told(self.url):
            self._filesystem.invalidate_cache()
            yield

    def _path(self, name: str) -> str:
        return f"{self._root}/{name}"


def _version(about: Mapping[str, Any]) -> str:
    """What is another after each write, the same in a listing and for one file; where a filesystem says nothing of
    the kind, never the same."""
    told = [str(about[name]) for name in _DIGESTS if about.get(name)]
    told = told or [f"{about[name]} {about.get('size')} {about.get('ino')}" for name in _TIMES if about.get(name)]
    return told[0] if told else secrets.token_hex(8)


@contextmanager
def _told(url: str) -> Iterator[None]:
    """Whatever a filesystem raises says one thing."""
    try:
        yield
    except RemoteError:
        raise
    except Exception as error:  # each library has exceptions of its own
        raise RemoteError(f"{printable(url)}: {type(error).__name__}: {printable(error)}") from error
