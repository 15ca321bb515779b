"""Names that the Nova world uses: hosts, nodes, images and who asks."""

from __future__ import annotations

import uuid

from semafuzz.targets.nova.world.node_id import Place

HOSTS = {"host1": ("node1",), "host2": ("node2",)}

HERE = Place("host1", "node1")

HOST, NODE = HERE
"""Where most tasks run."""

EXTRA = Place("host1", "node3")
"""A second node of the first host, in programs in which it appears."""

OTHER = Place("host2", "node2")
"""Where instances come from and go to."""

PROVIDERS_LOCK = "provider-tree-lock"
"""The named lock of a provider tree."""

IMAGE = str(uuid.UUID(int=0x11AA))

BY_API = ("flavor", "metadata", "system_metadata", "numa_topology")
"""What is loaded of an instance that the API asks a compute host to work on."""

BY_BUILD = (*BY_API, "pci_requests", "resources", "migration_context")
"""What is loaded of an instance that was created a moment ago."""

BY_RESIZE = (*BY_API, "pci_requests", "resources", "pci_devices")
"""What is loaded of an instance that is to be resized. The migration context is not: it is
read from the database when it is asked for, and the copy that a claim takes asks later."""

BY_CONFIRM = ("flavor", "metadata", "system_metadata")
"""What the manager loads anew before it confirms."""
