"""The documentation builds without a warning, and its commands are commands."""

from __future__ import annotations

import re
import shlex
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import click
import pytest

from semafuzz.cli import semafuzz as command_line
from tests.conftest import Run

ROOT = Path(__file__).resolve().parents[2]
PAGES = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").glob("*.md"))]
HIDDEN = {"matrix-column", "picture"}


def commands_of(text: str) -> Iterator[str]:
    """The commands in indented and fenced blocks, and those between backticks that have an argument."""
    for line in re.sub(r" *\\\n *", " ", text).splitlines():
        found = re.match(r"^(?: {4,}|\$ )\$? ?(?:python3 bootstrap\.py|\.venv/bin/)?(semafuzz .*)$", line)
        if found:
            yield from (part.strip() for part in re.split(r"  +#.*|;|\|\||&&| \|", found[1]) if part)
    # A span of code may go on in the next line.
    for span in re.findall(r"`(semafuzz\s[^`]+)`", text):
        yield " ".join(span.split())


def parsed(line: str) -> str:
    """What is wrong with the command; "" for nothing. Placeholders stand for a value."""
    words = shlex.split(line)
    words = words[1:] if words[0] == "semafuzz" else words
    if not words or words[0] not in command_line.commands:
        return "no such command"
    command = command_line.commands[words[0]]
    arguments = words[1:]
    try:
        with click.Context(command, info_name=words[0], obj=tuple(words)) as context:
            command.parse_args(context, arguments)
    except click.exceptions.Exit:
        return ""
    except click.MissingParameter:
        # A sentence may name a command without all that it takes.
        return ""
    except click.ClickException as error:
        return error.format_message()
    return ""


CASES = [(page, line) for page in PAGES for line in dict.fromkeys(commands_of(page.read_text(encoding="utf-8")))]


def is_template(line: str) -> bool:
    """``semafuzz COMMAND --help`` and what goes on in words."""
    return "..." in line or "COMMAND" in line or "[" in line


@pytest.mark.parametrize(("page", "line"), CASES, ids=[f"{page.stem}: {line}" for page, line in CASES])
def test_a_command_of_the_documentation_is_one(page: Path, line: str) -> None:
    if is_template(line):
        assert line.split()[1] in {*command_line.commands, "COMMAND"}
    else:
        assert parsed(line) == "", line


def test_the_check_can_fail() -> None:
    assert list(commands_of("    semafuzz nosuch x\n")) == ["semafuzz nosuch x"]
    assert parsed("semafuzz nosuch x") == "no such command"
    assert "No such option" in parsed("semafuzz fuzz --nosuch")
    assert "Invalid value" in parsed("semafuzz fuzz --jobs many")
    assert list(commands_of("`semafuzz\nreplay TRACE`")) == ["semafuzz replay TRACE"]


def test_every_command_is_in_the_reference() -> None:
    text = (ROOT / "docs" / "commands.md").read_text(encoding="utf-8")
    missing = [name for name in command_line.commands if name not in HIDDEN and f"`{name}" not in text]
    assert missing == []


def test_the_five_minutes_do_what_they_say(semafuzz: Run, tmp_path: Path) -> None:
    """Files and commands of the page, in their order."""
    text = (ROOT / "docs" / "start.md").read_text(encoding="utf-8")
    codes = []
    for kind, name, body in re.findall(r"```(python|console) ?([\w.]*)\n(.*?)```", text, re.DOTALL):
        if kind == "python":
            (tmp_path / name).write_text(body, encoding="utf-8")
            continue
        for line in body.splitlines():
            done = semafuzz(*shlex.split(line)[2:])
            assert "Traceback" not in done.stderr, (line, done.stderr)
            assert done.returncode in (0, 1), (line, done.stderr)
            codes.append((line.split()[2], done.returncode))
            if "--scheduler exhaustive" in line:
                assert "complete: every schedule was covered and nothing was found" in done.stdout
    assert codes == [("check", 1), ("replay", 1), ("report", 0), ("check", 0), ("export", 0)]
    assert (tmp_path / "found" / "report" / "index.html").exists()
    assert (tmp_path / "found" / "report" / "dcffffcab027.html").exists()


def test_the_site_builds_without_a_warning(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "mkdocs", "build", "--strict", "--quiet", "--site-dir", str(tmp_path / "site")],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    assert (tmp_path / "site" / "start.html").exists()


def test_every_page_is_in_the_navigation() -> None:
    text = (ROOT / "mkdocs.yml").read_text(encoding="utf-8")
    assert [page.name for page in (ROOT / "docs").glob("*.md") if f" {page.name}\n" not in text] == []
