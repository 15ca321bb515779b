"""Taking control of a process: standard primitives exchanged, escapes and stalls noticed."""
