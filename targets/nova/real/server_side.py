"""Code that another process runs: the conductor's, the API's, placement's.

It runs at once, is no part of the execution and makes no events; what it reads of
clocks and identifiers is the same in every run.
"""

from __future__ import annotations

import datetime
import uuid
import warnings
from collections.abc import Iterator
from contextlib import contextmanager

from semafuzz.harness.kernel import current
from semafuzz.targets.nova.in_memory.conductor import EPOCH


@contextmanager
def unseen() -> Iterator[None]:
    """Run the block at once, without events: no part of the execution."""
    execution, current.execution = current.execution, None
    try:
        yield
    finally:
        current.execution = execution


class Elsewhere:
    """The other processes' clock and identifiers. ``tick`` and ``made`` are part of the
    state of a world: how often the clock was read for a request, how many identifiers
    were made."""

    def __init__(self) -> None:
        self.tick = 0
        self.made = 0

    @contextmanager
    def running(self) -> Iterator[None]:
        """Run the block as another process: a second later than the last one."""
        from nova.objects import base
        from oslo_utils import timeutils, uuidutils

        boundary, base.NovaObject.indirection_api = base.NovaObject.indirection_api, None
        generate, uuidutils.generate_uuid = uuidutils.generate_uuid, self.new_uuid
        self.tick += 1
        # What timeutils.set_time_override does, which newer libraries warn of.
        timeutils.utcnow.override_time = (EPOCH + datetime.timedelta(seconds=self.tick)).replace(tzinfo=None)
        try:
            with unseen(), warnings.catch_warnings():
                # What Nova and its libraries deprecate is not for the person who fuzzes them.
                warnings.simplefilter("ignore")
                yield
        finally:
            timeutils.utcnow.override_time = None
            uuidutils.generate_uuid = generate
            base.NovaObject.indirection_api = boundary

    def new_uuid(self, dashed: bool = True) -> str:
        """The next identifier."""
        self.made += 1
        made = uuid.UUID(int=0xABC0000 + self.made)
        return str(made) if dashed else made.hex
