"""The profiles of Hypothesis: what each must do, also where a CI is detected."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import Phase, settings

from semafuzz.strategies.generate import profiles

EXAMPLES = """
import sys
from hypothesis import given, settings, strategies as st
from semafuzz.strategies.generate import profiles

profiles.load(sys.argv[1])
seen = []

@given(st.integers(0, 10**9))
def run(number):
    seen.append(number)

run()
print(settings.get_current_profile_name(), len(seen), *seen[:50])
"""


def examples(name: str, folder: Path, **environment: str) -> list[str]:
    """What a process with this profile tries: profile, how many, the first of them."""
    done = subprocess.run(
        [sys.executable, "-c", EXAMPLES, name],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path), **environment},
        capture_output=True,
        text=True,
        check=True,
        timeout=240,
    )
    return done.stdout.split()


@pytest.fixture(scope="module", autouse=True)
def _put_back() -> None:
    before = settings.get_current_profile_name()
    profiles.register()
    assert settings.get_current_profile_name() == before, "registering loads nothing"


def test_nightly_is_random_where_a_ci_is_detected(tmp_path: Path) -> None:
    first, second = (examples("nightly", tmp_path, CI="1") for _ in range(2))
    assert first[:2] == second[:2] == ["semafuzz-nightly", "2000"]
    assert first != second


@pytest.mark.parametrize("detected", [{"CI": "1"}, {"CI": ""}])
def test_ci_is_the_same_every_time(tmp_path: Path, detected: dict[str, str]) -> None:
    first, second = (examples("semafuzz-ci", tmp_path, **detected) for _ in range(2))
    assert first == second
    assert first[:2] == ["semafuzz-ci", "50"]
    assert not list(tmp_path.glob(".hypothesis/examples/*"))


def test_replay_tries_nothing_new(tmp_path: Path) -> None:
    with pytest.raises(subprocess.CalledProcessError) as ended:
        examples("replay", tmp_path)
    assert "SkipTest: Hypothesis has been told to run no test cases" in ended.value.stderr


def test_what_they_are() -> None:
    found = {name: settings.get_profile(profiles.PREFIX + name) for name in profiles.NAMES}
    assert all(one.deadline is None for one in found.values())
    assert [one.derandomize for one in found.values()] == [False, True, False, False]
    assert [one.database is None for one in found.values()] == [False, True, False, False]
    assert found["replay"].phases == (Phase.explicit, Phase.reuse)
    assert found["dev"].max_examples < found["nightly"].max_examples


def test_the_profiles_of_others_are_left_alone() -> None:
    ours = {profiles.PREFIX + name for name in profiles.NAMES}
    assert not ours & {"ci", "default"}
    assert settings.get_profile("ci").max_examples == 100
    assert settings.get_profile("default").max_examples == 100


def test_an_unknown_name_is_refused() -> None:
    with pytest.raises(ValueError, match="there is no profile 'weekly'; there are dev, ci, nightly, replay"):
        profiles.load("weekly")
