"""What is said of one thing is said of one."""

from __future__ import annotations

from semafuzz.commands.common.counted import counted
from semafuzz.strategies.fuzz.dedup import Dedup
from semafuzz.strategies.fuzz.small_programs import SmallPrograms
from semafuzz.strategies.fuzz.small_scope import SmallScope
from semafuzz.targets import find_target


def notes(number: int) -> list[str]:
    """Everything that a search counts, said of so many."""
    scope = SmallScope(find_target("reference"), lambda _: (), 0)
    small = SmallPrograms(scope, (0, 1), lambda: None)  # type: ignore[arg-type, return-value]
    small.begun, small.swept, small.apart, small._left = 2 * number, number, number, number
    dedup = Dedup(skipped=number, explained=number, unworked=number, large=number)
    return [counted(count, words) for words, count in {**small.told(), **dedup.told()}.items()]


def test_of_several_nothing_is_changed() -> None:
    assert counted(1234, "failures were not worked out") == "1,234 failures were not worked out"


def test_of_one_it_is_in_the_singular() -> None:
    several, one = notes(2), notes(1)
    assert len(one) == len(several) == 8
    for plural, singular in zip(several, one, strict=True):
        assert plural[2:] != singular[2:], singular
        assert " were " not in f" {singular.split(':')[0].split(' of their ')[0]} ".replace("what is", ""), singular
