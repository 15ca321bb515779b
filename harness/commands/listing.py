"""``semafuzz list``."""

from __future__ import annotations

from harness.detectors.registry import DETECTORS
from harness.schedulers.registry import SCHEDULERS


def run_list(what: str) -> int:
    """Print the names that other commands take."""
    from targets import TARGETS

    if what in ("all", "targets"):
        print("targets:")
        for name, target in TARGETS.items():
            print(f"  {name:<12} {target.summary}")
    if what in ("all", "releases"):
        print("releases:")
        for name, target in TARGETS.items():
            for release, state in target.releases():
                print(f"  {name:<12} {release:<10} {state}")
    if what in ("all", "schedulers"):
        print("schedulers:")
        for name, (summary, _) in SCHEDULERS.items():
            print(f"  {name:<12} {summary}")
    if what in ("all", "detectors"):
        print("detectors:")
        for name, (summary, _) in DETECTORS.items():
            print(f"  {name:<12} {summary}")
    return 0
