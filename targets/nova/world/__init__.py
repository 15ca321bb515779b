"""What surrounds the tracker: host, hypervisor, network, names and devices."""
