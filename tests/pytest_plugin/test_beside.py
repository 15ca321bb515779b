"""Beside pytest-timeout and pytest-randomly, which may be installed where this runs."""

from __future__ import annotations

import importlib.util
import signal
from collections.abc import Callable
from types import SimpleNamespace

import pytest

from semafuzz.pytest_plugin import timeouts

Session = Callable[..., pytest.RunResult]
with_timeout = pytest.mark.skipif(
    importlib.util.find_spec("pytest_timeout") is None, reason="pytest-timeout is not installed"
)
with_randomly = pytest.mark.skipif(
    importlib.util.find_spec("pytest_randomly") is None, reason="pytest-randomly is not installed"
)
STUCK = """
@pytest.mark.interleave
def test_stuck():
    together(lambda: None, lambda: sum(n for n in iter(int, 1)))

def test_after(): pass
"""


@with_timeout
@pytest.mark.slow
@pytest.mark.parametrize("method", ["signal", "thread"])
def test_a_run_that_is_stuck_is_noticed_before_the_time_is_up(process: Session, method: str) -> None:
    result = process(STUCK, "--timeout", "6", "--timeout-method", method)
    result.assert_outcomes(failed=1, passed=1)
    assert "uncontrolled: nothing can be said of test_bank.py::test_stuck" in result.stdout.str()
    assert "Timeout" not in result.stdout.str()


@with_timeout
@pytest.mark.slow
@pytest.mark.parametrize("method", ["signal", "thread"])
def test_a_search_ends_before_the_time_is_up(process: Session, repaired: str, method: str) -> None:
    source = repaired.replace("interleave", "interleave(schedules=10**9)").replace(
        "together(", "together(account.deposit_safely, account.deposit_safely, "
    )
    result = process(source.replace("== 2", "== 4"), "--timeout", "4", "--timeout-method", method)
    result.assert_outcomes(passed=1)
    assert "1 cut" in result.stdout.str()


@with_timeout
@pytest.mark.slow
def test_other_tests_keep_their_time_out(process: Session, broken: str) -> None:
    source = broken + "\ndef test_sleeps():\n    import time\n    time.sleep(60)\n"
    result = process(source, "--timeout", "5", "--timeout-method", "signal")
    result.assert_outcomes(failed=2)
    assert "Timeout (>5.0s)" in result.stdout.str()


@with_randomly
@pytest.mark.slow
def test_what_is_found_does_not_depend_on_the_seed_of_randomly(process: Session, broken: str) -> None:
    source = broken.replace("together(", "import random\n    random.random()\n    together(")
    found = set()
    for seed in ("1", "2"):
        result = process(
            source + "\ndef test_plain(): pass\n", "-p", "randomly", "-p", "no:cacheprovider", "--randomly-seed", seed
        )
        result.assert_outcomes(failed=1, passed=1)
        found |= {line for line in result.outlines if line.startswith("in schedule ")}
    assert len(found) == 1


def test_a_timer_is_put_aside_and_set_again(request: pytest.FixtureRequest) -> None:
    told = []
    before = signal.signal(signal.SIGALRM, lambda *_: told.append(1))
    signal.setitimer(signal.ITIMER_REAL, 100)
    try:
        with timeouts.respected(request.node) as allowance:
            assert signal.getsignal(signal.SIGALRM) == signal.SIG_DFL
            assert signal.getitimer(signal.ITIMER_REAL)[0] == 0
            assert allowance.seconds is not None
            assert 70 < allowance.seconds < 80
        assert 95 < signal.getitimer(signal.ITIMER_REAL)[0] <= 100
        signal.raise_signal(signal.SIGALRM)
        assert told == [1]
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)


def test_without_a_timer_nothing_is_touched(request: pytest.FixtureRequest) -> None:
    if callable(signal.getsignal(signal.SIGALRM)):
        pytest.skip("this session has a timer")
    with timeouts.respected(request.node) as allowance:
        assert signal.getitimer(signal.ITIMER_REAL)[0] == 0
        assert allowance.stall == timeouts.STALL
    assert not callable(signal.getsignal(signal.SIGALRM))


@pytest.mark.parametrize("limit", [3.0, 10.0, 60.0, 3600.0])
def test_a_stuck_run_at_the_last_moment_is_noticed_in_time(limit: float) -> None:
    made = timeouts.allowance(limit)
    assert made.seconds is not None
    # The watchdog looks twice a second.
    assert made.seconds + made.stall + 0.5 + made.patience <= limit + 1e-9
    assert made.seconds >= 0.1 * limit


@pytest.mark.parametrize(
    ("mark", "option", "environment", "ini", "expected"),
    [
        (SimpleNamespace(args=(3,), kwargs={}), 4, "5", "6", 3.0),
        (SimpleNamespace(args=(), kwargs={"timeout": 3}), None, None, None, 3.0),
        (None, 4, "5", "6", 4.0),
        (None, None, "5", "6", 5.0),
        (None, None, None, "6", 6.0),
        (None, None, None, None, None),
        (None, 0, None, None, None),
        (None, "soon", None, None, None),
    ],
)
def test_the_limit_is_the_one_that_pytest_timeout_takes(
    monkeypatch: pytest.MonkeyPatch,
    mark: object,
    option: object,
    environment: str | None,
    ini: str | None,
    expected: float | None,
) -> None:
    if environment is not None:
        monkeypatch.setenv("PYTEST_TIMEOUT", environment)
    config = SimpleNamespace(
        pluginmanager=SimpleNamespace(hasplugin=lambda name: name == "timeout"),
        getoption=lambda *_: option,
        getini=lambda _: ini,
    )
    item = SimpleNamespace(config=config, get_closest_marker=lambda _: mark)
    assert timeouts.limit_of(item) == expected  # type: ignore[arg-type]
    config.pluginmanager.hasplugin = lambda _: False
    assert timeouts.limit_of(item) is None  # type: ignore[arg-type]
