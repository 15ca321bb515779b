"""Right programs under very many schedules, with every detector: no failure, and no warning.

But for ``lockset``, whose rows are suggestions: state that something else than a lock orders has none.
"""

from __future__ import annotations

import pytest

from semafuzz.harness.detectors.registry import DETECTORS, make_detectors
from semafuzz.harness.runs.function_file import load
from semafuzz.harness.runs.session import controlled_session
from semafuzz.harness.schedulers.registry import make_scheduler
from semafuzz.harness.search.conclusion import conclude
from semafuzz.harness.search.exploration import Exploration
from semafuzz.targets.classics import CLASSICS, FOLDER
from tests.rotation import slow

NAMES = [name for name in DETECTORS if name != "lockset"]
RIGHT = [one.place for one in CLASSICS if not one.fails]
SCHEDULES = 20_000


def test_there_are_twenty_of_them() -> None:
    assert len(RIGHT) >= 20


@pytest.mark.parametrize(
    ("place", "schedules"), [*[(place, 150) for place in RIGHT], *[slow((place, SCHEDULES)) for place in RIGHT]]
)
def test_nothing_is_said_of_what_is_right(place: str, schedules: int) -> None:
    program = load(str(FOLDER / place)).program
    detectors = make_detectors(NAMES, "threads")
    with controlled_session(program.modules(), thorough=True) as laboratory:
        result = Exploration(
            program, make_scheduler("random", 1), laboratory, schedules=schedules, seconds=600, seed=1,
            detectors=detectors,
        ).run()  # fmt: skip
    conclude(result, detectors)
    assert result.failures == []
    assert {section.name: section.rows for section in result.sections if section.severity == "warning"} == {}
    assert result.schedules == schedules or result.exhausted
