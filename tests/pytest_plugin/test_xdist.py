"""On several workers: one collection, every finding told, also those of a worker that died."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

pytest.importorskip("xdist")
Session = Callable[..., pytest.RunResult]
DIES = """
import os, pathlib

@pytest.mark.interleave
def test_dies(make_account):
    account = make_account()
    together(account.deposit, account.deposit)
    if account.balance != 2:
        if os.path.exists("found"):
            os._exit(9)  # when the failing schedule is run again, after it was written down
        pathlib.Path("found").touch()
    assert account.balance == 2

def test_plain():
    pass
"""


def test_two_workers_tell_what_one_process_tells(
    process: Session, session: Session, broken: str, repaired: str
) -> None:
    source = broken + repaired.replace("test_two", "test_repaired").replace(
        "interleave", "interleave(schedules=50, scheduler=['random', 'pct3'])"
    )
    source = source.replace("test_two()", "test_two(make_account)")
    alone = session(source)
    alone.assert_outcomes(failed=1, passed=2)
    spread = process("", "-n", "2", "--junitxml=out.xml", "-p", "no:randomly")
    spread.assert_outcomes(failed=1, passed=2)

    def told(result: pytest.RunResult) -> list[str]:
        start = next(n for n, line in enumerate(result.outlines) if "interleave findings" in line)
        return [line.partition(" pytest ")[2] or line for line in result.outlines[start + 1 : start + 3]]

    assert [line.split()[-3:] for line in told(spread)] == [line.split()[-3:] for line in told(alone)]
    assert "semafuzz_signature" in Path("out.xml").read_text()


def test_a_worker_that_dies_loses_nothing(process: Session, pytester: pytest.Pytester) -> None:
    result = process(DIES, "-n", "2")
    result.assert_outcomes(failed=1, passed=1)
    assert result.ret == pytest.ExitCode.TESTS_FAILED
    (trace,) = pytester.path.glob(".semafuzz/*/*.json")
    (line,) = [one for one in result.outlines if one.startswith(f"{trace.stem} error: ")]
    assert "test_bank.py::test_dies" in line
    assert "(the worker that found it died)" in line
    assert line.endswith(f"--interleave-replay {trace.relative_to(pytester.path)}")


@pytest.mark.slow
def test_a_trace_of_an_earlier_session_is_not_told_again(process: Session, pytester: pytest.Pytester) -> None:
    process(DIES.replace("os._exit(9)", "pass"), "-n", "1").assert_outcomes(failed=1, passed=1)
    assert list(pytester.path.glob(".semafuzz/*/*.json"))
    Path("test_bank.py").write_text("import os\ndef test_crash(): os._exit(9)\n")
    result = process("", "-n", "1")
    result.assert_outcomes(failed=1)
    assert "interleave findings" not in result.stdout.str()


@pytest.mark.slow
def test_a_nightly_seed_is_one_for_all_workers(process: Session) -> None:
    source = """
@pytest.mark.interleave(schedules=400)
@pytest.mark.parametrize("number", range(4))
def test_it(make_account, number):
    account = make_account()
    together(account.deposit, account.deposit)
    assert account.balance == 2
"""
    result = process(source, "-n", "2", "--interleave-profile", "nightly")
    result.assert_outcomes(failed=4)
    told = [line for line in result.outlines if line.startswith("in schedule ")]
    seeds = {line.partition(", seed ")[2].partition(")")[0] for line in told}
    assert len(seeds) == 1


@pytest.mark.slow
def test_bad_arguments_do_not_end_a_worker(process: Session) -> None:
    result = process("@pytest.mark.interleave(seed=-1)\ndef test_it(): pass\n", "-n", "1")
    assert "test_bank.py::test_it: seed=-1 is not a whole number" in result.stdout.str()
    assert "crashed" not in result.stdout.str()
    result.assert_outcomes(errors=1)
