"""bootstrap.py: when it makes an environment, and what it says when it cannot. No network."""

from __future__ import annotations

import ast
import importlib.util
import os
import shutil
import subprocess
import sys
from pathlib import Path
from types import ModuleType

import pytest


@pytest.fixture
def quiet_installs(bootstrap: ModuleType, monkeypatch: pytest.MonkeyPatch) -> list[list[str]]:
    """The installer commands that would have run."""
    commands: list[list[str]] = []
    monkeypatch.setattr(bootstrap, "run_installer", commands.append)
    monkeypatch.setattr(bootstrap.shutil, "which", lambda name: f"/bin/{name}")
    return commands


@pytest.fixture
def checkout(
    bootstrap: ModuleType, quiet_installs: list[list[str]], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Path:
    """A checkout with nothing in it but what the set-up reads."""
    (tmp_path / "requirements.lock").write_text("one==1 \\\n    --hash=sha256:0\n")
    (tmp_path / "pyproject.toml").write_text("[project]\n")
    (tmp_path / "semafuzz/harness").mkdir(parents=True)
    monkeypatch.setattr(bootstrap, "ROOT", tmp_path)
    monkeypatch.setattr(bootstrap, "LOCK", tmp_path / "requirements.lock")
    return tmp_path


def test_an_old_python_can_parse_it(root: Path) -> None:
    source = (root / "bootstrap.py").read_text()
    ast.parse(source, feature_version=(3, 6))
    with pytest.raises(SyntaxError):
        ast.parse(source + "\nmatch 1:\n    case 1: pass\n", feature_version=(3, 6))


def test_it_needs_nothing_but_the_standard_library(root: Path) -> None:
    environment = {"PATH": os.environ["PATH"], "HOME": str(root)}
    done = subprocess.run(
        [sys.executable, "-I", "-S", str(root / "bootstrap.py"), "--help"],
        capture_output=True,
        text=True,
        env=environment,
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert "setup" in done.stdout
    assert "fuzz" in done.stdout


def test_an_old_python_is_told_which_to_use(bootstrap: ModuleType) -> None:
    assert bootstrap.too_old((3, 11)) == bootstrap.too_old((4, 0)) == ""
    alone = bootstrap.too_old((3, 9), lambda name: None)
    assert "3.11 or newer" in alone
    assert "this is Python 3.9" in alone
    assert "python3.12 bootstrap.py" in bootstrap.too_old((3, 9), lambda name: name == "python3.12" or None)


@pytest.mark.parametrize(
    ("output", "cause"),
    [
        ("OSError: [Errno 28] No space left on device", "no space left"),
        ("failed to write (os error 28)", "no space left"),
        ("ERROR: THESE PACKAGES DO NOT MATCH THE HASHES FROM THE REQUIREMENTS FILE.", "not the one that the lock"),
        ("  cause: Hash mismatch for `click==8.5.1`", "not the one that the lock"),
        ("  cause: dns error", "cannot be downloaded"),
        ("ERROR: No matching distribution found for click==8.5.1", "cannot be downloaded"),
        ("[Errno 13] Permission denied: '.venv'", "cannot be written"),
        ("anything else", ""),
    ],
)
def test_the_cause_of_a_failed_install_is_told(bootstrap: ModuleType, output: str, cause: str) -> None:
    said = bootstrap.explain(output)
    assert cause in said
    assert bool(said) == bool(cause)


def test_parts_of_a_digest_do_not_run_into_each_other(bootstrap: ModuleType) -> None:
    assert bootstrap.digest(b"ab", b"c") == bootstrap.digest(b"ab", b"c")
    assert len({bootstrap.digest(*parts) for parts in [(b"ab", b"c"), (b"a", b"bc"), (b"abc",), (b"abc", b"")]}) == 4


def test_the_second_call_makes_nothing(
    bootstrap: ModuleType, checkout: Path, quiet_installs: list[list[str]], capsys: pytest.CaptureFixture[str]
) -> None:
    assert bootstrap.main(["setup"]) == 0
    assert "1 pinned packages" in capsys.readouterr().err
    first, second = quiet_installs
    assert first[-4:] == ["--no-deps", "--require-hashes", "-r", str(checkout / "requirements.lock")]
    assert second[-4:] == ["--no-deps", "--no-build-isolation", "-e", str(checkout)]
    assert bootstrap.main(["setup"]) == 0
    assert len(quiet_installs) == 2
    assert capsys.readouterr().err == ""


@pytest.mark.parametrize("spoil", ["requirements.lock", "pyproject.toml", "stamp", "python", "everything"])
def test_an_environment_that_does_not_fit_is_made_anew(
    bootstrap: ModuleType, checkout: Path, quiet_installs: list[list[str]], spoil: str
) -> None:
    bootstrap.setup()
    folder = checkout / ".venv"
    (folder / "left over").touch()
    if spoil == "stamp":  # as after an interrupt: it is written last
        (folder / "stamp").unlink()
    elif spoil == "python":  # as when the distribution's Python was upgraded away
        bootstrap.python_of(folder).unlink()
    elif spoil == "everything":
        shutil.rmtree(folder)
    else:
        with (checkout / spoil).open("a") as file:
            file.write("# changed\n")
    bootstrap.setup()
    assert len(quiet_installs) == 4
    assert not (folder / "left over").exists()
    assert bootstrap.python_of(folder).exists()


def test_a_checkout_that_moved_is_set_up_anew(
    bootstrap: ModuleType, checkout: Path, quiet_installs: list[list[str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    bootstrap.setup()
    moved = checkout / "moved"
    moved.mkdir()
    for name in ("requirements.lock", "pyproject.toml", ".venv", "semafuzz"):
        (checkout / name).rename(moved / name)
    monkeypatch.setattr(bootstrap, "ROOT", moved)
    monkeypatch.setattr(bootstrap, "LOCK", moved / "requirements.lock")
    bootstrap.setup()
    assert len(quiet_installs) == 4


def test_a_failed_install_leaves_no_stamp(
    bootstrap: ModuleType, checkout: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.undo()
    monkeypatch.setattr(bootstrap, "ROOT", checkout)
    monkeypatch.setattr(bootstrap, "LOCK", checkout / "requirements.lock")
    monkeypatch.setattr(bootstrap.shutil, "which", lambda name: f"/bin/{name}")
    program = "import sys; print('cause: Hash mismatch for one==1'); sys.exit(1)"
    monkeypatch.setattr(bootstrap, "installer", lambda folder, uv: [sys.executable, "-c", program])
    assert bootstrap.main(["test"]) == bootstrap.SETUP_FAILED
    said = capfd.readouterr().err
    assert "mismatch for one==1" in said
    assert "not the one that the lock file names" in said
    assert not (checkout / ".venv" / "stamp").exists()


def test_a_python_without_ensurepip_names_the_package(
    bootstrap: ModuleType, checkout: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    find = importlib.util.find_spec
    monkeypatch.setattr(bootstrap.importlib.util, "find_spec", lambda name: None if name == "ensurepip" else find(name))
    assert bootstrap.main(["setup"]) == 0, "uv needs no ensurepip"
    shutil.rmtree(checkout / ".venv")
    monkeypatch.setattr(bootstrap.shutil, "which", lambda name: None)
    assert bootstrap.main(["setup"]) == bootstrap.SETUP_FAILED
    assert "apt install python3-venv" in capsys.readouterr().err


def test_without_uv_pip_installs(bootstrap: ModuleType, tmp_path: Path) -> None:
    assert bootstrap.installer(tmp_path, "uv")[:3] == ["uv", "pip", "install"]
    assert "--compile-bytecode" in bootstrap.installer(tmp_path, "uv")
    assert bootstrap.installer(tmp_path, None)[:4] == [str(bootstrap.python_of(tmp_path)), "-m", "pip", "install"]


def test_a_missing_command_is_no_finding(
    bootstrap: ModuleType, checkout: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert bootstrap.main(["fuzz"]) == bootstrap.SETUP_FAILED, "nothing was installed, so there is no semafuzz"
    (checkout / "requirements.lock").unlink()
    assert bootstrap.main(["fuzz"]) == bootstrap.SETUP_FAILED
    assert "requirements.lock" in capsys.readouterr().err


@pytest.mark.parametrize("arguments", [[], ["nonsense"], ["setup", "more"]])
def test_a_command_line_that_is_not_understood(
    bootstrap: ModuleType, arguments: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert bootstrap.main(arguments) == bootstrap.USAGE
    said = capsys.readouterr()
    assert "usage: python3 bootstrap.py setup" in said.out + said.err


@pytest.mark.parametrize("arguments", [[], ["-k", "x"]])
def test_every_step_runs_and_the_first_failure_is_told(
    bootstrap: ModuleType,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    arguments: list[str],
) -> None:
    ran: list[list[str]] = []

    def run(command: list[str], **options: object) -> subprocess.CompletedProcess[str]:
        ran.append(command[2:])
        code = {"ruff": 7, "mypy": 8}.get(command[2], 0)
        return subprocess.CompletedProcess(command, code)

    monkeypatch.setattr(bootstrap.subprocess, "run", run)
    assert bootstrap.test(tmp_path, arguments) == 7
    assert [command[0] for command in ran] == ["ruff", "ruff", "mypy", "pytest"]
    assert ran[3][-2:] == (arguments or ["-m", "not slow"])
    assert capsys.readouterr().err.endswith("failed: lint, format, types\n")


@pytest.mark.parametrize("arguments", [[], ["-k", "x"]])
def test_coverage_is_demanded_of_all_tests_only(
    bootstrap: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, arguments: list[str]
) -> None:
    ran: list[list[str]] = []
    monkeypatch.setattr(
        bootstrap.subprocess,
        "run",
        lambda command, **_: (ran.append(command[2:]), subprocess.CompletedProcess(command, 0))[1],
    )
    assert bootstrap.coverage(tmp_path, arguments) == 0
    assert [command[:2] for command in ran] == [
        ["coverage", "erase"], ["coverage", "run"], ["coverage", "combine"], ["coverage", "report"]
    ]  # fmt: skip
    assert any(part.startswith("--fail-under") for part in ran[-1]) == (not arguments)


def test_a_checkout_without_symbolic_links_is_told(
    bootstrap: ModuleType, checkout: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (checkout / "semafuzz/harness").rmdir()
    (checkout / "semafuzz/harness").write_text("../harness")
    assert bootstrap.main(["setup"]) == bootstrap.SETUP_FAILED
    assert "symbolic links" in capsys.readouterr().err


@pytest.mark.skipif(os.name == "nt", reason="exec starts a second process there, so it is not used")
def test_fuzz_becomes_the_command(bootstrap: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    class Replaced(Exception):
        """In place of the process that would have been replaced."""

    def execv(path: str, command: list[str]) -> None:
        raise Replaced(path, *command[1:])

    monkeypatch.setattr(bootstrap.os, "execv", execv)
    with pytest.raises(Replaced) as replaced:
        bootstrap.fuzz(tmp_path, ["--seconds", "1"])
    assert replaced.value.args == (str(tmp_path / "bin" / "semafuzz"), "fuzz", "--out", "reports/out", "--seconds", "1")
    with pytest.raises(Replaced) as replaced:
        bootstrap.fuzz(tmp_path, ["--out", "mine"])
    assert replaced.value.args[1:] == ("fuzz", "--out", "mine")
