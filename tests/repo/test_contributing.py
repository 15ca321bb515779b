"""The guide for contributors names files and folders that are there, and all folders."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.repo.test_layering import FLOORS


@pytest.fixture(scope="module")
def guide(root: Path) -> str:
    """The text."""
    return (root / "CONTRIBUTING.md").read_text()


def missing(text: str, root: Path) -> list[str]:
    """The paths in a text that are not there; words in capitals stand for others."""
    paths = re.findall(
        r"`((?:harness|strategies|targets|reports|semafuzz|tests|benchmarks|examples|\.ci)/[\w./]*)`", text
    )
    return [path for path in paths if not re.search(r"[A-Z]{3}", path) and not (root / path).exists()]


def test_every_path_is_there(guide: str, root: Path) -> None:
    assert missing(guide, root) == []
    assert missing("`harness/nowhere.py` `harness/kernel/` `harness/NAME.py`", root) == ["harness/nowhere.py"]


def test_every_folder_of_the_engine_is_on_the_map(guide: str) -> None:
    folders = {name.split(".")[2] for name in FLOORS if name.count(".") == 2} - {"errors"}
    assert {f"`harness/{name}/`" for name in folders} <= set(re.findall(r"`harness/\w+/`", guide))


ANSWERS = {
    "--seconds": "class Deadline",
    "Condition": "class WaiterLock",
    "write a scheduler": "class RandomWalk(Scheduler)",
    "become a file": "codec.write(",
    "placement": "class Placement",
    "deadlock message": "def describe_deadlock",
}
"""What has to stand in the file that answers each question."""


@pytest.mark.parametrize("question", ANSWERS)
def test_a_newcomer_is_sent_to_the_right_file(guide: str, root: Path, question: str) -> None:
    (row,) = [line for line in guide.splitlines() if line.startswith("| ") and question in line and line.count("|") == 3
              and "?" in line]  # fmt: skip
    (path,) = re.findall(r"`([\w/]+\.py)`", row)
    assert ANSWERS[question] in (root / path).read_text()


def test_the_first_command_is_that_of_the_minute(guide: str) -> None:
    assert re.search(r"^    (.*)$", guide, re.MULTILINE)[1].startswith("python3 bootstrap.py fast")  # type: ignore[index]
