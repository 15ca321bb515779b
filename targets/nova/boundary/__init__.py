"""Where Nova's code leaves the process: calls, faults, primitives, the life of a process."""
