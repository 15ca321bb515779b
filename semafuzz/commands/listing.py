"""``semafuzz list``."""

from __future__ import annotations

from semafuzz.harness.detectors.registry import DETECTORS
from semafuzz.harness.schedulers.registry import SCHEDULERS
from semafuzz.targets.model.catalogue import Catalogued, Defect
from semafuzz.targets.model.scenario import describe_operation


def run_list(what: str) -> int:
    """Print the names that other commands take."""
    from semafuzz.targets import TARGETS

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
            print(f"  {name:<14} {summary}")
    if what in ("all", "detectors"):
        print("detectors:")
        for name, (summary, _) in DETECTORS.items():
            print(f"  {name:<12} {summary}")
    if what == "defects":
        for target in TARGETS.values():
            if isinstance(target, Catalogued):
                for defect in target.defects():
                    _print_defect(defect)
    return 0


def _print_defect(defect: Defect) -> None:
    tasks = " || ".join(" ; ".join(map(describe_operation, task)) for task in defect.content.tasks)
    print(f"{defect.name}: {defect.title}")
    print(f"    {defect.severity}: {defect.shows}{f'; {defect.known}' if defect.known else ''}")
    print(f"    {tasks}{f', with {defect.fault[0]}' if defect.fault else ''}")
