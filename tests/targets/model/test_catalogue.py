"""Catalogues of defects: what they hold, what is refused, and that Nova's fit its target."""

from __future__ import annotations

import importlib.util
from pathlib import Path

import pytest

from semafuzz.harness.errors import UsageError
from semafuzz.targets import find_target
from semafuzz.targets.model.catalogue import Catalogued, Defect, read_catalogue, recognised
from semafuzz.targets.nova.operations.table import ROLES, TABLE

NOVA = Path(importlib.util.find_spec("nova").origin).parent  # type: ignore[arg-type,union-attr]
ENTRY = """
[[defect]]
name = "lost"
title = "An update is lost"
shows = "I1"
instances = ["1 new flavor=3"]
tasks = ["claim(1) ; delete(1)", "audit()"]
fault = "conductor_timeout in task 1"
fixed = ["2.0"]
"""


def write(folder: Path, text: str) -> Path:
    path = folder / "known.toml"
    path.write_text(text)
    return path


def defects() -> list[Defect]:
    nova = find_target("nova")
    assert isinstance(nova, Catalogued)
    return list(nova.defects())


def test_an_entry(tmp_path: Path) -> None:
    (found,) = read_catalogue(write(tmp_path, ENTRY))
    (instance,) = found.content.setup
    assert instance.arguments == {"instance": 1, "role": "new", "flavor": 3}
    assert [[one.name for one in task] for task in found.content.tasks] == [["claim", "delete"], ["audit"]]
    assert found.fault == ("conductor_timeout", 1)
    assert (found.severity, found.fixed, found.affected) == ("error", ("2.0",), ())


@pytest.mark.parametrize(
    "text",
    [
        "[[defect",
        "",
        "[[defect]]\nname = 'a'\n",
        ENTRY.replace("audit()", "audit; rm"),
        ENTRY.replace("1 new", "one new"),
        ENTRY.replace("in task 1", ""),
        ENTRY.replace('["2.0"]', "3"),
        ENTRY + 'also = [{ among = ["claim"] }]\n',
        ENTRY + 'also = [{ shows = "KeyError" }]\n',
    ],
)
def test_a_damaged_catalogue_is_refused(tmp_path: Path, text: str) -> None:
    with pytest.raises(UsageError, match=r"known\.toml cannot be read"):
        read_catalogue(write(tmp_path, text))


def test_one_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="cannot be read"):
        read_catalogue(tmp_path / "none.toml")


def test_names_are_unique() -> None:
    names = [defect.name for defect in defects()]
    assert len(names) == len(set(names))


@pytest.mark.parametrize("defect", defects(), ids=lambda one: one.name)
def test_an_entry_of_nova_fits_its_target(defect: Defect) -> None:
    nova = find_target("nova")
    nova.check(defect.content)
    assert all(instance.arguments["role"] in ROLES for instance in defect.content.setup)
    for operation in (one for task in defect.content.tasks for one in task):
        assert operation.name in TABLE
    if defect.fault is not None:
        assert defect.fault[0] in {fault.name for fault in nova.faults()}
        assert defect.fault[1] < len(defect.content.tasks)
    assert not set(defect.affected) & set(defect.fixed)
    for rule in defect.also:
        assert rule.among.union(*rule.any_of) <= set(TABLE) | {fault.name for fault in nova.faults()}
        for function in rule.at:
            assert _is_defined_in_nova(function), f"{function} is not in this Nova"


def _is_defined_in_nova(function: str) -> bool:
    owner, _, name = function.partition(".")
    return any(
        f"class {owner}" in text and f"def {name}(" in text
        for text in (
            path.read_text() for folder in ("compute", "objects", "pci") for path in (NOVA / folder).glob("*.py")
        )
    )


@pytest.mark.parametrize("defect", [one for one in defects() if not one.known], ids=lambda one: one.name)
def test_a_finding_of_ours_says_where_it_is_and_what_heals_it(defect: Defect) -> None:
    assert defect.severity == "error"
    assert defect.heals
    assert defect.text
    assert defect.models
    assert defect.lines
    for line in defect.lines:
        name, _, number = line.at.partition(":")
        assert (NOVA / name).read_text().splitlines()[int(number) - 1].strip() == line.code


KNOWN = """
[[defect]]
name = "lost"
title = "t"
shows = "KeyError"
warns = "I1"
tasks = ["claim(1)", "remove()"]
instances = ["1 new flavor=1"]
affected = ["0.9", "1.0"]
fixed = ["0.9.5", "2.0"]

[[defect]]
name = "faulty"
title = "t"
shows = "I8"
tasks = ["boot(1)"]
instances = ["1 new flavor=1"]
fault = "timeout in task 0"
"""


@pytest.mark.parametrize(
    ("shown", "program", "tasks", "release", "name"),
    [
        ("KeyError", ["claim", "remove"], 2, "1.0", "lost"),
        ("I1, I2", ["boot", "remove", "audit"], 2, "1.0", "lost"),
        ("KeyError", ["claim", "remove"], 1, "1.0", None),
        ("KeyError", ["claim", "audit"], 2, "1.0", None),
        ("KeyError", ["claim", "remove"], 2, "2.0", None),
        ("KeyError", ["claim", "remove"], 2, "3.1", None),
        ("KeyError", ["claim", "remove"], 2, "0.9.5", None),
        ("KeyError", ["claim", "remove"], 2, "0.9.6", "lost"),
        ("KeyError", ["claim", "remove"], 2, "1.5", "lost"),
        ("ValueError", ["claim", "remove"], 2, "1.0", None),
        ("I8 pools", ["boot", "timeout"], 1, "1.0", "faulty"),
        ("I8 pools", ["claim", "timeout"], 1, "1.0", "faulty"),
        ("I8 pools", ["claim"], 1, "1.0", None),
    ],
)
def test_a_failure_is_recognised_by_its_name_and_its_operations(
    tmp_path: Path, shown: str, program: list[str], tasks: int, release: str, name: str | None
) -> None:
    (tmp_path / "known.toml").write_text(KNOWN)
    defects = read_catalogue(tmp_path / "known.toml")
    found = recognised(defects, shown, program, tasks=tasks, like={"boot": "claim"}, release=release)
    assert (found.name if found else None) == name


ELSEWHERE = """
[[defect]]
name = "unlocked"
title = "t"
shows = "KeyError"
tasks = ["claim(1)", "remove()"]
instances = ["1 new flavor=1"]
fixed = ["2.0"]
also = [
    { shows = "Error", at = ["Tracker.remove"], among = ["remove"] },
    { shows = "I8", among = ["boot"], any_of = [["timeout", "deadlock"]] },
]
"""


@pytest.mark.parametrize(
    ("shown", "program", "functions", "name"),
    [
        ("KeyError", ["claim", "remove"], [], "unlocked"),
        ("ValueError", ["audit", "remove"], ["Tracker.remove", "Tracker.audit"], "unlocked"),
        ("ValueError", ["audit", "remove"], ["Tracker.audit"], None),
        ("ValueError", ["audit"], ["Tracker.remove"], None),
        ("I1", ["audit", "remove"], ["Tracker.remove"], None),
        ("I8 pools", ["boot", "audit", "timeout"], [], "unlocked"),
        ("I8 pools", ["boot", "deadlock"], [], "unlocked"),
        ("I8 pools", ["boot", "audit"], [], None),
        ("I8 pools", ["audit", "timeout"], [], None),
    ],
)
def test_a_defect_shows_between_other_operations_too(
    tmp_path: Path, shown: str, program: list[str], functions: list[str], name: str | None
) -> None:
    known = read_catalogue(write(tmp_path, ELSEWHERE))
    found = recognised(known, shown, program, tasks=2, functions=functions, release="1.0")
    assert (found.name if found else None) == name


def test_what_takes_two_tasks_is_recognised_in_one_under_no_name(tmp_path: Path) -> None:
    known = read_catalogue(write(tmp_path, ELSEWHERE))
    for tasks, name in ((1, None), (2, "unlocked")):
        found = recognised(known, "I8 pools", ["boot", "timeout"], tasks=tasks, release="1.0")
        assert (found.name if found else None) == name


@pytest.mark.parametrize("release", ["2.0", "source"])
def test_it_does_not_where_it_is_fixed_or_nobody_can_tell(tmp_path: Path, release: str) -> None:
    known = read_catalogue(write(tmp_path, ELSEWHERE))
    there = ["Tracker.remove"]
    assert recognised(known, "ValueError", ["remove"], tasks=2, functions=there, release="1.0") is not None
    assert recognised(known, "ValueError", ["remove"], tasks=2, functions=there, release=release) is None
