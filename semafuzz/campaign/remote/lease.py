"""Lease: the right to use a corpus that nobody can lock, for a time, again and again.

As of Gray and Cheriton (1989): who holds it renews it well before it ends, and who was killed holds it no longer than
that. Clocks of the machines may differ by what is left of it when it is renewed, three quarters of :data:`SECONDS`. Two
that begin at once on a filesystem which has no exclusive creation are told apart by what is there :data:`SETTLED`
seconds after they wrote; where one of them takes longer than that to write, both may have it.
"""

from __future__ import annotations

import contextlib
import secrets
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Annotated

import msgspec
from msgspec import Meta

from semafuzz.campaign.remote.filesystem import RemoteError, RemoteFolder
from semafuzz.harness.errors import UsageError

NAME = "lease.json"
PATIENCE = 30.0
"""Seconds for a renewal that is under way at the end."""
SECONDS = 600.0
"""How long a lease is good without being renewed."""
SETTLED = 1.0
"""After which whoever began at the same time has written, too."""
RENEWALS = 4
"""In that time."""


class _Lease(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    owner: Annotated[str, Meta(max_length=64)]
    until: float


class Lease:
    """The right that one owner has."""

    def __init__(self, folder: RemoteFolder, owner: str, seconds: float, now: Callable[[], float]) -> None:
        self._folder, self._owner, self._seconds, self._now = folder, owner, seconds, now

    def take(self) -> None:
        """Have it. UsageError where another has."""
        if not self._folder.create(NAME, self._data()):
            found = self._found()
            if found is None:
                raise UsageError(
                    f"{self._folder.url}/{NAME} is damaged; delete it if no other run uses this corpus, and run again"
                )
            if found.until > self._now():
                left = found.until - self._now()
                raise UsageError(
                    f"another run uses the corpus {self._folder.url} (it has to say so again in {left:.0f} s); "
                    "wait for it, or give another"
                )
            self._folder.remove(NAME)
            if not self._folder.create(NAME, self._data()):
                raise UsageError(f"another run has just begun on {self._folder.url}; wait for it, or give another")
        time.sleep(SETTLED)
        if not self.is_ours():
            raise UsageError(f"another run has just begun on {self._folder.url}; wait for it, or give another")

    def renew(self) -> None:
        """Have it for longer, where it is still ours."""
        if self.is_ours():
            self._folder.write(NAME, self._data())

    def is_ours(self) -> bool:
        """Whether nobody else has it, or may have it."""
        found = self._found()
        return found is not None and found.owner == self._owner and found.until > self._now()

    def give_back(self) -> None:
        """Others may have it."""
        if self.is_ours():
            self._folder.remove(NAME)

    def _found(self) -> _Lease | None:
        data = self._folder.read(NAME)
        try:
            return None if data is None else msgspec.json.decode(data[:1000], type=_Lease)
        except msgspec.DecodeError:
            return None

    def _data(self) -> bytes:
        return msgspec.json.encode(_Lease(self._owner, self._now() + self._seconds))


@contextmanager
def leased(folder: RemoteFolder, seconds: float = SECONDS, now: Callable[[], float] = time.time) -> Iterator[Lease]:
    """Have the right to use a corpus in the block. UsageError where another has it."""
    lease = Lease(folder, secrets.token_hex(16), seconds, now)
    lease.take()
    ended = threading.Event()

    def renew() -> None:
        while not ended.wait(seconds / RENEWALS):
            # One that could not be renewed is good for longer; whether it is ours is asked before anything is written.
            with contextlib.suppress(RemoteError):
                lease.renew()

    renewing = threading.Thread(target=renew, name="semafuzz-lease", daemon=True)
    renewing.start()
    try:
        yield lease
    finally:
        ended.set()
        renewing.join(PATIENCE)
        # One that is not given back ends by itself.
        with contextlib.suppress(RemoteError):
            lease.give_back()
