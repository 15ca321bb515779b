"""What a person sees who waits: a table on a terminal, plain lines elsewhere."""

from __future__ import annotations

import io
from collections import Counter

import msgspec
import pytest
from rich.console import Console

from semafuzz.reports.terminal.progress import Figures, added
from semafuzz.reports.terminal.release_bars import WaitingTable
from semafuzz.reports.terminal.searches import LiveTable, table_of


def text_of(table: object) -> str:
    console = Console(file=io.StringIO(), width=120)
    console.print(table)
    written = console.file.getvalue()  # type: ignore[attr-defined]
    assert isinstance(written, str)
    return written


def test_each_search_has_a_row_and_the_last_is_their_sum() -> None:
    rows = text_of(table_of([Figures(1000, 10, 2, 1, 5), Figures(500, 6, 1, 0, 0)], 10.0)).splitlines()
    cells = [[cell.strip() for cell in row.split("│")[1:-1]] for row in rows if row.startswith("│")]
    assert cells == [
        ["1", "1,000", "100", "10", "2", "1", "0.50%"],
        ["2", "500", "50", "6", "1", "0", "0.00%"],
        ["all", "1,500", "150", "16", "3", "1", "0.33%"],
    ]


def test_one_search_needs_no_sum() -> None:
    assert "all" not in text_of(table_of([Figures(10)], 1.0))


def test_nothing_is_said_of_what_is_not_known() -> None:
    assert "%" not in text_of(table_of([Figures()], 0.0))
    assert Figures().unseen == 1.0
    assert Figures().words() == ", 0 programs"
    assert Figures(200, 3, 0, 2, 1).words() == ", 3 programs, 2 failures to look at, 0.50% to meet a new failure"


def test_figures_go_from_process_to_process() -> None:
    line = msgspec.json.encode(Figures(1, 2, 3, 4, 5))
    assert line == b"[1,2,3,4,5]"
    assert msgspec.json.decode(line, type=Figures) == Figures(1, 2, 3, 4, 5)
    assert added([Figures(1, 2, 3, 4, 5), Figures(1, 1, 1, 1, 1)]) == Figures(2, 3, 4, 5, 6)


def test_on_a_terminal_the_table_goes_away() -> None:
    screen = io.StringIO()
    table = LiveTable(Console(file=screen, force_terminal=True, width=100))
    table.tell([Figures(10), Figures(20)], 1.0)
    table.clear()
    assert "schedules" in screen.getvalue()
    assert "\x1b[2K" in screen.getvalue(), "what was drawn is wiped"
    table.clear()


def test_elsewhere_there_are_lines(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    table = LiveTable(Console(file=io.StringIO()))
    monkeypatch.setattr(table._lines, "_next", 0.0)
    table.tell([Figures(100, 2, 1, 0, 1), Figures(100, 2, 0, 0, 1)], 2.0)
    table.clear()
    assert capsys.readouterr().err == (
        "200 schedules, 100 a second, 1 distinct findings, 4 programs, 1.00% to meet a new failure\n"
    )


def shown(*, terminal: bool) -> str:
    screen = io.StringIO()
    waiting = WaitingTable(3, 2, Console(file=screen, force_terminal=terminal, width=100))
    waiting.tell("34.0.0", "", Counter())
    waiting.tell("34.0.0", "lost", Counter(["shows"]))
    waiting.tell("34.0.0", "kept", Counter(["shows", "silent"]))
    waiting.clear()
    waiting.clear()
    return screen.getvalue()


def test_a_log_has_a_line_where_a_release_begins_and_where_it_ends() -> None:
    first, last = shown(terminal=False).splitlines()
    assert first == "semafuzz: 34.0.0: 2 defects to try"
    assert last == "semafuzz: 34.0.0: 1 shows, 1 silent, 0 s (1 of 3 releases)"


def test_a_terminal_has_bars_for_the_time_being() -> None:
    screen = shown(terminal=True)
    assert "34.0.0" in screen
    assert "\x1b[2K" in screen, "what was drawn is wiped"
    assert "defects to try" not in screen
