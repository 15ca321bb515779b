"""The folder for traces where nobody names another."""

from __future__ import annotations

from pathlib import Path

DEFAULT = ".semafuzz"
"""Its name, in the folder in which the command is run or the tests are."""


def keep_out_of_git(folder: Path) -> None:
    """Give the default folder a ``.gitignore`` of its own: traces are products, and a project
    that wants to keep some copies them elsewhere. Another folder is its owner's affair."""
    ignore = folder / ".gitignore"
    if folder.name == DEFAULT and not ignore.exists():
        ignore.write_text("*\n", encoding="utf-8")
