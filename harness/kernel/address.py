"""What tells one living object from another.

``id`` raises an audit event with each call, and the hook that watches for escapes
(:mod:`semafuzz.harness.kernel.install.escapes`) is called for every event there is: 0.4 µs a time, tens of
thousands of times in an execution. The hash that objects have by default is the address as well, turned by
four bits (``_Py_HashPointer``), and tells nobody.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

address: Final[Callable[[object], int]] = object.__hash__
"""A number that no other living object has, whatever its class says about hashes; not the one of ``id``."""
