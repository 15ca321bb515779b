"""Defects of everyday trio code, from the command line: found, replayed, and their repairs silent."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from semafuzz.cli import CANNOT_JUDGE, FOUND, NOTHING, USAGE, run

FILE = Path(__file__).parent / "programs" / "trio_everyday.py"
DEFECTS = {
    "stock": "assertion",
    "deadlock": "deadlock",
    "wakeup": "deadlock",
    "timeout": "assertion",
    "channel": "exception",
}
Command = Callable[..., subprocess.CompletedProcess[str]]


def check(capsys: pytest.CaptureFixture[str], out: Path, program: str, *options: str) -> dict[str, Any]:
    """Run the command; its JSON answer with the exit code under ``exit``."""
    code = run(["check", program, "--json", "--out", str(out), *options])
    answer: dict[str, Any] = json.loads(capsys.readouterr().out.splitlines()[-1])
    return answer | {"exit": code}


@pytest.mark.parametrize(("name", "kind"), DEFECTS.items())
@pytest.mark.parametrize("scheduler", ["portfolio", "random", "pct3"])
def test_defect_is_found(
    name: str, kind: str, scheduler: str, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    answer = check(capsys, tmp_path, f"{FILE}:{name}_broken", "--scheduler", scheduler)
    assert (answer["exit"], answer["verdict"]) == (FOUND, "found")
    assert answer["failures"][0]["kind"] == kind
    assert run(["replay", answer["failures"][0]["trace"], "--program", f"{FILE}:{name}_broken", "--json"]) == FOUND
    replayed = json.loads(capsys.readouterr().out)
    assert (replayed["reproduces"], replayed["identical"]) == (True, True)


@pytest.mark.parametrize("name", DEFECTS)
@pytest.mark.parametrize("schedules", ["100", pytest.param("3000", marks=pytest.mark.slow)])
def test_repair_is_silent(name: str, schedules: str, capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    answer = check(capsys, tmp_path, f"{FILE}:{name}_repaired", "--schedules", schedules)
    assert (answer["failures"], answer["notes"], answer["exit"]) == ([], [], NOTHING)
    assert answer["verdict"] in ("cut", "complete")


@pytest.mark.parametrize("name", ["stock", "deadlock", "wakeup"])
def test_an_exhaustive_search_of_a_repair_ends(name: str, capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    options = ["--scheduler", "exhaustive", "--schedules", "30000"]
    answer = check(capsys, tmp_path, f"{FILE}:{name}_repaired", *options)
    assert (answer["verdict"], answer["exhausted"]) == ("complete", True)


def test_the_trace_of_a_defect_does_not_show_in_its_repair(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    found = check(capsys, tmp_path, f"{FILE}:stock_broken")["failures"][0]["trace"]
    repaired = ["replay", found, "--program", f"{FILE}:stock_repaired"]
    assert run(repaired) == 0
    assert "the recorded schedule does not fit, but every schedule was run" in capsys.readouterr().out
    assert run([*repaired, "--search", "0"]) == CANNOT_JUDGE
    assert "the trace does not fit this code" in capsys.readouterr().err


def test_a_trace_of_trio_is_not_played_with_threads(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    found = check(capsys, tmp_path, f"{FILE}:stock_broken")["failures"][0]["trace"]
    sync = FILE.with_name("everyday.py")
    assert run(["replay", found, "--program", f"{sync}:stock_broken"]) == CANNOT_JUDGE
    assert "under the model trio" in capsys.readouterr().err


def write(folder: Path, text: str) -> Path:
    """A file with this text."""
    file = folder / "mine.py"
    file.write_text(text)
    return file


def test_asyncio_is_refused(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    file = write(tmp_path, "import asyncio\n\n\nasync def work():\n    await asyncio.sleep(1)\n")
    assert run(["check", f"{file}:work"]) == USAGE
    assert "uses asyncio, which semafuzz cannot control" in capsys.readouterr().err


def test_asyncio_beside_trio_is_refused_where_it_is_met(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    file = write(tmp_path, "import asyncio\nimport trio\n\n\nasync def work():\n    await asyncio.sleep(0)\n")
    assert run(["check", f"{file}:work", "--out", str(tmp_path)]) == USAGE
    assert "asyncio and other frameworks are no target" in capsys.readouterr().err


def test_eventlet_is_no_model_of_async_code(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["check", f"{FILE}:stock_broken", "--model", "eventlet"]) == USAGE
    assert "leave --model out" in capsys.readouterr().err


def test_arguments_and_generators_are_refused(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    file = write(tmp_path, "import trio\n\n\nasync def needs(x): ...\n\n\nasync def gives():\n    yield 1\n")
    assert run(["check", f"{file}:needs"]) == USAGE
    assert "takes arguments" in capsys.readouterr().err
    assert run(["check", f"{file}:gives"]) == USAGE
    assert "is a generator" in capsys.readouterr().err
    assert run(["check", f"{file}:nothing"]) == USAGE
    assert "it has needs, gives" in capsys.readouterr().err


@pytest.mark.slow
def test_found_in_one_process_and_replayed_in_another(semafuzz: Command, tmp_path: Path) -> None:
    found = semafuzz("check", f"{FILE}:timeout_broken", "--json", PYTHONHASHSEED="1")
    assert found.returncode == FOUND, found.stderr
    trace = json.loads(found.stdout.splitlines()[-1])["failures"][0]["trace"]
    digests = set()
    for seed in ("0", "7", "random"):
        replayed = semafuzz("replay", trace, "--json", PYTHONHASHSEED=seed)
        assert replayed.returncode == FOUND, replayed.stderr
        answer = json.loads(replayed.stdout)
        assert answer["identical"]
        digests.add(answer["digest"])
    assert len(digests) == 1


def test_state_at_module_level_starts_anew(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    text = (
        "import trio\n\nLOCK = trio.Lock()\nSEEN = []\n\n\nasync def work():\n    async with LOCK:\n"
        "        SEEN.append(1)\n    await trio.sleep(1)\n    assert len(SEEN) == 1\n"
    )
    answer = check(capsys, tmp_path, f"{write(tmp_path, text)}:work", "--schedules", "50")
    assert answer["failures"] == []
    assert answer["exit"] == NOTHING
