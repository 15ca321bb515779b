"""Text for a terminal: without what could steer it, as wide as it is, with commands that can be copied."""

from __future__ import annotations

import os
import shutil
import sys
import textwrap
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rich.console import Console

WIDTH = "COLUMNS"
"""The variable with the width for which lines are laid out where there is no terminal, as shells have it."""
DEFAULT_WIDTH = 120


def plain(text: str, limit: int = 500) -> str:
    """``text`` without control characters, cut to ``limit``: what comes from a
    target must not be able to steer a terminal."""
    kept = "".join(c if c.isprintable() else "\N{REPLACEMENT CHARACTER}" for c in text.replace("\n", " "))
    return kept if len(kept) <= limit else kept[: limit - 1] + "\N{HORIZONTAL ELLIPSIS}"


def console() -> Console:
    """The console for results: as wide as the terminal, or wide enough for a log."""
    # Here, since most output needs no table.
    from rich.console import Console

    made = Console(highlight=False, soft_wrap=False, emoji=False)
    if not made.is_terminal:
        made = Console(highlight=False, width=160, emoji=False)
    return made


def script() -> str:
    """The command as it can be typed here: its name where that is found, or else
    the path of the one beside this Python."""
    beside = Path(sys.executable).with_name("semafuzz")
    if shutil.which("semafuzz") is None and beside.exists():
        return min(str(beside), os.path.relpath(beside), key=len)
    return "semafuzz"


def replay_command(trace: str, *, program: str = "", source: str = "") -> str:
    """The command that replays a trace, to copy."""
    options = (f" --program {program}" if program else "") + (f" --source {source}" if source else "")
    return plain(f"{script()} replay {trace}{options}", 4000)


def width_here() -> int:
    """How wide lines may be."""
    given = os.environ.get(WIDTH, "")
    if given.isascii() and given.isdigit() and 20 <= int(given) <= 500:
        return int(given)
    try:
        # A pseudo-terminal whose size nobody has set has no columns.
        return os.get_terminal_size(1).columns or DEFAULT_WIDTH
    except OSError:
        return DEFAULT_WIDTH


def wrapped(text: str, width: int = 0, indent: str = "") -> list[str]:
    """Lines no wider than ``width``, that of the terminal where none is given; a path is never cut."""
    lines = textwrap.wrap(
        text, width or width_here(), subsequent_indent=indent, break_long_words=False, break_on_hyphens=False
    )
    return [plain(line, 1000) for line in lines]
