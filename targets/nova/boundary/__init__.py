"""The boundary of nova-compute: calls, faults, primitives, the life of a process."""
