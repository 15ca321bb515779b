"""No address of one machine or of one package index is in the project.

A lock file that names an index sends everybody there, and fails where it cannot be
reached; a path of one machine works on that machine only.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest

# In pieces, so that this file does not find itself.
LOCK_OPTION = re.compile(r"^\s*-(i|f|-index-url|-extra-index-url|-find-links)\b|:/" r"/", re.MULTILINE)
INDEX = re.compile(
    r"\b(test\.)?pypi\.(org|io|python\.org)\b"
    r"|\bpythonhosted\.org\b"
    r"|\b(artifactory|nexus|devpi)\.[\w.-]+"
    r"|https?:/" r"/[^\s\"'`<>)]+/simple\b"
    r"|\bfile:/" r"//"
    r"|(?<![\w-])--(extra-)?index-url[ =]"
    r"|(?<![\w-])--find-links[ =]"
    r"|\[\[tool\.uv\.index\]\]"
)  # fmt: skip
PERSONAL = re.compile(
    r"(?<![\w.~$})\]/-])/(root|home/\w+|Users/\w+|mnt|opt|srv|work|workspace|builds|data)(/|\b)"
    r"|\b[A-Za-z]:\\+Users\\+\w+"
)
TEMPORARY = re.compile(r"(?<![\w.~$})\]/-])/(var/)?tmp(/|\b)")


def hits(pattern: re.Pattern[str], text: str) -> list[str]:
    """The lines in which a pattern is found, with their numbers."""
    return [f"{number}: {line.strip()}" for number, line in enumerate(text.splitlines(), 1) if pattern.search(line)]


def searched(tracked: Sequence[Path], root: Path) -> Iterator[tuple[Path, str]]:
    """Every text file of the project but this one, whose examples are what it looks for."""
    for file in tracked:
        if file.name != Path(__file__).name:
            content = (root / file).read_bytes()
            if b"\0" not in content:
                yield file, content.decode("utf-8")


def test_the_locks_name_no_index(tracked: Sequence[Path], root: Path) -> None:
    locks = [file for file in tracked if re.fullmatch(r".*\.lock|.*requirements.*\.txt|pylock.*\.toml", file.name)]
    assert Path("requirements.lock") in locks
    assert {str(file): hits(LOCK_OPTION, (root / file).read_text()) for file in locks} == {
        str(file): [] for file in locks
    }


def test_no_file_names_an_index(tracked: Sequence[Path], root: Path) -> None:
    found = {str(file): hits(INDEX, text) for file, text in searched(tracked, root)}
    assert {file: lines for file, lines in found.items() if lines} == {}


def test_no_file_has_a_path_of_one_machine(tracked: Sequence[Path], root: Path) -> None:
    found: dict[str, list[str]] = {}
    for file, text in searched(tracked, root):
        lines = hits(PERSONAL, text) + ([] if file.parts[0] == "tests" else hits(TEMPORARY, text))
        if lines:
            found[str(file)] = lines
    assert found == {}


@pytest.mark.parametrize(
    "text",
    [
        "--index-url https://mirror.example/simple",
        "-i mirror",
        "--find-links wheels",
        "greenlet @ https://host.example/greenlet.whl",
        "    # from https://host.example",
    ],
)
def test_the_lock_check_can_fail(text: str) -> None:
    assert hits(LOCK_OPTION, f"click==8.1 \\\n{text}\n") == [f"2: {text.strip()}"]


@pytest.mark.parametrize(
    "text",
    [
        "see https://pypi.org/project/nova",
        "files.pythonhosted.org",
        "http://mirror.example:8080/root/simple/",
        "file:///srv/wheels",
        "pip install --index-url mirror x",
        "pip install --extra-index-url=mirror x",
        "uv pip install --find-links wheels x",
        "[[tool.uv.index]]",
        "artifactory.corp.example",
    ],
)
def test_the_index_check_can_fail(text: str) -> None:
    assert hits(INDEX, text)


@pytest.mark.parametrize("text", ["uv pip compile --no-emit-index-url --no-emit-find-links", "a simple index", "pip"])
def test_the_index_check_stays_silent(text: str) -> None:
    assert not hits(INDEX, text)


@pytest.mark.parametrize("before", ["", "cd ", '"', "file:", "in ("])
@pytest.mark.parametrize("path", ["root/x", "home/ada/src", "Users/ada", "workspace/x", "opt/wheels.", "mnt/disk"])
def test_the_path_check_can_fail(before: str, path: str) -> None:
    assert hits(PERSONAL, f"{before}/{path}")


def test_a_path_of_windows_is_seen() -> None:
    assert hits(PERSONAL, r"C:\Users\ada")


@pytest.mark.parametrize("text", ["/tmp/x", "'/tmp'", "in /var/tmp/y"])
def test_the_check_of_temporary_paths_can_fail(text: str) -> None:
    assert hits(TEMPORARY, text)


@pytest.mark.parametrize(
    "text",
    [
        "https://host.example/home/ada",
        "$HOME/root/x",
        "{base}/workspace/x",
        "the/root/of",
        "a/tmp/b",
        "/usr/bin/env",
        "/rooted",
        "/working",
        "/database",
    ],
)
def test_the_path_checks_stay_silent(text: str) -> None:
    assert not hits(PERSONAL, text) + hits(TEMPORARY, text)
