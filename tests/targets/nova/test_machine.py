"""The state machine of Nova's tracker, as the profile ``dev`` runs it."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import settings

from semafuzz.commands.trace.replay_operations import replay_operations
from semafuzz.harness.traces.codec import read
from semafuzz.harness.traces.signature import failure_identity
from semafuzz.strategies.generate import profiles
from semafuzz.strategies.machines.nova import NovaMachine
from semafuzz.strategies.machines.session import Found, run_machine
from semafuzz.strategies.machines.target import machine_of
from semafuzz.targets import find_target

pytestmark = pytest.mark.nova
GUARDED = (
    "claim",
    "claim_abort",
    "update_usage",
    "delete",
    "resize_claim",
    "resize_claim_abort",
    "drop_move_claim",
    "drop_move_claim_at_dest",
    "drop_move_claim_at_source",
    "audit",
)
"""Operations all of whose writes are made under the tracker's lock."""


def dev() -> settings:
    profiles.register()
    return settings(settings.get_profile("semafuzz-dev"), stateful_step_count=12, derandomize=True, database=None)


@pytest.mark.slow
def test_the_machine_finds_what_the_lock_does_not_guard(tmp_path: Path) -> None:
    """Which of the defects comes first is for the profile to say; that it is one of
    those that take an unguarded method, and replays, is for us."""
    with pytest.raises(Found) as caught:
        run_machine(NovaMachine, dev(), tmp_path)
    notes = "\n".join(caught.value.__notes__)
    assert any(line.startswith("Smallest program: ") for line in notes.splitlines())
    command = next(line for line in notes.splitlines() if line.startswith("semafuzz replay "))
    trace = read(Path(command.split()[2]))
    replayed = replay_operations(trace)
    assert replayed.digest == trace.expected.digest
    assert trace.expected.identity in [failure_identity(failure) for failure in replayed.outcome.failures]


@pytest.mark.slow
def test_guarded_operations_pass(tmp_path: Path) -> None:
    machine = machine_of(find_target("nova"), "GuardedMachine", operations=GUARDED, faults=False)
    run_machine(machine, settings(dev(), max_examples=10), tmp_path)
    assert not list(tmp_path.iterdir())


@pytest.mark.slow
@pytest.mark.parametrize("names", [("claim", "remove_node"), ("claim_abort", "remove_node")])
def test_the_machine_goes_on_past_what_is_known(
    names: tuple[str, ...], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Between the operations that the catalogue names, and between others that meet at the same place."""
    chosen = settings(dev(), max_examples=40)
    past = machine_of(find_target("nova"), "PastKnown", operations=names, faults=False, known="skip")
    run_machine(past, chosen, tmp_path)
    assert "went on past what is known: remove-node-unlocked" in capsys.readouterr().err
    assert not list(tmp_path.iterdir())
    reports = machine_of(find_target("nova"), "ReportsKnown", operations=names, faults=False)
    with pytest.raises(Found):
        run_machine(reports, chosen, tmp_path)
