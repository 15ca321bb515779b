"""What a trace from elsewhere, or the folder that it lies in, cannot make us import."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import msgspec
import pytest

from semafuzz.harness.traces.codec import encode, read
from tests.bank_source import BANK
from tests.conftest import Run

HARM = "from pathlib import Path\nPath(__file__).with_name('harm').touch()\n"


@pytest.fixture
def trace(semafuzz: Run, tmp_path: Path) -> Path:
    """One of ``bank.py``, beside a module that nobody asked for."""
    (tmp_path / "bank.py").write_text(BANK)
    (tmp_path / "evil.py").write_text(HARM)
    assert semafuzz("check", "bank.py:two").returncode == 1
    (found,) = (tmp_path / ".semafuzz").glob("*.json")
    return found


def wanting(trace: Path, *modules: str) -> Path:
    """The trace, with these modules named in it."""
    told = read(trace)
    changed = trace.with_name("changed.json")
    program = msgspec.structs.replace(told.program, instrument=modules)
    changed.write_bytes(encode(msgspec.structs.replace(told, program=program)))
    return changed


@pytest.mark.parametrize("command", ["replay", "shrink"])
@pytest.mark.parametrize("program", [(), ("--program", "bank.py:two")])
def test_a_module_that_only_the_trace_names_is_not_imported(
    semafuzz: Run, tmp_path: Path, trace: Path, command: str, program: tuple[str, ...]
) -> None:
    done = semafuzz(command, str(wanting(trace, "evil")), *program)
    assert done.returncode == 4
    assert "add --instrument evil" in done.stderr
    assert not (tmp_path / "harm").exists()


def test_a_report_does_not_import_it_either(semafuzz: Run, tmp_path: Path, trace: Path) -> None:
    wanting(trace, "evil")
    done = semafuzz("report", ".semafuzz")
    assert done.returncode == 0
    assert "1 with a picture" in done.stdout
    assert not (tmp_path / "harm").exists()


def test_its_name_cannot_steer_a_terminal(semafuzz: Run, trace: Path) -> None:
    done = semafuzz("replay", str(wanting(trace, "\x1b]0;evil\x07")))
    assert done.returncode == 4
    assert "\x1b" not in done.stdout + done.stderr


def test_who_names_it_has_it(semafuzz: Run, tmp_path: Path, trace: Path) -> None:
    done = semafuzz("replay", str(wanting(trace, "evil")), "--instrument", "evil")
    assert done.returncode == 1
    assert (tmp_path / "harm").exists()


def test_what_was_named_for_the_check_here_is_known(semafuzz: Run, tmp_path: Path, trace: Path) -> None:
    (tmp_path / "helper.py").write_text("RATE = 1\n")
    trace.unlink()
    assert semafuzz("check", "bank.py:two", "--instrument", "helper").returncode == 1
    (found,) = (tmp_path / ".semafuzz").glob("*.json")
    assert semafuzz("replay", str(found)).returncode == 1


def test_what_the_file_imports_itself_needs_no_naming(semafuzz: Run, tmp_path: Path, trace: Path) -> None:
    (tmp_path / "other").mkdir()
    (tmp_path / "other" / "bank.py").write_text("import colorsys\n" + BANK)
    done = semafuzz("replay", str(wanting(trace, "colorsys")), "--program", "other/bank.py:two", "--search", "50")
    assert done.returncode == 1, done.stderr


def test_a_folder_cannot_bring_its_own_neighbours(semafuzz: Run, tmp_path: Path) -> None:
    """The same file was checked elsewhere; this copy came with the traces."""
    (tmp_path / "bank.py").write_text("import rates\n" + BANK)
    (tmp_path / "rates.py").write_text("")
    assert semafuzz("check", "bank.py:two").returncode == 1
    (found,) = (tmp_path / ".semafuzz").glob("*.json")
    corpus = tmp_path / "corpus"
    corpus.mkdir()
    for path in (tmp_path / "bank.py", found):
        shutil.copy(path, corpus)
    (corpus / "rates.py").write_text(HARM)
    done = subprocess.run(
        [sys.executable, "-P", "-m", "semafuzz", "replay", found.name],
        cwd=corpus, capture_output=True, text=True, check=False, timeout=120,
        env={**os.environ, "XDG_STATE_HOME": str(tmp_path / "state")},
    )  # fmt: skip
    assert done.returncode == 1, done.stderr
    assert not (corpus / "harm").exists()
