"""The conductor and its database, in memory, at Nova's own boundary.

A real nova-compute reaches the database through ``NovaObject.indirection_api``:
each remotable call serialises its object, runs on the conductor and comes back as
updates. This class stands at that place. Nothing is shared between the two sides:
what arrives is turned into primitives before it is stored, what leaves is built
from primitives. Semantics were compared call by call with Nova's ConductorManager
on SQLite over a scenario of all operations; see ``docs/nova-world.md``.

Not there (a call raises LookupError, so nothing passes silently): cells,
notifications.
"""

from __future__ import annotations

import datetime
import uuid
from collections.abc import Callable, Sequence
from typing import Any

from semafuzz.targets.nova.boundary.calls import ConductorBoundary
from semafuzz.targets.nova.boundary.primitives import is_object
from semafuzz.targets.nova.in_memory.conductor_instances import InstanceRemotables
from semafuzz.targets.nova.in_memory.conductor_pci import PciRemotables
from semafuzz.targets.nova.in_memory.conductor_records import RecordRemotables

EPOCH = datetime.datetime(2026, 1, 1, tzinfo=datetime.UTC)
Snapshot = dict[str, dict[Any, Any]]


class Conductor(InstanceRemotables, RecordRemotables, PciRemotables, ConductorBoundary):
    """The indirection API over rows of primitives."""

    def __init__(self) -> None:
        ConductorBoundary.__init__(self)
        self.tables: dict[str, dict[Any, Any]] = {
            "instance": {},
            "migration": {},
            "compute_node": {},
            "service": {},
            "pci_device": {},
            "sequence": {"id": 0, "tick": 0, "uuid": 0},
        }
        self._remotables: dict[tuple[str, str], Callable[..., Any]] = {}
        for name in dir(self):
            if name.startswith("do_"):
                _, kind, method = name.split("_", 2)
                self._remotables[kind, method] = getattr(self, name)
        self.prepare_instances()
        self._start: Snapshot = {}
        self.missing = ""
        """A method that was asked for and is not there."""

    def snapshot(self) -> Snapshot:
        """All rows, to be given to :meth:`restore`."""
        return {
            table: {key: dict(row) if isinstance(row, dict) else row for key, row in rows.items()}
            for table, rows in self.tables.items()
        }

    def restore(self, snapshot: Snapshot) -> None:
        """Put the rows back as they were."""
        self._start = snapshot
        self.tables = {
            table: {key: dict(row) if isinstance(row, dict) else row for key, row in rows.items()}
            for table, rows in snapshot.items()
        }

    # ------------------------------------------------ the indirection API

    def _perform_on_class(
        self, context: Any, objname: str, objmethod: str, object_versions: Any, args: Any, kwargs: Any
    ) -> Any:
        return self._find(objname, objmethod)(context, *args, **kwargs)

    def _perform_on_object(self, context: Any, objinst: Any, objmethod: str, args: Any, kwargs: Any) -> Any:
        return self._find(objinst.obj_name(), objmethod)(context, objinst, *args, **kwargs), None

    def _received(self, context: Any, answer: Any) -> Any:
        if isinstance(answer, tuple):
            updates, result = answer
            return {key: self._load(value, context) for key, value in updates.items()}, result
        return self._load(answer, context)

    def _delete(self, uuid: str) -> None:
        self.mark_deleted(self.tables["instance"][uuid])

    def _forget_flavors(self) -> None:
        waiting = self._resized_since_the_start()
        for row in self.tables["instance"].values():
            if row["uuid"] in waiting:
                row["_extra"] = {**row["_extra"], "old_flavor": None, "new_flavor": None}

    def _as_at_start(self, perform: Callable[[], Any]) -> Any:
        now = self.tables
        self.restore(self._start)
        try:
            return perform()
        finally:
            self.tables = now

    def _find(self, name: str, method: str) -> Callable[..., Any]:
        found = self._remotables.get((name, method))
        if found is None:
            # Nova may handle the exception as one of many: what was missing is told all the same.
            self.missing = f"{name}.{method}"
            # Not NotImplementedError: Nova then asks in the way of older releases.
            raise LookupError(f"the in-memory conductor has no {name}.{method}")
        return found

    def name_devices(self, uuids: Callable[[int], str]) -> dict[int, str]:
        """Give PCI devices other uuids, by their ids."""
        for row in self.tables["pci_device"].values():
            row["uuid"] = uuids(row["id"])
        return {row["id"]: row["uuid"] for row in self.tables["pci_device"].values()}

    def instance_as_sent(self, context: Any, uuid: str, loaded: Sequence[str]) -> Any:
        """The primitive of an instance, with what is ``loaded`` of it."""
        return self.do_Instance_get_by_uuid(context, uuid, list(loaded))

    def migration_as_sent(self, context: Any, number: int) -> Any:
        """The primitive of a migration, by its id."""
        return self.do_Migration_get_by_id(context, number)

    def _load(self, value: Any, context: Any) -> Any:
        if not is_object(value):
            return value
        from nova.objects import base

        return base.NovaObject.obj_from_primitive(value, context=context)

    # --------------------------------------------- what a database gives

    def next_id(self) -> int:
        """A primary key."""
        return self._advance("id")

    def next_uuid(self) -> str:
        """A UUID, the same in every run."""
        return str(uuid.UUID(int=0xABC0000 + self._advance("uuid")))

    def now(self) -> str:
        """A time stamp; every one is a second later than the last."""
        moment = EPOCH + datetime.timedelta(seconds=self._advance("tick"))
        return moment.strftime("%Y-%m-%dT%H:%M:%SZ")

    def _advance(self, name: str) -> int:
        sequence = self.tables["sequence"]
        sequence[name] += 1
        return int(sequence[name])
