"""Every release that is offered runs, and what the world cannot answer is named while the search goes on.

The releases need the package index, or what was fetched before; skipped where neither is there.
"""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from semafuzz.commands.fuzz.run import Search, search
from semafuzz.harness.errors import UsageError
from semafuzz.targets.nova.in_memory.conductor_instances import InstanceRemotables
from semafuzz.targets.nova.releases import environments

SECONDS = 15.0


@pytest.mark.nova
def test_a_call_that_the_world_lacks_is_named_and_the_search_goes_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delattr(InstanceRemotables, "do_Instance_drop_migration_context")
    result = search(Search("nova", "", "portfolio", 60, 60.0, 0, "threads", (), tmp_path), lambda *_: None)
    assert result.verdict != "uncontrolled"
    assert result.schedules >= 60
    told = [note for note in result.notes if "Instance.drop_migration_context" in note]
    assert len(told) == 1
    assert not [one for one in result.failures if "LookupError" in one.message]


@pytest.mark.nova
@pytest.mark.slow
@pytest.mark.parametrize("release", [release for release, _ in environments.states()])
def test_a_blind_search_of_every_release(release: str, tmp_path: Path) -> None:
    try:
        environments.of_release(release)
    except UsageError as error:
        pytest.skip(str(error))
    command = ["fuzz", "nova", "--release", release, "--seconds", str(SECONDS), "--out", str(tmp_path), "--json"]
    done = subprocess.run(
        [sys.executable, "-m", "semafuzz", *command], capture_output=True, text=True, check=False, timeout=600
    )
    assert done.returncode in (0, 1), done.stderr
    answer = json.loads(done.stdout.splitlines()[-1])
    assert answer["schedules"] > 20
    assert not [note for note in answer["notes"] if "has no answer" in note]
