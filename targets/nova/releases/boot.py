"""Starting Nova's libraries in this process: no service, no database, no thread.

Nova is imported only here and in modules that this one is imported by, so that
the rest of semafuzz works where Nova is not installed.
"""

from __future__ import annotations

import importlib.metadata
import os
import tempfile
from functools import lru_cache

from semafuzz.targets.nova.releases import environments, shims

# Read by Nova when it is imported: green threads would take the place of ours.
os.environ.setdefault("OS_NOVA_DISABLE_EVENTLET_PATCHING", "1")

RESERVED = {"reserved_host_memory_mb": 0, "reserved_host_disk_mb": 0, "reserved_host_cpus": 0}

YEAR = 31_536_000
"""In seconds."""


@lru_cache(maxsize=1)
def boot() -> None:
    """Configure the chosen Nova (``environments.choose``) as a compute service would
    be, once per process."""
    chosen = environments.chosen()
    if chosen is None:
        environments.choose(chosen := environments.of_release(""))
    shims.respell_async()
    shims.stand_in_for_old_libraries()
    shims.stand_in_for_newer_libraries()
    shims.choose_threads()
    shims.copy_semaphores()

    import nova.conf
    from nova import objects
    from oslo_concurrency import lockutils
    from oslo_messaging.rpc import client

    configuration = nova.conf.CONF
    configuration([], project="nova", version=chosen.release, default_config_files=[], default_config_dirs=[])
    state = tempfile.mkdtemp(prefix="semafuzz-nova-")
    overrides: list[tuple[str, object, str | None]] = [
        ("host", "host1", None),
        ("my_ip", "192.0.2.1", None),
        ("state_path", state, None),
        ("lock_path", state, "oslo_concurrency"),
        # A folder that is not there: the tracker lists it when it is made.
        ("provider_config_location", os.path.join(state, "none"), "compute"),
        # Otherwise the wall clock decides whether the client asks placement again.
        ("resource_provider_association_refresh", 0 if shims.can_refresh_never() else YEAR, "compute"),
        ("report_in_placement", False, "pci"),
        # Asked when a service starts; 17 and newer have another name for the region.
        ("compute_driver", "fake.MediumFakeDriver", None),
        ("os_region_name", "region", "placement"),
        ("region_name", "region", "placement"),
        *((name, value, None) for name, value in RESERVED.items()),
    ]
    lockutils.set_defaults(state)
    # Read before a message to another compute host is sent; a service registers it with its transport.
    configuration.register_opts(client._client_opts)
    for option, value, group in overrides:
        # Some came with later releases: 22 lists a folder of provider.yaml, 26 tracks PCI in placement.
        if option in (configuration[group] if group else configuration):
            configuration.set_override(option, value, group=group)
    objects.register_all()


def library_versions() -> dict[str, str]:
    """The versions that a trace records: behaviour depends on these."""
    names = ("oslo.concurrency", "oslo.versionedobjects", "oslo.utils", "fasteners", "os-traits", "greenlet")
    chosen = environments.chosen()
    found = {"nova": chosen.described()} if chosen is not None else {}
    for name in names:
        try:
            found[name] = importlib.metadata.version(name)
        except importlib.metadata.PackageNotFoundError:
            continue
    return found
