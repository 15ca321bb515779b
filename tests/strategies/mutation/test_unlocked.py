"""Mutants of Nova's tracker: one that dies by an error of its own, and a score that says what survived."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

import pytest

from semafuzz.commands.mutate.released import unlocked_section
from semafuzz.commands.mutate.unlocked import Unlocked, locked_methods
from semafuzz.harness.errors import UsageError
from semafuzz.harness.runs.budget import Deadline
from semafuzz.harness.runs.execution_config import ExecutionConfig
from semafuzz.harness.runs.session import controlled_session
from semafuzz.strategies.fuzz.small_scope import SmallScope
from semafuzz.strategies.mutation import unlocked
from semafuzz.strategies.mutation.section_sweep import SectionSweep, _Learned
from semafuzz.strategies.mutation.unlocked import CONTROL, FIRST, LOOK, SERIAL, MutantSearch, _Tried
from semafuzz.targets import find_target
from semafuzz.targets.model.scenario import Scenario
from tests.conftest import Run

KILLED = Unlocked("Tracker.claim", ("claim",), "exception: KeyError: 1 (claim, audit)", "", 9, 4, 3, 70, 3.0)
SURVIVED = Unlocked("Tracker.look", ("look",), "", "", 9, 0, 0, 400, 60.0)
ARGUED = Unlocked("Tracker.name", ("name",), "", "it only reads what never changes", 9, 0, 0, 400, 60.0)


def test_the_score_tells_what_survived_first_and_does_not_hide_what_is_argued() -> None:
    section = unlocked_section([KILLED, ARGUED, SURVIVED], "nova 34.0.0")
    assert section.title == "Mutants of nova 34.0.0: 1 of 3 killed by an error, 1 argued harmless"
    assert [row.cells[1] for row in section.rows] == ["survives", "argued harmless", "killed"]
    assert [row.severity for row in section.rows] == ["warning", None, None]
    assert "no error of its own in 9 programs of look" in section.rows[0].details[0]


def test_what_could_not_be_searched_says_so() -> None:
    hung = Unlocked("Tracker.claim", (), "", "", 0, 0, 0, 0, 360.0, "hung, and was killed", died=True)
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


class Stubbed(MutantSearch):
    """Does not run its programs: each has as many places as its turn needs, and some meet the method at the same."""

    def kinds(self, meetings: Sequence[set[int]], places: int) -> list[tuple[int, int]]:
        """Judge programs with these meetings and so many places each; which of them had turns of how many."""
        scenario = next(one for number, one in SmallScope(self.target, lambda _: [], 0).pairs() if not number)
        self._programs.reaching = lambda method: (("take",), iter([scenario] * len(meetings)))  # type: ignore[method-assign]
        self.meetings, self.places, self.turns, self.made = meetings, places, [], []
        self.judge("Pool.take", 1e9)
        return self.turns

    def _tried(self, scenario: Scenario, method: str) -> _Tried:
        one = MutantSearch._tried(self, scenario, method)
        self.made.append(one)
        return one

    def _kills(self, one: _Tried, method: str, allowed: int, mutant: ExecutionConfig, deadline: Deadline) -> str:
        number = next(number for number, other in enumerate(self.made) if other is one)
        assert isinstance(one.sections, SectionSweep)
        if allowed > SERIAL:
            self.turns.append((number, allowed))
        # Later runs meet it at a place of their own, and runs of the unchanged code count for nobody.
        met = self.meetings[number] | ({1000 + number} if one.turns else set())
        one.sections._learned[0, 0] = _Learned(0, 0, 0, [1] if met else [], [], 1, frozenset(met))
        ran = min(allowed, max(0, self.places - one.schedules))
        one.schedules += ran
        self._schedules += ran + 300
        one.swept = not ran
        return ""


def stubbed(meetings: Sequence[set[int]], places: int) -> list[tuple[int, int]]:
    target = find_target("reference")
    with target.open() as opened, controlled_session(opened.modules) as laboratory:
        return Stubbed(target, opened, laboratory).kinds(meetings, places)


def test_kinds_of_programs_share_the_schedules_and_one_of_a_kind_is_searched_first() -> None:
    turns = stubbed([{1, 2}, {1, 2}, {1, 2}, {3}], FIRST * 3 + SERIAL)
    assert turns[:4] == [(0, FIRST), (3, FIRST), (0, 2 * FIRST), (3, 2 * FIRST)]
    assert [number for number, _ in turns[4:]] == [0, 3, 1, 1, 1, 2, 2, 2], "each is left where nothing is left of it"


def test_what_does_not_meet_has_a_look_and_no_turns() -> None:
    look, *turns = stubbed([set(), {1}], 1000)
    assert look == (0, LOOK)
    assert {number for number, _ in turns} == {1}


def test_further_programs_are_looked_at_after_so_many_schedules_for_each(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(unlocked, "CHUNK", 2)
    monkeypatch.setattr(unlocked, "EACH", FIRST)
    turns = stubbed([{1}, {1}, {2}, {2}], 10_000)
    # Two programs at hand have twice as many together, by whole turns.
    assert turns[:3] == [(0, FIRST), (0, 2 * FIRST), (2, FIRST)]


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
