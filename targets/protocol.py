"""What a target is: operations on a world, and oracles that judge it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from types import ModuleType
from typing import Protocol

from harness.program import Program
from harness.traces.schema import Operations


@dataclass(frozen=True, slots=True)
class OperationInfo:
    """One operation, as far as generating programs goes.

    ``on_instance``: it works on one instance, which must have the role ``before``
    and then has ``after``. ``shared``: it may run beside others on the same
    instance. ``weight``: its share among the operations of programs.
    """

    name: str
    on_instance: bool
    before: str
    after: str
    shared: bool
    weight: int


class OpenTarget(Protocol):
    """A target ready to run programs."""

    release: str
    modules: Sequence[ModuleType]
    libraries: Mapping[str, str]

    def program(self, content: Operations) -> Program:
        """The program of these operations; UsageError where it is not one."""


class Target(Protocol):
    """What the registry holds; imports of the code under test happen in ``open``."""

    name: str
    summary: str

    def releases(self) -> list[tuple[str, str]]:
        """``(release, state)`` of each release that can be driven."""

    def operations(self) -> Sequence[OperationInfo]:
        """The operation table."""

    def roles(self) -> Sequence[str]:
        """The roles in which an instance can start."""

    def open(self, release: str = "") -> AbstractContextManager[OpenTarget]:
        """Make the target ready; everything is put back when the block ends."""
