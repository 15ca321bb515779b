"""docs/pytest.md: its files, its commands in their order, and what it says they print."""

from __future__ import annotations

import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

TEXT = (Path(__file__).resolve().parents[2] / "docs" / "pytest.md").read_text()
FILES = dict(re.findall(r"^`(\w+\.py)`:\n\n```python\n(.*?)```", TEXT, re.DOTALL | re.MULTILINE))
VARIES = re.compile(r"\b[0-9a-f]{12}\b|\d+\.\d+s|_{3,}|Thread-\d|\S*semafuzz (?=replay)")


def commands() -> list[tuple[str, list[str]]]:
    """Each command with the lines that are shown below it."""
    found: list[tuple[str, list[str]]] = []
    for block in re.findall(r"(?:^    .*\n)+", TEXT, re.MULTILINE):
        for line in block.splitlines():
            if line.startswith("    $ "):
                found.append((line[6:], []))
            elif found and block.startswith("    $ "):
                found[-1][1].append(line[4:])
    return found


def normal(line: str) -> str:
    """Without what differs from run to run, or is shortened in the document."""
    return " ".join(VARIES.sub("*", line).split())


@pytest.mark.slow
def test_every_command_prints_what_it_says(pytester: pytest.Pytester, loaded: tuple[str, ...]) -> None:
    assert len(FILES) == 3
    for name, text in FILES.items():
        (pytester.path / name).write_text(text)
    checked = 0
    for command, lines in commands():
        (trace,) = [*pytester.path.glob(".semafuzz/test_bank*/*.json"), None][:1]
        words = shlex.split(command if trace is None else re.sub(r"[0-9a-f]{12}", trace.stem, command))
        if words[:3] == ["python", "-m", "pytest"]:
            first = ["test_bank.py"] if len(words) == 4 else []
            words = [sys.executable, *words[1:3], *loaded, "-p", "no:randomly", *words[3:], *first]
        done = subprocess.run(words, cwd=pytester.path, capture_output=True, text=True, check=False, timeout=240)
        assert done.returncode in (0, 1), done.stdout + done.stderr
        printed = normal(done.stdout)
        for line in lines:
            assert normal(line).removesuffix("...").strip() in printed, f"{command}\n{done.stdout}"
            checked += 1
    assert checked > 7


def test_the_options_are_all_there() -> None:
    for name in ("strict", "out", "traces", "replay", "profile", "schedules"):
        assert f"--interleave-{name}" in TEXT
