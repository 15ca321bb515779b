"""The homework of three reviews as one state machine: updates of usage, clean-ups of resizes that failed, migrations.

Run it with ``pytest examples/nova_tracker`` where Nova is installed. Every invariant of the tracker is looked at
whenever nothing is under way, and the lock discipline after every step.
"""

from hypothesis import settings

from semafuzz import machine_of
from semafuzz.strategies.generate import profiles
from semafuzz.targets import find_target

USAGE = ("claim", "claim_abort", "update_usage", "delete", "audit", "build_failed", "build_succeeded")
FAILED_RESIZES = ("resize_claim", "resize_claim_abort", "resize_fails", "drop_move_claim", "drop_move_claim_at_dest")
MIGRATIONS = (
    "resize_away", "resize_here", "confirm_away", "confirm_here", "revert_away", "revert_here",
    "live_migrate_away", "live_migrate_here", "evacuate_here", "drop_move_claim_at_source",
)  # fmt: skip

TrackerMachine = machine_of(
    find_target("nova"),
    "TrackerMachine",
    operations=(*USAGE, *FAILED_RESIZES, *MIGRATIONS),
    known="skip",
)

profiles.register()
TestTracker = TrackerMachine.TestCase
TestTracker.settings = settings(settings.get_profile("semafuzz-dev"))
