"""What a person and a CI read: the report, the summary, JUnit, and a command that works."""

from __future__ import annotations

import os
import shlex
import subprocess
from collections.abc import Callable
from pathlib import Path
from xml.etree import ElementTree

import pytest

from semafuzz.pytest_plugin import exploring, outcomes

Session = Callable[..., pytest.RunResult]
WARNING_ONLY = """
from dataclasses import replace
from semafuzz.pytest_plugin import marked_test

without_addresses = marked_test._without_addresses

def pytest_configure():
    marked_test._without_addresses = lambda failure: replace(without_addresses(failure), severity="warning")

def pytest_unconfigure():
    marked_test._without_addresses = without_addresses
"""


def command_in(result: pytest.RunResult) -> str:
    """The command under the report's last heading."""
    lines = result.outlines
    return lines[lines.index("replay:") + 1].strip()


def run(command: str, folder: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        shlex.split(command), cwd=folder, capture_output=True, text=True, check=False, timeout=240, env=os.environ
    )


def properties(path: Path) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for one in ElementTree.parse(path).iter("property"):
        found.setdefault(one.attrib["name"], []).append(one.attrib["value"])
    return found


def test_the_report_has_no_frames_of_ours(session: Session, broken: str) -> None:
    text = session(broken).stdout.str()
    assert "Traceback" not in text
    assert "harness/" not in text
    assert "/semafuzz/" not in text
    assert len(text.splitlines()) < 50


def test_on_a_ci_server_the_report_is_not_printed_twice(
    session: Session, broken: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CI", "true")
    assert session(broken).stdout.str().count("interleaving:") == 1


def test_the_summary_has_a_line_for_each_finding_with_the_command_last(session: Session, broken: str) -> None:
    result = session(broken + broken.replace("test_two", "test_other") + "\ndef test_plain(): pass\n", "-q")
    start = next(n for n, line in enumerate(result.outlines) if "interleave findings" in line)
    first, second, totals = result.outlines[start + 1 : start + 4]
    assert " error: test_bank.py::test_two[portfolio]: assertion: AssertionError: assert 1 == 2: " in first
    assert " error: test_bank.py::test_other[portfolio]: " in second
    for line in (first, second):
        assert line.endswith(".json")
        assert " replay .semafuzz/test_bank.py-test_" in line
    assert totals == "interleave: 2 schedules; 2 found something"


def test_a_function_alone_gets_the_short_command_and_it_works(
    process: Session, pytester: pytest.Pytester, broken: str
) -> None:
    command = command_in(process(broken))
    assert shlex.split(command)[1] == "replay"
    done = run(command, pytester.path)
    assert done.returncode == 1, done.stderr
    assert "the recorded one" in done.stdout


@pytest.mark.parametrize(
    ("case", "node"),
    [
        ("fixture", "test_bank.py::test_two"),
        ("parameter", "'test_bank.py::test_two[a b]'"),
        ("method", "test_bank.py::TestIt::test_two"),
    ],
)
def test_what_needs_pytest_gets_a_command_of_pytest_and_it_works(
    process: Session, pytester: pytest.Pytester, broken: str, case: str, node: str
) -> None:
    if case == "fixture":
        broken = broken.replace("test_two()", "test_two(make_account)")
    elif case == "parameter":
        broken = broken.replace("test_two()", "test_two(text)").replace(
            "@pytest", "@pytest.mark.parametrize('text', ['a b'])\n@pytest", 1
        )
    elif case == "method":
        body = broken.replace("test_two()", "test_two(self)").strip().replace("\n", "\n    ")
        broken = f"\nclass TestIt:\n    {body}\n"
    result = process(broken)
    result.assert_outcomes(failed=1)
    command = command_in(result)
    assert f"pytest {node} --interleave-replay " in command
    if "semafuzz" not in result.stdout.str().split("plugins:")[1].splitlines()[0]:
        command += " -p semafuzz.pytest_plugin"
    done = run(command, pytester.path)
    assert done.returncode == 1, done.stdout
    assert "still shows it" in done.stdout


def test_the_command_fits_the_folder_of_the_session(
    session: Session, pytester: pytest.Pytester, broken: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    pytester.makeini("[pytest]\n")
    below = pytester.mkdir("below")
    source = broken.replace("test_two()", "test_two(make_account)")
    session(source, "--collect-only")
    monkeypatch.chdir(below)
    result = session("", "..")
    result.assert_outcomes(failed=1)
    assert "pytest ../test_bank.py::test_two --interleave-replay ../.semafuzz/" in command_in(result)


def test_semafuzz_replay_says_when_a_trace_needs_pytest(
    session: Session, pytester: pytest.Pytester, broken: str, semafuzz: Callable[..., subprocess.CompletedProcess[str]]
) -> None:
    session(broken.replace("test_two()", "test_two(make_account)"))
    (trace,) = pytester.path.glob(".semafuzz/*/*.json")
    done = semafuzz("replay", str(trace))
    assert done.returncode == 4
    assert "this trace is of the test test_bank.py::test_two, which needs pytest" in done.stderr


def test_junit_has_the_finding_as_properties(session: Session, broken: str, repaired: str) -> None:
    session(broken, "--junitxml=out.xml")
    found = properties(Path("out.xml"))
    assert found["semafuzz_verdict"] == ["found"]
    assert found["semafuzz_schedules"] == ["1"]
    (signature,) = found["semafuzz_signature"]
    assert found["semafuzz_trace"] == [f".semafuzz/test_bank.py-test_two/{signature}.json"]
    assert found["semafuzz_replay"][0].endswith(f"{signature}.json")
    session(repaired.replace("interleave", "interleave(schedules=3)"), "--junitxml=out.xml")
    assert properties(Path("out.xml")) == {"semafuzz_verdict": ["cut"], "semafuzz_schedules": ["3"]}
    session("def test_plain(): pass", "--junitxml=out.xml")
    assert properties(Path("out.xml")) == {}


def test_warnings_alone_fail_only_when_asked_to(session: Session, pytester: pytest.Pytester, broken: str) -> None:
    pytester.makeconftest(WARNING_ONLY)
    passed = session(broken)
    passed.assert_outcomes(passed=1)
    passed.stdout.fnmatch_lines(
        ["* warning (does not fail; --interleave-strict makes it): test_bank.py::test_two[[]portfolio]: *"]
    )
    strict = session(broken, "--interleave-strict")
    strict.assert_outcomes(failed=1)
    strict.stdout.fnmatch_lines(["severity: warning", "* warning: test_bank.py::test_two[[]portfolio]: *"])


def test_each_test_has_a_folder_of_its_own(session: Session, pytester: pytest.Pytester) -> None:
    """Two tests that fail in shared code can have one signature."""
    source = """
def check():
    account = Account()
    together(account.deposit, account.deposit)
    assert account.balance == 2

@pytest.mark.interleave
@pytest.mark.parametrize("text", ["one", "other"])
def test_it(text): check()
"""
    session(source)
    found = list(pytester.path.glob(".semafuzz/*/*.json"))
    assert len(found) == 2
    assert len({path.name for path in found}) == 1


@pytest.mark.parametrize(
    ("test", "folder"),
    [
        ("tests/test_a.py::test_b", "tests-test_a.py-test_b"),
        ("a.py::test_b[../../x; rm -rf $HOME]", "a.py-test_b-..-..-x-rm--rf-HOME"),
        ("..::..", "test"),
    ],
)
def test_folders_are_named_after_tests(test: str, folder: str) -> None:
    assert exploring._folder_name(test) == folder


def test_long_names_stay_apart() -> None:
    names = {exploring._folder_name(f"test_a.py::test_b[{'x' * 300}{end}]") for end in "12"}
    assert len(names) == 2
    assert all(len(name) < 100 for name in names)


def test_a_folder_that_cannot_be_written_costs_no_finding(
    session: Session, pytester: pytest.Pytester, broken: str
) -> None:
    Path("file").write_text("in the way")
    result = session(broken, "--interleave-out", "file")
    result.assert_outcomes(failed=1)
    text = result.stdout.str()
    assert "the trace follows" in text
    assert "no trace was written" in text


def test_a_record_is_plain_data() -> None:
    row = outcomes.Row("abc", "error", "what", "", "")
    assert outcomes.Record("found", 3, [row]).properties() == [
        ("semafuzz_verdict", "found"),
        ("semafuzz_schedules", 3),
        ("semafuzz_signature", "abc"),
    ]


def test_a_test_in_a_package_is_replayed_without_pytest(
    process: Session, pytester: pytest.Pytester, broken: str
) -> None:
    package = pytester.mkpydir("bank")
    (package / "shared.py").write_text("TWO = 2\n")
    bank = Path(__file__).with_name("conftest.py").read_text().split('BANK = """')[1].split('"""')[0]
    (package / "test_bank.py").write_text("from .shared import TWO\n" + bank + broken.replace("== 2", "== TWO"))
    result = process()
    result.assert_outcomes(failed=1)
    command = command_in(result)
    assert "semafuzz replay " in command
    done = run(command, pytester.path)
    assert done.returncode == 1, done.stdout
    assert " reproduces: " in done.stdout
