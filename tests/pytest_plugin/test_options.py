"""Who is heard first, what makes no sense, and what the profiles mean."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import settings

from semafuzz.pytest_plugin import options

Session = Callable[..., pytest.RunResult]
COUNTED = """
@pytest.mark.interleave{}
def test_it(make_account):
    account = make_account()
    together(*[account.deposit_safely] * 8)
"""


def schedules(result: pytest.RunResult) -> int:
    (line,) = [one for one in result.outlines if one.startswith("interleave: ") and " schedules; " in one]
    return int(line.split()[1].replace(",", ""))


@pytest.mark.parametrize(
    ("ini", "marker", "arguments", "expected"),
    [
        pytest.param("", "", [], 1000, marks=pytest.mark.slow),
        ("interleave_profile = dev", "", [], 300),
        ("interleave_profile = dev\ninterleave_schedules = 40", "", [], 40),
        ("interleave_schedules = 40", "", ["--interleave-profile", "dev"], 300),
        ("interleave_schedules = 40", "(schedules=30)", [], 30),
        ("", "(schedules=30)", ["--interleave-profile", "dev"], 30),
        ("interleave_schedules = 40", "(schedules=30)", ["--interleave-schedules", "20"], 20),
    ],
)
def test_the_nearest_word_counts(
    session: Session, pytester: pytest.Pytester, ini: str, marker: str, arguments: list[str], expected: int
) -> None:
    pytester.makeini(f"[pytest]\n{ini}\n")
    result = session(COUNTED.format(marker), *arguments)
    result.assert_outcomes(passed=1)
    assert schedules(result) == expected


def test_every_key_of_the_file_works(session: Session, pytester: pytest.Pytester, broken: str) -> None:
    pytester.makeini(
        "[pytest]\ninterleave_scheduler = random pct2\ninterleave_seconds = 2.5\ninterleave_seed = 9\n"
        "interleave_model = threads\ninterleave_instrument = json\ninterleave_keep_going = true\n"
        "interleave_strict = true\ninterleave_out = findings\n"
    )
    result = session(broken)
    result.assert_outcomes(failed=2)
    result.stdout.fnmatch_lines(["*(scheduler random, seed 9)*", "*(scheduler pct2, seed 9)*"])
    assert list(pytester.path.glob("findings/*/*.json"))


@pytest.mark.skipif(pytest.version_tuple < (9,), reason="native types are new in pytest 9")
def test_keys_may_have_native_types(session: Session, pytester: pytest.Pytester) -> None:
    pytester.makepyprojecttoml(
        '[tool.pytest]\ninterleave_schedules = 25\ninterleave_seconds = 60.0\ninterleave_scheduler = ["random"]\n'
        'interleave_keep_going = true\ninterleave_traces = ["kept"]\n'
    )
    result = session(COUNTED.format(""))
    result.assert_outcomes(passed=1)
    assert schedules(result) == 25


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("interleave_schedules = none", "interleave_schedules"),
        ("interleave_schedules = 0", "interleave_schedules"),
        ("interleave_seconds = -1", "interleave_seconds"),
        ("interleave_model = fast", "interleave_model in *'fast' is not one of threads, gil, eventlet"),
        ("interleave_profile = fast", "interleave_profile in *'fast' is not one of dev, ci, nightly, replay"),
        ("interleave_scheduler = fast", "interleave_scheduler: unknown scheduler 'fast'"),
    ],
)
def test_a_key_that_makes_no_sense_is_a_usage_error(
    session: Session, pytester: pytest.Pytester, line: str, words: str
) -> None:
    pytester.makeini(f"[pytest]\n{line}\n")
    result = session(COUNTED.format(""))
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    result.stderr.fnmatch_lines([f"*{words}*"])


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--interleave-schedules", "0"], "'0' is not a whole number from 1 on"),
        (["--interleave-schedules", "many"], "'many' is not a whole number from 1 on"),
        (["--interleave-seconds", "0"], "'0' is not a number of seconds above 0"),
        (["--interleave-seconds", "nan"], "'nan' is not a number of seconds above 0"),
        (["--interleave-seed", "-1"], "'-1' is not a whole number from 0"),
        (["--interleave-model", "fast"], "invalid choice: 'fast'"),
        (["--interleave-profile", "fast"], "invalid choice: 'fast'"),
        (["--interleave-scheduler", "random,fast"], "--interleave-scheduler: unknown scheduler 'fast'"),
        (["--interleave-traces", "nowhere"], "there is no folder"),
        (["--interleave-traces", "test_bank.py"], "is a file; give the folder"),
        (["--interleave-replay", "nowhere.json"], "there is no trace"),
    ],
)
def test_an_option_that_makes_no_sense_is_a_usage_error(session: Session, arguments: list[str], words: str) -> None:
    result = session(COUNTED.format(""), *arguments)
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    assert words in result.stderr.str()


def test_the_command_line_has_an_item_for_each_scheduler(session: Session) -> None:
    result = session(COUNTED.format("(scheduler='pct3')"), "--interleave-scheduler", "random,pct2", "--co", "-q")
    assert [line for line in result.outlines if "::" in line] == [
        "test_bank.py::test_it[random]",
        "test_bank.py::test_it[pct2]",
    ]


def test_one_seed_one_result(session: Session, broken: str) -> None:
    def found(seed: str) -> tuple[str, str]:
        result = session(broken, "--interleave-seed", seed, "--interleave-scheduler", "random")
        (line,) = [one for one in result.outlines if one.startswith("in schedule ")]
        (trace,) = Path(".semafuzz").glob("*/*.json")
        return line, trace.read_text()

    assert found("3") == found("3")
    assert len({found(str(seed))[0].partition(" (")[0] for seed in range(8)}) > 1


def test_a_nightly_session_has_a_seed_of_its_own_and_says_which(session: Session) -> None:
    def seed(*arguments: str) -> str:
        result = session(COUNTED.format("(schedules=5)"), "--interleave-profile", "nightly", *arguments)
        found = re.search(r"interleave: profile nightly, seed (\d+)", result.stdout.str())
        assert found is not None
        return found[1]

    assert seed() != seed()
    assert options.PROFILES["nightly"].random
    assert not any(profile.random for name, profile in options.PROFILES.items() if name != "nightly")


def test_a_profile_sets_hypothesis_up_unless_that_was_done(session: Session) -> None:
    source = "from hypothesis import settings\ndef test_it(): print(settings.get_current_profile_name(), '|')\n"
    assert "semafuzz-ci |" in session(source, "-s", "--interleave-profile", "ci").stdout.str()
    given = session(source, "-s", "--interleave-profile", "ci", "--hypothesis-profile", "default")
    assert "default |" in given.stdout.str()
    assert "semafuzz" not in session(source, "-s").stdout.str().partition("collected")[2]


@pytest.mark.parametrize("profile", ["replay", "nightly"])
def test_a_session_leaves_hypothesis_as_it_was(session: Session, profile: str) -> None:
    before = settings.get_current_profile_name()
    session("def test_it(): pass\n", "--interleave-profile", profile)
    assert settings.get_current_profile_name() == before


def test_help_and_markers_tell_of_it(session: Session) -> None:
    text = session("", "--help").stdout.str()
    for name in ("scheduler", "schedules", "seconds", "seed", "model", "out", "profile", "traces", "replay"):
        assert f"--interleave-{name}" in text
    assert "@pytest.mark.interleave(scheduler=" in session("", "--markers").stdout.str()
