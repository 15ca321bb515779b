"""A simulated process of nova-compute: its tracker, its manager, its lock namespace."""

from __future__ import annotations

import collections
import io
import pickle
import threading
from collections.abc import Mapping, Sequence
from typing import Any, Protocol

from semafuzz.harness.kernel.address import address
from semafuzz.targets.nova.boundary.process import Process
from semafuzz.targets.nova.world.compute_manager import make
from semafuzz.targets.nova.world.hypervisor import make_driver
from semafuzz.targets.nova.world.names import PROVIDERS_LOCK
from semafuzz.targets.nova.world.pci_devices import REPORTED
from semafuzz.targets.nova.world.rpc import Bus
from semafuzz.targets.nova.world.tracker_factory import make_tracker


class _Assigned:
    """The tracker's factory for assigned resources, which it writes as a lambda."""

    def __call__(self) -> Any:
        return collections.defaultdict(set)


class HostWorld(Protocol):
    """What a host asks of the world that it stands in."""

    pci: bool
    vpmem: bool
    bus: Bus

    @property
    def placement(self) -> Any:
        """The placement service."""

    @property
    def hosts(self) -> Mapping[str, Any]:
        """All hosts, by name."""

    def context(self) -> Any:
        """A request context."""

    def evacuated_from(self, host: str) -> list[str]:
        """The instances whose guests a host still has, though they were rebuilt elsewhere."""


class Host:
    """One nova-compute process: a driver, a report client, a tracker."""

    def __init__(self, world: HostWorld, name: str, nodes: Sequence[str]) -> None:
        self.name = name
        self.nodes = tuple(nodes)
        self.devices = REPORTED if world.pci else ""
        self.driver = make_driver(name, nodes, lambda: world.evacuated_from(name), self.devices, vpmem=world.vpmem)
        self._world = world
        self._manager: Any = None
        self.process = Process()
        self.tracker = self.new_tracker()

    @property
    def manager(self) -> Any:
        """Nova's own compute manager around the tracker; made when it is first asked for."""
        if self._manager is None or self._manager.rt is not self.tracker:
            self._manager = make(self._world, self.name)
        return self._manager

    def new_tracker(self) -> Any:
        """A tracker as a service start makes it: it knows nothing yet."""
        from nova import objects

        tracker = make_tracker(self.name, self.driver, self._world.placement)
        if hasattr(tracker, "set_service_ref"):
            # 28 and newer.
            tracker.set_service_ref(objects.Service.get_by_compute_host(self._world.context(), self.name))
        return tracker

    def save(self) -> bytes:
        """The tracker as it is now. What it shares with the world goes by name."""
        from nova.context import RequestContext

        names = {address(self.driver): "driver", address(self._world.placement): "placement"}

        class Pickler(pickle.Pickler):
            def persistent_id(self, thing: Any) -> str | None:
                if isinstance(thing, RequestContext):
                    return "context"
                # A provider tree of 32 and older holds the named lock itself.
                return PROVIDERS_LOCK if isinstance(thing, threading.Semaphore) else names.get(address(thing))

        # 20 and newer.
        assigned = getattr(self.tracker, "assigned_resources", None)
        if assigned is not None and not isinstance(assigned.default_factory, _Assigned):
            self.tracker.assigned_resources = collections.defaultdict(_Assigned(), assigned)
        sink = io.BytesIO()
        Pickler(sink, protocol=5).dump(self.tracker)
        return sink.getvalue()

    def load(self, data: bytes) -> None:
        """Go back to what :meth:`save` gave. The bytes never leave this process."""
        from oslo_concurrency import lockutils

        things = {
            "driver": self.driver,
            "placement": self._world.placement,
            "context": self._world.context(),
            PROVIDERS_LOCK: lockutils.internal_lock(PROVIDERS_LOCK),
        }

        class Unpickler(pickle.Unpickler):
            def persistent_load(self, name: Any) -> Any:
                return things[name]

        self.tracker = Unpickler(io.BytesIO(data)).load()
        self._manager = None
        self.process = Process()
