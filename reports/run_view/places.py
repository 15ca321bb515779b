"""Code places of a picture as files and lines."""

from __future__ import annotations

import re
from typing import NamedTuple

from semafuzz.reports.run_view.schema import FindingView

_PLACE = re.compile(r"(?P<module>[^\s:]+):(?P<line>\d+) \((?P<function>.*)\)$")


_OWN = frozenset({"read", "write", "read-item", "write-item", "read-all", "write-all", "acquire", "release"})
"""Kinds of steps that stand in the code under test, and not in what drives it."""


class Spot(NamedTuple):
    """A line of a file, relative to the root of what was tested."""

    file: str
    line: int
    function: str


def spot_of(picture: FindingView, place: str) -> Spot | None:
    """Where a place is; None where the text is no place of the source."""
    found = _PLACE.match(place)
    if found is None or found["line"] == "0":
        return None
    module = found["module"]
    file = picture.files.get(module) or module.replace(".", "/") + ".py"
    return Spot(file, int(found["line"]), found["function"])


def spots_of(picture: FindingView) -> list[Spot]:
    """Where the places of the finding are, the conflicting ones first. Of a finding that names
    none, where the run was last: readers drop what stands nowhere."""
    found = [spot for place in picture.places if (spot := spot_of(picture, place)) is not None]
    run = picture.run
    if found or run is None:
        return found
    last = (run.texts[step.place] for step in reversed(run.steps) if step.place >= 0 and step.kind in _OWN)
    return [spot for place in last if (spot := spot_of(picture, place)) is not None][:1]
