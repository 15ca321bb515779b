"""A column of the table: whatever order the answers come in, each stands beside its own defect."""

from __future__ import annotations

from semafuzz.commands.matrix.column import Column
from semafuzz.strategies.fuzz.defect_check import Cell


def test_answers_are_told_by_the_names_of_defects() -> None:
    column = Column("34.0.0", [Cell("b", "shows"), Cell("a", "silent")])
    assert [(one.defect, one.answer) for one in column.filled(["a", "b", "c"])] == [
        ("a", "silent"), ("b", "shows"), ("c", "?"),
    ]  # fmt: skip
