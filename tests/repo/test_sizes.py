"""No file grows beyond what a reader takes in."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

LOOK_HARD = 400
TOO_LONG = 800


def longer_than(limit: int, files: Sequence[Path], root: Path) -> list[str]:
    """The Python files with more lines than this, the longest first."""
    lines = {file: len((root / file).read_text().splitlines()) for file in files if file.suffix == ".py"}
    return [
        f"{file}: {lines[file]} lines" for file in sorted(lines, key=lambda one: -lines[one]) if lines[file] > limit
    ]


def test_no_file_is_too_long(tracked: Sequence[Path], root: Path) -> None:
    long = longer_than(LOOK_HARD, tracked, root)
    print(f"above {LOOK_HARD} lines, which second job moved in?", *long, sep="\n  ")  # shown by -rP
    assert longer_than(TOO_LONG, tracked, root) == []


def test_the_check_can_fail(tmp_path: Path) -> None:
    for name, lines in {"at_the_limit.py": TOO_LONG, "above.py": TOO_LONG + 1, "data.json": 5000}.items():
        (tmp_path / name).write_text("x = 1\n" * lines)
    files = [Path("at_the_limit.py"), Path("above.py"), Path("data.json")]
    assert longer_than(TOO_LONG, files, tmp_path) == ["above.py: 801 lines"]
    assert len(longer_than(LOOK_HARD, files, tmp_path)) == 2
