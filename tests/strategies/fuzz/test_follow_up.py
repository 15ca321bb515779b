"""A wrong state is used: what was a warning becomes an error, where it does."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import strategies as st

from semafuzz.commands.fuzz.run import Search, search
from semafuzz.harness.kernel.outcome import Outcome
from semafuzz.harness.runs.execution_config import ExecutionConfig
from semafuzz.harness.runs.program import execute
from semafuzz.harness.runs.session import controlled_session
from semafuzz.harness.schedulers.one_change_sweep import OneChangeSweep
from semafuzz.harness.traces.schema import Operation, Operations
from semafuzz.strategies.fuzz import loop
from semafuzz.strategies.fuzz.follow_up import consequences, continued
from semafuzz.strategies.fuzz.small_scope import SmallScope
from semafuzz.targets import choose_target
from semafuzz.targets.model.legality import is_legal
from semafuzz.targets.model.scenario import Scenario, describe

TARGET = """
    from semafuzz.targets.declared.api import DeclaredTarget, Violation, io, operation

    class Shop:
        def __init__(self):
            self.stock = self.shown = 3
            self.sold = 0

    class Model(DeclaredTarget):
        roles = ("new", "open")
        instance_arguments = {"size": (1, 2)}

        def start(self, configuration):
            return Shop()

        def set_up(self, world, instance, role, size):
            pass

        @operation
        def take(self, world):
            world.stock -= 3
            io("disk write")
            world.shown = world.stock

        @operation
        def refresh(self, world):
            seen = world.stock
            io("disk read")
            world.shown = seen

        @operation(before="new", after="open")
        def sell(self, world, instance):
            if world.shown:
                world.sold += 1
                if CAREFUL:
                    world.sold = min(world.sold, world.stock)

        def check(self, world):
            if world.shown != world.stock:
                yield Violation("shown", "what is shown is not there", "warning")
            if world.sold > max(world.stock, 0):
                yield Violation("sold", "what is not there was sold")
"""
BOTH = Scenario(Operations((), ((Operation("take"),), (Operation("refresh"),))))


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    return tmp_path


def found(here: Path, careful: bool) -> list[tuple[str, list[str]]]:
    """Each longer program with the errors that it shows, after a run that warns."""
    (here / "shop.py").write_text(f"CAREFUL = {careful}\n" + textwrap.dedent(TARGET))
    target = choose_target("shop.py:Model")
    with target.open("") as opened, controlled_session(opened.modules) as laboratory:
        setting = ExecutionConfig(bytearray(1 << 17))

        def warned(outcome: Outcome) -> bool:
            return [failure.severity for failure in outcome.failures] == ["warning"]

        sweep, number = OneChangeSweep(), 0
        while sweep.begin(number):
            made = execute(opened.program(BOTH), sweep, setting)
            sweep.end(made)
            laboratory.control.between_executions()
            number += 1
            if warned(made):
                break
        assert warned(made)
        return [
            (describe(longer), [one.error_type for one in outcome.failures if one.severity == "error"])
            for longer, outcome in consequences(BOTH, made, target, opened, setting)
        ]


def test_one_more_operation_shows_what_a_wrong_state_leads_to(here: Path) -> None:
    errors = {program for program, kinds in found(here, careful=False) if kinds}
    assert errors == {"take() || refresh() ; sell(1)"}


def test_where_nothing_comes_of_it_there_is_no_error(here: Path) -> None:
    every = found(here, careful=True)
    assert len(every) == 3
    assert not any(kinds for _, kinds in every)


def test_longer_programs_are_legal_and_on_old_and_new_instances(here: Path) -> None:
    (here / "shop.py").write_text("CAREFUL = True\n" + textwrap.dedent(TARGET))
    target = choose_target("shop.py:Model")
    setup = (Operation("instance", {"instance": 1, "role": "new", "size": 2}),)
    scenario = Scenario(Operations(setup, ((Operation("take"),), (Operation("refresh"),))))
    longer = list(continued(scenario, 1, target))
    assert all(is_legal(one.content, target.operations()) for one in longer)
    assert [describe(one) for one in longer] == [
        f"take() || refresh() ; {added}" for added in ("take()", "refresh()", "sell(1)", "sell(2)", "sell(2)")
    ]
    sizes = [[one.arguments["size"] for one in made.content.setup] for made in longer[-2:]]
    assert sizes == [[2, 2], [2, 1]], "like the first, and in the second best way"


def fuzzed(
    here: Path, monkeypatch: pytest.MonkeyPatch, generated: Scenario, small: list[Scenario], seconds: float = 4.0
) -> set[str]:
    """What a search finds that has these programs and no others."""
    (here / "shop.py").write_text("CAREFUL = False\n" + textwrap.dedent(TARGET))
    monkeypatch.setattr(loop, "scenarios", lambda target: st.just(generated))

    class Scope(SmallScope):
        def pairs(self, share: tuple[int, int] = (0, 1)) -> Iterator[tuple[int, Scenario]]:
            return ((0, one) for one in small)

        def count_pairs(self, share: tuple[int, int] = (0, 1)) -> int:
            return len(small)

        essentials = singles = failing_pairs = lambda self: iter(())

    monkeypatch.setattr(loop, "SmallScope", Scope)
    wanted = Search("shop.py:Model", "", "portfolio", 1000, seconds, 0, "threads", (), here / "out")
    return {one.message for one in search(wanted, lambda *_: None).failures}


def finds(
    message: str, here: Path, monkeypatch: pytest.MonkeyPatch, generated: Scenario, small: list[Scenario]
) -> bool:
    """Whether it finds that, however slow the machine is."""
    return any(message in fuzzed(here, monkeypatch, generated, small, seconds) for seconds in (4.0, 20.0, 100.0))


def test_a_search_looks_at_what_its_warnings_lead_to(here: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert finds("what is not there was sold", here, monkeypatch, BOTH, [])


@pytest.mark.slow
def test_a_search_goes_through_the_small_programs(here: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    idle = Scenario(Operations((), ((Operation("refresh"),),)))
    assert finds("what is shown is not there", here, monkeypatch, idle, [BOTH])
    assert not fuzzed(here, monkeypatch, idle, [])
