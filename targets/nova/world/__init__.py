"""Surroundings of the tracker: host, hypervisor, network, names and devices."""
