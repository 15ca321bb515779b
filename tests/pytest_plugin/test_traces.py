"""Kept traces as tests: fail while the failure is there, pass when it is gone, and say when
nothing can be said."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from semafuzz.harness.runs import source_index
from semafuzz.harness.runs.function_file import load
from semafuzz.harness.runs.origin import Origin
from semafuzz.harness.runs.session import controlled_session
from semafuzz.harness.schedulers.registry import make_scheduler
from semafuzz.harness.search.exploration import Exploration
from semafuzz.harness.traces import codec
from semafuzz.harness.traces.schema import Operation, Operations
from semafuzz.targets import find_target
from semafuzz.targets.model.scenario import Scenario

Session = Callable[..., pytest.RunResult]
Keep = Callable[..., Path]
FIXTURES = """
@pytest.mark.interleave(schedules=60)
@pytest.mark.parametrize("number", [2, 3])
class TestAccount:
    def test_it(self, make_account, number):
        account = make_account()
        together(account.deposit, account.deposit, *[account.deposit_safely] * (number - 2))
        assert account.balance == number
"""


def items(result: pytest.RunResult) -> list[str]:
    return [line for line in result.outlines if "::" in line and " " not in line]


def test_it_fails_while_the_failure_is_there_and_passes_when_it_is_gone(
    session: Session, kept_trace: Keep, broken: str, repaired: str
) -> None:
    name = kept_trace(broken).stem
    still = session("", "--interleave-traces", "kept", "-v")
    still.assert_outcomes(failed=2)
    still.stdout.fnmatch_lines(
        [f"test_bank.py::test_two[[]replay-{name}] FAILED*", f"kept trace {name} still shows it"]
    )
    gone = session(broken.replace("== 2", "in (1, 2)"), "--interleave-traces", "kept", "-v")
    gone.assert_outcomes(passed=2)
    gone.stdout.fnmatch_lines(
        [f"test_bank.py::test_two[[]replay-{name}] PASSED*", "*1 kept traces no longer reproduce*"]
    )


def test_a_trace_that_does_not_fit_is_skipped_with_the_step(
    session: Session, kept_trace: Keep, broken: str, repaired: str
) -> None:
    kept_trace(broken)
    result = session(repaired, "--interleave-traces", "kept", "-rs")
    result.assert_outcomes(passed=1, skipped=1)
    result.stdout.fnmatch_lines(["SKIPPED *cannot be judged: *does not fit this code any more:*step*"])
    strict = session("", "--interleave-traces", "kept", "--interleave-strict")
    strict.assert_outcomes(passed=1, failed=1)


def test_fixtures_and_parameters_are_those_of_the_test(session: Session, kept_trace: Keep) -> None:
    path = kept_trace(FIXTURES, "-k", "2-portfolio")
    assert codec.read(path).configuration == {"test": "test_bank.py::TestAccount::test_it[2]"}
    result = session("", "--interleave-traces", "kept", "--collect-only", "-q")
    base = "test_bank.py::TestAccount::test_it"
    assert items(result) == [f"{base}[2-portfolio]", f"{base}[2-replay-{path.stem}]", f"{base}[3-portfolio]"]
    session("", "--interleave-traces", "kept", "-k", "replay").assert_outcomes(failed=1, deselected=2)
    session("", "--interleave-replay", str(path), f"{base}[2]").assert_outcomes(failed=1)


def test_selection_works_on_kept_traces(session: Session, kept_trace: Keep, broken: str) -> None:
    name = kept_trace(broken).stem
    source = broken + "\ndef test_plain(): pass\n"
    result = session(source, "--interleave-traces", "kept", "-k", "plain or replay", "--cache-clear")
    result.assert_outcomes(failed=1, passed=1, deselected=1)
    session("", "--interleave-traces", "kept", "--lf").assert_outcomes(failed=1)
    session("", "--interleave-traces", "kept", "-x").assert_outcomes(failed=1)
    session("", "--interleave-traces", "kept", f"test_bank.py::test_two[replay-{name}]").assert_outcomes(failed=1)


def test_a_damaged_file_costs_a_warning_that_names_it(session: Session, kept_trace: Keep, broken: str) -> None:
    good = kept_trace(broken)
    (good.parent / "half.json").write_bytes(good.read_bytes()[:300])
    (good.parent / "noise.json").write_bytes(bytes(range(256)))
    (good.parent / "changed.json").write_text(good.read_text().replace(" ", "  "))
    (good.parent / "folder.json").mkdir()
    (good.parent / "notes.txt").write_text("not a trace")
    result = session("", "--interleave-traces", "kept", "-k", "replay")
    result.assert_outcomes(failed=1, deselected=1, warnings=4)
    for name in ("half.json", "noise.json", "changed.json", "folder.json"):
        assert f"skipped: {good.parent / name}" in result.stdout.str()
    assert "notes.txt" not in result.stdout.str()


def test_the_configuration_file_may_name_the_folder(
    session: Session, kept_trace: Keep, broken: str, pytester: pytest.Pytester
) -> None:
    kept_trace(broken)
    pytester.makeini("[pytest]\ninterleave_traces = kept\n")
    session().assert_outcomes(failed=2)
    # What was named is run, and of the traces what belongs to it.
    pytester.makepyfile(test_other="def test_other(): pass")
    session("", "test_other.py").assert_outcomes(passed=1)
    session("", "test_bank.py").assert_outcomes(failed=2)
    shutil.rmtree("kept")
    session("").assert_outcomes(failed=1, passed=1)


def test_a_hidden_folder_is_not_passed_over(
    session: Session, kept_trace: Keep, broken: str, pytester: pytest.Pytester
) -> None:
    path = kept_trace(broken)
    (pytester.path / ".kept").mkdir()
    (pytester.path / ".other").mkdir()
    shutil.copy(path, ".kept/one.json")
    shutil.copy(path, ".other/one.json")
    renamed = broken.replace("test_two", "test_both")
    session(renamed, "--interleave-traces", ".kept").assert_outcomes(failed=1, skipped=1)


def test_a_trace_without_its_test_says_so(session: Session, kept_trace: Keep, broken: str) -> None:
    path = kept_trace(broken)
    renamed = broken.replace("test_two", "test_both")
    result = session(renamed, "--interleave-traces", "kept", "-rs")
    result.assert_outcomes(failed=1, skipped=1)
    result.stdout.fnmatch_lines(["SKIPPED * cannot be judged: its test test_bank.py::test_two was not collected*"])
    # The only test that there is now is the one that is meant.
    result = session("", "--interleave-replay", str(path))
    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(["kept trace * shows this instead of its own failure"])


def test_one_trace_is_replayed_in_one_test(session: Session, kept_trace: Keep, broken: str) -> None:
    path = kept_trace(broken)
    source = broken + broken.replace("test_two", "test_other") + "\ndef test_plain(): pass\n"
    session(source, "--interleave-replay", str(path)).assert_outcomes(failed=1, deselected=2)
    two_others = source.replace("test_two", "test_third")
    result = session(two_others, "--interleave-replay", str(path))
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    result.stderr.fnmatch_lines(["ERROR: --interleave-replay: *'test_bank.py::test_two', which is not among*"])


def test_a_trace_made_with_other_modules_is_not_judged(session: Session, kept_trace: Keep, broken: str) -> None:
    kept_trace(broken.replace("interleave", "interleave(instrument='json')"))
    result = session(broken, "--interleave-traces", "kept", "-rs", "-k", "replay")
    result.assert_outcomes(skipped=1, deselected=1)
    result.stdout.fnmatch_lines(["SKIPPED *was recorded with instrument=[[]'json'], the test has [[]]*"])


def test_a_trace_cannot_name_what_to_import(session: Session, kept_trace: Keep, broken: str, tmp_path: Path) -> None:
    """Its node id is compared, never followed."""
    path = kept_trace(broken)
    (tmp_path / "outside.py").write_text("raise SystemExit('imported')\n" + broken)
    record = json.loads(path.read_text())
    record["configuration"]["test"] = f"{tmp_path / 'outside.py'}::test_two"
    path.write_text(json.dumps(record, indent=1, sort_keys=True, ensure_ascii=False) + "\n")
    result = session("", "--interleave-traces", "kept", "-rs", "-k", "replay")
    result.assert_outcomes(skipped=1, deselected=1)
    assert "imported" not in result.stdout.str().replace("was not collected", "")


def test_the_replay_profile_searches_nothing(session: Session, kept_trace: Keep, broken: str) -> None:
    kept_trace(broken)
    session("", "--interleave-traces", "kept", "--interleave-profile", "replay").assert_outcomes(failed=1)
    session("", "--interleave-profile", "replay").assert_outcomes()


def test_a_trace_of_a_checked_function_is_an_item_of_its_own(session: Session, pytester: pytest.Pytester) -> None:
    """As long as this machine knows the file; elsewhere nothing can be said."""
    source = """
import threading

class Counter:
    value = 0
    def add(self):
        self.value = self.value + 1

def race():
    counter = Counter()
    threads = [threading.Thread(target=counter.add) for _ in range(2)]
    for thread in threads: thread.start()
    for thread in threads: thread.join()
    assert counter.value == {}
"""
    pytester.path.joinpath("counting.py").write_text(source.format(2))
    checked = load("counting.py:race")
    with controlled_session(checked.program.modules()[1:]) as laboratory:
        search = Exploration(
            checked.program,
            make_scheduler("portfolio", 0),
            laboratory,
            origin=Origin("function", checked.identity),
            folder=Path("kept"),
        )
        (finding,) = search.run().failures
    unknown = session("", "--interleave-traces", "kept", "-rs")
    unknown.assert_outcomes(skipped=1)
    unknown.stdout.fnmatch_lines(["SKIPPED *cannot be judged: *was not checked on this machine*"])
    source_index.add(checked.identity, checked.path)
    result = session("", "--interleave-traces", "kept", "-v")
    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(
        [f"kept/*.json::replay[[]{finding.signature}] FAILED*", f"*semafuzz replay {finding.trace}"]
    )
    session("", "--interleave-traces", "kept", f"{finding.trace}::replay[{finding.signature}]").assert_outcomes(
        failed=1
    )
    session("", "--interleave-traces", "kept", "--lf").assert_outcomes(failed=1)
    pytester.path.joinpath("counting.py").write_text(source.format("counter.value"))
    session("", "--interleave-traces", "kept").assert_outcomes(passed=1)


@pytest.fixture
def nova_trace(tmp_path: Path) -> Path:
    """The lost count of failed builds, found anew."""
    content = Operations((), ((Operation("build_failed"),), (Operation("audit"),)))
    target = find_target("nova")
    with target.open() as opened, controlled_session(opened.modules) as laboratory:
        search = Exploration(
            opened.program(Scenario(content)),
            make_scheduler("portfolio", 0),
            laboratory,
            origin=Origin("nova", content, opened.release, {}, opened.libraries),
            folder=tmp_path / "traces",
        )
        (finding,) = search.run().failures
    return Path(finding.trace)


@pytest.mark.nova
def test_a_trace_of_a_target_is_an_item_of_its_own(nova_trace: Path, session: Session) -> None:
    # In this order: pytester drops what is imported after it came, and Nova cannot be imported twice.
    result = session("", "--interleave-traces", str(nova_trace.parent), "-v")
    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines([f"*::replay[[]{nova_trace.stem}] FAILED*", "invariant: failed_builds is 0*"])
    trace = codec.read(nova_trace)
    assert isinstance(trace.program, Operations)
    codec.write(type(trace)(**{**_fields(trace), "release": "1.0.0"}), nova_trace)
    result = session("", "--interleave-traces", str(nova_trace.parent), "-rs")
    result.assert_outcomes(skipped=1)
    result.stdout.fnmatch_lines(["SKIPPED *cannot be judged: *release '1.0.0' cannot be driven*"])


def _fields(record: object) -> dict[str, object]:
    return {name: getattr(record, name) for name in record.__struct_fields__}  # type: ignore[attr-defined]


def test_an_operations_program_is_not_one_of_a_test(session: Session, kept_trace: Keep, broken: str) -> None:
    path = kept_trace(broken)
    record = json.loads(path.read_text())
    del record["configuration"]["test"]
    path.write_text(json.dumps(record, indent=1, sort_keys=True, ensure_ascii=False).replace("{}", "{}") + "\n")
    result = session("", "--interleave-replay", str(path))
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    result.stderr.fnmatch_lines(["ERROR: --interleave-replay: * is not a trace of a test*"])
