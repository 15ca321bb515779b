"""The world around the tracker: two compute hosts, one conductor, one placement.

Start states are snapshots: rows and placement as dictionaries, each tracker (with
its report client's cache) as a pickle taken after its first audit, so that no
execution pays for an audit again.
"""

from __future__ import annotations

import collections
import uuid
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

from semafuzz.harness.traces.schema import Value
from semafuzz.targets.nova.boundary.process import Process, running_in
from semafuzz.targets.nova.configuration import put_in_force
from semafuzz.targets.nova.in_memory.conductor import EPOCH, Conductor
from semafuzz.targets.nova.in_memory.placement import Placement
from semafuzz.targets.nova.real.conductor import RealConductor
from semafuzz.targets.nova.real.placement import RealPlacement
from semafuzz.targets.nova.real.server_side import Elsewhere
from semafuzz.targets.nova.releases import shims
from semafuzz.targets.nova.releases.boot import boot
from semafuzz.targets.nova.world.flavors import FLAVORS, make_flavor
from semafuzz.targets.nova.world.host import Host
from semafuzz.targets.nova.world.hypervisor import NODE_UUIDS, WHOLE, set_totals
from semafuzz.targets.nova.world.named_locks import forget_locks, running_host
from semafuzz.targets.nova.world.names import BY_API, HOSTS, IMAGE
from semafuzz.targets.nova.world.network import port_request
from semafuzz.targets.nova.world.node_id import Place
from semafuzz.targets.nova.world.rpc import Bus
from semafuzz.targets.nova.world.tracker_factory import called

Snapshot = tuple[Any, Any, dict[str, bytes], dict[str, list[str]]]


class World:
    """Everything that an execution can change, under one configuration.

    ``pci``: the hosts have PCI devices; ``vpmem``: persistent memory. ``real``: with Nova's
    own database layer and the real placement service, in place of those in memory.
    """

    conductor: Conductor | RealConductor
    placement: Placement | RealPlacement

    def __init__(
        self,
        configuration: Mapping[str, Value] | None = None,
        *,
        pci: bool = False,
        vpmem: bool = False,
        real: bool = False,
    ) -> None:
        boot()
        self.configuration = dict(configuration or {})
        self.pci, self.vpmem = pci, vpmem
        if real:
            elsewhere = Elsewhere()
            self.placement, self.conductor = RealPlacement(elsewhere), RealConductor(elsewhere)
        else:
            self.placement, self.conductor = Placement(), Conductor()
        self.conductor.on_deleted = self.placement.forget
        self.bus = Bus(self)
        self.under_way: collections.Counter[str] = collections.Counter()
        """How many operations have begun that may be at work on a host, by its name."""
        self.interrupted = False
        """Whether a service was killed in the midst of one."""
        self.down: set[str] = set()
        """Hosts that instances were evacuated from: none of their services runs."""
        self.sparing = False
        """Whether oracles that hardly ever show anything are left out most of the time."""
        self.refuses_numa_live_migration = shims.refuses_numa_live_migration()
        """Whether the conductor of this release does."""
        self.hosts: dict[str, Host] = {}
        self.activate()
        for name in HOSTS:
            self.conductor.add_service(name)
        if not shims.driver_names_nodes():
            for name, node in ((name, node) for name, nodes in HOSTS.items() for node in nodes):
                self.conductor.add_node(name, node, NODE_UUIDS[node])
        self.hosts |= {name: Host(self, name, nodes) for name, nodes in HOSTS.items()}
        for host in self.hosts.values():
            for node in host.nodes:
                audit = host.tracker.update_available_resource
                self.on(host.name, called, audit, self.context(), node, startup=True)

        self._name_devices()

    @property
    def places(self) -> list[Place]:
        """Every node that a hypervisor reports."""
        return [Place(name, node) for name in self.hosts for node in self.reported(name)]

    def evacuated_from(self, host: str) -> list[str]:
        """The instances whose guests a host still has, though they were rebuilt elsewhere: until its service starts
        and says that it took them away."""
        rows = [row for row in self.conductor.rows("migration") if row["migration_type"] == "evacuation"]
        left = [row for row in rows if row["source_compute"] == host and row["status"] not in ("completed", "error")]
        return sorted({row["instance_uuid"] for row in left})

    def activate(self) -> None:
        """Make this world the one that Nova's objects and options belong to."""
        from nova.objects import base

        base.NovaObject.indirection_api = self.conductor
        put_in_force(self.configuration, self.pci)

    def _name_devices(self) -> None:
        """Give PCI devices uuids that are the same in every process."""
        named = self.conductor.name_devices(lambda number: str(uuid.UUID(int=0xDE000 + number)))
        for host in self.hosts.values():
            for device in host.tracker.pci_tracker.pci_devs:
                device.uuid = named[device.id]
                device.obj_reset_changes(["uuid"])

    @contextmanager
    def setting_up(self, drawn: int = 0) -> Iterator[Callable[[], int]]:
        """Make a start state in the block: what it draws are the same identifiers every time. ``drawn``: how many
        were drawn before, where a part of it is there; gives what tells how many are by now."""
        from oslo_utils import uuidutils

        def generate(dashed: bool = True) -> str:
            nonlocal drawn
            made = uuid.UUID(int=0x9C000 + drawn)
            drawn += 1
            return str(made) if dashed else made.hex

        real, uuidutils.generate_uuid = uuidutils.generate_uuid, generate
        try:
            yield lambda: drawn
        finally:
            uuidutils.generate_uuid = real

    def on(self, host: str, function: Any, *args: Any, **kwargs: Any) -> Any:
        """Call ``function`` as code of ``host``, once its service is up."""
        with running_in(self._process(host)):
            return self.on_host(host, function, *args, **kwargs)

    def on_host(self, host: str, function: Any, *args: Any, **kwargs: Any) -> Any:
        """Likewise, in whatever process."""
        token = running_host.set(host)
        try:
            return function(*args, **kwargs)
        finally:
            running_host.reset(token)

    def _process(self, host: str) -> Process:
        while True:
            process = self.hosts[host].process
            process.wait()
            if not process.ended:
                return process

    def snapshot(self) -> Snapshot:
        """The state now, to be given to :meth:`restore`."""
        trackers = {name: host.save() for name, host in self.hosts.items()}
        nodes = {name: self.reported(name) for name in self.hosts}
        return self.conductor.snapshot(), self.placement.snapshot(), trackers, nodes

    def restore(self, snapshot: Snapshot) -> None:
        """Go back to a state."""
        forget_locks()
        self.activate()
        self.bus = Bus(self)
        self.under_way.clear()
        self.interrupted, self.conductor.missing = False, ""
        self.conductor.left_in_placement = set()
        self.down = set()
        self.conductor.restore(snapshot[0])
        self.placement.restore(snapshot[1])
        for name, host in self.hosts.items():
            host.driver._set_nodes(list(snapshot[3][name]))
            host.driver.devices = host.devices
            set_totals(host.driver, WHOLE)
            host.driver.called_off.clear()
            host.driver.moving.clear()
            host.load(snapshot[2][name])

    def context(self) -> Any:
        """A request context of its own: the tracker writes to the one it gets."""
        from nova.context import RequestContext

        return RequestContext("user", "project", is_admin=True, request_id="req-0", timestamp=EPOCH, overwrite=False)

    # ------------------------------- what API, scheduler and conductor do

    def flavor(self, number: int) -> Any:
        """Flavor ``number`` of ``semafuzz.targets.nova.world.flavors.FLAVORS``."""
        return make_flavor(number)

    @staticmethod
    def uuid(number: int) -> str:
        """The uuid of instance ``number``."""
        return str(uuid.UUID(int=0x1000 + number))

    def create_instance(self, number: int, flavor: int) -> Any:
        """An instance that the scheduler has placed, before its build."""
        from nova import objects
        from nova.pci import request
        from nova.virt import hardware

        chosen = self.flavor(flavor)
        requests = objects.InstancePCIRequests(instance_uuid=self.uuid(number), requests=[])
        if FLAVORS[flavor].uses_pci:
            requests = request.get_pci_requests_from_flavor(chosen)
            requests.instance_uuid = self.uuid(number)
        if FLAVORS[flavor].port:
            requests.requests.append(port_request(self.uuid(number)))
        instance = objects.Instance(
            self.context(), uuid=self.uuid(number), project_id="project", user_id="user", image_ref=IMAGE,
            vm_state="building", task_state="scheduling", instance_type_id=chosen.id, memory_mb=chosen.memory_mb,
            vcpus=chosen.vcpus, root_gb=chosen.root_gb, ephemeral_gb=chosen.ephemeral_gb,
            system_metadata={}, metadata={}, flavor=chosen, old_flavor=None, new_flavor=None,
            reservation_id=f"r-{number}", launch_index=0, display_name=f"instance-{number}",
            hostname=f"instance-{number}", os_type=None,
            numa_topology=hardware.numa_get_constraints(chosen, objects.ImageMeta.from_dict({"properties": {}})),
            pci_requests=requests,
        )  # fmt: skip
        instance.create()
        return instance

    def instance(self, number: int, context: Any, loaded: Sequence[str] = BY_API) -> Any:
        """The instance as an RPC call hands it to the compute manager. What is ``loaded``
        decides on what a copy of it is later seen to have."""
        from nova.objects import base

        primitive = self.conductor.instance_as_sent(context, self.uuid(number), loaded)
        return base.NovaObject.obj_from_primitive(primitive, context=context)

    def migration_of(self, number: int, context: Any) -> Any:
        """The newest migration of an instance, likewise."""
        from nova import exception
        from nova.objects import base

        found = [row for row in self.conductor.rows("migration") if row["instance_uuid"] == self.uuid(number)]
        if not found:
            raise exception.MigrationNotFound(migration_id=number)
        primitive = self.conductor.migration_as_sent(context, found[-1]["id"])
        return base.NovaObject.obj_from_primitive(primitive, context=context)

    def prepare_resize(self, number: int, old: int, new: int) -> tuple[Any, Any]:
        """The instance of a resize that the API has accepted, and the context of its request."""
        context = self.context()
        instance = self.instance(number, context)
        instance.task_state = "resize_prep"
        instance.old_flavor, instance.new_flavor = self.flavor(old), self.flavor(new)
        instance.save()
        return context, instance

    def create_migration(self, number: int, old: int, new: int, source: tuple[str, str]) -> Any:
        """A resize that the API has accepted, with the instance ready for it."""
        from nova import objects

        context, instance = self.prepare_resize(number, old, new)
        migration = objects.Migration(
            context=context, source_compute=source[0], source_node=source[1], old_instance_type_id=old,
            new_instance_type_id=new, instance_uuid=instance.uuid, status="pre-migrating", migration_type="resize",
        )  # fmt: skip
        migration.create()
        return migration

    def allocate(self, consumer: str, node: str, flavor: int) -> Any:
        """The scheduler's claim in placement."""
        return self.allocate_on(consumer, [(node, flavor)])

    def allocate_on(self, consumer: str, flavors: Sequence[tuple[str, int]]) -> Any:
        """Likewise, of a flavor on each of some nodes, in place of what it had: on one that
        comes twice, of both. Raises ComputeResourcesUnavailable where there is no room, with
        the consumer as it was."""
        from nova import exception

        sums: dict[str, collections.Counter[str]] = {}
        for node, flavor in flavors:
            sums.setdefault(NODE_UUIDS[node], collections.Counter()).update(FLAVORS[flavor].resources)
        allocations = {node: {"resources": dict(amounts)} for node, amounts in sums.items()}
        held = self.placement.get(f"/allocations/{consumer}", microversion="1.38").json() or {}
        body = {
            "allocations": allocations,
            "project_id": "project",
            "user_id": "user",
            "consumer_generation": held.get("consumer_generation"),
            "consumer_type": "INSTANCE",
        }
        if not self.placement.put(f"/allocations/{consumer}", json=body, microversion="1.38"):
            raise exception.ComputeResourcesUnavailable(reason="placement has no room for an allocation")
        return allocations

    def deallocate(self, consumer: str) -> None:
        """Give the allocation of a consumer back."""
        self.placement.delete(f"/allocations/{consumer}")

    def node_row(self, node: str) -> Any:
        """The compute node's row; None where it has none."""
        rows = self.conductor.rows("compute_node")
        return next((row for row in rows if row["hypervisor_hostname"] == node), None)

    def reported(self, host: str) -> list[str]:
        """The nodes that a host's hypervisor has at the moment."""
        return list(self.hosts[host].driver._nodes)
