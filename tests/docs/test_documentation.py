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

import semafuzz as semafuzz_package
from semafuzz.cli import semafuzz as command_line
from tests.conftest import Run

ROOT = Path(__file__).resolve().parents[2]
PAGES = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").rglob("*.md"))]
HIDDEN = {"identify", "matrix-column", "picture"}


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


def followed(page: str, semafuzz: Run, folder: Path) -> list[tuple[str, int, str]]:
    """Do what a page says: its files, and its commands with their exit codes and what they print."""
    text = (ROOT / "docs" / page).read_text(encoding="utf-8")
    done = []
    for name, code, commands in re.findall(
        r"<!-- file: ([\w.]+) -->\n```python\n(.*?)```|```console\n(.*?)```", text, re.DOTALL
    ):
        if name:
            (folder / name).write_text(code, encoding="utf-8")
        for line in commands.splitlines():
            ran = semafuzz(*shlex.split(line)[2:])
            assert "Traceback" not in ran.stderr, (line, ran.stderr)
            assert ran.returncode in (0, 1), (line, ran.stderr)
            if "--scheduler exhaustive" in line:
                assert "complete: every schedule was covered and nothing was found" in ran.stdout
            done.append((line, ran.returncode, ran.stdout))
    return done


TUTORIALS = {
    "deadlock": [(1, "waits at transfer.py:11 for Account#2.lock"), (0, "a look at a Account")],
    "thread-pool": [(1, "one update is lost")],
    "hanging-test": [(1, "came when nobody waited yet"), (0, "complete: every schedule was covered")],
    "found-nothing": [(0, "complete: every schedule was covered")],
}


@pytest.mark.parametrize("page", TUTORIALS)
def test_a_tutorial_does_what_it_says(page: str, semafuzz: Run, tmp_path: Path) -> None:
    done = followed(f"tutorials/{page}.md", semafuzz, tmp_path)
    assert [code for _, code, _ in done] == [code for code, _ in TUTORIALS[page]]
    for (line, _, printed), (_, words) in zip(done, TUTORIALS[page], strict=True):
        assert words in " ".join(printed.split()), (line, printed)


def test_every_tutorial_is_followed() -> None:
    assert {page.stem for page in (ROOT / "docs" / "tutorials").glob("*.md")} == set(TUTORIALS)


def test_the_five_minutes_do_what_they_say(semafuzz: Run, tmp_path: Path) -> None:
    """Files and commands of the page, in their order."""
    codes = [(line.split()[2], code) for line, code, _ in followed("start.md", semafuzz, tmp_path)]
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
    built = {page.relative_to(tmp_path / "site").as_posix(): page for page in (tmp_path / "site").rglob("*.html")}
    assert {"index.html", "start.html", "api.html", "glossary.html"} <= set(built)
    literal = {name for name, page in built.items() if "```" in page.read_text(encoding="utf-8")}
    assert literal == set(), "a fence that was not understood"
    reference = built["api.html"].read_text(encoding="utf-8")
    missing = [name for name in semafuzz_names() if f">{name}</code></h2>" not in reference]
    assert missing == []


def semafuzz_names() -> list[str]:
    """What a project may import."""
    return list(semafuzz_package.__all__)


def test_every_page_is_in_the_navigation() -> None:
    text = (ROOT / "mkdocs.yml").read_text(encoding="utf-8")
    docs = ROOT / "docs"
    pages = [page.relative_to(docs).as_posix() for page in docs.rglob("*.md")]
    assert [page for page in pages if f" {page}\n" not in text] == []


def test_messages_give_addresses_of_pages() -> None:
    """Who has the wheel has no folder ``docs``."""
    folders = ("harness", "semafuzz", "strategies", "targets", "reports")
    named, wrong = set(), []
    for path in [path for folder in folders for path in (ROOT / folder).rglob("*.py") if "docs" not in path.parts]:
        text = path.read_text(encoding="utf-8")
        named |= set(re.findall(r"documentation\(['\"]([\w-]+)['\"]\)", text))
        wrong += [
            f"{path.name}: {line.strip()}" for line in text.splitlines() if re.search(r"^[^#]*see docs\b(?!.*``)", line)
        ]
    assert wrong == []
    assert named
    assert [name for name in sorted(named) if not (ROOT / "docs" / f"{name}.md").exists()] == []
