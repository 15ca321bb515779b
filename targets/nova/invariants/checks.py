"""Checks of the invariants, by the numbers of ``docs/nova-invariants.md``.

Which of them a fault excuses follows from what they check, and is said here.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Check:
    """One kind of check. ``number``: that of its invariant. ``counts_records``: it compares the
    tracker with the records that there are at the moment, so that a record which somebody else
    deletes excuses it until the next audit. ``holds_after_kill``: it has to hold where a service
    was killed at work, which leaves what was being built or moved half done until somebody ends
    it."""

    number: str
    counts_records: bool = False
    holds_after_kill: bool = False


@dataclass(frozen=True, slots=True)
class Violation:
    """One thing that does not hold. ``what`` tells the violations of a check apart, ``text`` has
    the values."""

    check: Check
    what: str
    text: str

    @property
    def name(self) -> str:
        """What identifies it: the number of the invariant and what is wrong."""
        return f"{self.check.number} {self.what}".strip()


MEMORY = Check("I1", counts_records=True)
VCPUS = Check("I2", counts_records=True)
DISK = Check("I3", counts_records=True)
FREE = Check("I4", holds_after_kill=True)
STATISTICS = Check("I5")
PINNED_CPUS = Check("I6", counts_records=True)
PINNED_ONCE = Check("I6", counts_records=True, holds_after_kill=True)
CELLS = Check("I7", counts_records=True)
DEVICE_POOLS = Check("I8", holds_after_kill=True)
DEVICE_OWNERS = Check("I9", counts_records=True)
DEVICE_COUNTS = Check("I9")
UNITS_OWNED_ONCE = Check("I9", holds_after_kill=True)
SAVED_ROWS = Check("I10", holds_after_kill=True)
TRACKED = Check("I11", counts_records=True)
GIVEN_OUT = Check("I12", counts_records=True)
ALLOCATIONS = Check("I13")
AUDITS = Check("I14", holds_after_kill=True)
INSTANCE_ROWS = Check("I15")
RATIOS = Check("I17", holds_after_kill=True)
TOTALS = Check("I18", holds_after_kill=True)
DISABLED = Check("I19", holds_after_kill=True)
STUCK = Check("I20")
FAILED_BUILDS = Check("", holds_after_kill=True)
