"""Mutants of Nova's tracker: one that dies by an error of its own, and a score that says what survived."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from semafuzz.commands.mutate.released import unlocked_section
from semafuzz.commands.mutate.unlocked import Unlocked, locked_methods
from semafuzz.harness.errors import UsageError
from semafuzz.harness.runs.execution_config import ExecutionConfig
from semafuzz.harness.runs.session import controlled_session
from semafuzz.strategies.fuzz.small_scope import SmallScope
from semafuzz.strategies.mutation.section_sweep import SectionSweep, _Learned
from semafuzz.strategies.mutation.unlocked import CONTROL, MutantSearch
from semafuzz.targets import find_target
from tests.conftest import Run

KILLED = Unlocked("Tracker.claim", ("claim",), "exception: KeyError: 1 (claim, audit)", "", 9, 4, 70, 3.0)
SURVIVED = Unlocked("Tracker.look", ("look",), "", "", 9, 0, 400, 60.0)
ARGUED = Unlocked("Tracker.name", ("name",), "", "it only reads what never changes", 9, 0, 400, 60.0)


def test_the_score_tells_what_survived_first_and_does_not_hide_what_is_argued() -> None:
    section = unlocked_section([KILLED, ARGUED, SURVIVED], "nova 34.0.0")
    assert section.title == "Mutants of nova 34.0.0: 1 of 3 killed by an error, 1 argued harmless"
    assert [row.cells[1] for row in section.rows] == ["survives", "argued harmless", "killed"]
    assert [row.severity for row in section.rows] == ["warning", None, None]
    assert "no error of its own in 9 programs of look" in section.rows[0].details[0]


def test_what_could_not_be_searched_says_so() -> None:
    hung = Unlocked("Tracker.claim", (), "", "", 0, 0, 0, 360.0, "hung, and was killed", died=True)
    (row,) = unlocked_section([hung], "nova").rows
    assert (row.cells[1], row.details) == ("not searched", ("hung, and was killed",))


@pytest.mark.nova
def test_locked_methods_are_those_of_the_source() -> None:
    found = locked_methods(find_target("nova"), "")
    assert "ResourceTracker.instance_claim" in found
    assert "ResourceTracker.build_failed" not in found
    assert locked_methods(find_target("nova"), "", "update_usage") == ["ResourceTracker.update_usage"]
    with pytest.raises(UsageError, match="has no locked method 'build_failed'"):
        locked_methods(find_target("nova"), "", "build_failed")
    with pytest.raises(UsageError, match="names no class whose lock could be left out"):
        locked_methods(find_target("reference"), "")


def test_the_control_of_an_error_runs_in_full_where_few_places_meet() -> None:
    target = find_target("reference")
    with target.open() as opened, controlled_session(opened.modules) as laboratory:
        search = MutantSearch(target, opened, laboratory)
        scenario = next(one for number, one in SmallScope(target, lambda _: [], 0).pairs() if not number)
        tried, setting = search._tried(scenario, ""), ExecutionConfig(search._no_points())
        assert len(list(search._control(tried, opened.program(scenario), 60, setting))) == tried.schedules == 60


def test_programs_that_meet_the_method_at_the_same_places_share_their_schedules() -> None:
    target = find_target("reference")
    with target.open() as opened, controlled_session(opened.modules) as laboratory:
        search = MutantSearch(target, opened, laboratory)
        scenario = next(one for number, one in SmallScope(target, lambda _: [], 0).pairs() if not number)
        alike, likewise, other = (search._tried(scenario, "Pool.take") for _ in range(3))
        for one, places in ((alike, {1, 2}), (likewise, {1, 2}), (other, {2})):
            assert isinstance(one.sections, SectionSweep)
            one.sections._learned[0, 0] = _Learned(0, 0, 0, [1], [1], 1, frozenset(places))
            one.kind = one.meetings
        likewise.turns = 1
        order = sorted([alike, other, likewise], key=search._next_turn)
        assert order.index(likewise) == 0, "of a kind one is searched to its end first"
        search._spent[likewise.kind] += 48
        assert sorted([alike, other, likewise], key=search._next_turn) == [other, likewise, alike]


@pytest.mark.nova
@pytest.mark.slow
def test_a_claim_without_its_lock_is_killed_by_an_error(semafuzz: Run, tmp_path: Path) -> None:
    done = semafuzz("mutate", "nova", "--only", "instance_claim", "--json")
    (row,) = json.loads(done.stdout.splitlines()[-1])["mutants"]
    assert done.returncode == 0
    assert row["fate"] == "killed"
    assert "lock-discipline" not in row["killed"]
    # Those of the unchanged tracker count too: an error kills where all of these do not show it.
    assert row["schedules"] > CONTROL
