"""Search strategies over a target: generated programs, the fuzz loop, state machines."""
